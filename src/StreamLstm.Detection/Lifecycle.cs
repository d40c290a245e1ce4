namespace StreamLstm.Detection;

/// <summary>Where a stream stands between its first value and its last.</summary>
public enum Lifecycle
{
    /// <summary>Its statistics are being gathered; nothing is scored yet.</summary>
    Learning,

    /// <summary>It is scored, but its scores are not yet comparable; nothing alerts.</summary>
    Calibrating,

    /// <summary>It is scored and may alert.</summary>
    Active,

    /// <summary>It has stopped sending, by its own learned cadence.</summary>
    Silent,
}
