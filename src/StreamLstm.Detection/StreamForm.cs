namespace StreamLstm.Detection;

/// <summary>How much a stream may remember.</summary>
public enum StreamForm
{
    /// <summary>All that the scores in the README were measured with.</summary>
    Full,

    /// <summary>An eighth of it, for many streams or little memory: longer periods and rarer shapes are forgotten.</summary>
    Lean,
}

/// <summary>What the parts of a stream's memory hold.</summary>
/// <param name="RingRows">Last values, a power of two.</param>
/// <param name="HistoryValues">Random sample of all values.</param>
/// <param name="NoveltyMembers">Each coreset of values in context.</param>
/// <param name="ShapeMembers">Each coreset of windows.</param>
/// <param name="SeasonDifferences">Differences from one season before.</param>
/// <param name="Decisions">Last decisions that can be explained.</param>
internal readonly record struct MemorySizes(int RingRows, int HistoryValues, int NoveltyMembers, int ShapeMembers, int SeasonDifferences, int Decisions)
{
    private static readonly MemorySizes Full = new(RingRows: 8192, HistoryValues: 4096, NoveltyMembers: 2000, ShapeMembers: 2000, SeasonDifferences: 512, Decisions: 64);
    private static readonly MemorySizes Lean = new(RingRows: 1024, HistoryValues: 512, NoveltyMembers: 128, ShapeMembers: 128, SeasonDifferences: 256, Decisions: 32);

    /// <summary>Rows of the longest ring.</summary>
    public static int RingRowsMax => Full.RingRows;

    public static MemorySizes Of(StreamForm form) => form == StreamForm.Lean ? Lean : Full;
}
