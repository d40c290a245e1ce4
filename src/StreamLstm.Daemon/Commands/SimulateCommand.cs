using System.CommandLine;
using System.Globalization;
using System.Text;
using StreamLstm.Backtesting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Decoding;
using StreamLstm.Detection.Synthetic;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm simulate</c>: a seeded fleet of streams with labelled faults, for trying things out.</summary>
internal static class SimulateCommand
{
    private const string StandardOutput = "-";
    private const int StreamsMax = 100_000;
    private const int RowsPerReport = 256;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <param name="output">For the data where no file is named.</param>
    /// <param name="error">For progress, the summary and errors.</param>
    public static Command Create(TextWriter output, TextWriter error)
    {
        var streams = new Option<int>("--streams") { Description = $"Streams, 1 to {StreamsMax}: the kinds in turn, every 14th has several columns.", HelpName = "N", DefaultValueFactory = _ => 14 };
        var rows = new Option<long>("--rows") { Description = "Rows of every stream; with --events, sessions.", HelpName = "N", DefaultValueFactory = _ => 5000 };
        var seed = new Option<int>("--seed") { Description = "The same seed gives the same bytes.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var faults = new Option<double>("--faults")
        {
            Description = $"Faults to be expected in 1,000 rows of a stream, 0 to {SyntheticSeriesOptions.FaultsMax}, none in the first 1,000; with --events, faulty sessions in 1,000.",
            HelpName = "RATE",
            DefaultValueFactory = _ => 1,
        };
        var interval = new Option<string>("--interval") { Description = "Time between two rows of a stream; the first is of 2026-01-01T00:00:00Z.", HelpName = "TIME", DefaultValueFactory = _ => "10s" };
        var file = new Option<string>("--out", "-o") { Description = "Where rows go, as NDJSON; - for standard output.", HelpName = "FILE", DefaultValueFactory = _ => StandardOutput };
        var to = new Option<string?>("--to") { Description = "Instead of a file a topic, which must be there: each row is a record, its stream's name the key.", HelpName = "kafka://HOST:9092/TOPIC" };
        var labels = new Option<string?>("--labels") { Description = "Where faults go: CSV with stream, start, end and kind, which backtest --labels reads; with --events line and kind.", HelpName = "FILE" };
        var events = new Option<bool>("--events") { Description = "Sessions of events instead, one a line, for backtest --format events." };
        var command = new Command(
            "simulate",
            """
            Write synthetic streams with labelled faults: seasons, trends, bursts, counts, switches, coupled columns and more.

            Examples:
              streamlstm simulate --out fleet.ndjson --labels faults.csv
              streamlstm backtest fleet.ndjson --out results --report --labels faults.csv
              streamlstm simulate --faults 0 | streamlstm run --set sources.stdin.enabled=true
              streamlstm simulate --to kafka://127.0.0.1:9092/plant
              streamlstm simulate --events --rows 3000 --faults 0 --out normal.txt
            """)
        {
            streams, rows, seed, faults, interval, file, to, labels, events,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(FileCommand.Answer(
            () =>
            {
                Request request = Checked(
                    parsed.GetValue(streams), parsed.GetValue(rows), parsed.GetValue(seed), parsed.GetValue(faults), parsed.GetValue(interval)!);
                return Write(request, parsed.GetValue(file)!, parsed.GetValue(to), parsed.GetValue(labels), parsed.GetValue(events), output, error, cancellation);
            },
            "files that were not complete are removed",
            error)));
        return command;
    }

    private static Request Checked(int streams, long rows, int seed, double faults, string interval) =>
        streams is < 1 or > StreamsMax ? throw new BacktestUsageException($"--streams: {streams}, expected 1 to {StreamsMax}")
        : rows < 1 ? throw new BacktestUsageException($"--rows: {rows}, expected 1 or more")
        : faults is not (>= 0 and <= SyntheticSeriesOptions.FaultsMax) ? throw new BacktestUsageException($"--faults: {Text($"{faults}")}, expected 0 to {SyntheticSeriesOptions.FaultsMax}")
        : !Duration.TryParse(interval, out TimeSpan time) || time <= TimeSpan.Zero ? throw new BacktestUsageException($"--interval: '{interval}', expected a duration such as 500ms, 10s or 5m")
        : rows > (DateTimeOffset.MaxValue - Start) / time ? throw new BacktestUsageException($"--rows: {rows} rows {interval} apart, expected an end before the year 10000")
        : new Request(streams, rows, seed, faults, time);

    private static int Write(
        Request request, string path, string? to, string? labels, bool events, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        (string Brokers, string Topic)? kafka = to is null ? null
            : path != StandardOutput ? throw new BacktestUsageException("--to: set, and --out too; expected one of them")
            : KafkaLines.Parse(to) ?? throw new BacktestUsageException($"--to: '{to}', expected kafka://HOST:9092/TOPIC");
        using KafkaLines? topic = kafka is { } where ? new KafkaLines(where.Brokers, where.Topic) : null;
        using PartialFile? labelFile = labels is null ? null : new PartialFile(labels);
        using PartialFile? file = path == StandardOutput ? null : new PartialFile(path);

        // The console's own writer flushes every line.
        using StreamWriter? unflushed = file is null && topic is null && output == Console.Out
            ? new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16) { NewLine = "\n" }
            : null;
        TextWriter data = file?.Writer ?? topic ?? unflushed ?? output;
        long faults;

        try
        {
            faults = WorkProgress.With("simulating", request.Rows, error, progress => events
                ? Sessions(request, data, labelFile?.Writer, progress, cancellation)
                : Streams(request, data, labelFile?.Writer, progress, cancellation));
            data.Flush();
        }
        catch (KafkaTroubleException refused)
        {
            throw new IOException($"--to {to}: {refused.Trouble.Detail}", refused);
        }

        file?.Complete();
        labelFile?.Complete();
        error.WriteLine(events
            ? Text($"{request.Rows:N0} sessions, {faults:N0} of them faulty")
            : Text($"{request.Streams:N0} streams of {request.Rows:N0} rows, {faults:N0} faults"));
        return 0;
    }

    private static long Streams(Request request, TextWriter data, TextWriter? labels, Action<long>? progress, CancellationToken cancellation)
    {
        var fleet = new (string Name, SyntheticSeries Series, double[] Row)[request.Streams];

        for (int number = 0; number < fleet.Length; number++)
        {
            SyntheticSeriesOptions options = SyntheticFleet.Options(number, request.Seed, request.Faults);
            fleet[number] = (SyntheticFleet.Name(options, number), new SyntheticSeries(options), new double[options.Columns]);
        }

        var line = new StringBuilder();

        for (long row = 0; row < request.Rows; row++)
        {
            Report(row, request.Rows, progress, cancellation);
            string time = RowTime.Text(request.Time(row));

            foreach ((string name, SyntheticSeries series, double[] values) in fleet)
            {
                series.Next(values);
                line.Clear().Append(CultureInfo.InvariantCulture, $$"""{"stream":"{{name}}","timestamp":"{{time}}",""");

                if (values.Length == 1)
                {
                    line.Append(CultureInfo.InvariantCulture, $"\"value\":{values[0]:G9}}}");
                }
                else
                {
                    for (int column = 0; column < values.Length; column++)
                    {
                        line.Append(CultureInfo.InvariantCulture, $"{(column == 0 ? "\"values\":{" : ",")}\"{Column(column)}\":{values[column]:G9}");
                    }

                    line.Append("}}");
                }

                data.Write(line.Append('\n'));
            }
        }

        labels?.WriteLine("stream,start,end,kind");
        long faults = 0;

        foreach ((string name, SyntheticSeries series, double[] values) in fleet)
        {
            foreach (SyntheticFault fault in series.Faults)
            {
                faults++;
                string stream = values.Length == 1 ? name : $"{name}/{Column(fault.Column)}";
                string end = RowTime.Text(request.Time(Math.Min(fault.End, request.Rows) - 1));
                labels?.WriteLine($"{stream},{RowTime.Text(request.Time(fault.Start))},{end},{OptionPath.SnakeCase(fault.Kind.ToString())}");
            }
        }

        return faults;
    }

    private static long Sessions(Request request, TextWriter data, TextWriter? labels, Action<long>? progress, CancellationToken cancellation)
    {
        var events = new SyntheticEvents((ulong)request.Seed, request.Faults / 1000);
        long faults = 0;
        labels?.WriteLine("line,kind");

        for (long row = 0; row < request.Rows; row++)
        {
            Report(row, request.Rows, progress, cancellation);
            data.Write(string.Join(' ', events.Next(out EventFault fault)));
            data.Write('\n');

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

    private static string Column(int column) => Text($"c{column}");

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private sealed record Request(int Streams, long Rows, int Seed, double Faults, TimeSpan Interval)
    {
        public DateTimeOffset Time(long row) => Start.AddTicks(row * Interval.Ticks);
    }
}
