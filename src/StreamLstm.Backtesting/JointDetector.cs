using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Backtesting;

/// <summary>A row's values judged together, as the daemon judges the records of a stream.</summary>
internal sealed class JointDetector : IRowDetector
{
    private readonly AnomalyDetector _engine;
    private readonly string _stream;
    private readonly string[] _columns;
    private readonly int[] _places;
    private readonly bool _byThreshold;
    private bool _open;
    private bool _wasAbove;

    /// <param name="options">How streams are judged; the first of its vectors that the stream's name matches says what is missing and context.</param>
    /// <param name="stream">The stream's name.</param>
    /// <param name="columns">Names of a row's values: (D).</param>
    /// <param name="judged">How many of them, from the first, are scored; the others are context.</param>
    /// <param name="byThreshold">Whether rows are abnormal by the fixed threshold, as benchmarks want it; otherwise while an incident is open.</param>
    public JointDetector(DetectionOptions options, string stream, IReadOnlyList<string> columns, int judged, bool byThreshold)
    {
        VectorOptions rule = options.Vectors.FirstOrDefault(one => one.Matches(stream)) ?? new VectorOptions();
        VectorOptions vector = rule.Columns.Count > 0
            ? rule
            : rule with { Columns = columns, Context = [.. columns.Where((name, i) => i >= judged || rule.Context.Contains(name))] };
        _engine = new AnomalyDetector(options with { Vectors = [vector with { Streams = "*" }] });
        _stream = stream;
        _columns = [.. columns];
        string[] order = [.. vector.Columns.Except(vector.Context), .. vector.Context];
        _places = [.. columns.Take(judged).Select(name => Array.IndexOf(order, name))];
        _byThreshold = byThreshold;
    }

    public RowVerdict Apply(DateTimeOffset time, ReadOnlySpan<double> values, Span<double> attribution)
    {
        attribution.Clear();
        ScoredObservation? judged = _engine.Score(Observation.Of(_stream, time, new ObservedRecord(_columns, values.ToArray())));
        ShardOutput output = _engine.LastOutput;

        // The daemon goes on with the stream as a new one; a measurement must not hide that.
        if (output.Faults is [(_, Exception fault), ..])
        {
            throw new InvalidOperationException($"stream {_stream}: {fault.Message}", fault);
        }

        if (judged is not { } scored)
        {
            return new RowVerdict
            {
                Channel = "",
                IsAbnormal = !_byThreshold && _open,
                Rejected = (RejectionReason)Array.FindIndex(output.Rejected, count => count > 0),
            };
        }

        ColumnFigure top = Attribute(scored, attribution);
        bool opened = false;

        foreach (IncidentEvent incident in output.Incidents)
        {
            opened |= incident.State == IncidentState.Opened;
            _open = incident.State != IncidentState.Closed;
        }

        double? j = scored.Lifecycle == Lifecycle.Learning ? null : scored.Value;
        bool above = j > VectorOptions.Threshold;
        bool alert = _byThreshold ? above && !_wasAbove : opened;
        _wasAbove = above;
        return new RowVerdict
        {
            Evidence = _byThreshold ? j : scored.Evidence,
            AnomalyScore = scored.AnomalyScore,
            IsAlert = alert,
            IsAbnormal = _byThreshold ? above : _open,
            Expected = top.Expected,
            Lower = top.Lower,
            Upper = top.Upper,
            Channel = scored.Channel,
            Incidents = output.Incidents.Count > 0 ? [.. output.Incidents] : null,
            Rejected = output.ValuesMasked > 0 ? RejectionReason.BadValue : null,
        };
    }

    /// <summary>Each column's share, in the row's own order; gives the strongest column, nothing where there is no score.</summary>
    private ColumnFigure Attribute(in ScoredObservation scored, Span<double> attribution)
    {
        if (scored.Lifecycle == Lifecycle.Learning)
        {
            return default;
        }

        int top = 0;

        for (int column = 0; column < attribution.Length; column++)
        {
            attribution[column] = _places[column] >= 0 ? scored.Columns![_places[column]].Share : 0;
            top = attribution[column] > attribution[top] ? column : top;
        }

        return _places[top] >= 0 ? scored.Columns![_places[top]] : default;
    }
}
