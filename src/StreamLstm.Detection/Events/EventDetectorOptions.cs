namespace StreamLstm.Detection.Events;

/// <summary>Settings of <see cref="EventSequenceDetector"/>.</summary>
public sealed record EventDetectorOptions
{
    /// <summary>Kinds of events that are kept apart, 1 to 1000; rarer ones read as "other".</summary>
    public int VocabularyCapacity { get; init; } = 250;

    /// <summary>H of the network, 1 to 1024.</summary>
    public int HiddenSize { get; init; } = 48;

    /// <summary>Sessions of one training step.</summary>
    public int BatchSessions { get; init; } = 48;

    /// <summary>
    /// Training steps of a network of order, rounded up to whole passes over the sessions; half for one of counts. A step sees up to
    /// 64 events of <see cref="BatchSessions"/> sessions, so that longer sessions make a training no longer than that.
    /// </summary>
    public int TrainingSteps { get; init; } = 6000;

    /// <summary>Largest step length of the training.</summary>
    public float LearningRate { get; init; } = 0.01f;

    /// <summary>Sessions learnt from at most; of more a seeded sample is taken.</summary>
    public int TrainingSessionsMax { get; init; } = 20_000;

    /// <summary>Score from which a session is abnormal, in decades: 3 = as odd as one normal session in a thousand.</summary>
    public double Threshold { get; init; } = 3;

    /// <summary>Threads at most while it learns; changes no bit of the result.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Seed of the weights, the order of learning and the folds.</summary>
    public ulong Seed { get; init; } = 1;
}
