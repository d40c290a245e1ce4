namespace StreamLstm.Backtesting.Report;

/// <summary>The figures above a report.</summary>
/// <param name="Streams">Streams seen.</param>
/// <param name="Rows">Rows reported.</param>
/// <param name="Incidents">Incidents opened.</param>
/// <param name="StreamDays">Time covered over all streams; null where rows carry no time.</param>
/// <param name="Windows">Labelled windows.</param>
/// <param name="WindowsFound">Those that an incident overlaps.</param>
/// <param name="IncidentsRight">Incidents that overlap a window.</param>
/// <param name="IncidentsLabelled">All incidents: where nothing is labelled, nothing was wrong.</param>
internal sealed record ReportFigures(
    int Streams, long Rows, int Incidents, double? StreamDays, int Windows, int WindowsFound, int IncidentsRight, int IncidentsLabelled)
{
    /// <summary>Share of the incidents that overlap a labelled window; null where nothing is labelled or nothing was told.</summary>
    public double? Precision => Windows > 0 && IncidentsLabelled > 0 ? (double)IncidentsRight / IncidentsLabelled : null;

    /// <summary>Share of the labelled windows that an incident overlaps; null where nothing is labelled.</summary>
    public double? Recall => Windows > 0 ? (double)WindowsFound / Windows : null;

    public double? AlertsPerStreamDay => StreamDays > 0 ? Incidents / StreamDays : null;

    public static ReportFigures Of(IReadOnlyCollection<StreamCourse> courses)
    {
        // A stream without windows was watched and nothing happened: what was told there was wrong.
        int right = courses.Sum(course => course.Incidents.Count(incident => course.Labels.Exists(label => incident.Overlaps(label.Start, label.End))));
        int incidents = courses.Sum(course => course.Incidents.Count);
        return new ReportFigures(
            courses.Count,
            courses.Sum(course => course.Rows),
            incidents,
            courses.All(course => course.IsTimed) ? courses.Sum(course => (course.Last - course.First).TotalDays) : null,
            courses.Sum(course => course.Labels.Count),
            courses.Sum(course => course.Labels.Count(label => course.Incidents.Exists(incident => incident.Overlaps(label.Start, label.End)))),
            right,
            incidents);
    }
}
