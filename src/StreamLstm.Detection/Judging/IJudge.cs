using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;

namespace StreamLstm.Detection.Judging;

/// <summary>Says how unlike normal operation an observation of one stream is. The only thing in which kinds of streams differ.</summary>
/// <remarks>
/// For every observation, in this order: <see cref="Admit"/>, <see cref="Arrive"/>, <see cref="Judge"/>, then, once it has
/// been decided what the observation may teach, <see cref="Remember"/>. A judge knows no incident, no rule and no label.
/// </remarks>
internal interface IJudge
{
    /// <summary>Observations remembered so far: the row of the one that comes next.</summary>
    long Rows { get; }

    /// <summary>Observations of the warm-up that have come, and how many it takes.</summary>
    (long Rows, long Needed) WarmUp { get; }

    /// <summary>Whether it knows too little to judge at all.</summary>
    bool IsLearning { get; }

    /// <summary>Observations that are not to be decided on after a gap, and how many there are behind such a gap; 0 for none.</summary>
    (long Left, long Of) Rewarming { get; }

    /// <summary>Observations after which the gaps between them say when there is silence.</summary>
    int CadenceRows { get; }

    /// <summary>Whether observations may share an instant or come out of order: they are taken at the latest time known.</summary>
    bool TakesAnyTime { get; }

    /// <summary>Whether it has weights of its own.</summary>
    bool HasOwnWeights { get; }

    /// <summary>Evidence that opens an incident, in decades.</summary>
    double Threshold { get; }

    /// <summary>Clean observations between two alerts that are asked for; null while unknown, and where its evidence is not counted in observations.</summary>
    double? RowsPerAlert => null;

    /// <summary>Whether what was remembered as suspicious or abnormal of late has settled: its last hundred rows are like the hundreds before.</summary>
    bool IsSettled { get; }

    /// <summary>Whether what was remembered as suspicious or abnormal of late goes one way: a drift that is not over.</summary>
    bool IsMoving => false;

    /// <summary>Whether what comes now is one more state of a stream that has states.</summary>
    bool IsNewState => false;

    /// <summary>Windows of 30 rows in a row, suspicious or abnormal, that came as forecast or as the window before.</summary>
    int StableWindows { get; }

    /// <summary>The most indicators it judges by.</summary>
    int Indicators { get; }

    /// <summary>What they are called.</summary>
    IndicatorWords Words { get; }

    /// <summary>What it said last; good until the next observation is judged.</summary>
    Judgement Last { get; }

    /// <summary>Why the observation is none that can be judged; null where it is one.</summary>
    RejectionReason? Admit(in Observation observation);

    /// <summary>Whether the observation says what the last one said.</summary>
    bool IsSame(in Observation observation);

    /// <summary>The next observation comes after a gap.</summary>
    void Arrive(in Arrival arrival);

    /// <summary>An observation goes by that is neither judged nor remembered.</summary>
    void Pass(in Observation observation);

    /// <summary>Other base weights are in service; false where it leaves them for a later observation, as taking notice costs more than that one may.</summary>
    bool TakeNoticeOf(BaseModel model, DetectionScratch scratch) => true;

    /// <summary>Judges an observation into <see cref="Last"/>, and learns nothing.</summary>
    void Judge(in Observation observation, in Circumstances circumstances);

    /// <summary>Takes the observation just judged into its memory, as far as it may teach.</summary>
    void Remember(Lesson lesson, in Circumstances circumstances);

    /// <summary>Keeps remembered rows from teaching, as far as they have not yet.</summary>
    void Spare(long firstRow, long endRow);

    /// <summary>What these rows showed is normal from now on, though they were remembered as abnormal.</summary>
    void Accept(long firstRow, long endRow);

    /// <summary>Takes levels of the indicators for ordinary because a person said so; 0 for none. They replace those before.</summary>
    void Ordinary(ReadOnlySpan<double> levels);

    /// <summary>The gates of its LSTM over what came last; null where it has none to show.</summary>
    GateTrace? Gates() => null;

    /// <summary>The incident at a time, or the last one, cut out of what it remembers so that it can be reconstructed; null where it cannot, with the reason.</summary>
    Excerpt? Excerpt(DateTimeOffset? at, out string? missing)
    {
        missing = "it is no stream of single values";
        return null;
    }

    /// <summary>What was judged last, for people: the figures and what they mean.</summary>
    string Sentence();

    /// <summary>What is to be said of an earlier observation beside its figures.</summary>
    /// <param name="shares">(columns): their shares of what was odd; empty where there are none.</param>
    /// <param name="template">An event's template; null where there is none.</param>
    /// <param name="isLast">Whether it is the one judged last.</param>
    Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast);

    void Save(BinaryWriter writer);

    /// <returns>False where what was saved is of no use any more, as it was learnt of other columns.</returns>
    bool Load(BinaryReader reader);
}

/// <summary>What an observation may teach.</summary>
internal enum Lesson
{
    /// <summary>Everything.</summary>
    Normal,

    /// <summary>It has half the evidence of an incident, and is part of none: nothing to memories and weights; calibration takes it clipped.</summary>
    Suspicious,

    /// <summary>It is part of an incident: nothing.</summary>
    Abnormal,

    /// <summary>It fell into a maintenance window: nothing.</summary>
    Frozen,
}

/// <summary>What an observation is judged and remembered in.</summary>
internal readonly ref struct Circumstances
{
    public required DateTimeOffset Time { get; init; }

    /// <summary>The stream's name, for a judge that does not keep it; null where nothing is to be named after it.</summary>
    public string? Stream { get; init; }

    /// <summary>Its gap to the one before it, in usual gaps.</summary>
    public required double GapRatio { get; init; }

    /// <summary>The usual gap in seconds; NaN while unknown.</summary>
    public required double UsualSeconds { get; init; }

    /// <summary>The base weights in service.</summary>
    public required BaseModel Model { get; init; }

    /// <summary>Room to work in.</summary>
    public required DetectionScratch Scratch { get; init; }

    /// <summary>Where values masked and steps undone are counted, and windows for the retrainer go.</summary>
    public required ShardOutput Output { get; init; }
}

/// <summary>What is said of an observation beside its figures.</summary>
/// <param name="Subject">What was judged; null for a value, which needs no words.</param>
/// <param name="Columns">A record's columns; null where there are none.</param>
internal readonly record struct Particulars(string? Subject, IReadOnlyList<ColumnFigure>? Columns);
