namespace StreamLstm.Backtesting.Report;

/// <summary>What a run gave, and the courses of its streams; none where nobody asked for them.</summary>
/// <param name="Results">In the order of the files.</param>
/// <param name="Recorders">In the same order.</param>
internal sealed record Course(IReadOnlyList<BacktestResult> Results, IReadOnlyList<CourseRecorder> Recorders);

/// <summary>One file under two configurations.</summary>
/// <param name="Name">The file.</param>
/// <param name="First">What the first gave.</param>
/// <param name="Second">What the second gave.</param>
/// <param name="OnlyFirst">Incidents of the first that overlap none of the second.</param>
/// <param name="OnlySecond">Incidents of the second that overlap none of the first.</param>
/// <param name="Correlation">Pearson's, of the scores of rows that both score; NaN where one does not vary.</param>
internal sealed record Comparison(
    string Name, BacktestResult First, BacktestResult Second, int OnlyFirst, int OnlySecond, double Correlation)
{
    public static Comparison Of(BacktestResult first, CourseRecorder firstCourses, BacktestResult second, CourseRecorder secondCourses)
    {
        var pairs = firstCourses.Courses.Join(secondCourses.Courses, a => a.Name, b => b.Name, (a, b) => (A: a, B: b)).ToArray();
        return new Comparison(
            first.Name,
            first,
            second,
            pairs.Sum(pair => Only(pair.A, pair.B)),
            pairs.Sum(pair => Only(pair.B, pair.A)),
            Pearson(pairs.SelectMany(pair => pair.A.Scores.Zip(pair.B.Scores))));
    }

    private static int Only(StreamCourse here, StreamCourse there) => here.Incidents.Count(incident =>
        !there.Incidents.Exists(other => other.Stream == incident.Stream && other.Overlaps(incident.Onset, incident.Closed ?? DateTimeOffset.MaxValue)));

    private static double Pearson(IEnumerable<(float A, float B)> scores)
    {
        long n = 0;
        double meanA = 0, meanB = 0, squareA = 0, squareB = 0, product = 0;

        foreach ((float a, float b) in scores)
        {
            if (float.IsNaN(a) || float.IsNaN(b))
            {
                continue;
            }

            n++;
            double toA = a - meanA, toB = b - meanB;
            meanA += toA / n;
            meanB += toB / n;
            squareA += toA * (a - meanA);
            squareB += toB * (b - meanB);
            product += toA * (b - meanB);
        }

        return product / Math.Sqrt(squareA * squareB);
    }
}
