using System.Collections.Frozen;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>The indicators of a stream of texts. The first in standard deviations, the others in nats.</summary>
internal enum TextChannel
{
    /// <summary>The line as a whole was unlikelier than lines of its length are.</summary>
    Line,

    /// <summary>One token, a character or a word, was unlikely.</summary>
    Peak,

    /// <summary>Four tokens in a row were unlikely together.</summary>
    Stretch,

    /// <summary>The last lines were unlikely together.</summary>
    Run,
}

/// <summary>What is usual of each indicator in clean lines of the stream, and so how rare what they say is.</summary>
/// <param name="blocksMax">Blocks of 32 lines that a tail is of.</param>
internal sealed class TextChannelBank(int blocksMax)
{
    public const int Count = 4;

    /// <summary>What stays of <see cref="TextChannel.Run"/> from line to line: about ten lines.</summary>
    private const double RunStays = 0.9;

    private static readonly IReadOnlyList<string> Names = [.. Enum.GetNames<TextChannel>().Select(name => name.ToLowerInvariant())];

    private static readonly FrozenDictionary<string, IndicatorWords> Words =
        ((string[])["character", "word"]).ToFrozenDictionary(unit => unit, unit => new IndicatorWords(channel => Names[channel], (channel, _) => Meaning(channel, unit)));

    private readonly ChannelTails _tails = new(Count, blocksMax, _ => 0.5);
    private double _run;

    /// <summary>What explanations call them.</summary>
    /// <param name="unit">What a token is called.</param>
    public static IndicatorWords WordsOf(string unit) => Words[unit];

    /// <summary>Judges one line.</summary>
    /// <param name="line">How much unlikelier it was than lines of its length are, in standard deviations.</param>
    /// <param name="peak">The most that one token was unlikely, in nats.</param>
    /// <param name="stretch">The same of four in a row.</param>
    /// <param name="judgement">Where the indicators and the evidence go.</param>
    public void Judge(double line, double peak, double stretch, Judgement judgement)
    {
        Span<double> values = judgement.AllValues, scores = judgement.AllScores, plain = stackalloc double[Count];
        values[(int)TextChannel.Line] = Math.Max(0, line);
        values[(int)TextChannel.Peak] = peak;
        values[(int)TextChannel.Stretch] = stretch;
        values[(int)TextChannel.Run] = RunWith(line);

        _tails.Score(values, scores, plain);
        _tails.Conclude(scores[..Count], plain, judgement);
    }

    /// <summary>Takes the line just judged, once it has been decided whether it counts.</summary>
    public void Remember(double line, ReadOnlySpan<double> values, bool counts)
    {
        _run = RunWith(line);
        _tails.Remember(values, counts);
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    public void Ordinary(ReadOnlySpan<double> levels) => _tails.Ordinary(levels);

    /// <summary>Keeps the last lines from teaching, as far as they have not yet; 1 is the last that was remembered.</summary>
    public void Spare(long linesAgo) => _tails.Spare(linesAgo);

    public void Save(BinaryWriter writer)
    {
        _tails.Save(writer);
        writer.Write(_run);
    }

    public void Load(BinaryReader reader)
    {
        _tails.Load(reader);
        _run = reader.ReadDouble();
    }

    private double RunWith(double line) => Math.Max(0, RunStays * _run + line);

    private static string Meaning(int channel, string unit) => (TextChannel)channel switch
    {
        TextChannel.Line => "the line as a whole is unlikelier than lines of its length",
        TextChannel.Peak => $"one {unit} was unlikely after what stood before it",
        TextChannel.Stretch => $"four {unit}s in a row were unlikely together",
        _ => "the last lines are unlikely together",
    };
}
