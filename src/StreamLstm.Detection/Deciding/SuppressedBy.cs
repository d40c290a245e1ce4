namespace StreamLstm.Detection.Deciding;

/// <summary>What would have kept an observation from opening an incident, however much evidence it brought.</summary>
public enum SuppressedBy
{
    /// <summary>Nothing: evidence alone decided.</summary>
    None,

    /// <summary>The stream is in its warm-up.</summary>
    WarmUp,

    /// <summary>A gap in time: forecasts are not whole again, or the stream has just come back.</summary>
    Gap,

    /// <summary>An incident is open already; the observation belongs to it.</summary>
    OpenIncident,

    /// <summary>The rule of the stream: the value lies on the side of its forecast that does not count.</summary>
    Direction,

    /// <summary>The rule of the stream: the value is too near its forecast.</summary>
    Deviation,

    /// <summary>The rule of the stream: the score is too low for the severity asked for.</summary>
    Severity,

    /// <summary>The rule of the stream: too few of the last rows would have opened an incident.</summary>
    NOfM,

    /// <summary>The rule of the stream: an incident has ended too short a time ago.</summary>
    RuleCooldown,

    /// <summary>The alert budget of the stream or its group is spent, and the evidence no greater than the least it was spent on.</summary>
    Budget,

    /// <summary>A maintenance window mutes the stream.</summary>
    Maintenance,

    /// <summary>The level was accepted as the new normal and has not settled yet: only much stronger evidence opens an incident.</summary>
    Accepted,

    /// <summary>It comes again where it always does: at the same time of the day or the week, or at the same spacing.</summary>
    Regular,
}
