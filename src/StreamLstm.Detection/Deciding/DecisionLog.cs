using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using StreamLstm.Detection.Judging;

namespace StreamLstm.Detection.Deciding;

/// <summary>One decision, small: 96 bytes, and 2 for every indicator and column beside it.</summary>
internal readonly record struct Decision
{
    public required long Row { get; init; }

    public required long Ticks { get; init; }

    public required double Value { get; init; }

    /// <summary>Forecast and band as differences from the value, which a float holds well whatever the value's size; NaN for none.</summary>
    public required float ExpectedOffset { get; init; }

    public required float LowerOffset { get; init; }

    public required float UpperOffset { get; init; }

    /// <summary>NaN while the stream is learning.</summary>
    public required float Evidence { get; init; }

    /// <summary>The evidence as it were without labels; NaN where none says anything.</summary>
    public required float Plain { get; init; }

    public required float Threshold { get; init; }

    public required float Needed { get; init; }

    public required int SuppressedRows { get; init; }

    public int FlatRows { get; init; }

    /// <summary>An event's template; null where there is none.</summary>
    public string? Template { get; init; }

    public required Lifecycle Lifecycle { get; init; }

    /// <summary>Observations of the warm-up that had come.</summary>
    public required int WarmUpRows { get; init; }

    public required int ModelVersion { get; init; }

    public required SuppressedBy SuppressedBy { get; init; }

    public required bool IsAlert { get; init; }

    public required bool IncidentOpen { get; init; }

    /// <summary>Whether somebody may ask about it later.</summary>
    public bool IsNotable => Evidence >= Threshold / 2 || Plain >= Threshold / 2;

    /// <summary>What was decided on a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="said">What its judge said.</param>
    /// <param name="warmUpRows">Rows before it that its judge has seen.</param>
    /// <param name="standing">How it stood beside that.</param>
    public static Decision Of(in RowOf row, Judgement said, long warmUpRows, in Standing standing)
    {
        return new Decision
        {
            Row = row.Row,
            Ticks = row.Time.UtcTicks,
            Value = said.Value,
            ExpectedOffset = Offset(said.Expected?.Median),
            LowerOffset = Offset(said.Expected?.Lower),
            UpperOffset = Offset(said.Expected?.Upper),
            Evidence = (float)(said.IsJudged ? said.Evidence : double.NaN),
            Plain = (float)(said.IsJudged && said.Plain is { } plain ? plain : double.NaN),
            Threshold = (float)standing.Threshold,
            Needed = (float)standing.Needed,
            SuppressedBy = standing.Refused == SuppressedBy.None ? standing.Suppressed : standing.Refused,
            SuppressedRows = standing.Refused == standing.Suppressed || standing.Refused == SuppressedBy.None ? (int)row.KeptBackRows : 0,
            FlatRows = said.FlatRows,
            Template = said.Template,
            Lifecycle = row.Lifecycle,
            WarmUpRows = (int)Math.Min(int.MaxValue, warmUpRows + 1),
            ModelVersion = (int)row.ModelVersion,
            IsAlert = standing.IsAlert,
            IncidentOpen = standing.IsIncidentOpen,
        };

        float Offset(double? expected) => (float)(expected - said.Value ?? double.NaN);
    }
}

/// <summary>How a decision stood, beside what the judge said.</summary>
/// <param name="Threshold">Evidence that opens an incident otherwise.</param>
/// <param name="Needed">Evidence that would have opened one now.</param>
/// <param name="Suppressed">What keeps incidents from opening whatever the evidence.</param>
/// <param name="Refused">Why this one did not open; none where it did, or where there was no evidence for it.</param>
/// <param name="IsAlert">Whether it opened or raised one.</param>
/// <param name="IsIncidentOpen">Whether one is open.</param>
internal readonly record struct Standing(double Threshold, double Needed, SuppressedBy Suppressed, SuppressedBy Refused, bool IsAlert, bool IsIncidentOpen);

/// <summary>The decisions of one stream that can still be explained.</summary>
/// <remarks>
/// The last ones, and of older ones an eighth as many alerts, and three eighths whose evidence came to half of what was needed: with 64
/// and 43 channels at most 16 KiB a stream. Not part of a snapshot: after a start the log begins anew.
/// </remarks>
/// <param name="recentMax">How many of the last ones.</param>
internal sealed class DecisionLog(int recentMax)
{
    private Ring _recent = new(recentMax);
    private Ring _notable = new(NotableMax(recentMax));
    private Ring _alerts = new(AlertsMax(recentMax));    // what was told is asked for long after

    public bool IsEmpty => _recent.Count == 0;

    public HeldDecisions Held => new(_recent.Count, Time(_recent.Oldest), _notable.Count + _alerts.Count, NotableSince);

    /// <summary>Before the notable ones have filled their places, nothing notable was lost.</summary>
    private DateTimeOffset NotableSince => Time(_notable.Count > 0 ? _notable.Oldest : _recent.Oldest);

    public void Add(in Decision decision, ReadOnlySpan<double> channelScores)
    {
        if (_recent.IsFull && _recent.Oldest.IsNotable)
        {
            (_recent.Oldest.IsAlert ? _alerts : _notable).Add(_recent.Oldest, _recent.OldestScores);
        }

        Span<Half> scores = stackalloc Half[channelScores.Length];

        for (int channel = 0; channel < channelScores.Length; channel++)
        {
            scores[channel] = (Half)channelScores[channel];
        }

        _recent.Add(decision, scores);
    }

    /// <summary>The decision in force at a time: the last one not after it. The newest for null.</summary>
    /// <param name="at">The time asked for.</param>
    /// <param name="toleranceSeconds">How far from it a notable decision may be: about one interval of the stream.</param>
    /// <param name="decision">What was found.</param>
    /// <param name="scores">(channels), in decades.</param>
    /// <param name="missing">Why there is none, for people.</param>
    public bool TryFind(
        DateTimeOffset? at, double toleranceSeconds, out Decision decision, out ReadOnlySpan<Half> scores,
        [NotNullWhen(false)] out string? missing)
    {
        missing = null;

        for (int i = _recent.Count - 1; i >= 0; i--)
        {
            if (at is null || _recent[i].Ticks <= at.Value.UtcTicks)
            {
                decision = _recent[i];
                scores = _recent.Scores(i);
                return true;
            }
        }

        decision = default;
        scores = default;
        long distance = long.MaxValue;

        foreach (Ring ring in (ReadOnlySpan<Ring>)[_notable, _alerts])
        {
            for (int i = 0; i < ring.Count; i++)
            {
                long away = Math.Abs(ring[i].Ticks - at!.Value.UtcTicks);

                if (away <= distance)
                {
                    (decision, distance) = (ring[i], away);
                    scores = ring.Scores(i);
                }
            }
        }

        if (distance <= toleranceSeconds * TimeSpan.TicksPerSecond)
        {
            return true;
        }

        missing = IsEmpty ? "no decision has been made since the daemon started" : Missing(at!.Value, distance == long.MaxValue ? null : Time(decision));
        decision = default;
        scores = default;
        return false;
    }

    /// <summary>Holds so many of the last ones from now on, and others by that.</summary>
    public void Resize(int recent) =>
        (_recent, _notable, _alerts) = (_recent.Last(recent), _notable.Last(NotableMax(recent)), _alerts.Last(AlertsMax(recent)));

    private static int NotableMax(int recent) => Math.Max(1, 3 * recent / 8);

    private static int AlertsMax(int recent) => Math.Max(1, recent / 8);

    private string Missing(DateTimeOffset at, DateTimeOffset? nearest)
    {
        string known = at >= NotableSince
            ? "; its evidence was below half of what was needed, otherwise it would still be held"
            : "";
        string near = nearest is null
            ? "none is held"
            : string.Create(CultureInfo.InvariantCulture, $"{_notable.Count + _alerts.Count} are held, the nearest of {nearest:O}");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"no decision of {at.ToUniversalTime():O} is held any more{known}. Held: the last {_recent.Count} observations, from {Time(_recent.Oldest):O} on; of older ones those with half the evidence needed, of which {near}");
    }

    private static DateTimeOffset Time(in Decision decision) => new(decision.Ticks, TimeSpan.Zero);

    /// <summary>The last decisions added; it takes room for what it holds.</summary>
    private sealed class Ring(int capacity)
    {
        private const int DecisionsFirst = 2;

        private int _channels;
        private Decision[] _decisions = [];
        private Half[] _scores = [];
        private int _first;

        public int Count { get; private set; }

        public bool IsFull => Count == capacity;

        public Decision Oldest => Count == 0 ? default : _decisions[_first];

        public ReadOnlySpan<Half> OldestScores => Scores(0);

        /// <summary>0 is the oldest.</summary>
        public Decision this[int index] => _decisions[Slot(index)];

        public ReadOnlySpan<Half> Scores(int index)
        {
            // What was not asked, such as a clock that is too young, comes last and has no scores.
            ReadOnlySpan<Half> all = _scores.AsSpan(Slot(index) * _channels, _channels);
            int count = all.Length;

            while (count > 0 && Half.IsNaN(all[count - 1]))
            {
                count--;
            }

            return all[..count];
        }

        /// <summary>A ring of another capacity, with as many of the last ones.</summary>
        public Ring Last(int other)
        {
            var ring = new Ring(other);

            for (int i = Math.Max(0, Count - other); i < Count; i++)
            {
                ring.Add(this[i], Scores(i));
            }

            return ring;
        }

        public void Add(in Decision decision, ReadOnlySpan<Half> scores)
        {
            bool grows = Count == _decisions.Length && !IsFull;

            if (grows)
            {
                Array.Resize(ref _decisions, Math.Min(capacity, Math.Max(DecisionsFirst, 2 * Count)));
            }

            if (grows || scores.Length > _channels)
            {
                Widen(Math.Max(_channels, scores.Length));
            }

            int slot = Slot(Count);
            _decisions[slot] = decision;
            Span<Half> place = _scores.AsSpan(slot * _channels, _channels);
            place.Fill(Half.NaN);
            scores.CopyTo(place);

            if (IsFull)
            {
                _first = Slot(1);
            }
            else
            {
                Count++;
            }
        }

        /// <summary>There are more decisions, or a clock has come to speak, or a record's columns to be known.</summary>
        private void Widen(int channels)
        {
            var wider = new Half[_decisions.Length * channels];
            Array.Fill(wider, Half.NaN);

            for (int slot = 0; slot < Count; slot++)
            {
                _scores.AsSpan(slot * _channels, _channels).CopyTo(wider.AsSpan(slot * channels));
            }

            (_scores, _channels) = (wider, channels);
        }

        private int Slot(int index) => (_first + index) % capacity;
    }
}
