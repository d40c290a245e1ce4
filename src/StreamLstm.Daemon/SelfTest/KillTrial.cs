using System.Globalization;
using System.Net;
using StreamLstm.Daemon.Durability;

namespace StreamLstm.Daemon.SelfTest;

/// <summary>Kills this program again and again while observations come in, and holds all it said against a run that nobody killed.</summary>
/// <remarks>
/// Half of the kills fall on a random row, a quarter on a random moment of a start, where the journal is read again, and a quarter,
/// where points are named, on one of those. Whoever sends sends again what was not acknowledged, and never what was.
/// </remarks>
internal sealed class KillTrial
{
    /// <summary>Rows before a stream may alert, and some more for incidents behind them.</summary>
    public const int RowsMin = 900;

    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(90);
    private static readonly string[] Always =
    [
        "sources.host.enabled=false", "sinks.console.enabled=false", "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false",
        "storage.snapshot_interval=100ms", "storage.snapshot_kib_per_second=1048576", "sources.mqtt_embedded.port=0",
    ];

    private readonly string _directory;
    private readonly Random _random;
    private readonly double[] _values;
    private readonly DateTimeOffset _start;
    private TimeSpan _startTime = TimeSpan.FromSeconds(2);

    /// <param name="directory">An empty directory on the disk that is tried.</param>
    /// <param name="seed">Where the kills fall.</param>
    /// <param name="rows">How many rows are sent.</param>
    public KillTrial(string directory, int seed, int rows)
    {
        _directory = directory;
        _random = new Random(seed);
        _values = Values(rows);
        _start = DateTimeOffset.UtcNow.Date - (rows + 1) * Spacing;
    }

    /// <summary>The rows' number.</summary>
    public int Rows => _values.Length;

    /// <summary>Where the killed daemon kept its state.</summary>
    public string State => Path.Combine(_directory, "state");

    /// <summary>Sends rows and comes back once they are acknowledged; an exception says that they may not have been.</summary>
    public delegate Task Sender(ChildDaemon daemon, int from, int count, CancellationToken cancellationToken);

    /// <summary>Over HTTP, each request answered 202 behind the sync.</summary>
    public Sender OverHttp => async (daemon, from, count, cancellationToken) =>
    {
        (HttpStatusCode status, string body) = await daemon.PostAsync("/api/v1/observations", Lines(from, count), cancellationToken);

        if (status != HttpStatusCode.Accepted)
        {
            throw new IOException($"{(int)status}: {body}");
        }
    };

    /// <summary>Into a file that is followed, and what the daemon must be told to follow it.</summary>
    public (Sender Sender, string[] Settings) IntoAFile()
    {
        string file = Path.Combine(_directory, "boiler.csv");
        File.WriteAllText(file, "timestamp,boiler\n");

        // What stands in the file is there: it needs no acknowledgement.
        return (
            async (_, from, count, cancellationToken) =>
            {
                await File.AppendAllTextAsync(file, string.Concat(Enumerable.Range(from, count).Select(row => Text($"{TimeOf(row):O},{_values[row]}\n"))), cancellationToken);
                await Task.Delay(1, cancellationToken);
            },
            [$"sources.files.0.path={file}", "sources.files.0.follow=true"]);
    }

    /// <summary>A row as JSON without its stream, for a publisher whose topic names it.</summary>
    public string Payload(int row) => Text($"{{\"timestamp\":\"{TimeOf(row):O}\",\"value\":{_values[row]}}}");

    /// <summary>Sends everything while the daemon is killed, lets it end in order, and compares.</summary>
    /// <param name="kills">How often it is killed at random.</param>
    /// <param name="points">Named points at each of which it is killed once more, all of them in this order.</param>
    /// <param name="sender">The way in.</param>
    /// <param name="settings">What the way in needs.</param>
    /// <param name="atMost">Time after which no more random kills are made, however many were asked for.</param>
    /// <param name="progress">Told after each kill.</param>
    /// <param name="cancellationToken">Ends it with what there is.</param>
    public async Task<KillFindings> RunAsync(
        int kills, IReadOnlyList<string> points, Sender sender, IReadOnlyList<string> settings, TimeSpan atMost, IProgress<KillProgress>? progress, CancellationToken cancellationToken)
    {
        Queue<string> unreached = new(points);
        int killed = 0, atStart = 0, atPoints = 0, sent = 0;
        List<string> missed = [];

        var since = System.Diagnostics.Stopwatch.StartNew();

        while (killed < kills || unreached.Count > 0)
        {
            if (unreached.Count == 0 && since.Elapsed > atMost)
            {
                break;
            }

            bool isAtPoint = unreached.Count > 0 && (killed >= kills || _random.Next(4) == 0);
            string? point = isAtPoint ? unreached.Dequeue() : null;
            bool isAtStart = point is null && _random.Next(3) == 0;

            if (point?.StartsWith(KillPoint.R7HalfSetAside, StringComparison.Ordinal) == true)
            {
                DamageNewestSnapshot();
            }

            await using var daemon = ChildDaemon.Start(State, [.. Always, .. settings], point);

            if (isAtStart)
            {
                await Task.Delay(_startTime * (1.1 * _random.NextDouble()), cancellationToken);
                await daemon.KillAsync();
                atStart++;
            }
            else
            {
                // What is left is spread over the lives that are left.
                int lives = Math.Max(1, kills - killed + unreached.Count);
                int until = point is null ? Math.Min(Rows, sent + _random.Next(2 + 3 * (Rows - sent) / lives)) : Rows;
                sent = await LiveAsync(daemon, sender, sent, until, point is null, cancellationToken);

                if (point is not null && !daemon.HasExited)
                {
                    missed.Add(point);
                    await daemon.KillAsync();
                }

                atPoints += point is null ? 0 : 1;
            }

            killed += point is null ? 1 : 0;
            progress?.Report(new KillProgress(killed + atPoints, kills + points.Count, sent, Rows));
        }

        await EndAsync(sender, sent, settings, cancellationToken);
        KillFindings findings = await CompareAsync(cancellationToken);
        return findings with { Kills = killed + atPoints, AtStart = atStart, AtPoints = atPoints, Missed = missed, Acknowledged = Rows };
    }

    /// <summary>Sends rows to one life until it is killed.</summary>
    /// <returns>How many rows were acknowledged in all lives.</returns>
    private async Task<int> LiveAsync(ChildDaemon daemon, Sender sender, int sent, int until, bool isKilled, CancellationToken cancellationToken)
    {
        var sinceStart = System.Diagnostics.Stopwatch.StartNew();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LongestStart);

        if (await daemon.ReadyAsync(patience.Token))
        {
            _startTime = sinceStart.Elapsed;
        }
        else if (isKilled)
        {
            throw new SelfTestException($"it did not start again:\n{daemon.Output}");
        }

        Task? killing = null;
        int overrun = 0;
        var life = System.Diagnostics.Stopwatch.StartNew();

        while (!daemon.HasExited)
        {
            if (isKilled && sent >= until)
            {
                // While the next rows are on their way.
                killing ??= KillAsync(daemon, TimeSpan.FromMilliseconds(_random.Next(30)));
            }

            int count = killing is null || overrun++ < 3 ? Math.Min(1 + _random.Next(8), Rows - sent) : 0;

            if (count > 0)
            {
                try
                {
                    await sender(daemon, sent, count, cancellationToken);
                    sent += count;

                    if (!isKilled)
                    {
                        // Snapshots and incidents come in their time: the rows must last for every point.
                        await Task.Delay(10, cancellationToken);
                    }
                }
                catch (Exception unanswered) when (unanswered is HttpRequestException or IOException)
                {
                    // Not acknowledged: sent again, to the next life where this one has gone.
                }
            }
            else
            {
                await Task.Delay(5, cancellationToken);

                // A point that is not passed in this time never is.
                if (!isKilled && life.Elapsed > TimeSpan.FromSeconds(5))
                {
                    break;
                }
            }
        }

        await (killing ?? Task.CompletedTask);
        return sent;
    }

    private void DamageNewestSnapshot()
    {
        string newest = Directory.GetFiles(State, "MANIFEST-*").Max(StringComparer.Ordinal)!;
        byte[] bytes = File.ReadAllBytes(newest);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(newest, bytes);
    }

    private static async Task KillAsync(ChildDaemon daemon, TimeSpan after)
    {
        await Task.Delay(after);
        await daemon.KillAsync();
    }

    /// <summary>The last life takes the rest and ends in order.</summary>
    private async Task EndAsync(Sender sender, int sent, IReadOnlyList<string> settings, CancellationToken cancellationToken)
    {
        await using var daemon = ChildDaemon.Start(State, [.. Always, .. settings]);

        if (!await daemon.ReadyAsync(cancellationToken))
        {
            throw new SelfTestException($"it did not start again:\n{daemon.Output}");
        }

        for (int count; sent < Rows; sent += count)
        {
            count = Math.Min(100, Rows - sent);
            await sender(daemon, sent, count, cancellationToken);
        }

        while ((await daemon.GetAsync("/api/v1/status", cancellationToken)).GetProperty("total").GetProperty("scored").GetInt64() < Rows)
        {
            await Task.Delay(20, cancellationToken);
        }

        if (await daemon.TerminateAsync(cancellationToken) != 0)
        {
            throw new SelfTestException($"it did not end in order:\n{daemon.Output}");
        }
    }

    private async Task<KillFindings> CompareAsync(CancellationToken cancellationToken)
    {
        string whole = Path.Combine(_directory, "whole");

        await using (var daemon = ChildDaemon.Start(whole, Always))
        {
            for (int from = 0; from < Rows; from += 500)
            {
                await OverHttp(daemon, from, Math.Min(500, Rows - from), cancellationToken);
            }

            if (await daemon.TerminateAsync(cancellationToken) != 0)
            {
                throw new SelfTestException($"the run that nobody killed did not end in order:\n{daemon.Output}");
            }
        }

        return ToldEvents.Compare(ToldEvents.Of(whole), ToldEvents.Of(State));
    }

    private string Lines(int from, int count) => string.Concat(Enumerable.Range(from, count).Select(row =>
        Text($"{{\"stream\":\"boiler\",\"timestamp\":\"{TimeOf(row):O}\",\"value\":{_values[row]}}}\n")));

    private DateTimeOffset TimeOf(int row) => _start + row * Spacing;

    /// <summary>A noisy day of 144 rows, with faults once the stream may alert.</summary>
    private static double[] Values(int rows)
    {
        var random = new Random(7);
        double[] values =
        [
            .. Enumerable.Range(0, rows).Select(row => 20 + 5 * Math.Sin(2 * Math.PI * row / 144)
                + 0.5 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())),
        ];

        for (int row = 640; row < rows; row += 53 + random.Next(90))
        {
            values[row] += 60;
        }

        return values;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How far a trial has got.</summary>
internal readonly record struct KillProgress(int Kills, int Of, int Acknowledged, int Rows);

/// <summary>What a trial has found: zeros, or what was broken.</summary>
internal sealed record KillFindings
{
    public int Kills { get; init; }

    /// <summary>Kills while it started.</summary>
    public int AtStart { get; init; }

    /// <summary>Kills at named points.</summary>
    public int AtPoints { get; init; }

    /// <summary>Points that were not passed.</summary>
    public IReadOnlyList<string> Missed { get; init; } = [];

    public int Acknowledged { get; init; }

    /// <summary>Scores and incidents that the run nobody killed tells, and this one does not.</summary>
    public int Lost { get; init; }

    /// <summary>Scores and incidents told more than once, or of nothing that was sent.</summary>
    public int Duplicated { get; init; }

    /// <summary>Scores and incidents whose bits are others.</summary>
    public int Different { get; init; }

    /// <summary>The first of what is wrong, for people.</summary>
    public string First { get; init; } = "";

    public bool IsClean => Lost + Duplicated + Different == 0 && Missed.Count == 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"""
        {Kills} kills ({AtStart} while starting, {AtPoints} at named points), {Acknowledged} acknowledged: lost {Lost}, duplicated {Duplicated}, score bits different {Different}
        """) + (Missed.Count == 0 ? "" : $"; never passed: {string.Join(", ", Missed)}") + (First.Length == 0 ? "" : $"; first: {First}");
}

/// <summary>The trial could not be made: the program does not start or does not end.</summary>
internal sealed class SelfTestException(string message) : Exception(message);
