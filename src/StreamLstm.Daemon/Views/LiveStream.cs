using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Views;

/// <summary>What is shown of one stream: of a million each a few hundred bytes, without points of its own.</summary>
internal sealed class LiveStream(string name)
{
    private Seen _last;

    public string Name { get; } = name;

    public Lifecycle Lifecycle { get; private set; }

    public bool IsIncidentOpen { get; private set; }

    /// <summary>Whether it was forgotten.</summary>
    public bool IsGone { get; set; }

    /// <summary>Its last points; null where it keeps none.</summary>
    public LastPoints? Points { get; private set; }

    /// <summary>How many points it keeps by itself, whoever looks.</summary>
    public int PointsOfItsOwn { get; private set; }

    /// <summary>Keeps so many points from here on.</summary>
    public void Keep(int points, bool byItself)
    {
        PointsOfItsOwn = byItself ? points : PointsOfItsOwn;

        if (points == 0)
        {
            Points = null;
            return;
        }

        Points ??= new LastPoints();
        Points.Allow(points);
    }

    public void Add(in ScoredObservation scored)
    {
        _last = new Seen(scored);
        Lifecycle = scored.Lifecycle;
        Points?.Add(scored);
    }

    public void Follow(IncidentEvent incident)
    {
        IsIncidentOpen = incident.State != IncidentState.Closed;

        if (incident.Kind == IncidentKind.Silence && IsIncidentOpen)
        {
            Lifecycle = Lifecycle.Silent;
        }
    }

    public LiveStreamMemory Save(int points) => new(Name, _last.Shown(Name), Lifecycle, IsIncidentOpen, [.. Points?.Last(points) ?? []]);

    public void Load(LiveStreamMemory memory)
    {
        (_last, Lifecycle, IsIncidentOpen) = (new Seen(memory.Last), memory.Lifecycle, memory.IncidentOpen);
        Points?.Load(memory.Points);
    }

    public LiveStreamState State(IReadOnlyDictionary<string, string>? labels, EngineeringUnit? unit)
    {
        ScoredObservation last = _last.Shown(Name);
        return new LiveStreamState(
            Name, Lifecycle, last.Progress, last.Time, last.Value, last.Score, last.Expected, last.Lower, last.Upper,
            IsIncidentOpen, last.ModelVersion, last.Channel,
            // A stream that sends nothing gets no further with its warm-up, however long one waits.
            Lifecycle == Lifecycle.Silent ? last.WarmUp?.Standing() : last.WarmUp,
            last.Columns, last.Template, last.Alerts, labels, unit?.Unit, unit?.Low, unit?.High, last.Form);
    }

    /// <summary>Read beside its writer: what a list shows may be of two moments.</summary>
    public StreamLine Line() => new(Name, Lifecycle, _last.Lifecycle == Lifecycle.Active ? 100 * _last.AnomalyScore : 0, IsIncidentOpen);

    public IReadOnlyList<double> Spark(int points) => [.. (Points?.Last(points) ?? []).Select(point => double.Round(point.Value, 6))];

    public IReadOnlyList<LivePoint> PointsAfter(DateTimeOffset after) => [.. (Points?.Last(int.MaxValue) ?? []).Where(point => point.Time > after)];

    /// <summary>The last observation, in half the bytes: what may be missing is not a number or zero, and of warm-up and alerts there is one at a time.</summary>
    private readonly struct Seen
    {
        private readonly DateTimeOffset _time;
        private readonly double _value;
        private readonly double _expected;
        private readonly double _lower;
        private readonly double _upper;
        private readonly double _progress;
        private readonly long _modelVersion;
        private readonly string? _channel;
        private readonly object? _said;   // columns of a record, or the template of an event
        private readonly double _seconds;   // of alerts the time active, of a warm-up the usual interval
        private readonly double _asked;
        private readonly long _got;         // of alerts how many, of a warm-up the rows that came
        private readonly int _rowsNeeded;
        private readonly StreamForm _form;
        private readonly Has _has;

        public Seen(in ScoredObservation scored)
        {
            (_time, _value, Lifecycle, _progress, _modelVersion) = (scored.Time, scored.Value, scored.Lifecycle, scored.Progress, scored.ModelVersion);
            (AnomalyScore, _channel, _form) = (scored.AnomalyScore, scored.Channel, scored.Form);
            (_expected, _lower, _upper) = (scored.Expected ?? double.NaN, scored.Lower ?? double.NaN, scored.Upper ?? double.NaN);
            _said = (object?)scored.Columns ?? scored.Template;
            _has = scored.IsAlert ? Has.Alert : Has.Nothing;

            if (scored.Alerts is { } alerts)
            {
                _has |= Has.Alerts;
                (_asked, _got, _seconds) = (alerts.AskedPerDay ?? double.NaN, alerts.Got, alerts.ActiveSeconds);
            }
            else if (scored.WarmUp is { } warmUp)
            {
                _has |= Has.WarmUp | (warmUp.IsAfterGap ? Has.Gap : Has.Nothing);
                (_got, _rowsNeeded, _seconds) = (warmUp.Rows, (int)warmUp.RowsNeeded, warmUp.IntervalSeconds ?? double.NaN);
            }
        }

        public Lifecycle Lifecycle { get; }

        public double AnomalyScore { get; }

        public ScoredObservation Shown(string stream) => new(stream, _time, _value, Lifecycle, _progress, _modelVersion)
        {
            AnomalyScore = AnomalyScore,
            Channel = _channel ?? "",
            Form = _form,
            Expected = Known(_expected),
            Lower = Known(_lower),
            Upper = Known(_upper),
            IsAlert = _has.HasFlag(Has.Alert),
            Columns = _said as IReadOnlyList<ColumnFigure>,
            Template = _said as string,
            Alerts = _has.HasFlag(Has.Alerts) ? new AlertRate(Known(_asked), _got, _seconds) : null,
            WarmUp = _has.HasFlag(Has.WarmUp) ? new WarmUp(_got, _rowsNeeded, Known(_seconds), _has.HasFlag(Has.Gap)) : null,
        };

        private static double? Known(double value) => double.IsNaN(value) ? null : value;

        [Flags]
        private enum Has
        {
            Nothing = 0,
            Alert = 1,
            Alerts = 2,
            WarmUp = 4,
            Gap = 8,
        }
    }
}
