using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging;

/// <summary>What is usual of the channels of a stream of events or texts, each by itself, and so how rare what they say is.</summary>
/// <param name="channels">How many.</param>
/// <param name="blocksMax">Blocks of clean observations that a tail is of.</param>
/// <param name="least">By how much a channel must be rarer that it means anything.</param>
internal sealed class ChannelTails(int channels, int blocksMax, Func<int, double> least)
{
    /// <summary>Decades of observations in a block.</summary>
    public static readonly double BlockDecades = Math.Log10(CleanTail.BlockRows);

    private readonly CleanTail[] _tails = [.. Enumerable.Range(0, channels).Select(channel => new CleanTail(blocksMax, TailScale.Difference, least(channel)))];
    private bool _hasOrdinary;

    /// <summary>How rare each value is, with what people said was ordinary and without it; of further channels nothing is written.</summary>
    public void Score(ReadOnlySpan<double> values, Span<double> scores, Span<double> plain)
    {
        for (int channel = 0; channel < channels; channel++)
        {
            (scores[channel], plain[channel]) = (_tails[channel].Score(values[channel]), _tails[channel].PlainScore(values[channel]));
        }
    }

    /// <summary>Says what scores are worth together.</summary>
    public void Conclude(ReadOnlySpan<double> scores, ReadOnlySpan<double> plain, Judgement judgement)
    {
        judgement.Count = scores.Length;
        judgement.Evidence = Evidence(scores);
        judgement.Plain = _hasOrdinary ? Evidence(plain) : null;
    }

    /// <summary>Takes what was just judged, once it has been decided whether it counts.</summary>
    public void Remember(ReadOnlySpan<double> values, bool counts)
    {
        for (int channel = 0; channel < channels; channel++)
        {
            _tails[channel].Add(values[channel], counts);
        }
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">Those of further channels may stand behind.</param>
    public void Ordinary(ReadOnlySpan<double> levels)
    {
        for (int channel = 0; channel < channels; channel++)
        {
            _tails[channel].Ordinary = levels[channel];
        }

        _hasOrdinary = levels.ContainsAnyExcept(0);
    }

    /// <summary>Keeps the last observations from teaching, as far as they have not yet; 1 is the last that was remembered.</summary>
    public void Spare(long ago) => Array.ForEach(_tails, tail => tail.Spare(ago));

    public void Save(BinaryWriter writer) => Array.ForEach(_tails, tail => tail.Save(writer));

    public void Load(BinaryReader reader) => Array.ForEach(_tails, tail => tail.Load(reader));

    /// <summary>Decades of observations between two like it. What every block has is nothing; what one in ten has is one observation of its 32.</summary>
    private static double Evidence(ReadOnlySpan<double> scores)
    {
        double blocks = ScoreCombination.Combine(scores);
        return blocks + Math.Min(1, blocks) * BlockDecades;
    }
}
