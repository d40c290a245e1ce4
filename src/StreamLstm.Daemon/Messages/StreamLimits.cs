using StreamLstm.Detection;

namespace StreamLstm.Daemon.Messages;

/// <summary>Bounds on streams, as they hold from a place in the journal on.</summary>
/// <param name="Streams">Streams at most.</param>
/// <param name="OwnWeights">Streams with weights of their own at most.</param>
/// <param name="Bytes">What all streams together may be counted for.</param>
/// <param name="IdleAfter">Time without an observation after which a stream is forgotten; zero for never.</param>
internal sealed record StreamLimits(int Streams, int OwnWeights, long Bytes, TimeSpan IdleAfter)
{
    /// <summary>Whether each stream of values has the form that there is room for and that it needs; else all begin in the one that is configured.</summary>
    public bool IsFormByNeed { get; init; }
}

/// <summary>Why a stream is forgotten.</summary>
internal enum ForgetReason
{
    /// <summary>It had no observation for too long.</summary>
    Idle,

    /// <summary>Streams outgrew the limit on memory, and it had been idle longest.</summary>
    Memory,

    /// <summary>A person asked for it.</summary>
    Asked,
}

/// <summary>A stream has another form from here on.</summary>
internal readonly record struct ResizedStream(string Stream, StreamForm Form);

/// <summary>A stream that is forgotten: a name that comes again is a new stream.</summary>
internal sealed record ForgottenStream(string Stream, ForgetReason Reason);
