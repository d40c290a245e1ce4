namespace StreamLstm.Detection.Incidents;

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

    /// <summary>An incident has just ended: only much stronger evidence opens another so soon.</summary>
    Cooldown,
}
