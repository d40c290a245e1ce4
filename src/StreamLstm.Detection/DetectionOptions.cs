using StreamLstm.Detection.Deciding;
using StreamLstm.Model;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Detection;

/// <summary>How streams are learnt and judged. The defaults are the product: one configuration for every stream.</summary>
public sealed record DetectionOptions
{
    /// <summary>Seed of every random choice.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Whether a new stream gets weights of its own while there are fewer such streams than <see cref="PerStreamMax"/>.</summary>
    public int PerStreamMax { get; init; } = 10_000;

    /// <summary>Streams beyond this number are rejected.</summary>
    public int StreamsMax { get; init; } = 100_000;

    /// <summary>How much a new stream may remember.</summary>
    public StreamForm Form { get; init; } = StreamForm.Full;

    /// <summary>Rows before a stream is scored at all.</summary>
    public int LearningRows { get; init; } = 64;

    /// <summary>Rows before a stream may alert.</summary>
    public int WarmUpRows { get; init; } = 512;

    /// <summary>Clean rows of a stream of values or events between two alerts that are asked for; 1,000 or more.</summary>
    public double CleanRowsPerAlert { get; init; } = 10_000;

    /// <summary>Clean days of such a stream between two alerts that are asked for: where they come often, more rows.</summary>
    public double CleanDaysPerAlert { get; init; } = 1;

    /// <summary>What reads the indicators of streams of values; null for none, as in its own training.</summary>
    internal Func<LstmWeights?> JudgeWeights { get; init; } = () => Judging.Values.LearntJudge.Pretrained;

    /// <summary>Clean windows kept for training base weights, over all streams.</summary>
    public int TrainingWindowsMax { get; init; } = 2_000;

    /// <summary>Streams that share base weights of their own; the first whose pattern a stream's name matches counts.</summary>
    public IReadOnlyList<Learning.ModelGroup> ModelGroups { get; init; } = [];

    /// <summary>How streams of events are learnt and judged.</summary>
    public Judging.Events.EventStreamOptions Events { get; init; } = new();

    /// <summary>How records of several values are judged together; the first whose pattern the stream's name matches counts. By default all are.</summary>
    public IReadOnlyList<VectorOptions> Vectors { get; init; } = [new()];

    /// <summary>What must hold of alerts beyond their evidence; the first whose streams match counts.</summary>
    public IReadOnlyList<AlertRule> AlertRules { get; init; } = [];

    /// <summary>Stretches of time in which some streams are expected to be odd.</summary>
    public IReadOnlyList<MaintenanceWindow> Maintenance { get; init; } = [];

    /// <summary>What of it is asked of alerts.</summary>
    public AlertTerms Terms() => new(AlertRules, CleanRowsPerAlert, CleanDaysPerAlert);
}
