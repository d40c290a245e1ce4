using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Backtesting;

/// <summary>The daemon's univariate detector, one stream for every column.</summary>
/// <remarks>
/// A column's score s is log10 of an e-value, so that 10^s may be averaged over columns whatever their dependence (Vovk
/// and Wang 2021): the row's score is log10(mean 10^s). A row is abnormal while any column has an incident open.
/// </remarks>
/// <param name="engine">Scores the streams; other rows' streams may be in it too.</param>
/// <param name="streams">Names of the columns' streams: (D), context columns left out at the end.</param>
internal sealed class ColumnDetectors(AnomalyDetector engine, IReadOnlyList<string> streams) : IRowDetector
{
    private readonly bool[] _open = new bool[streams.Count];

    public RowVerdict Apply(DateTimeOffset time, ReadOnlySpan<double> values, Span<double> attribution)
    {
        attribution.Fill(double.NegativeInfinity);
        ScoredObservation? strongest = null;
        RejectionReason? rejected = null;
        double highest = double.NegativeInfinity;
        int scoredColumns = 0;
        bool opened = false;
        List<IncidentEvent>? incidents = null;

        for (int column = 0; column < streams.Count; column++)
        {
            if (double.IsNaN(values[column]))
            {
                continue;
            }

            if (engine.Score(new Observation(streams[column], time, values[column])) is not { } scored)
            {
                // The daemon goes on with the stream as a new one; a measurement must not hide that.
                if (engine.LastOutput.Faults is [(_, Exception fault), ..])
                {
                    throw new InvalidOperationException($"stream {streams[column]}: {fault.Message}", fault);
                }

                rejected ??= (RejectionReason)Array.FindIndex(engine.LastOutput.Rejected, count => count > 0);
                continue;
            }

            foreach (IncidentEvent incident in engine.LastOutput.Incidents)
            {
                (incidents ??= []).Add(incident);
                opened |= incident.State == IncidentState.Opened;
                _open[column] = incident.State != IncidentState.Closed;
            }

            if (scored.AnomalyScore is { } score)
            {
                attribution[column] = score;
                scoredColumns++;
            }

            if (strongest is null || attribution[column] > highest)
            {
                strongest = scored;
                highest = attribution[column];
            }
        }

        double? rowScore = null;

        if (scoredColumns > 0)
        {
            rowScore = highest + Math.Log10(Share(attribution, highest) / scoredColumns);
        }
        else
        {
            attribution.Clear();
        }

        return new RowVerdict
        {
            Score = rowScore,
            AlertScore = streams.Count == 1 ? strongest?.AlertScore : null,
            Evidence = streams.Count == 1 ? strongest?.Evidence : null,
            IsAlert = opened,
            Incidents = incidents,
            IsAbnormal = _open.AsSpan().Contains(true),
            Expected = strongest?.Expected,
            Lower = strongest?.Lower,
            Upper = strongest?.Upper,
            Channel = strongest?.Channel ?? "",
            Rejected = rejected,
        };
    }

    /// <summary>Turns scores into shares; gives the sum of 10^(score - highest).</summary>
    private static double Share(Span<double> scores, double highest)
    {
        double sum = 0;

        for (int column = 0; column < scores.Length; column++)
        {
            scores[column] = Math.Pow(10, scores[column] - highest);
            sum += scores[column];
        }

        foreach (ref double share in scores)
        {
            share /= sum;
        }

        return sum;
    }
}
