using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Backtesting;

/// <summary>Runs series through the daemon's detector as fast as they can be read: no pipeline, no clock, no state kept.</summary>
/// <remarks>A series is one thread's from its first row to its last, so the number of threads never changes a result.</remarks>
/// <param name="detection">How streams are learnt and judged.</param>
/// <param name="model">What streams start from.</param>
/// <param name="threads">Series read at once at most.</param>
/// <param name="directory">Where results go.</param>
internal sealed class BacktestRun(DetectionOptions detection, BaseModel model, int threads, string directory)
{
    private const int RowsPerReport = 256;

    /// <summary>What the detector takes: see <see cref="RejectionReason.BadValue"/>.</summary>
    private const double ValueMax = 1e20;

    /// <summary>Rows before this time are not read; null for all.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Rows from this time on are not read; null for all.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Runs the jobs; a series that fails loses nothing but itself.</summary>
    /// <param name="jobs">What to run.</param>
    /// <param name="progress">Told of bytes read, from any thread.</param>
    /// <param name="cancellationToken">Ends it; what is not complete is removed.</param>
    /// <returns>In the order of the jobs.</returns>
    public IReadOnlyList<BacktestResult> Run(
        IReadOnlyList<BacktestJob> jobs, Action<long>? progress, CancellationToken cancellationToken)
    {
        var results = new BacktestResult[jobs.Count];
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = threads,
            CancellationToken = cancellationToken,
        };

        // The largest first, so that no thread begins a long one when the others are done.
        IEnumerable<int> order = Enumerable.Range(0, jobs.Count).OrderByDescending(i => Size(jobs[i]));
        Parallel.ForEach(
            Partitioner.Create(order, EnumerablePartitionerOptions.NoBuffering), parallel,
            i => results[i] = Run(jobs[i], progress ?? (_ => { }), cancellationToken));
        return results;
    }

    /// <summary>Bytes of a job's files; 0 for those that are not there.</summary>
    public static long Size(BacktestJob job) => job.Paths.Sum(path => File.Exists(path) ? new FileInfo(path).Length : 0);

    private BacktestResult Run(BacktestJob job, Action<long> progress, CancellationToken cancellationToken)
    {
        var inputs = new List<SeriesInput>();
        string file = job.Paths[^1];

        try
        {
            foreach (string path in job.Paths)
            {
                file = path;
                inputs.Add(new SeriesInput(PackedFile.Open(path), new RowProblems(path, strict: job.EveryRow)));
            }

            return Run(job, inputs, progress, cancellationToken);
        }
        catch (SeriesException wrong)
        {
            return Failed(wrong.Message);
        }
#pragma warning disable CA1031 // whatever it is, it must not take the other series down
        catch (Exception failure) when (failure is not OperationCanceledException)
#pragma warning restore CA1031
        {
            return Failed($"{file}: {failure.Message}");
        }
        finally
        {
            inputs.ForEach(input => input.Stream.Dispose());
        }

        BacktestResult Failed(string error) => new() { Name = job.Name, Error = error };
    }

    private BacktestResult Run(
        BacktestJob job, List<SeriesInput> inputs, Action<long> progress, CancellationToken cancellationToken)
    {
        if (job.Log is not null)
        {
            return new LogBacktest(detection, directory) { Since = Since, Until = Until }.Run(job, inputs[0], progress, cancellationToken);
        }

        Series series = job.Read(inputs);

        if (!series.IsTimed && (Since ?? Until) is not null)
        {
            throw inputs[0].Problems.Fatal(1, "rows carry no time, which --since and --until need");
        }

        using ResultFile? file = job.Output is null
            ? null
            : new ResultFile(Path.Combine(directory, job.Output), series, job.WritesFlags, job.ScoresAlerts);
        var engine = new AnomalyDetector(detection, model);
        var courses = new Dictionary<string, StreamCourse>(StringComparer.Ordinal);
        var attribution = new double[series.JudgedColumns ?? series.Columns.Count];
        long rows = 0, values = 0, scored = 0, alerts = 0, read = 0, bytes = 0;
        DateTimeOffset last = DateTimeOffset.MinValue;

        foreach (SeriesRow row in series.Rows)
        {
            if (read++ % RowsPerReport == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                long now = inputs.Sum(input => input.Stream.Position);
                progress(now - bytes);
                bytes = now;
            }

            if (row.Time < Since || row.Time >= Until)
            {
                continue;
            }

            if (!courses.TryGetValue(row.Stream, out StreamCourse? course))
            {
                course = new StreamCourse(Detector(job, series, engine, row), row.Time);
                courses.Add(row.Stream, course);
            }

            last = job.EveryRow && row.Time <= last ? last.AddTicks(1) : row.Time;
            RowVerdict verdict = course.Detector.Apply(last, row.Values, attribution);
            values += attribution.Length;
            if (verdict.Rejected is { } reason)
            {
                string name = JsonNamingPolicy.SnakeCaseLower.ConvertName(reason.ToString());
                inputs[row.IsReported ? ^1 : 0].Problems.Note(row.Line, name, $"not scored ({name}){NotScored(reason, series, row, course.Last)}");
            }

            course.Last = row.Time > course.Last ? row.Time : course.Last;

            if (!row.IsReported)
            {
                continue;
            }

            rows++;
            scored += verdict.Evidence is null ? 0 : 1;
            alerts += verdict.IsAlert ? 1 : 0;
            var reported = new ReportedRow(row, verdict, Top(series, verdict, attribution));
            file?.Add(reported);
            job.Observer?.Add(reported);
        }

        if (rows == 0 && inputs.SelectMany(input => input.Problems.Lines).FirstOrDefault() is { } problem)
        {
            throw new SeriesException(problem);
        }

        file?.Complete();
        progress(inputs.Sum(input => input.Stream.Length) - bytes);
        return new BacktestResult
        {
            Name = job.Name,
            Rows = rows,
            Values = values,
            ScoredRows = scored,
            Alerts = alerts,
            StreamDays = series.IsTimed ? courses.Values.Sum(course => (course.Last - course.First).TotalDays) : null,
            Problems = [.. inputs.SelectMany(input => input.Problems.Lines)],
        };
    }

    private IRowDetector Detector(BacktestJob job, Series series, AnomalyDetector engine, in SeriesRow row)
    {
        string name = row.Stream.Length > 0 ? row.Stream : job.Stream;
        int judged = series.JudgedColumns ?? series.Columns.Count;

        bool isRecord = !row.IsSingle && series.Columns.Count > 1;
        return isRecord && series.Columns.Count <= VectorOptions.ColumnsMax && job.Together.FieldsOf(name) is not null
            ? new JointDetector(detection, name, series.Columns, judged, byThreshold: job.EveryRow)
            : new ColumnDetectors(engine, Streams(job, series, row), isShown: job.Observer is not null);
    }

    /// <summary>Names of the streams of a row's judged columns.</summary>
    public static string[] Streams(BacktestJob job, Series series, in SeriesRow row)
    {
        string name = row.Stream.Length > 0 ? row.Stream : job.Stream;
        int judged = series.JudgedColumns ?? series.Columns.Count;
        return row.IsSingle || series.Columns.Count == 1
            ? [.. Enumerable.Repeat(name, judged)]
            : [.. series.Columns.Take(judged).Select(column => $"{name}/{column}")];
    }

    /// <summary>What of a row was not as expected, and what was.</summary>
    /// <param name="reason">Why it was not taken.</param>
    /// <param name="series">Its series.</param>
    /// <param name="row">The row.</param>
    /// <param name="last">The latest time of the rows before it.</param>
    private string NotScored(RejectionReason reason, Series series, in SeriesRow row, DateTimeOffset last)
    {
        int bad = Array.FindIndex(row.Values, value => Math.Abs(value) > ValueMax);
        return reason switch
        {
            RejectionReason.BadValue when bad >= 0 => string.Create(
                CultureInfo.InvariantCulture, $": column {series.Columns[bad]}: {row.Values[bad]:R}, expected a number from {-ValueMax:R} to {ValueMax:R}"),
            RejectionReason.Late => $": time {row.Label}, expected none before {RowTime.Text(last)}",
            RejectionReason.Duplicate => $": time {row.Label} is there again with the same values, expected once",
            RejectionReason.Conflict => $": time {row.Label} is there again with other values, expected once; the first are taken",
            RejectionReason.StreamLimit => $": a new stream, expected at most {detection.StreamsMax}",
            _ => "",
        };
    }

    private static string Top(Series series, in RowVerdict verdict, double[] attribution)
    {
        if (attribution.Length == 1)
        {
            return verdict.Channel;
        }

        return verdict.Evidence is null ? "" : series.Columns[Array.IndexOf(attribution, attribution.Max())];
    }

    /// <summary>One stream's detector, and the time it has covered.</summary>
    private sealed class StreamCourse(IRowDetector detector, DateTimeOffset first)
    {
        public IRowDetector Detector { get; } = detector;

        public DateTimeOffset First { get; } = first;

        public DateTimeOffset Last { get; set; } = first;
    }
}
