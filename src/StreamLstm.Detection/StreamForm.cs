namespace StreamLstm.Detection;

/// <summary>How much a stream may remember.</summary>
public enum StreamForm
{
    /// <summary>All that the scores in the README were measured with.</summary>
    Full,

    /// <summary>A fifth of it, for many streams or little memory: longer periods and rarer shapes are forgotten. Of texts less than half: half the cells. Records and events have one form.</summary>
    Lean,

    /// <summary>Two kilobytes, for fleets of hundreds of thousands: base weights, and what is usual of fewer indicators. Streams of values alone; texts are lean.</summary>
    Shared,
}

/// <summary>What the parts of a stream's memory hold.</summary>
/// <param name="RingRows">Last values, a power of two.</param>
/// <param name="HistoryValues">Random sample of all values.</param>
/// <param name="Means">Random samples of the means over 8 rows, and of those over 32 and over 128.</param>
/// <param name="NoveltyMembers">Each coreset of values in context.</param>
/// <param name="ShapeMembers">Each coreset of windows.</param>
/// <param name="Blocks">Blocks of clean rows by which what is usual of an indicator is known, and of those that are about novelty, which wears off.</param>
/// <param name="Decisions">Last decisions that can be explained; 0 for the last alone and those with the evidence of an alert.</param>
/// <param name="Gaps">Random sample of the gaps between two records.</param>
internal readonly record struct MemorySizes(
    int RingRows, int HistoryValues, (int Of8, int Longer) Means, int NoveltyMembers, int ShapeMembers, (int Usual, int Novel) Blocks, int Decisions, int Gaps)
{
    private static readonly MemorySizes Full = new(
        RingRows: 8192, HistoryValues: 2048, Means: (1024, 512), NoveltyMembers: 2000, ShapeMembers: 832, Blocks: (256, 96), Decisions: 64, Gaps: 128);

    private static readonly MemorySizes Lean = new(
        RingRows: 1024, HistoryValues: 512, Means: (256, 128), NoveltyMembers: 128, ShapeMembers: 64, Blocks: (64, 64), Decisions: 16, Gaps: 128);

    private static readonly MemorySizes Shared = Lean with { Decisions = 0, Gaps = 8 };

    /// <summary>Rows of the longest ring.</summary>
    public static int RingRowsMax => Full.RingRows;

    public static MemorySizes Of(StreamForm form) => form switch
    {
        StreamForm.Full => Full,
        StreamForm.Lean => Lean,
        _ => Shared,
    };
}
