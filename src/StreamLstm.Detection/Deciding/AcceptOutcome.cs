namespace StreamLstm.Detection.Deciding;

/// <summary>What became of the word that a stream's present level is its new normal.</summary>
public enum AcceptOutcome
{
    /// <summary>The open incident is closed; what it covered teaches.</summary>
    Applied,

    /// <summary>There is no such stream.</summary>
    UnknownStream,

    /// <summary>No incident is open, or the stream is silent: there is nothing to accept.</summary>
    NothingOpen,
}
