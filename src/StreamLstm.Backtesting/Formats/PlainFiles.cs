using StreamLstm.Decoding;

namespace StreamLstm.Backtesting.Formats;

/// <summary>CSV, NDJSON, line protocol, Prometheus' text and log files as the daemon's file source reads them, or directories of them.</summary>
internal static class PlainFiles
{
    private static readonly HashSet<string> Endings = new(StringComparer.OrdinalIgnoreCase) { ".csv", ".tsv", ".ndjson", ".jsonl", ".prom", ".log" };

    private static readonly HashSet<string> NoLabels = [];

    public static BacktestPlan Plan(
        IReadOnlyList<string> inputs, string output, RecordRules together, bool logs = false, string key = "", CsvRules? csv = null)
    {
        string outside = Path.TrimEndingDirectorySeparator(Path.GetFullPath(output));

        if (inputs.FirstOrDefault(input => Path.TrimEndingDirectorySeparator(Path.GetFullPath(input)) == outside) is { } same)
        {
            throw new BacktestUsageException($"--out: '{output}' would write results over INPUT '{same}'; expected another folder");
        }

        BacktestJob[] jobs = [.. Jobs(inputs, outside, together, logs, key, csv)];

        if (jobs.GroupBy(job => job.Output, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } clash)
        {
            throw new BacktestUsageException(
                $"INPUT: {string.Join(" and ", clash.Select(job => job.Paths[0]))} would both give {Path.Combine(output, clash.Key!)}; run them one after the other");
        }

        if (jobs.FirstOrDefault(job => Path.GetFullPath(Path.Combine(output, job.Output!)) == Path.GetFullPath(job.Paths[0])) is { } itself)
        {
            throw new BacktestUsageException($"--out: '{output}' would write results over {itself.Paths[0]}; expected another folder");
        }

        return new BacktestPlan(jobs);
    }

    /// <summary>One job for every file, whatever is made of it.</summary>
    /// <param name="inputs">Files, and directories of them.</param>
    /// <param name="outside">A directory whose files are none of them; null for none.</param>
    /// <param name="together">Records whose values are judged together.</param>
    /// <param name="logs">Whether all are logs, whatever they are called.</param>
    /// <param name="key">Of a log: finds what lines of one session have in common; empty for nothing.</param>
    /// <param name="csv">What is said of CSV's columns; null for nothing.</param>
    /// <exception cref="BacktestUsageException">An input is not there, or holds no such file.</exception>
    public static IEnumerable<BacktestJob> Jobs(
        IReadOnlyList<string> inputs, string? outside, RecordRules together, bool logs = false, string key = "", CsvRules? csv = null) =>
        inputs.SelectMany(input => Files(input, outside, logs).Select(file =>
            logs || Path.GetExtension(PackedFile.Inside(file.Path)).Equals(".log", StringComparison.OrdinalIgnoreCase)
                ? Log(file.Path, file.Relative, key)
                : Job(file.Path, file.Relative, together, csv)));

    private static BacktestJob Log(string path, string relative, string key)
    {
        string stream = Path.GetFileNameWithoutExtension(PackedFile.Inside(path));

        // Times without a year are taken to be the last that were possible when the file was last written to.
        DateTimeOffset written = File.GetLastWriteTimeUtc(path);
        return new BacktestJob
        {
            Name = relative,
            Stream = stream,
            Paths = [path],
            Output = relative + ".csv",
            Read = files => throw files[0].Problems.Fatal("a log, expected to be read line by line"),
            Log = new LogLineDecoder(stream, LogLineDecoder.KeyPattern(key), TimeZoneInfo.Utc, () => written),
        };
    }

    private static BacktestJob Job(string path, string relative, RecordRules together, CsvRules? csv)
    {
        string stream = Path.GetFileNameWithoutExtension(PackedFile.Inside(path));
        return new BacktestJob
        {
            Name = relative,
            Stream = stream,
            Paths = [path],
            Together = together,
            Output = PackedFile.Inside(relative) is var inside && inside.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) ? inside : inside + ".csv",
            Read = files => Read(PackedFile.Inside(path), stream, together, csv, files[0]),
        };
    }

    private static Series Read(string path, string prefix, RecordRules together, CsvRules? csv, SeriesInput file)
    {
        TextFormat format = Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" => TextFormat.Csv,
            ".ndjson" or ".jsonl" => TextFormat.Ndjson,
            ".prom" => TextFormat.Prometheus,
            _ => TextDecoder.FormatOf(FirstCharacters(file.Stream)),
        };
        var reader = new StreamReader(file.Stream);
        return format == TextFormat.Csv ? CsvSeries.Read(reader, prefix, NoLabels, file.Problems, csv)
            : together.IsEmpty ? LineSeries.Read(reader, format, file.Problems)
            : LineSeries.ReadTogether(file.Stream, format, together, file.Problems);
    }

    /// <summary>Enough of the text to tell formats apart; the file stands at its beginning again.</summary>
    private static string FirstCharacters(Stream file)
    {
        using var reader = new StreamReader(file, leaveOpen: true);
        var start = new char[1024];
        int length = reader.ReadBlock(start);
        file.Position = 0;
        return new string(start, 0, length).TrimStart().Split('\n')[0];
    }

    private static (string Path, string Relative)[] Files(string input, string? outside, bool all)
    {
        if (File.Exists(input))
        {
            return [(input, Path.GetFileName(input))];
        }

        if (!Directory.Exists(input))
        {
            throw new BacktestUsageException($"INPUT: '{input}' is not there");
        }

        (string, string)[] files =
        [
            .. FilesBelow(input)
                .Where(file => (all || Endings.Contains(Path.GetExtension(PackedFile.Inside(file))) || Directory.Exists(file)) && !IsBelow(outside, file))
                .Order(StringComparer.Ordinal)
                .Select(file => (file, Path.GetRelativePath(input, file) + (Directory.Exists(file) ? "/" : ""))),
        ];
        return files.Length > 0
            ? files
            : throw new BacktestUsageException($"INPUT: '{input}' holds no file ending in {string.Join(", ", Endings)}");
    }

    /// <summary>All files of a folder; in place of a folder that cannot be listed the folder itself, as a file that cannot be read.</summary>
    private static IEnumerable<string> FilesBelow(string folder)
    {
        string[] files, folders;

        try
        {
            files = Directory.GetFiles(folder);
            folders = Directory.GetDirectories(folder);
        }
        catch (Exception unreadable) when (unreadable is UnauthorizedAccessException or IOException)
        {
            return [folder];
        }

        return [.. files, .. folders.SelectMany(FilesBelow)];
    }

    /// <summary>Whether it is a result of an earlier run, in an output directory below the input.</summary>
    private static bool IsBelow(string? directory, string file) =>
        directory is not null && Path.GetFullPath(file).StartsWith(directory + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
