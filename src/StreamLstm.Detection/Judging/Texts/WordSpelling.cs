using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>How a stream spells words that have no place: what such a word costs beyond being one.</summary>
/// <remarks>
/// Each letter after the one before it, orders 1 and 0 interpolated after Witten and Bell (1991) above an even chance for every kind of letter. With the chance
/// that a word without a place comes, this is the chance of the word itself, so that words with and without a place are held against each other honestly.
/// </remarks>
internal sealed class WordSpelling
{
    /// <summary>A word's end, which is where the next begins; printable ASCII; and all others, which share one.</summary>
    private const int Kinds = 97;
    private const int Edge = 0;
    private const int Others = Kinds - 1;

    private readonly ushort[] _after = new ushort[Kinds * Kinds];   // [before, letter]
    private readonly ushort[] _single = new ushort[Kinds];

    /// <summary>-ln of the chance that a word without a place is this one, in nats.</summary>
    public double Surprise(ReadOnlySpan<char> word)
    {
        double sum = 0;
        int before = Edge;

        for (int i = 0; i <= word.Length; i++)
        {
            int kind = i < word.Length ? KindOf(word[i]) : Edge;
            double single = Chance(_single, kind, 1.0 / Kinds);
            sum -= Math.Log(Chance(_after.AsSpan(before * Kinds, Kinds), kind, single));
            before = kind;
        }

        return sum;
    }

    /// <summary>Counts a word's letters.</summary>
    public void Learn(ReadOnlySpan<char> word)
    {
        int before = Edge;

        for (int i = 0; i <= word.Length; i++)
        {
            int kind = i < word.Length ? KindOf(word[i]) : Edge;
            Add(_single, kind);
            Add(_after.AsSpan(before * Kinds, Kinds), kind);
            before = kind;
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(MemoryMarshal.AsBytes(_after.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_single.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_after.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_single.AsSpan()));
    }

    private static int KindOf(char letter) => letter is >= ' ' and <= '~' ? letter - ' ' + 1 : Others;

    private static double Chance(ReadOnlySpan<ushort> counts, int kind, double shorter)
    {
        int total = 0, kinds = 0;

        foreach (ushort count in counts)
        {
            total += count;
            kinds += count > 0 ? 1 : 0;
        }

        return total == 0 ? shorter : (counts[kind] + kinds * shorter) / (total + kinds);
    }

    private static void Add(Span<ushort> counts, int kind)
    {
        if (++counts[kind] == ushort.MaxValue)
        {
            foreach (ref ushort count in counts)
            {
                count /= 2;
            }
        }
    }
}
