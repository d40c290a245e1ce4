using StreamLstm.Backtesting.Formats;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Backtesting;

/// <summary>Clean windows for training base weights beside the daemon: of synthetic streams, or of recorded ones.</summary>
/// <remarks>
/// Values go through a shard of their own, so that a window is what a live stream would have given, young ones among them,
/// and none falls into an incident. Streams there adapt no weights: that is most of the cost, and no window depends on it.
/// A series is one thread's, so the number of threads never changes a window.
/// </remarks>
/// <param name="seed">Of the fleet, and of the choice where there are more windows than are kept.</param>
/// <param name="threads">Threads at most.</param>
internal sealed class TrainingData(int seed, int threads)
{
    /// <summary>Windows kept, about 200 MB, the same share of them for every series.</summary>
    public const int WindowsMax = 20_000;

    private const int SecondsPerRow = 10;
    private const int RowsPerReport = 256;

    /// <summary>Windows of a synthetic fleet without faults.</summary>
    /// <param name="streams">Of all kinds in turn, see <see cref="SyntheticFleet"/>.</param>
    /// <param name="rows">Rows of every stream.</param>
    /// <param name="progress">Told of rows, from any thread.</param>
    /// <param name="cancellation">Ends it.</param>
    public IReadOnlyList<TrainingWindow> OfFleet(int streams, long rows, Action<long>? progress, CancellationToken cancellation) =>
        Collect(streams, (number, shard) =>
        {
            // Another fleet than simulate's of the same seed, so that what is tried out there was never trained on.
            SyntheticSeriesOptions options = SyntheticFleet.Options(number, ~seed, faultsPerThousandRows: 0);
            string name = SyntheticFleet.Name(options, number);
            string[] names = [.. Enumerable.Range(0, options.Columns).Select(column => $"{name}/c{column}")];
            var series = new SyntheticSeries(options);
            var values = new double[names.Length];

            for (long row = 0; row < rows; row++)
            {
                if (row % RowsPerReport == 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                    progress?.Invoke(Math.Min(RowsPerReport, rows - row));
                }

                series.Next(values);
                shard.Apply(names, DateTimeOffset.UnixEpoch.AddSeconds(row * SecondsPerRow), values);
            }
        }, cancellation);

    /// <summary>Windows of recorded streams, read as backtest reads them.</summary>
    /// <param name="jobs">Files of values.</param>
    /// <param name="progress">Told of bytes, from any thread.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="SeriesException">A file cannot be read: all were asked for.</exception>
    public IReadOnlyList<TrainingWindow> OfFiles(IReadOnlyList<BacktestJob> jobs, Action<long>? progress, CancellationToken cancellation) =>
        Collect(jobs.Count, (number, shard) =>
        {
            BacktestJob job = jobs[number];
            using FileStream file = PackedFile.Open(job.Paths[0]);
            var input = new SeriesInput(file, new RowProblems(job.Paths[0], strict: false));
            Series series = job.Read([input]);
            long read = 0, bytes = 0;

            foreach (SeriesRow row in series.Rows)
            {
                if (read++ % RowsPerReport == 0)
                {
                    cancellation.ThrowIfCancellationRequested();
                    progress?.Invoke(file.Position - bytes);
                    bytes = file.Position;
                }

                shard.Apply(BacktestRun.Streams(job, series, row), row.Time, row.Values);
            }
        }, cancellation);

    /// <summary>The jobs of files of values; logs have no such windows.</summary>
    /// <exception cref="BacktestUsageException">An input is not there, holds no such file, or is a log.</exception>
    public static IReadOnlyList<BacktestJob> Jobs(IReadOnlyList<string> inputs)
    {
        BacktestJob[] jobs = [.. PlainFiles.Jobs(inputs, outside: null, RecordRules.None)];
        return Array.Find(jobs, job => job.Log is not null) is { } log
            ? throw new BacktestUsageException($"INPUT: '{log.Paths[0]}' is a log, expected CSV or NDJSON files of values")
            : jobs;
    }

    private List<TrainingWindow> Collect(int series, Action<int, Recorder> feed, CancellationToken cancellation)
    {
        var windows = new IReadOnlyList<TrainingWindow>[series];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation };
        Parallel.For(0, series, parallel, number =>
        {
            var recorder = new Recorder(seed, number, series);
            feed(number, recorder);
            windows[number] = recorder.Windows;
        });
        return [.. windows.SelectMany(some => some)];
    }

    /// <summary>A shard, and what it takes to feed it row by row.</summary>
    private sealed class Recorder(int seed, int number, int series)
    {
        private readonly ShardOutput _output = new();
        private readonly BaseModel _model = BaseModel.Untrained(seed);
        private readonly DetectionShard _shard = new(
            new DetectionOptions { Seed = seed, TrainingWindowsMax = WindowsMax },
            new StreamQuota(int.MaxValue, perStreamMax: 0), number, series, new DetectionScratch());

        public IReadOnlyList<TrainingWindow> Windows => _shard.TrainingWindows;

        /// <param name="streams">(D).</param>
        /// <param name="time">Of the row.</param>
        /// <param name="values">(D) or more, NaN where a value is missing.</param>
        public void Apply(string[] streams, DateTimeOffset time, double[] values)
        {
            for (int column = 0; column < streams.Length; column++)
            {
                _output.Clear();
                _shard.Apply([new Observation(streams[column], time, values[column])], time, _model, _output);
            }
        }
    }
}
