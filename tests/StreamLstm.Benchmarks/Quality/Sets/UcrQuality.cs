using System.Globalization;
using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Scorers;

namespace StreamLstm.Benchmarks.Quality.Sets;

/// <summary>The UCR archive's development files.</summary>
internal sealed class UcrQuality : IQualitySet
{
    public string Name => "ucr";

    public string Folder => "ucr";

    public string Format => "ucr";

    public IReadOnlyList<QualityMetric> Metrics { get; } =
        [new("top-1", "F3"), new("top-3", "F3"), new("top-5", "F3"), new("families", "F3")];

    public IReadOnlyList<QualityGoal> Goals { get; } =
    [
        new("Q4", "ucr dev top-1", 0, ">", 0.85),
        new("Q5", "ucr dev top-1 by families", 3, ">", 0.78),
    ];

    public IReadOnlyList<QualityRow> Published { get; } =
    [
        Full("TimeVQVAE-AD", 0.708),
        Full("STUMPY", 0.512),
        Full("LSTM encoder-decoder", 0.51),
        Full("Telemanom", 0.468),
        Full("Random Cut Forest", 0.387),
        Full("LSTM-VAE", 0.198),
    ];

    public IReadOnlyList<QualityRow> Score(string results, string data)
    {
        var answers = File.ReadLines(Path.Combine(results, "answers.csv"))
            .Select(line => line.Split(','))
            .ToDictionary(
                parts => parts[0],
                parts => (IReadOnlyList<long>)[.. parts.Skip(1).Select(row => long.Parse(row, CultureInfo.InvariantCulture))]);
        return [Row("", Load(data, (path, _) => answers.GetValueOrDefault(Path.GetFileName(path), [])))];
    }

    public IReadOnlyList<QualityRow> Trivial(string data)
    {
        var random = new Random(1);
        return
        [
            Row("first test row", Load(data, (_, training) => [training])),
            Row("random row", Load(data, (path, training) => [random.NextInt64(training, File.ReadLines(path).LongCount())])),
            Row("furthest from the training mean", Load(data, (path, training) => [Furthest(path, training)])),
        ];
    }

    /// <summary>Every series whose anomaly lies behind its training rows.</summary>
    /// <param name="data">The archive's folder.</param>
    /// <param name="answersOf">The answers for a file, given the number of its training rows.</param>
    public static IReadOnlyList<UcrSeries> Load(string data, Func<string, long, IReadOnlyList<long>> answersOf)
    {
        List<UcrSeries> series = [];

        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "UCR_Anomaly_FullData")).Order(StringComparer.Ordinal))
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
            long[] rows = [.. parts[^3..].Select(part => long.Parse(part, CultureInfo.InvariantCulture))];

            if (rows[1] >= rows[0])
            {
                series.Add(new UcrSeries(Family(string.Join('_', parts[3..^3])), rows[1], rows[2], answersOf(path, rows[0])));
            }
        }

        return series;
    }

    /// <summary>A recording's name without what was done to it and without the number of its anomaly.</summary>
    public static string Family(string name)
    {
        foreach (string altered in (string[])["DISTORTED", "NOISE"])
        {
            name = name.StartsWith(altered, StringComparison.Ordinal) ? name[altered.Length..] : name;
        }

        return name.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
    }

    private static QualityRow Row(string name, IReadOnlyList<UcrSeries> series)
    {
        UcrResult result = UcrScorer.Score(series);
        return new QualityRow(name, result.Top1, result.Top3, result.Top5, result.Families);
    }

    private static QualityRow Full(string name, double top1) => new($"{name} (250 series)", top1, double.NaN, double.NaN, double.NaN);

    private static long Furthest(string path, long training)
    {
        using var reader = new StreamReader(path);
        double[] values = [.. NumberText.Values(reader, new RowProblems(path, strict: true)).Select(value => value.Value)];
        double mean = values.Take((int)training).Average();
        return Enumerable.Range((int)training, values.Length - (int)training).MaxBy(row => Math.Abs(values[row] - mean));
    }
}
