using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>What the parts of a stream of texts hold.</summary>
/// <param name="Network">The sizes of its network: places in and out, the first two of which are no token's.</param>
/// <param name="Pieces">Pieces of the last lines that it learns from.</param>
/// <param name="Blocks">Blocks of clean lines by which what is usual of an indicator is known.</param>
internal sealed record TextSizes(LstmShape Network, int Pieces, int Blocks)
{
    private static readonly (TextSizes Full, TextSizes Lean) Characters = Sizes(places: 128);
    private static readonly (TextSizes Full, TextSizes Lean) Words = Sizes(places: 256);

    /// <summary>The sizes of a stream.</summary>
    /// <param name="words">Whether its tokens are words.</param>
    /// <param name="form">How much it may remember.</param>
    public static TextSizes Of(bool words, StreamForm form) => (words, form) switch
    {
        (false, StreamForm.Full) => Characters.Full,
        (false, _) => Characters.Lean,
        (_, StreamForm.Full) => Words.Full,
        _ => Words.Lean,
    };

    /// <summary>The shapes that there are.</summary>
    public static IEnumerable<LstmShape> Shapes => ((TextSizes[])[Characters.Full, Characters.Lean, Words.Full, Words.Lean]).Select(sizes => sizes.Network);

    /// <summary>With half the cells a line is told apart nearly as well; with a quarter an order-3 chain is better (benchmark <c>sequences</c>).</summary>
    private static (TextSizes Full, TextSizes Lean) Sizes(int places) => (new(Shape(places, cells: 64), 512, 256), new(Shape(places, cells: 32), 128, 64));

    private static LstmShape Shape(int places, int cells) => new(places, cells, layerCount: 1, places);
}
