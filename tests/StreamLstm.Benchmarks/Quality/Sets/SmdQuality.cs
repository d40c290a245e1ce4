using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Scorers;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Benchmarks.Quality.Sets;

/// <summary>SMD's development machines; metrics are means over machines, without point adjustment.</summary>
internal sealed class SmdQuality : IQualitySet
{
    /// <summary>One for all machines, fixed beforehand: the one at which the detector alerts.</summary>
    private const double Threshold = VectorOptions.Threshold;

    public string Name => "smd";

    public string Folder => "smd";

    public string Format => "smd";

    public IReadOnlyList<QualityMetric> Metrics { get; } = [new("AP", "F3"), new("best F1", "F3"), new("F1, threshold fixed", "F3")];

    public IReadOnlyList<QualityGoal> Goals { get; } =
    [
        new("Q12", "smd dev AP", 0, ">", 0.70),
        new("Q13", "smd dev best F1", 1, ">", 0.72),
        new("Q14", "smd dev F1 at one threshold fixed", 2, ">", 0.65),
    ];

    public IReadOnlyList<QualityRow> Published { get; } = [new("PCA residual", 0.523, 0.549, double.NaN)];

    public IReadOnlyList<QualityRow> Score(string results, string data) =>
    [
        Row("", data, machine => new ColumnFile(Path.Combine(results, machine + ".csv")).Scores("evidence"), _ => Threshold),
    ];

    public IReadOnlyList<QualityRow> Trivial(string data)
    {
        var random = new Random(1);
        return
        [
            Row("z-norm, threshold its training quantile .995", data, ScoresBy(ZNorm.Scores), TrainingQuantile),
            Row("excess over training's range", data, ScoresBy(Excess), null),
            Row("persistence", data, ScoresBy(Persistence), null),
            Row("random", data, ScoresBy((rows, _) => [.. rows.Select(_ => random.NextDouble())]), null),
        ];

        Func<string, IReadOnlyList<double>> ScoresBy(Func<IReadOnlyList<double[]>, int, double[]> scores) => machine =>
        {
            double[][] train = Rows(data, "train", machine);
            return [.. scores([.. train, .. Rows(data, "test", machine)], train.Length).Skip(train.Length)];
        };

        double TrainingQuantile(string machine)
        {
            double[][] train = Rows(data, "train", machine);
            return ZNorm.Quantile(ZNorm.Scores(train, train.Length), 0.995);
        }
    }

    private static QualityRow Row(
        string name, string data, Func<string, IReadOnlyList<double>> scoresOf, Func<string, double>? thresholdOf)
    {
        List<(double Precision, double Best, double Fixed)> machines = [];

        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "test_label"), "*.txt").Order(StringComparer.Ordinal))
        {
            string machine = Path.GetFileNameWithoutExtension(path);
            bool[] labels = [.. File.ReadLines(path).Select(line => line.Trim() == "1")];
            IReadOnlyList<double> scores = scoresOf(machine);

            if (scores.Count != labels.Length)
            {
                throw new InvalidDataException($"{machine}: {scores.Count} scores, expected {labels.Length}");
            }

            machines.Add((
                PointwiseScorer.AveragePrecision(scores, labels),
                PointwiseScorer.BestF1(scores, labels),
                thresholdOf is null ? double.NaN : PointwiseScorer.F1(scores, labels, thresholdOf(machine))));
        }

        return new QualityRow(
            name, machines.Average(machine => machine.Precision), machines.Average(machine => machine.Best), machines.Average(machine => machine.Fixed));
    }

    private static double[][] Rows(string data, string part, string machine)
    {
        string path = Path.Combine(data, part, machine + ".txt");
        using var reader = new StreamReader(path);
        return [.. NumberText.Rows(reader, new RowProblems(path, strict: true)).Select(row => row.Values.ToArray())];
    }

    private static double[] Excess(IReadOnlyList<double[]> rows, int training)
    {
        int columns = rows[0].Length;
        double[] low = [.. Enumerable.Range(0, columns).Select(column => rows.Take(training).Min(row => row[column]))];
        double[] high = [.. Enumerable.Range(0, columns).Select(column => rows.Take(training).Max(row => row[column]))];
        return [.. rows.Select(row => row.Select((value, column) => Math.Max(0, Math.Max(low[column] - value, value - high[column]))).Sum())];
    }

    private static double[] Persistence(IReadOnlyList<double[]> rows, int training) =>
        [.. rows.Select((row, i) => i == 0 ? 0 : row.Select((value, column) => Math.Abs(value - rows[i - 1][column])).Sum())];
}
