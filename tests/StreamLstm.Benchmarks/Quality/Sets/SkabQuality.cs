using StreamLstm.Benchmarks.Quality.Scorers;

namespace StreamLstm.Benchmarks.Quality.Sets;

/// <summary>SKAB's development files: train on the first 400 rows, score the rest.</summary>
internal sealed class SkabQuality : IQualitySet
{
    public string Name => "skab";

    public string Folder => "skab";

    public string Format => "skab";

    public IReadOnlyList<QualityMetric> Metrics { get; } =
    [
        new("F1", "F3"), new("FAR %", "F1"), new("MAR %", "F1"), new("NAB standard", "F1"), new("NAB low FP", "F1"), new("NAB low FN", "F1"),
    ];

    public IReadOnlyList<QualityGoal> Goals { get; } =
    [
        new("Q6", "skab dev F1", 0, ">", 0.85),
        new("Q7", "skab dev false alarm rate %", 1, "<", 13),
        new("Q8", "skab dev change points, NAB standard", 3, ">", 36),
    ];

    public IReadOnlyList<QualityRow> Published { get; } =
    [
        Here("MSET", 0.779, 38.5, 15.0, 15.5),
        Here("T2+Q (PCA)", 0.760, 23.9, 26.1, 24.0),
        Here("Conv-AE", 0.755, 14.4, 31.8, 20.9),
        Here("LSTM-AE", 0.697, 25.4, 34.8, 24.5),
        Here("T2", 0.646, 19.9, 44.0, 22.4),
        Here("LSTM, one-step error", 0.468, 11.0, 66.6, 12.1),
        Here("isolation forest", 0.206, 1.1, 88.4, double.NaN),
        Here("MSCRED", 0.201, 57.5, 83.9, 36.7),
    ];

    public IReadOnlyList<QualityRow> Score(string results, string data) =>
        [Row("", Load(data, name => File.Exists(Path.Combine(results, name)) ? _ => FromResults(Path.Combine(results, name)) : null))];

    public IReadOnlyList<QualityRow> Trivial(string data) =>
    [
        Row("always alarm", Load(data, _ => rows => ([.. rows.Select(_ => (bool?)true)], null))),
        Row("z-norm above its training quantile .995", Load(data, _ => rows =>
            (ZNorm.Above(rows, SkabScorer.TrainingRows, 0.995), null))),
    ];

    /// <summary>The labelled files that have predictions, in the order of their names, without their training rows.</summary>
    /// <param name="data">SKAB's folder.</param>
    /// <param name="flagsOf">By a file's name: predictions, and claimed change points or null, from the file's rows; null where it has none.</param>
    public static IReadOnlyList<SkabSeries> Load(
        string data, Func<string, Func<IReadOnlyList<double[]>, (IReadOnlyList<bool?> Predictions, IReadOnlyList<bool?>? Claims)>?> flagsOf)
    {
        List<SkabSeries> series = [];
        string root = Path.Combine(data, "data");

        foreach (string path in Directory.EnumerateFiles(root, "*.csv", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            string name = Path.GetRelativePath(root, path).Replace('\\', '/');

            if (name.StartsWith("anomaly-free", StringComparison.Ordinal) || flagsOf(name) is not { } flags)
            {
                continue;
            }

            var file = new ColumnFile(path, ';');
            IReadOnlyList<DateTimeOffset> times = file.Times("datetime");
            (IReadOnlyList<bool?> predictions, IReadOnlyList<bool?>? claims) = flags(Values(file, times.Count));

            if (predictions.Count != times.Count)
            {
                throw new InvalidDataException($"{name}: {predictions.Count} predictions, the file has {times.Count} rows");
            }

            IReadOnlyList<bool?> scored = [.. predictions.Skip(SkabScorer.TrainingRows)];
            series.Add(new SkabSeries(
                [.. times.Skip(SkabScorer.TrainingRows)],
                [.. file.Flags("anomaly").Skip(SkabScorer.TrainingRows).Select(flag => flag == true)],
                [.. file.Flags("changepoint").Skip(SkabScorer.TrainingRows).Select(flag => flag == true)],
                scored,
                claims is null ? ChangesOf(scored) : [.. claims.Skip(SkabScorer.TrainingRows)]));
        }

        return series;
    }

    /// <summary>A change point is claimed wherever the prediction changes; the first row with one claims what it predicts.</summary>
    public static IReadOnlyList<bool?> ChangesOf(IReadOnlyList<bool?> predictions)
    {
        bool? last = null;
        var claims = new bool?[predictions.Count];

        for (int row = 0; row < claims.Length; row++)
        {
            claims[row] = predictions[row] is not { } prediction ? null : last is null ? prediction : prediction != last;
            last = predictions[row] ?? last;
        }

        return claims;
    }

    private static (IReadOnlyList<bool?> Predictions, IReadOnlyList<bool?>? Claims) FromResults(string path)
    {
        var file = new ColumnFile(path);
        return (file.Flags("pred"), file.Has("cp") ? file.Flags("cp") : null);
    }

    private static double[][] Values(ColumnFile file, int rows)
    {
        IReadOnlyList<double>[] columns = [.. file.Names.Where(name => name is not ("datetime" or "anomaly" or "changepoint")).Select(file.Numbers)];
        return [.. Enumerable.Range(0, rows).Select(row => columns.Select(column => column[row]).ToArray())];
    }

    private static QualityRow Row(string name, IReadOnlyList<SkabSeries> series)
    {
        SkabResult result = SkabScorer.Score(series);
        return new QualityRow(
            name, result.F1, result.FalseAlarmRate, result.MissedRate, result.Nab.Standard, result.Nab.LowFalsePositives, result.Nab.LowFalseNegatives);
    }

    private static QualityRow Here(string name, double f1, double falseAlarms, double missed, double nab) =>
        new(name, f1, falseAlarms, missed, nab, double.NaN, double.NaN);
}
