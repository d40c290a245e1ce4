namespace StreamLstm.Detection;

/// <summary>Why an observation was not scored. The names are the values of the metric's <c>reason</c> label.</summary>
public enum RejectionReason
{
    /// <summary>The record could not be read: not valid JSON, CSV, line protocol or number.</summary>
    Malformed,

    /// <summary>The value is NaN, infinite or beyond 1e20.</summary>
    BadValue,

    /// <summary>Same time and value as the stream's last observation.</summary>
    Duplicate,

    /// <summary>Same time as the stream's last observation, another value; the first one stands.</summary>
    Conflict,

    /// <summary>Older than the stream's last observation.</summary>
    Late,

    /// <summary>More than five minutes ahead of the moment it arrived.</summary>
    Future,

    /// <summary>The daemon's limit of streams is reached and this stream is not among them.</summary>
    StreamLimit,

    /// <summary>The stream's name is empty or longer than 256 bytes of UTF-8.</summary>
    BadStreamName,

    /// <summary>The record is larger than the source admits.</summary>
    Oversize,

    /// <summary>A fault in scoring it; the stream's state was reset.</summary>
    Fault,

    /// <summary>A value, a record or an event for a stream of another kind: a stream is one of them.</summary>
    OtherKind,

    /// <summary>The stream's records held one column only, or none that is scored: there is nothing to judge together.</summary>
    TooFewColumns,
}
