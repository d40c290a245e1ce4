using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>What all clocks of a stream say of its present observation: their channels side by side.</summary>
/// <remarks>
/// Each clock is a test of its own and keeps its level, so their evidence adds up: S = log10(10^fine + 10^coarse). Two tests
/// may raise twice the false alarms of one; were their mean taken instead, the second would cost the first .3 decades of
/// every fault that it cannot see.
/// </remarks>
/// <param name="fine">The channels of each value.</param>
/// <param name="coarse">Those of means of values; null where the stream has no such clock.</param>
internal sealed class StreamEvidence(ChannelBank fine, CoarseClock? coarse)
{
    private readonly double[] _scores = new double[Channels.AllCount];
    private readonly double[] _values = new double[Channels.AllCount];
    private int _count = Channels.Count;

    /// <summary>The evidence that decides, in decades.</summary>
    public double Fast { get; private set; }

    /// <summary>The same as it was 400 rows ago calibrated: what lasts does not teach it away.</summary>
    public double Slow { get; private set; }

    /// <summary><see cref="Fast"/> as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain { get; private set; }

    /// <summary>Scores of the channels: (channels of the clocks that are active).</summary>
    public ReadOnlySpan<double> Scores => _scores.AsSpan(0, _count);

    /// <summary>The indicators themselves: (channels of the clocks that are active).</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, _count);

    /// <summary>The channel that says most.</summary>
    public int Strongest
    {
        get
        {
            int strongest = 0;

            for (int channel = 1; channel < _count; channel++)
            {
                strongest = _scores[channel] > _scores[strongest] ? channel : strongest;
            }

            return strongest;
        }
    }

    /// <summary>Takes what the clocks have just said.</summary>
    public void Update()
    {
        fine.FastScores.CopyTo(_scores);
        fine.Values.CopyTo(_values);
        (_count, Fast, Slow, Plain) = (Channels.Count, fine.Fast, fine.Slow, fine.Plain);

        if (coarse is not { IsActive: true })
        {
            return;
        }

        ChannelBank other = coarse.Evidence;
        other.FastScores.CopyTo(_scores.AsSpan(Channels.Count));
        other.Values.CopyTo(_values.AsSpan(Channels.Count));
        _count = Channels.AllCount;
        Plain = fine.Plain is null && other.Plain is null
            ? null
            : ScoreCombination.Sum(fine.Plain ?? fine.Fast, other.Plain ?? other.Fast);
        Fast = ScoreCombination.Sum(fine.Fast, other.Fast);
        Slow = ScoreCombination.Sum(fine.Slow, other.Slow);
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels of all clocks).</param>
    public void Teach(ReadOnlySpan<double> levels)
    {
        fine.Teach(levels[..Channels.Count]);
        coarse?.Evidence.Teach(levels[Channels.Count..]);
    }
}
