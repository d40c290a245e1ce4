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
    /// <summary>What progress sums up to.</summary>
    public const long ProgressTotal = 1000;

    private static readonly char[] Blanks = [' ', '\t'];

    /// <summary>Trains, then scores; a file that fails loses nothing but itself.</summary>
    /// <param name="train">Normal sessions.</param>
    /// <param name="inputs">Files to score.</param>
    /// <param name="progress">Told of progress, see <see cref="ProgressTotal"/>.</param>
    /// <param name="cancellationToken">Ends it; what is not complete is removed.</param>
    /// <exception cref="BacktestUsageException">A file is not there, or the training file holds too few sessions.</exception>
    public IReadOnlyList<BacktestResult> Run(
        string train, IReadOnlyList<string> inputs, Action<long>? progress, CancellationToken cancellationToken)
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

        EventSequenceDetector detector = Train(train, progress ?? (_ => { }), cancellationToken);
        return [.. inputs.Select(path => Score(detector, path, cancellationToken))];
    }

    private EventSequenceDetector Train(string path, Action<long> progress, CancellationToken cancellationToken)
    {
        long told = 0;

        try
        {
            return EventSequenceDetector.Train(
                [.. Sessions(path)],
                new EventDetectorOptions { Seed = (ulong)seed },
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

    private BacktestResult Score(EventSequenceDetector detector, string path, CancellationToken cancellationToken)
    {
        string name = Path.GetFileName(path);

        try
        {
            using var file = new PartialFile(Output(path));
            long sessions = 0, events = 0, alerts = 0;

            foreach (string[] session in Sessions(path))
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
    private static IEnumerable<string[]> Sessions(string path)
    {
        using var reader = new StreamReader(path);
        var problems = new RowProblems(path, strict: true);
        var lines = new LineReader(reader, problems);

        for (string? line = lines.ReadFirst("sessions, one a line"); line is not null; line = lines.Read())
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                int comma = line.IndexOf(',', StringComparison.Ordinal);
                bool hasKey = comma >= 0 && line.AsSpan(0, comma).Trim().IndexOfAny(Blanks) < 0;
                yield return (hasKey ? line[(comma + 1)..] : line).Split(Blanks, StringSplitOptions.RemoveEmptyEntries);
            }
        }
    }
}
