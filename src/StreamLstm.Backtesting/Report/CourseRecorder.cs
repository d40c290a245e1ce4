namespace StreamLstm.Backtesting.Report;

/// <summary>Keeps the courses of a file's streams for the report.</summary>
/// <param name="job">The file.</param>
internal sealed class CourseRecorder(BacktestJob job) : IRowObserver
{
    private readonly Dictionary<string, StreamCourse> _courses = new(StringComparer.Ordinal);

    public BacktestJob Job { get; } = job;

    public IReadOnlyCollection<StreamCourse> Courses => _courses.Values;

    public void Add(in ReportedRow reported)
    {
        Job.Observer?.Add(reported);
        SeriesRow row = reported.Row;
        string stream = row.Stream.Length > 0 ? row.Stream : Job.Stream;

        if (!_courses.TryGetValue(stream, out StreamCourse? course))
        {
            // A numbered row's label is its number: no time reads like one.
            bool isTimed = !long.TryParse(row.Label, out long number) || row.Time != RowTime.Of(number);
            _courses.Add(stream, course = new StreamCourse(stream, row.Values.Length, isTimed));
        }

        course.Add(reported);
    }

    /// <summary>The same job, recorded.</summary>
    public BacktestJob Recorded() => Job with { Observer = this };
}
