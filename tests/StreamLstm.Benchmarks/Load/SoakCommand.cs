using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Commands.Load;
using StreamLstm.Daemon.SelfTest;
using StreamLstm.Decoding;

namespace StreamLstm.Benchmarks.Load;

/// <summary>The daemon itself for a while with very many streams: memory over time, books, latency and how soon the page is answered, while snapshots, trainings and swaps go on.</summary>
internal sealed class SoakCommand : IDisposable
{
    public const string Name = "soak";
    public const string Usage = "soak [--streams N] [--for TIME] [--form FORM] [--rate N] [--busy N] [--ids N] [--memory MIB]";
    public const string About = "the daemon under load with N streams; with --ids so many random names beside them, within the time";

    private const int BatchSize = 500;
    private const int Lanes = 4;
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(100);

    private readonly TextWriter _output;
    private readonly ChildDaemon _daemon;
    private readonly int _streams;
    private readonly CancellationTokenSource _ended = new();
    private readonly List<double> _probes = [];
    private readonly List<double> _residentMib = [];
    private readonly List<double> _pageMilliseconds = [];
    private long _sent;
    private long _unanswered;

    private SoakCommand(TextWriter output, ChildDaemon daemon, int streams) => (_output, _daemon, _streams) = (output, daemon, streams);

    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        var asked = new Dictionary<string, string> { ["--streams"] = "100000", ["--for"] = "1m", ["--form"] = "lean", ["--rate"] = "5000", ["--busy"] = "1000", ["--ids"] = "0", ["--memory"] = "0" };

        for (int i = 0; i < args.Length; i += 2)
        {
            if (!asked.ContainsKey(args[i]) || i + 1 == args.Length)
            {
                error.WriteLine($"usage: {Usage}");
                return 2;
            }

            asked[args[i]] = args[i + 1];
        }

        int Number(string option) => int.Parse(asked[option], CultureInfo.InvariantCulture);

        if (!Duration.TryParse(asked["--for"], out TimeSpan time))
        {
            error.WriteLine($"--for {asked["--for"]}: expected a time such as 30m");
            return 2;
        }

        return RunAsync(output, Number("--streams"), time, asked["--form"], Number("--rate"), Number("--busy"), Number("--ids"), Number("--memory")).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(TextWriter output, int streams, TimeSpan time, string form, int rate, int busy, int ids, int memoryMib)
    {
        using var directory = new TemporaryFolder();
        await using ChildDaemon daemon = ChildDaemon.Start(
            directory.Path,
            [
                // With foreign names the bound is on bytes: what does not fit is refused or makes others go.
                $"limits.streams={(ids > 0 ? 10_000_000 : streams + 100)}", $"limits.memory_mib={memoryMib}", $"detection.form={form}", "sources.host.enabled=false",
                "sources.mqtt_embedded.enabled=false", "sinks.console.enabled=false", "storage.snapshot_interval=1m", "storage.snapshot_kib_per_second=65536",
                "retrain.first_after=30s", "retrain.period=1m", "retrain.time_max=20s",
            ]);

        if (!await daemon.ReadyAsync(CancellationToken.None))
        {
            output.WriteLine(daemon.Output);
            return 1;
        }

        using var soak = new SoakCommand(output, daemon, streams);
        await soak.SoakAsync(time, rate, busy, ids);
        return 0;
    }

    public void Dispose() => _ended.Dispose();

    private async Task SoakAsync(TimeSpan time, int rate, int busy, int ids)
    {
        long begun = Stopwatch.GetTimestamp();

        for (int from = 0; from < _streams; from += BatchSize)
        {
            await SendAsync([.. Enumerable.Range(from, Math.Min(BatchSize, _streams - from)).Select(stream => Line($"plant/{stream % 1_000}/{stream}", stream))]);
        }

        // The first answers are those of a program that is being compiled.
        await AskAsync();
        Say($"{_streams} streams are there after {Stopwatch.GetElapsedTime(begun).TotalSeconds:0} s, {ResidentMib():0} MiB RSS");
        // A plant as it is: half of what comes is of a few that come often, which is what is trained on, and the rest of all in turn.
        busy = Math.Min(busy, _streams);
        Task known = Task.WhenAll(
            LoadAsync(rate / 2, n => Line($"plant/{n % _streams % 1_000}/{n % _streams}", n / _streams)),
            LoadAsync(rate / 2, n => Line($"plant/{n % busy % 1_000}/{n % busy}", n / busy)));
        Task probing = ProbeAsync();
        double alone = 0;

        if (ids > 0)
        {
            await WatchAsync(time / 2);
            alone = Take(.99);
            Say($"p99 of known streams by themselves {alone:0.0} ms");
            await Task.WhenAny(Task.WhenAll(known, LoadAsync((int)(ids / time.TotalSeconds) + 1, n => Line($"x/{(ulong)n * 0x9E3779B97F4A7C15:x}", n))), WatchAsync(time));
        }
        else
        {
            await WatchAsync(time);
        }

        await _ended.CancelAsync();
        await Task.WhenAll(known, probing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        JsonElement books = (await _daemon.GetAsync("/api/v1/status", CancellationToken.None)).GetProperty("books");

        while (books.GetProperty("queued").GetInt64() > 0)
        {
            await Task.Delay(ProbeInterval);
            books = (await _daemon.GetAsync("/api/v1/status", CancellationToken.None)).GetProperty("books");
        }

        double p99 = At(.99);
        Say($"hand-in to score p50 {At(.5):0.0} p99 {p99:0.0} p99.9 {At(.999):0.0} ms ({_probes.Count}); page and API p50 {Of(_pageMilliseconds, .5):0} ms, at most {Of(_pageMilliseconds, 1):0} ms");
        Say($"books: sent {Interlocked.Read(ref _sent)}, received {books.GetProperty("received")}, scored {books.GetProperty("scored")}, rejected {books.GetProperty("rejected")}, balance {books.GetProperty("balances")}; {Interlocked.Read(ref _unanswered)} requests without an answer");
        JsonElement status = await _daemon.GetAsync("/api/v1/status", CancellationToken.None);
        Say($"weights of version {status.GetProperty("model_version")} serve; the last training: {status.GetProperty("retrain").GetProperty("last")}");

        if (ids > 0)
        {
            Goal("p99 of known streams beside foreign names, x that by themselves", p99 / alone, 1.5);
        }

        int third = Math.Max(1, _residentMib.Count / 3);
        Goal("RSS of the last third, x that of the one before", _residentMib[^third..].Average() / _residentMib[third..Math.Max(third + 1, _residentMib.Count - third)].Average(), 1.05);
        Goal("longest answer of page and API, s", Of(_pageMilliseconds, 1) / 1000, 1);
    }

    /// <summary>Looks on for a time: memory, and how soon what the page asks for is answered.</summary>
    private async Task WatchAsync(TimeSpan time)
    {
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun) < time;)
        {
            await Task.Delay(LookInterval < time ? LookInterval : time);
            double[] took = await AskAsync();
            _pageMilliseconds.AddRange(took);
            _residentMib.Add(ResidentMib());
            Say($"{_residentMib[^1]:0} MiB RSS, {Interlocked.Read(ref _sent)} sent, p99 so far {At(.99):0.0} ms; answers in {string.Join(' ', took.Select(one => one.ToString("0", CultureInfo.InvariantCulture)))} ms");
        }
    }

    /// <summary>What the page asks for, and how long each answer took, in milliseconds.</summary>
    private async Task<double[]> AskAsync()
    {
        string[] paths =
        [
            "/api/v1/status", "/api/v1/streams?order=score&sparks=true", "/api/v1/streams?tree=true&open=plant/", "/api/v1/streams?under=plant/7/", "/api/v1/streams?filter=77&offset=50",
            $"/api/v1/streams/plant/7/{Math.Min(7, _streams - 1)}", "/api/v1/incidents", "/metrics",
        ];
        double[] took = new double[paths.Length];

        for (int i = 0; i < paths.Length; i++)
        {
            long asked = Stopwatch.GetTimestamp();
            await _daemon.GetTextAsync(paths[i], CancellationToken.None);
            took[i] = Stopwatch.GetElapsedTime(asked).TotalMilliseconds;
        }

        return took;
    }

    private async Task LoadAsync(int rate, Func<long, string> line)
    {
        long begun = Stopwatch.GetTimestamp(), next = 0;
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async _ =>
        {
            while (!_ended.IsCancellationRequested)
            {
                long from = Interlocked.Add(ref next, BatchSize) - BatchSize;
                TimeSpan early = TimeSpan.FromSeconds((double)from / rate) - Stopwatch.GetElapsedTime(begun);

                if (early > TimeSpan.Zero)
                {
                    await Task.Delay(early, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                await SendAsync([.. Enumerable.Range(0, BatchSize).Select(i => line(from + i))]);
            }
        }));
    }

    /// <summary>One observation at a time, until what scoring made of it is there.</summary>
    private async Task ProbeAsync()
    {
        for (long row = 0; !_ended.IsCancellationRequested; row++)
        {
            long started = Stopwatch.GetTimestamp();
            await SendAsync([Line("probe", row)], "?wait=scored");

            lock (_probes)
            {
                _probes.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            await Task.Delay(ProbeInterval, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAsync(string[] lines, string query = "")
    {
        var body = new StringBuilder();

        foreach (string line in lines)
        {
            body.Append(line).Append('\n');
        }

        for (bool isTaken = false; !isTaken;)
        {
            try
            {
                // Told to wait (429, 503): the same again.
                isTaken = (int)(await _daemon.PostAsync($"/api/v1/observations{query}", body.ToString(), CancellationToken.None)).Status < 429;
            }
            catch (Exception late) when (late is OperationCanceledException or HttpRequestException && !_ended.IsCancellationRequested)
            {
                // Whether it was taken nobody knows: the books tell, and it is sent once.
                Interlocked.Increment(ref _unanswered);
                break;
            }

            if (!isTaken)
            {
                await Task.Delay(ProbeInterval);
            }
        }

        Interlocked.Add(ref _sent, lines.Length);
    }

    private static string Line(string stream, long n) => string.Create(
        CultureInfo.InvariantCulture, $$"""{"stream":"{{stream}}","time":"{{DateTimeOffset.UtcNow:O}}","value":{{20 + (5 * Math.Sin(n / 997.0)) + (n * 31 % 17 / 17.0):0.###}}}""");

    private double ResidentMib()
    {
        using var process = Process.GetProcessById(_daemon.Id);
        return process.WorkingSet64 / 1048576.0;
    }

    private double At(double share)
    {
        lock (_probes)
        {
            return Of(_probes, share);
        }
    }

    private double Take(double share)
    {
        double found = At(share);

        lock (_probes)
        {
            _probes.Clear();
        }

        return found;
    }

    private static double Of(List<double> all, double share)
    {
        double[] sorted = [.. all.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
    }

    private void Goal(string what, double value, double goal) => Say($"{what}: {value:0.00} (goal <= {goal}) {(value <= goal ? "met" : "missed")}");

    private void Say(FormattableString line) => _output.WriteLine($"soak: {line.ToString(CultureInfo.InvariantCulture)}");
}
