namespace StreamLstm.Detection;

/// <summary>Whether a detector does what it is there for, as its canary shows.</summary>
public enum CanaryState
{
    /// <summary>No fault was due yet: the canary is still warming up.</summary>
    Unknown,

    /// <summary>The last planted fault was told, and nothing else.</summary>
    Alive,

    /// <summary>The last planted fault was not told.</summary>
    Blind,

    /// <summary>Incidents open where no fault was planted.</summary>
    Crying,
}

/// <summary>What a shard's canary has to say.</summary>
/// <param name="State">Whether its detector is alive.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Planted">Faults planted so far that are over.</param>
/// <param name="Found">How many of them were told.</param>
/// <param name="FalseAlarms">Incidents of the last six hours where no fault was planted.</param>
public sealed record CanaryReport(CanaryState State, string Reason, long Planted, long Found, int FalseAlarms);
