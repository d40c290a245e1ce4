using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>What all clocks of a stream say of its present value: their channels side by side.</summary>
/// <remarks>
/// Each clock is a test of its own and keeps its level, so their evidence adds up: S = log10(10^fine + 10^coarse). Two tests
/// may raise twice the false alarms of one; were their mean taken instead, the second would cost the first .3 decades of
/// every fault that it cannot see.
/// </remarks>
/// <param name="fine">The channels of each value.</param>
/// <param name="coarse">Those of means of values; null where the stream has no such clock.</param>
internal sealed class StreamEvidence(ChannelBank fine, CoarseClock? coarse)
{
    /// <summary>Writes what the clocks have just said.</summary>
    public void Into(Judgement judgement)
    {
        fine.Scores.CopyTo(judgement.AllScores);
        fine.Values.CopyTo(judgement.AllValues);
        (judgement.Count, judgement.Evidence, judgement.Plain) = (Channels.Count, fine.Evidence, fine.Plain);

        if (coarse is not { IsActive: true })
        {
            return;
        }

        ChannelBank other = coarse.Evidence;
        other.Scores.CopyTo(judgement.AllScores[Channels.Count..]);
        other.Values.CopyTo(judgement.AllValues[Channels.Count..]);
        judgement.Count = Channels.AllCount;
        judgement.Evidence = ScoreCombination.Sum(fine.Evidence, other.Evidence);
        judgement.Plain = fine.Plain is null && other.Plain is null
            ? null
            : ScoreCombination.Sum(fine.Plain ?? fine.Evidence, other.Plain ?? other.Evidence);
    }

    /// <summary>Takes levels for ordinary because a person said so; 0 for none. They replace those before.</summary>
    /// <param name="levels">(channels of all clocks).</param>
    public void Ordinary(ReadOnlySpan<double> levels)
    {
        fine.Ordinary(levels[..Channels.Count]);
        coarse?.Evidence.Ordinary(levels[Channels.Count..]);
    }
}
