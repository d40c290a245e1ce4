using System.CommandLine;
using System.Text;
using StreamLstm.Backtesting;
using StreamLstm.Daemon.Commands.Load;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Decoding;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm simulate</c>: a seeded fleet of streams with labelled faults, for trying things out, and as a load at a rate.</summary>
internal static class SimulateCommand
{
    private const string StandardOutput = "-";
    private const int StreamsMax = 100_000;
    private const int RowsPerReport = 256;
    private const long RowsUnsaid = 5_000;
    private const double RateMax = 1_000_000;
    private const string KafkaScheme = "kafka://";
    private const string ToExpected = "kafka://HOST:9092/TOPIC, mqtt://HOST:1883/PREFIX or http://HOST:8080";

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <param name="output">For the data where no file is named.</param>
    /// <param name="error">For progress, the summary and errors.</param>
    public static Command Create(TextWriter output, TextWriter error)
    {
        var streams = new Option<int>("--streams") { Description = $"Streams, 1 to {StreamsMax}: the kinds in turn, every 14th has several columns.", HelpName = "N", DefaultValueFactory = _ => 14 };
        var rows = new Option<long?>("--rows") { Description = $"Rows of every stream; with --events, sessions. {RowsUnsaid} where nothing is said.", HelpName = "N" };
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same bytes.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var faults = new Option<double>("--faults")
        {
            Description = $"Faults to be expected in 1,000 rows of a stream, 0 to {SyntheticSeriesOptions.FaultsMax}, none in the first 1,000; with --events, faulty sessions in 1,000.",
            HelpName = "RATE",
            DefaultValueFactory = _ => 1,
        };
        var interval = new Option<string?>("--interval") { Description = "Time between two rows of a stream, 10s where nothing is said; the first is of 2026-01-01T00:00:00Z.", HelpName = "TIME" };
        var rate = new Option<double?>("--rate") { Description = $"Observations a second of all streams together, up to {RateMax:0}, each with the time at which it is due; else all at once, with times of 2026.", HelpName = "N" };
        var length = new Option<string?>("--for") { Description = "With --rate, in place of --rows: how long.", HelpName = "TIME" };
        var file = new Option<string>("--out", "-o") { Description = "Where rows go, as NDJSON; - for standard output.", HelpName = "FILE", DefaultValueFactory = _ => StandardOutput };
        var to = new Option<string?>("--to")
        {
            Description = "Instead of a file: a topic that is there, its records' keys the streams' names; a broker, at QoS 1, topics PREFIX/STREAM; a daemon, which may tell it to wait.",
            HelpName = "URL",
        };
        var labels = new Option<string?>("--labels") { Description = "Where faults go: CSV with stream, start, end and kind, which backtest --labels reads; with --events line and kind.", HelpName = "FILE" };
        var events = new Option<bool>("--events") { Description = "Sessions of events instead, one a line, for backtest --format events." };
        var command = new Command(
            "simulate",
            """
            Write synthetic streams with labelled faults: seasons, trends, bursts, counts, switches, coupled columns and more.
            With --to they are a load on a broker, a cluster or a daemon, at the --rate that is asked for.

            Examples:
              streamlstm simulate --out fleet.ndjson --labels faults.csv
              streamlstm backtest fleet.ndjson --out results --report --labels faults.csv
              streamlstm simulate --faults 0 | streamlstm run --set sources.stdin.enabled=true
              streamlstm simulate --to kafka://127.0.0.1:9092/plant
              streamlstm simulate --to mqtt://127.0.0.1:1883/plant --streams 1000 --rate 500 --for 10m
              streamlstm simulate --to http://127.0.0.1:8080 --streams 5000 --rate 2000 --for 1h --labels faults.csv
              streamlstm simulate --rate 10 --for 1m | streamlstm run --set sources.stdin.enabled=true
              streamlstm simulate --events --rows 3000 --faults 0 --out normal.txt
            """)
        {
            streams, rows, seed, faults, interval, rate, length, file, to, labels, events, DaemonClient.TokenFile,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(FileCommand.Answer(
            () =>
            {
                Request request = Checked(new Request(
                    parsed.GetValue(streams), parsed.GetValue(rows), parsed.GetValue(seed), parsed.GetValue(faults), parsed.GetValue(interval),
                    parsed.GetValue(rate), parsed.GetValue(length), parsed.GetValue(file)!, parsed.GetValue(to), parsed.GetValue(labels), parsed.GetValue(events)));
                return request.To is null && request.Rate is null
                    ? Write(request, output, error, cancellation)
                    : Send(request, DaemonClient.Token(parsed, error), output, error, cancellation);
            },
            "files that were not complete are removed",
            error)));
        return command;
    }

    private static Request Checked(Request request)
    {
        if (request.Streams is < 1 or > StreamsMax)
        {
            throw new BacktestUsageException($"--streams: {request.Streams}, expected 1 to {StreamsMax}");
        }

        if (request.Rows < 1)
        {
            throw new BacktestUsageException($"--rows: {request.Rows}, expected 1 or more");
        }

        if (request.Faults is not (>= 0 and <= SyntheticSeriesOptions.FaultsMax))
        {
            throw new BacktestUsageException($"--faults: {Text($"{request.Faults}")}, expected 0 to {SyntheticSeriesOptions.FaultsMax}");
        }

        if (request.Rate is not (null or (> 0 and <= RateMax)))
        {
            throw new BacktestUsageException($"--rate: {Text($"{request.Rate}")}, expected more than 0 and up to {RateMax:0} observations a second");
        }

        if (request.To is not null && request.Path != StandardOutput)
        {
            throw new BacktestUsageException("--to: set, and --out too; expected one of them");
        }

        if (request.IsEvents && (request.Rate is not null || request.To?.StartsWith(KafkaScheme, StringComparison.Ordinal) is false))
        {
            throw new BacktestUsageException("--events: sessions go to a file or a topic at once; expected neither --rate nor another --to with it");
        }

        if (request.Length is not null)
        {
            return request.Rate is not { } rate ? throw new BacktestUsageException("--for: expected with --rate")
                : request.Rows is not null ? throw new BacktestUsageException("--for: set, and --rows too; expected one of them")
                : !Duration.TryParse(request.Length, out TimeSpan length) || length <= TimeSpan.Zero || length.TotalSeconds * rate < 1
                    ? throw new BacktestUsageException($"--for: '{request.Length}', expected a duration such as 30s, 10m or 1h, in which there is an observation")
                    : request with { Time = Interval(request), Span = length + TokenSchedule.CaughtUp, Count = (long)(length.TotalSeconds * rate) };
        }

        TimeSpan time = Interval(request);
        long rows = request.Rows ?? RowsUnsaid;
        return rows > (DateTimeOffset.MaxValue - Start) / time
            ? throw new BacktestUsageException($"--rows: {rows} rows {request.Interval} apart, expected an end before the year 10000")
            : request with { Time = time, Count = request.IsEvents ? rows : rows * request.Streams };
    }

    private static TimeSpan Interval(Request request) =>
        request is { Rate: not null, Interval: not null } ? throw new BacktestUsageException("--interval: set, and --rate too, which says it; expected one of them")
        : !Duration.TryParse(request.Interval ?? "10s", out TimeSpan time) || time <= TimeSpan.Zero
            ? throw new BacktestUsageException($"--interval: '{request.Interval}', expected a duration such as 500ms, 10s or 5m")
            : time;

    /// <summary>Everything at once, into a file.</summary>
    private static int Write(Request request, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        using PartialFile? labelFile = request.Labels is null ? null : new PartialFile(request.Labels);
        using PartialFile? file = request.Path == StandardOutput ? null : new PartialFile(request.Path);
        using StreamWriter? unflushed = file is null ? Unflushed(output) : null;
        TextWriter data = file?.Writer ?? unflushed ?? output;
        long rows = request.Rows ?? RowsUnsaid;
        long faults = WorkProgress.With("simulating", rows, error, progress => request.IsEvents
            ? Sessions(request, rows, line => data.Write(line + '\n'), labelFile?.Writer, progress, cancellation)
            : Streams(request, rows, data, labelFile?.Writer, progress, cancellation));
        data.Flush();
        file?.Complete();
        labelFile?.Complete();
        error.WriteLine(Summary(request, rows, faults));
        return 0;
    }

    /// <summary>One after another, to whoever takes them.</summary>
    private static int Send(Request request, string? token, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        if (token is null)
        {
            return CommandLine.WrongUsage;
        }

        using PartialFile? labelFile = request.Labels is null ? null : new PartialFile(request.Labels);
        using PartialFile? file = request.Path == StandardOutput ? null : new PartialFile(request.Path);
        using StreamWriter? unflushed = request.To is null && file is null ? Unflushed(output) : null;
        TimeProvider time = TimeProvider.System;
        ILoadTarget target = Target(request, token, file?.Writer ?? unflushed ?? output, time, cancellation);

        try
        {
            long rows, faults;

            // Made before the clock of the load begins.
            SimulatedFleet? fleet = request.IsEvents ? null : new SimulatedFleet(request.Streams, request.Seed, request.Faults);
            var schedule = request.Rate is { } rate ? new TokenSchedule(rate, time, error.WriteLine) : null;
            var run = new LoadRun(target, schedule, time);

            try
            {
                (rows, faults) = WorkProgress.With("sending", request.Count, error, progress => fleet is null
                    ? SendSessions(request, run, labelFile?.Writer, progress, cancellation)
                    : SendStreams(request, fleet, run, schedule, labelFile?.Writer, time, progress, cancellation));
            }
            finally
            {
                error.WriteLine(run.Report());
            }

            file?.Complete();
            labelFile?.Complete();
            error.WriteLine(Summary(request, rows, faults));
            return run.IsComplete ? 0 : CommandLine.Failed;
        }
        finally
        {
            target.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static ILoadTarget Target(Request request, string token, TextWriter data, TimeProvider time, CancellationToken cancellation)
    {
        if (request.To is not { } to)
        {
            return new LineTarget(data);
        }

        int slash = to.LastIndexOf('/');

        if (to.StartsWith(KafkaScheme, StringComparison.Ordinal))
        {
            return slash > KafkaScheme.Length && slash < to.Length - 1
                ? new KafkaTarget(to[KafkaScheme.Length..slash], to[(slash + 1)..])
                : throw new BacktestUsageException($"--to: '{to}', expected {ToExpected}");
        }

        return Uri.TryCreate(to, UriKind.Absolute, out Uri? url) && url.Host.Length > 0 && url.UserInfo.Length == 0
            ? url.Scheme switch
            {
                "mqtt" or "mqtts" => MqttTarget.OpenAsync(url, time, cancellation).GetAwaiter().GetResult(),
                "http" or "https" => new HttpTarget(url, token, time),
                _ => throw new BacktestUsageException($"--to: '{to}', expected {ToExpected}"),
            }
            : throw new BacktestUsageException($"--to: '{to}', expected {ToExpected}");
    }

    private static (long Rows, long Faults) SendStreams(
        Request request, SimulatedFleet fleet, LoadRun run, TokenSchedule? schedule, TextWriter? labels, TimeProvider time, Action<long>? progress, CancellationToken cancellation)
    {
        DateTimeOffset now = time.GetUtcNow();
        long began = time.GetTimestamp();
        List<DateTimeOffset> times = [];

        // With a rate an observation is of the time at which it is due; a row is of its first one's.
        run.RunAsync(
            due =>
            {
                DateTimeOffset at = schedule is null ? request.At(fleet.Number == 0 ? times.Count : times.Count - 1) : now + time.GetElapsedTime(began, due);

                if (fleet.Number == 0)
                {
                    times.Add(at);
                }

                (int number, string name) = (fleet.Number, fleet.Name);
                return (number, new LoadRow(name, Encoding.UTF8.GetBytes(fleet.Next(RowTime.Text(at)).ToString()), due));
            },
            request.Count,
            request.Span,
            progress,
            cancellation).GetAwaiter().GetResult();
        return (times.Count, fleet.WriteFaults(labels, times.Count, row => RowTime.Text(times[(int)row])));
    }

    private static (long Rows, long Faults) SendSessions(Request request, LoadRun run, TextWriter? labels, Action<long>? progress, CancellationToken cancellation)
    {
        Queue<string> lines = [];
        long faults = Sessions(request, request.Count, line => lines.Enqueue(line), labels, null, cancellation);
        run.RunAsync(
            due => (0, new LoadRow("", Encoding.UTF8.GetBytes(lines.Dequeue()), due)), request.Count, request.Span, progress, cancellation).GetAwaiter().GetResult();
        return (request.Count, faults);
    }

    private static long Streams(Request request, long rows, TextWriter data, TextWriter? labels, Action<long>? progress, CancellationToken cancellation)
    {
        var fleet = new SimulatedFleet(request.Streams, request.Seed, request.Faults);

        for (long row = 0; row < rows; row++)
        {
            Report(row, rows, progress, cancellation);
            string time = RowTime.Text(request.At(row));

            do
            {
                data.Write(fleet.Next(time).Append('\n'));
            }
            while (fleet.Number > 0);
        }

        return fleet.WriteFaults(labels, rows, row => RowTime.Text(request.At(row)));
    }

    private static long Sessions(Request request, long rows, Action<string> write, TextWriter? labels, Action<long>? progress, CancellationToken cancellation)
    {
        var events = new SyntheticEvents((ulong)request.Seed, request.Faults / 1000);
        long faults = 0;
        labels?.WriteLine("line,kind");

        for (long row = 0; row < rows; row++)
        {
            Report(row, rows, progress, cancellation);
            write(string.Join(' ', events.Next(out EventFault fault)));

            if (fault != EventFault.None)
            {
                faults++;
                labels?.WriteLine(Text($"{row + 1},{OptionPath.SnakeCase(fault.ToString())}"));
            }
        }

        return faults;
    }

    private static void Report(long row, long rows, Action<long>? progress, CancellationToken cancellation)
    {
        if (row % RowsPerReport == 0)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(Math.Min(RowsPerReport, rows - row));
        }
    }

    /// <summary>The console's own writer flushes every line.</summary>
    private static StreamWriter? Unflushed(TextWriter output) => output == Console.Out
        ? new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16) { NewLine = "\n" }
        : null;

    private static string Summary(Request request, long rows, long faults) => request.IsEvents
        ? Text($"{rows:N0} sessions, {faults:N0} of them faulty")
        : Text($"{request.Streams:N0} streams of {rows:N0} rows, {faults:N0} faults");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private sealed record Request(
        int Streams, long? Rows, int Seed, double Faults, string? Interval, double? Rate, string? Length, string Path, string? To, string? Labels, bool IsEvents)
    {
        /// <summary>Between two rows of a stream.</summary>
        public TimeSpan Time { get; init; }

        /// <summary>How long it goes on at most.</summary>
        public TimeSpan Span { get; init; } = TimeSpan.MaxValue;

        /// <summary>Observations of all streams, or sessions.</summary>
        public long Count { get; init; }

        public DateTimeOffset At(long row) => Start.AddTicks(row * Time.Ticks);
    }
}
