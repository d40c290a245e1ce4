namespace StreamLstm.Backtesting;

/// <summary>The folder that a benchmark's format expects.</summary>
internal static class BacktestFolder
{
    /// <summary>The one folder given.</summary>
    /// <exception cref="BacktestUsageException">Another number of inputs, or it is not there.</exception>
    public static string Of(string format, IReadOnlyList<string> inputs) =>
        inputs.Count == 1 && Directory.Exists(inputs[0])
            ? inputs[0]
            : throw new BacktestUsageException($"INPUT: '{string.Join(' ', inputs)}', expected one existing folder with --format {format}");

    /// <summary>Its files by a pattern, in the order of their names.</summary>
    /// <exception cref="BacktestUsageException">There are none.</exception>
    public static IReadOnlyList<string> Files(string format, string folder, string below, string pattern, int depth)
    {
        string root = Path.Combine(folder, below);
        var options = new EnumerationOptions { RecurseSubdirectories = depth > 0, MaxRecursionDepth = depth };
        string[] files = Directory.Exists(root)
            ? [.. Directory.EnumerateFiles(root, pattern, options).Where(file => Depth(root, file) == depth).Order(StringComparer.Ordinal)]
            : [];
        string layout = string.Concat(Enumerable.Repeat("<group>/", depth));
        return files.Length > 0
            ? files
            : throw new BacktestUsageException($"INPUT: '{folder}' holds no {below}/{layout}{pattern}, which --format {format} expects");
    }

    private static int Depth(string root, string file) => Path.GetRelativePath(root, file).Count(c => c == Path.DirectorySeparatorChar);
}
