namespace StreamLstm.Detection.Deciding;

/// <summary>What a person says an incident was.</summary>
public enum IncidentLabel
{
    /// <summary>Nothing: such a level is ordinary, and an equal event shall open no incident.</summary>
    FalseAlarm,

    /// <summary>Something: its observations shall not teach what is usual, as far as they have not yet, and it is never taken for the new normal.</summary>
    Real,
}

/// <summary>What became of a label.</summary>
public enum LabelOutcome
{
    /// <summary>It holds from the stream's next observation on.</summary>
    Applied,

    /// <summary>There is no such stream.</summary>
    UnknownStream,

    /// <summary>The stream had no such incident, or remembers it no more.</summary>
    UnknownIncident,
}
