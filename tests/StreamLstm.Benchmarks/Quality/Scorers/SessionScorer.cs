namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>Precision, recall and F1 over sessions, and the share of normal ones flagged.</summary>
internal readonly record struct SessionResult(double Precision, double Recall, double F1, double FalseAlarmRate);

/// <summary>HDFS as DeepLog counts it: the rates of two samples, applied to the published totals of sessions.</summary>
internal static class SessionScorer
{
    private const double Normals = 553_366;
    private const double Abnormals = 16_838;

    public static SessionResult Score(IReadOnlyCollection<bool> normal, IReadOnlyCollection<bool> abnormal)
    {
        double falseRate = (double)normal.Count(flag => flag) / normal.Count;
        double recall = (double)abnormal.Count(flag => flag) / abnormal.Count;
        double found = recall * Abnormals, wrong = falseRate * Normals;
        double precision = found + wrong > 0 ? found / (found + wrong) : 0;
        double f1 = found > 0 ? 2 * precision * recall / (precision + recall) : 0;
        return new SessionResult(precision, recall, f1, falseRate);
    }
}
