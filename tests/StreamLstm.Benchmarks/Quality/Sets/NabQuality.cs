using System.Globalization;
using System.Text.Json;
using StreamLstm.Benchmarks.Quality.Scorers;

namespace StreamLstm.Benchmarks.Quality.Sets;

/// <summary>NAB's development files.</summary>
internal sealed class NabQuality : IQualitySet
{
    private static readonly NabCosts[] Profiles = [NabCosts.Standard, NabCosts.LowFalsePositives, NabCosts.LowFalseNegatives];

    public string Name => "nab";

    public string Folder => "nab";

    public string Format => "nab";

    public IReadOnlyList<QualityMetric> Metrics { get; } =
        [new("standard", "F1"), new("low FP", "F1"), new("low FN", "F1"), new("windows", "F0"), new("FP rows", "F0")];

    public IReadOnlyList<QualityGoal> Goals { get; } =
    [
        new("Q1", "nab dev standard", 0, ">", 79),
        new("Q2", "nab dev reward low FP", 1, ">", 72),
        new("Q3", "nab dev reward low FN", 2, ">", 84),
    ];

    public IReadOnlyList<QualityRow> Published { get; } =
    [
        new("ARTime (knew the file's range and length)", 78.2, 70.4, 83.1, 53, 89),
        new("ARTime (neither known)", 67.4, 57.8, 72.6, double.NaN, double.NaN),
        new("CAD OSE (knew the range)", 74.1, 71.7, 76.9, 47, 27),
        new("CAD OSE (neither known)", 64.8, 59.1, 69.3, double.NaN, double.NaN),
        new("Numenta HTM (knew the range)", 71.2, 65.0, 75.9, 48, 77),
        new("KNN-CAD", 64.4, 50.4, 71.0, 48, 148),
        new("Skyline", 56.1, 45.1, 61.4, 41, 120),
        new("new extreme by > 5 % (knew the range)", 52.5, 51.6, 54.3, 33, 10),
        new("Random Cut Forest", 52.0, 38.3, 61.0, 45, 236),
        new("Windowed Gaussian", 36.7, 21.4, 45.2, 32, 166),
    ];

    public IReadOnlyList<QualityRow> Score(string results, string data) =>
    [
        Row("", Load(data, name => FromResults(results, name, "anomaly_score"))),
        Row("its alerts as they are", Load(data, name => FromResults(results, name, "alert")), threshold: 1),
    ];

    public IReadOnlyList<QualityRow> Trivial(string data)
    {
        var random = new Random(1);
        return
        [
            Row("silent", Load(data, _ => file => new double[file.Numbers("value").Count])),
            Row("always alarm", Load(data, _ => file => [.. file.Numbers("value").Select(_ => 1.0)]), threshold: 1),
            Row("random", Load(data, _ => file => [.. file.Numbers("value").Select(_ => random.NextDouble())])),
            Row("z-norm of the values so far", Load(data, _ => file => RunningNormal(file.Numbers("value")))),
        ];
    }

    /// <summary>The files that have scores, in the order of their names.</summary>
    /// <param name="data">NAB's folder.</param>
    /// <param name="scoresOf">By a file's name: how its scores follow from the file; null where it has none.</param>
    public static IReadOnlyList<NabSeries> Load(string data, Func<string, Func<ColumnFile, IReadOnlyList<double>>?> scoresOf)
    {
        using JsonDocument labels = JsonDocument.Parse(File.ReadAllText(Path.Combine(data, "labels", "combined_windows.json")));
        List<NabSeries> series = [];

        foreach (JsonProperty file in labels.RootElement.EnumerateObject().OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            if (scoresOf(file.Name) is not { } scores)
            {
                continue;
            }

            var columns = new ColumnFile(Path.Combine(data, "data", file.Name));
            var one = new NabSeries(
                file.Name,
                columns.Times("timestamp"),
                scores(columns),
                [.. file.Value.EnumerateArray().Select(window => (Time(window[0]), Time(window[1])))]);

            if (one.Scores.Count != one.Times.Count)
            {
                throw new InvalidDataException($"{file.Name}: {one.Scores.Count} scores, the file has {one.Times.Count} rows");
            }

            series.Add(one);
        }

        return series;
    }

    /// <summary>Reads a column of a backtest's output.</summary>
    public static Func<ColumnFile, IReadOnlyList<double>>? FromResults(string results, string name, string column)
    {
        string path = Path.Combine(results, name);
        return File.Exists(path) ? _ => new ColumnFile(path).Numbers(column) : null;
    }

    private static QualityRow Row(string name, IReadOnlyList<NabSeries> series, double? threshold = null)
    {
        NabResult[] profiles = [.. Profiles.Select(costs => NabScorer.Score(series, costs, threshold))];
        return new QualityRow(name, [.. profiles.Select(profile => profile.Score), profiles[0].WindowsFound, profiles[0].FalseRows]);
    }

    /// <summary>|x - mean| / deviation of what came before, squeezed into 0 to 1.</summary>
    private static double[] RunningNormal(IReadOnlyList<double> values)
    {
        var scores = new double[values.Count];
        double mean = 0, squares = 0;

        for (int row = 0; row < values.Count; row++)
        {
            double difference = values[row] - mean;
            double deviation = row > 1 ? Math.Sqrt(squares / row) : 0;
            double z = deviation > 0 ? Math.Abs(difference) / deviation : 0;
            scores[row] = z / (1 + z);
            mean += difference / (row + 1);
            squares += difference * (values[row] - mean);
        }

        return scores;
    }

    private static DateTimeOffset Time(JsonElement written) =>
        DateTimeOffset.Parse(written.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
