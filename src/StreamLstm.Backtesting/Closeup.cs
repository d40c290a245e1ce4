using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;

namespace StreamLstm.Backtesting;

/// <summary>A stream's strongest incident from near by.</summary>
/// <param name="Gates">What its LSTM kept, took in and gave out over the last rows before and the first of it; null where it has none.</param>
/// <param name="GatesUntil">When the last of those rows came.</param>
/// <param name="Excerpt">The stretch and what came before it, from which it can be reconstructed; null where that is too little.</param>
internal sealed record Closeup(GateTrace? Gates, DateTimeOffset GatesUntil, Excerpt? Excerpt);

/// <summary>Takes close-ups while a stream's rows go by: later the detector remembers no more than the last ones.</summary>
internal sealed class CloseupTaker(AnomalyDetector engine, string stream)
{
    /// <summary>Rows of an incident after which its gates are taken, for good.</summary>
    private const int GateRows = 24;

    /// <summary>The same of its stretch, where it has not ended by then.</summary>
    private static readonly int[] StretchRows = [0, GateRows, 64, Excerpt.RowsMax];

    private string _incident = "";
    private double _strongest = -1;
    private DateTimeOffset _onset;
    private int _rows;
    private GateTrace? _gates;
    private DateTimeOffset _gatesUntil;
    private Excerpt? _excerpt;

    /// <summary>Another close-up of the strongest incident so far, where this row gives one; else null.</summary>
    public Closeup? Take(DateTimeOffset time, IReadOnlyList<IncidentEvent>? incidents)
    {
        bool hasEnded = false;
        _rows++;

        foreach (IncidentEvent incident in incidents ?? [])
        {
            hasEnded |= incident.State == IncidentState.Closed && incident.IncidentId == _incident;

            // How strong one becomes is often known late: then its beginning, if it was not the strongest until then, has gone by.
            if (incident.State != IncidentState.Closed && incident.Kind != IncidentKind.Silence && incident.MaxScore > _strongest)
            {
                _strongest = incident.MaxScore;

                if (incident.IncidentId != _incident)
                {
                    (_incident, _onset, _rows) = (incident.IncidentId, incident.Onset, 0);
                }
            }
        }

        if (_incident.Length == 0 || !(hasEnded || StretchRows.Contains(_rows)))
        {
            return null;
        }

        if (_rows <= GateRows)
        {
            (_gates, _gatesUntil) = (engine.Gates(stream), time);
        }

        _excerpt = engine.Excerpt(stream, _onset, out _) ?? (_rows == 0 ? null : _excerpt);
        return new Closeup(_gates, _gatesUntil, _excerpt);
    }
}
