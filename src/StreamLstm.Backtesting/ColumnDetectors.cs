using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting;

/// <summary>The daemon's univariate detector, one stream for every column.</summary>
/// <remarks>
/// The row's score is that of the column that says most: as many incidents open. A row is abnormal while any column has one
/// open.
/// </remarks>
/// <param name="engine">Scores the streams; other rows' streams may be in it too.</param>
/// <param name="streams">Names of the columns' streams: (D), context columns left out at the end.</param>
/// <param name="isShown">Whether a report shows what was found.</param>
internal sealed class ColumnDetectors(AnomalyDetector engine, IReadOnlyList<string> streams, bool isShown) : IRowDetector
{
    private readonly CloseupTaker? _closeups = isShown && streams.Count == 1 ? new CloseupTaker(engine, streams[0]) : null;
    private readonly bool[] _open = new bool[streams.Count];

    public RowVerdict Apply(DateTimeOffset time, ReadOnlySpan<double> values, Span<double> attribution)
    {
        attribution.Fill(double.NegativeInfinity);
        ScoredObservation? strongest = null;
        RejectionReason? rejected = null;
        double highest = double.NegativeInfinity;
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

            attribution[column] = scored.Evidence ?? attribution[column];

            if (strongest is null || attribution[column] > highest)
            {
                strongest = scored;
                highest = attribution[column];
            }
        }

        if (double.IsNegativeInfinity(highest))
        {
            attribution.Clear();
        }
        else
        {
            Share(attribution, highest);
        }

        return new RowVerdict
        {
            Evidence = double.IsNegativeInfinity(highest) ? null : highest,
            AnomalyScore = strongest?.AnomalyScore ?? 0,
            IsAlert = opened,
            Incidents = incidents,
            IsAbnormal = _open.AsSpan().Contains(true),
            Expected = strongest?.Expected,
            Lower = strongest?.Lower,
            Upper = strongest?.Upper,
            Channel = strongest?.Channel ?? "",
            Closeup = _closeups?.Take(time, incidents),
            Rejected = rejected,
        };
    }

    /// <summary>Turns evidence into shares.</summary>
    private static void Share(Span<double> scores, double highest)
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
    }
}
