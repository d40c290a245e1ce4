using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Scorers;

namespace StreamLstm.Benchmarks.Quality.Sets;

/// <summary>HDFS log sessions in DeepLog's setting: normal ones to learn from, and samples of both kinds to judge.</summary>
internal sealed class HdfsQuality : IQualitySet
{
    public const string Training = "hdfs_train";

    public static readonly IReadOnlyList<string> Tests = ["hdfs_test_normal", "hdfs_test_abnormal"];

    public string Name => "hdfs";

    public string Folder => "hdfs_logs";

    public string Format => BacktestFormats.Events;

    public IReadOnlyList<QualityMetric> Metrics { get; } =
        [new("F1", "F3"), new("precision", "F3"), new("recall", "F3"), new("normal flagged %", "F3")];

    public IReadOnlyList<QualityGoal> Goals { get; } = [new("Q15", "hdfs dev F1", 0, ">", 0.98)];

    public IReadOnlyList<QualityRow> Published { get; } =
    [
        Row("DeepLog, paper (full)", .96, .951, .964),
        Row("DeepLog, logdeep (full)", .945, .958, .933),
        Row("LogAnomaly, logdeep (full)", .976, .969, .983),
        Row("count vectors with new event and length (full)", .971, double.NaN, double.NaN),
    ];

    public IReadOnlyList<QualityRow> Score(string results, string data) =>
        [Row("", SessionScorer.Score(Flags(Path.Combine(results, Tests[0] + ".txt")), Flags(Path.Combine(results, Tests[1] + ".txt"))))];

    public IReadOnlyList<QualityRow> Trivial(string data)
    {
        string[][] training = Sessions(data, Training);
        HashSet<string> known = [.. training.SelectMany(session => session)];
        HashSet<string> counts = [.. training.Select(Counts)];
        int shortest = training.Min(session => session.Length), longest = training.Max(session => session.Length);
        return
        [
            Flagged("always", _ => true),
            Flagged("new event, or a length outside training's", session =>
                session.Length < shortest || session.Length > longest || !session.All(known.Contains)),
            Flagged("a count vector that training lacks", session => !counts.Contains(Counts(session))),
        ];

        QualityRow Flagged(string name, Func<string[], bool> flag) =>
            Row(name, SessionScorer.Score([.. Sessions(data, Tests[0]).Select(flag)], [.. Sessions(data, Tests[1]).Select(flag)]));
    }

    /// <summary>A session's last field says whether it was flagged.</summary>
    public static IReadOnlyCollection<bool> Flags(string path) =>
        [.. File.ReadLines(path).Where(line => line.Length > 0).Select(line => line.Split(',', ' ')[^1] == "1")];

    private static string[][] Sessions(string data, string file) =>
        [.. File.ReadLines(Path.Combine(data, file)).Where(line => line.Length > 0).Select(line => line.Split(',')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    private static string Counts(string[] session) =>
        string.Join(' ', session.GroupBy(kind => kind).OrderBy(kind => kind.Key, StringComparer.Ordinal).Select(kind => $"{kind.Key}:{kind.Count()}"));

    private static QualityRow Row(string name, SessionResult result) =>
        new(name, result.F1, result.Precision, result.Recall, 100 * result.FalseAlarmRate);

    private static QualityRow Row(string name, double f1, double precision, double recall) => new(name, f1, precision, recall, double.NaN);
}
