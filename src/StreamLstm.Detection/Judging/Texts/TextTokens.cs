using System.Runtime.InteropServices;
using System.Text;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>The line at hand, cut into tokens, and the tokens that have a place of their own in the stream's network.</summary>
/// <remarks>Tokens cover the line: what they say one after the other is the line itself, so that each is shown in its place.</remarks>
internal abstract class TextTokens
{
    /// <summary>Tokens of a line that are judged: what comes behind them is not read, so that no line takes long.</summary>
    public const int TokensMax = 256;

    /// <summary>Characters of a line that are looked at for tokens.</summary>
    public const int CharactersMax = 1_024;

    private readonly List<string> _known = [];                                  // in the order of their places
    private readonly Dictionary<string, byte> _placeOf = new(StringComparer.Ordinal);
    private readonly int[] _ends = new int[TokensMax + 1];                       // in the line, after as many tokens
    private string _line = "";

    /// <summary>Tokens of the line at hand.</summary>
    public int Count { get; private set; }

    /// <summary>What one of them is called.</summary>
    public abstract string Unit { get; }

    /// <summary>Whether the network learns what stands for all tokens without a place while there are places left.</summary>
    public abstract bool LearnsUnknown { get; }

    /// <summary>A token of the line at hand.</summary>
    public ReadOnlySpan<char> this[int token] => _line.AsSpan(_ends[token].._ends[token + 1]);

    /// <summary>What stands from one token to another, which is not part of it.</summary>
    public ReadOnlySpan<char> Between(int first, int end) => _line.AsSpan(_ends[first].._ends[end]);

    /// <summary>The token that has a place; null where none has it.</summary>
    public string? NameOf(byte place) => place - TextNetwork.FirstToken is >= 0 and var index && index < _known.Count ? _known[index] : null;

    /// <summary>Where the line's tokens have their places.</summary>
    public byte PlaceOf(int token) =>
        _placeOf.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(this[token], out byte place) ? place : TextNetwork.Other;

    /// <summary>Cuts a line.</summary>
    public void Read(string text)
    {
        _line = WellFormed(text.Length <= CharactersMax ? text : text[..CharactersMax]);
        Count = 0;

        while (Count < TokensMax && _ends[Count] < _line.Length)
        {
            int length = LengthOfFirst(_line.AsSpan(_ends[Count]));
            _ends[Count + 1] = _ends[Count] + length;
            Count++;
        }
    }

    /// <summary>Gives a token of the line at hand a place.</summary>
    public void Open(int token, byte place)
    {
        string name = this[token].ToString();
        _known.Add(name);
        _placeOf.Add(name, place);
    }

    /// <summary>Whether a token that has no place, of a line that is normal, is to have one; it is taken notice of.</summary>
    public abstract bool IsToOpen(int token);

    /// <summary>How much more unlikely a token without a place is than that one without a place comes, in nats: what it costs to spell it.</summary>
    public abstract double Spelling(int token);

    /// <summary>Writes what has a place, and what else is remembered.</summary>
    public virtual void Save(BinaryWriter writer)
    {
        writer.Write(_known.Count);

        for (int i = 0; i < _known.Count; i++)
        {
            Write(writer, _known[i]);
            writer.Write((byte)(TextNetwork.FirstToken + i));
        }
    }

    public virtual void Load(BinaryReader reader)
    {
        _known.Clear();
        _placeOf.Clear();

        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            string name = ReadToken(reader);
            byte place = reader.ReadByte();

            if (place != TextNetwork.FirstToken + _known.Count || !_placeOf.TryAdd(name, place))
            {
                throw new InvalidDataException($"text: place {place} for '{name}', expected {TextNetwork.FirstToken + _known.Count} for another");
            }

            _known.Add(name);
        }
    }

    /// <summary>Writes a token of the line at hand; behind the last one what <see cref="LoadLine"/> takes for none.</summary>
    public void SaveToken(BinaryWriter writer, int token) => Write(writer, token < Count ? this[token] : "");

    /// <summary>Reads the line at hand, token by token.</summary>
    /// <param name="count">Tokens.</param>
    /// <param name="reader">At the first; one more follows.</param>
    /// <param name="behind">Reads what stands behind each.</param>
    public void LoadLine(int count, BinaryReader reader, Action<int> behind)
    {
        if (count is < 0 or > TokensMax)
        {
            throw new InvalidDataException($"text: a line of {count} {Unit}s, expected at most {TokensMax}");
        }

        var line = new StringBuilder();
        Count = count;

        for (int i = 0; i <= count; i++)
        {
            string token = ReadToken(reader);
            behind(i);

            if (i < count)
            {
                _ends[i + 1] = line.Append(token).Length;
            }
        }

        _line = line.ToString();
    }

    /// <summary>Characters of the token that a text begins with; the text is not empty.</summary>
    protected abstract int LengthOfFirst(ReadOnlySpan<char> text);

    protected abstract void Write(BinaryWriter writer, ReadOnlySpan<char> token);

    protected abstract string ReadToken(BinaryReader reader);

    /// <summary>Half a character becomes U+FFFD, as it would when it is written down.</summary>
    private static string WellFormed(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return text;
        }

        var whole = new StringBuilder(text.Length);

        foreach (Rune rune in text.EnumerateRunes())
        {
            whole.Append(rune.ToString());
        }

        return whole.ToString();
    }
}

/// <summary>Every character is a token, and the first 126 kinds that come have places.</summary>
internal sealed class CharacterTokens : TextTokens
{
    public override string Unit => "character";

    public override bool LearnsUnknown => false;

    public override bool IsToOpen(int token) => true;

    public override double Spelling(int token) => 0;

    protected override int LengthOfFirst(ReadOnlySpan<char> text) => char.IsHighSurrogate(text[0]) ? 2 : 1;

    protected override void Write(BinaryWriter writer, ReadOnlySpan<char> token) =>
        writer.Write(token.Length == 0 ? 0 : token.Length == 1 ? token[0] : char.ConvertToUtf32(token[0], token[1]));

    protected override string ReadToken(BinaryReader reader)
    {
        int value = reader.ReadInt32();
        return Rune.IsValid(value) ? new Rune(value).ToString() : throw new InvalidDataException($"text: character {value}, expected a Unicode scalar value");
    }
}

/// <summary>
/// A run of letters, digits and underscores is a token, a run of blanks is one, and every other character is. The first 254 that come a second time have places: so
/// what comes once, as most names and numbers do, takes none, and how often that is has been learnt when something new comes.
/// </summary>
internal sealed class WordTokens : TextTokens
{
    /// <summary>Hashes of words that came once; a later word takes the place of another.</summary>
    private const int SeenCount = 4_096;

    private readonly uint[] _seen = new uint[SeenCount];
    private readonly WordSpelling _spelling = new();

    public override string Unit => "word";

    public override bool LearnsUnknown => true;

    public override bool IsToOpen(int token)
    {
        ReadOnlySpan<char> word = this[token];
        _spelling.Learn(word);
        ulong hash = SeededRandom.Of(word, seed: 0).State;
        ref uint seen = ref _seen[hash % SeenCount];

        if (seen == (uint)(hash >> 32))
        {
            return true;
        }

        seen = (uint)(hash >> 32);
        return false;
    }

    public override double Spelling(int token) => _spelling.Surprise(this[token]);

    public override void Save(BinaryWriter writer)
    {
        base.Save(writer);
        writer.Write(MemoryMarshal.AsBytes(_seen.AsSpan()));
        _spelling.Save(writer);
    }

    public override void Load(BinaryReader reader)
    {
        base.Load(reader);
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_seen.AsSpan()));
        _spelling.Load(reader);
    }

    protected override int LengthOfFirst(ReadOnlySpan<char> text)
    {
        Kind first = KindOf(text, out int length);

        while (first != Kind.Mark && length < text.Length && KindOf(text[length..], out int next) == first)
        {
            length += next;
        }

        return length;
    }

    protected override void Write(BinaryWriter writer, ReadOnlySpan<char> token) => writer.Write(token.ToString());

    protected override string ReadToken(BinaryReader reader) => reader.ReadString();

    private static Kind KindOf(ReadOnlySpan<char> text, out int length)
    {
        Rune.DecodeFromUtf16(text, out Rune rune, out length);
        return Rune.IsLetterOrDigit(rune) || rune.Value == '_' ? Kind.Word
            : Rune.IsWhiteSpace(rune) ? Kind.Blank
            // Vowel signs and accents that stand behind their letters belong to them.
            : Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark ? Kind.Word
            : Kind.Mark;
    }

    private enum Kind
    {
        Word,
        Blank,
        Mark,
    }
}
