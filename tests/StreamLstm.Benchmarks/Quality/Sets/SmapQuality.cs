using System.Globalization;
using System.Text.Json;
using StreamLstm.Benchmarks.Quality.Scorers;

namespace StreamLstm.Benchmarks.Quality.Sets;

/// <summary>The development channels of SMAP and MSL.</summary>
internal sealed class SmapQuality : IQualitySet
{
    public string Name => "smap";

    public string Folder => "smap_msl";

    public string Format => "telemanom";

    public IReadOnlyList<QualityMetric> Metrics { get; } =
    [
        new("precision", "F3"), new("recall", "F3"), new("F1", "F3"), new("F0.5", "F3"),
        new("found", "F0"), new("false", "F0"), new("missed", "F0"), new("flagged %", "F2"),
    ];

    public IReadOnlyList<QualityGoal> Goals { get; } =
    [
        new("Q9", "smap/msl dev F1", 2, ">", 0.88),
        new("Q10", "smap/msl dev rows flagged %", 7, "<=", 5),
        new("Q11", "smap/msl dev precision", 0, ">", 0.90),
    ];

    public IReadOnlyList<QualityRow> Published { get; } = [new("Telemanom", 0.891, 0.804, 0.845, 0.872, 41, 5, 10, 4.9)];

    public IReadOnlyList<QualityRow> Score(string results, string data)
    {
        var detections = JsonSerializer.Deserialize<Dictionary<string, long[][]>>(File.ReadAllText(Path.Combine(results, "detections.json")))!;
        return [Row("", Load(data, (channel, _) => detections.GetValueOrDefault(channel, [])))];
    }

    public IReadOnlyList<QualityRow> Trivial(string data)
    {
        var random = new Random(1);
        return
        [
            Row("every row flagged", Load(data, (_, rows) => [[0, rows - 1]])),
            Row("silent", Load(data, (_, _) => [])),
            Row("one random range of 100 rows a channel", Load(data, (_, rows) => random.NextInt64(rows - 100) is var first ? [[first, first + 99]] : [])),
        ];
    }

    /// <summary>Every labelled channel.</summary>
    /// <param name="data">The set's folder.</param>
    /// <param name="rangesOf">By channel and number of rows: the [first, last] rows detected.</param>
    public static IReadOnlyList<TelemanomChannel> Load(string data, Func<string, long, IReadOnlyList<long[]>> rangesOf)
    {
        var file = new ColumnFile(Path.Combine(data, "labeled_anomalies.csv"));
        IReadOnlyList<string> channels = file.Texts("chan_id"), sequences = file.Texts("anomaly_sequences"), rows = file.Texts("num_values");
        return
        [
            .. channels.Select((channel, i) =>
            {
                long count = long.Parse(rows[i], CultureInfo.InvariantCulture);
                return new TelemanomChannel(
                    Ranges(rangesOf(channel, count)), Ranges(JsonSerializer.Deserialize<long[][]>(sequences[i])!), count);
            }),
        ];
    }

    private static (long, long)[] Ranges(IReadOnlyList<long[]> ranges) => [.. ranges.Select(range => (range[0], range[1]))];

    private static QualityRow Row(string name, IReadOnlyList<TelemanomChannel> channels)
    {
        TelemanomResult result = TelemanomScorer.Score(channels);
        return new QualityRow(
            name, result.Precision, result.Recall, result.F1, result.F05, result.Found, result.False, result.Missed, result.FlaggedShare);
    }
}
