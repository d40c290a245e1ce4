namespace StreamLstm.Benchmarks.Quality.Scorers;

/// <summary>One series: its anomaly, rows from 0, the end exclusive, and the rows answered, best first.</summary>
internal sealed record UcrSeries(string Family, long Begin, long End, IReadOnlyList<long> Answers);

/// <summary>Share of the series answered rightly.</summary>
/// <param name="Top1">By the first answer.</param>
/// <param name="Top3">By any of the first three.</param>
/// <param name="Top5">By any of the first five.</param>
/// <param name="Families">By the first answer, the mean over families: many series are altered copies of another.</param>
/// <param name="Series">How many there are.</param>
internal readonly record struct UcrResult(double Top1, double Top3, double Top5, double Families, int Series);

/// <summary>
/// The UCR Anomaly Archive by the KDD Cup's rule: an answer is right within max(100, length) rows of the anomaly.
/// </summary>
internal static class UcrScorer
{
    private const long Slop = 100;

    public static UcrResult Score(IReadOnlyList<UcrSeries> series) => new(
        Share(series, 1),
        Share(series, 3),
        Share(series, 5),
        series.GroupBy(one => one.Family).Average(family => Share([.. family], 1)),
        series.Count);

    private static double Share(IReadOnlyCollection<UcrSeries> series, int answers) =>
        (double)series.Count(one => one.Answers.Take(answers).Any(row => IsRight(one, row))) / series.Count;

    private static bool IsRight(UcrSeries series, long row)
    {
        long margin = Math.Max(Slop, series.End - series.Begin);
        return row > series.Begin - margin && row < series.End + margin;
    }
}
