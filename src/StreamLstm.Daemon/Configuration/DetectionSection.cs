namespace StreamLstm.Daemon.Configuration;

/// <summary>How streams learn.</summary>
internal enum LearningMode
{
    /// <summary>Per stream while the number of streams allows it, else shared.</summary>
    Auto,

    /// <summary>All streams share the base weights.</summary>
    Shared,

    /// <summary>Every stream adapts weights of its own, started from the base.</summary>
    PerStream,
}

/// <summary>How much a stream may remember.</summary>
internal enum FormChoice
{
    /// <summary>All of it.</summary>
    Full,

    /// <summary>A fifth.</summary>
    Lean,

    /// <summary>Two kilobytes.</summary>
    Shared,

    /// <summary>What there is room for: full while half of the memory is free, then smaller ones; the most active streams have the larger ones.</summary>
    Auto,
}

/// <summary>How streams are learnt and judged.</summary>
internal sealed class DetectionSection
{
    /// <summary>auto, shared or per_stream.</summary>
    public LearningMode Learning { get; init; } = LearningMode.Auto;

    /// <summary>With learning: auto, streams beyond this number share the base weights.</summary>
    [Range(0, 1_000_000)]
    public int PerStreamMax { get; init; } = 10_000;

    /// <summary>auto: full while half of limits.memory_mib is free, then lean, then shared, and by need. With the others streams stay as they began: full; lean: a fifth of the memory, and with learning: auto no weights of the stream's own; of a stream of texts less than half; shared: two kilobytes, base weights only, fewer indicators; its texts are lean. Records and logs have one form.</summary>
    public FormChoice Form { get; init; } = FormChoice.Auto;

    /// <summary>Streams that share base weights of their own, trained on their windows alone once there are enough.</summary>
    public IReadOnlyList<ModelGroupOptions> ModelGroups { get; init; } = [];

    /// <summary>File that streamlstm train wrote, whose weights streams start from; empty for those shipped, random for none. A snapshot's weights win.</summary>
    public string BaseWeights { get; init; } = "";

    /// <summary>Seed of every random choice: the same input and seed give the same scores.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Clean observations of a stream of values between two alerts: at most one false alarm in so many is asked for.</summary>
    [Range(1_000.0, 100_000_000.0)]
    public double CleanRowsPerAlert { get; init; } = 10_000;

    /// <summary>Clean days between two alerts of such a stream: where values come often, a longer time than those rows; 0 to ask for none.</summary>
    [Range(0.0, 365.0)]
    public double CleanDaysPerAlert { get; init; } = 1;

    /// <summary>Sessions of one log that are open at once; beyond it the one that waited longest is dropped unjudged.</summary>
    [Range(1, 100_000)]
    public int SessionsMax { get; init; } = 2_000;

    /// <summary>Time without a line, by the log's own clock, after which a session has ended.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromMinutes(1);
}
