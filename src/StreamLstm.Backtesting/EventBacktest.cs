using System.Globalization;
using StreamLstm.Detection.Events;

namespace StreamLstm.Backtesting;

/// <summary>
/// Files of sessions, one a line, events separated by blanks, perhaps after a key and a comma. Learns from one file; every
/// other gives FILE.txt with a line for every session: its score in decades, a comma, and 1 where it is abnormal, else 0.
/// </summary>
/// <param name="seed">Of the training.</param>
/// <param name="directory">Where results go.</param>
internal sealed class EventBacktest(int seed, string directory)
{
    /// <summary>What a training's progress sums up to.</summary>
    public const long ProgressTotal = 1000;

    private static readonly char[] Blanks = [' ', '\t'];

    /// <summary>Learns what is normal.</summary>
    /// <param name="train">Normal sessions.</param>
    /// <param name="inputs">Files that are to be scored: checked before the work begins.</param>
    /// <param name="progress">Told of progress, see <see cref="ProgressTotal"/>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BacktestUsageException">A file is not there, or the training file holds too few sessions.</exception>
    public EventSequenceDetector Train(string train, IReadOnlyList<string> inputs, Action<long>? progress, CancellationToken cancellationToken)
    {
        foreach (string path in inputs.Where(path => !File.Exists(path)))
        {
            throw new BacktestUsageException($"INPUT: '{path}' is {(Directory.Exists(path) ? "a folder" : "not there")}, expected files of sessions with --format events");
        }

        if (!File.Exists(train))
        {
            throw new BacktestUsageException($"--train: '{train}' is not there, expected a file of normal sessions");
        }

        if (inputs.GroupBy(Path.GetFileName).FirstOrDefault(group => group.Count() > 1) is { } clash)
        {
            throw new BacktestUsageException($"INPUT: {string.Join(" and ", clash)} would both give {clash.Key}.txt; run them one after the other");
        }

        if (inputs.Append(train).FirstOrDefault(path => inputs.Any(input => Path.GetFullPath(Output(input)) == Path.GetFullPath(path))) is { } same)
        {
            throw new BacktestUsageException($"--out: '{directory}' would write results over {same}; expected another folder");
        }

        return Learn(train, progress ?? (_ => { }), cancellationToken);
    }

    /// <summary>Scores; a file that fails loses nothing but itself.</summary>
    /// <param name="detector">What is normal.</param>
    /// <param name="inputs">Files to score.</param>
    /// <param name="progress">Told the bytes that are done.</param>
    /// <param name="cancellationToken">Ends it; what is not complete is removed.</param>
    public IReadOnlyList<BacktestResult> Score(
        EventSequenceDetector detector, IReadOnlyList<string> inputs, Action<long>? progress, CancellationToken cancellationToken) =>
        [.. inputs.Select(path => Score(detector, path, progress ?? (_ => { }), cancellationToken))];

    private EventSequenceDetector Learn(string path, Action<long> progress, CancellationToken cancellationToken)
    {
        long told = 0;

        try
        {
            return EventSequenceDetector.Train(
                [.. Sessions(path, _ => { })],
                new EventDetectorOptions { Seed = (ulong)seed, Threads = Environment.ProcessorCount },
                share =>
                {
                    long now = (long)(share * ProgressTotal);
                    progress(now - told);
                    told = now;
                },
                cancellationToken);
        }
        catch (ArgumentException few)
        {
            throw new BacktestUsageException($"--train: {path}: {few.Message}");
        }
        catch (SeriesException wrong)
        {
            throw new BacktestUsageException($"--train: {wrong.Message}");
        }
    }

    private BacktestResult Score(EventSequenceDetector detector, string path, Action<long> progress, CancellationToken cancellationToken)
    {
        string name = Path.GetFileName(path);

        try
        {
            using var file = new PartialFile(Output(path));
            long sessions = 0, events = 0, alerts = 0;

            foreach (string[] session in Sessions(path, progress))
            {
                cancellationToken.ThrowIfCancellationRequested();
                SessionScore scored = detector.Score(session);
                file.Writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scored.Score:R},{(scored.IsAnomaly ? 1 : 0)}"));
                sessions++;
                events += session.Length;
                alerts += scored.IsAnomaly ? 1 : 0;
            }

            file.Complete();
            return new BacktestResult { Name = name, Rows = sessions, Values = events, Alerts = alerts };
        }
        catch (SeriesException wrong)
        {
            return new BacktestResult { Name = name, Error = wrong.Message };
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return new BacktestResult { Name = name, Error = $"{path}: {unreadable.Message}" };
        }
    }

    private string Output(string path) => Path.Combine(directory, Path.GetFileName(path) + ".txt");

    /// <summary>The sessions of a file; blank lines are none.</summary>
    private static IEnumerable<string[]> Sessions(string path, Action<long> progress)
    {
        using var file = File.OpenRead(path);
        using var reader = new StreamReader(file);
        long bytes = 0;
        var problems = new RowProblems(path, strict: true);
        var lines = new LineReader(reader, problems);

        for (string? line = lines.ReadFirst("sessions, one a line"); line is not null; line = lines.Read())
        {
            // A pipe knows no position.
            if (file.CanSeek && file.Position > bytes)
            {
                progress(file.Position - bytes);
                bytes = file.Position;
            }

            if (!string.IsNullOrWhiteSpace(line))
            {
                int comma = line.IndexOf(',', StringComparison.Ordinal);
                bool hasKey = comma >= 0 && line.AsSpan(0, comma).Trim().IndexOfAny(Blanks) < 0;
                yield return (hasKey ? line[(comma + 1)..] : line).Split(Blanks, StringSplitOptions.RemoveEmptyEntries);
            }
        }
    }
}
