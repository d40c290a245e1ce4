using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting.Report;

/// <summary>One incident from its first to its last message.</summary>
internal sealed class ReportedIncident(string id)
{
    public string Id { get; } = id;

    public string Stream { get; private set; } = "";

    public DateTimeOffset Onset { get; private set; }

    /// <summary>When it was told first.</summary>
    public DateTimeOffset Opened { get; private set; }

    /// <summary>Null where it was still open at the end.</summary>
    public DateTimeOffset? Closed { get; private set; }

    /// <summary>0 to 100, its highest.</summary>
    public double Score { get; private set; } = -1;

    public IncidentSeverity Severity { get; private set; }

    public IncidentKind Kind { get; private set; }

    /// <summary>The sentence told when it was worst.</summary>
    public string Explanation { get; private set; } = "";

    public void Take(IncidentEvent message)
    {
        if (message.State == IncidentState.Opened)
        {
            (Stream, Onset, Opened) = (message.Stream, message.Onset, message.Time);
        }

        if (message.State != IncidentState.Closed && message.MaxScore > Score)
        {
            (Kind, Explanation) = (message.Kind, message.Explanation);
        }

        Score = Math.Max(Score, message.MaxScore);
        Severity = message.Severity;
        Closed = message.ClosedAt;
    }

    /// <summary>Whether it has a moment in common with a window.</summary>
    public bool Overlaps(DateTimeOffset start, DateTimeOffset end) => Onset <= end && (Closed ?? DateTimeOffset.MaxValue) >= start;
}
