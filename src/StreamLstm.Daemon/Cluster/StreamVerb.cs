namespace StreamLstm.Daemon.Cluster;

/// <summary>What became of a person's word on a stream, or of a question about it. Of several partitions' the last of these counts.</summary>
internal enum VerbOutcome
{
    /// <summary>The partition has no such stream.</summary>
    Unknown,

    /// <summary>It could not be carried out, or not written down: at present the partition may be another daemon's.</summary>
    NotTaken,

    /// <summary>The stream is there, and there is nothing to be done.</summary>
    Refused,

    /// <summary>It was carried out, and is written down.</summary>
    Done,
}

/// <summary>What became of it.</summary>
/// <param name="Outcome">Whether it was carried out.</param>
/// <param name="Value">The answer, where it was.</param>
/// <param name="Why">In words, where it was not.</param>
internal sealed record VerbAnswer(VerbOutcome Outcome, object? Value = null, string Why = "")
{
    public static readonly VerbAnswer Unknown = new(VerbOutcome.Unknown);

    public static VerbAnswer Done(object value) => new(VerbOutcome.Done, value);

    public static VerbAnswer Refused(string why) => new(VerbOutcome.Refused, Why: why);

    public static VerbAnswer NotTaken(string why) => new(VerbOutcome.NotTaken, Why: why);
}

/// <summary>A person's word on a stream, or a question about it: carried out between two records of the partition that has the stream.</summary>
/// <param name="Changes">Whether it changes the stream: then it is written down with the state before it is answered.</param>
/// <param name="Act">Carries it out.</param>
internal sealed record StreamVerb(bool Changes, Func<PartitionState, VerbAnswer> Act)
{
    private readonly TaskCompletionSource<VerbAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends with the answer.</summary>
    public Task<VerbAnswer> Answered => _answer.Task;

    public void Answer(VerbAnswer answer) => _answer.TrySetResult(answer);
}
