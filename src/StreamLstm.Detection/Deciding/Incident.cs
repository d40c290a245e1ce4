using System.Globalization;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Deciding;

/// <summary>One stream's present incident, or the last one: one opening, a few continuations, one closing.</summary>
/// <param name="stream">The stream's name.</param>
internal sealed class Incident(string stream)
{
    /// <summary>Rows below half the threshold after which an incident is over.</summary>
    public const int QuietRows = 30;

    /// <summary>Indicators with a smaller share of the score are not named.</summary>
    private const double LeastShare = 0.02;

    /// <summary>What the score must rise by to be told again.</summary>
    private const double ToldAgain = 10;

    /// <summary>That of a stream that never had one.</summary>
    public static readonly Incident None = new("");

    private int _revision;
    private IncidentKind _kind;
    private DateTimeOffset _onset;
    private string _opening = "";
    private double _announcedScore;
    private long _lastAbnormalRow;
    private Recurring _recurring;

    /// <summary>Its id, which is that of the message that opened it.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Whether it is open.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Whether it is a silence that is open.</summary>
    public bool IsSilence => IsOpen && _kind == IncidentKind.Silence;

    /// <summary>Whether it is open, and of observations: they teach nothing.</summary>
    public bool HoldsObservations => IsOpen && _kind != IncidentKind.Silence;

    /// <summary>The row at which it opened.</summary>
    public long OpenedRow { get; private set; }

    /// <summary>The highest score it came to, 0 to 100.</summary>
    public double MaxScore { get; private set; }

    /// <summary>When it began.</summary>
    public DateTimeOffset Onset => _onset;

    public IncidentEvent Open(in Telling telling, IncidentKind kind, DateTimeOffset onset, string sentence, in Recurring recurring)
    {
        IsOpen = true;
        OpenedRow = _lastAbnormalRow = telling.Row;
        (_kind, _onset, _opening, _recurring) = (kind, onset, sentence, recurring);
        Id = EventId(telling, 'o');
        _revision = 0;
        MaxScore = _announcedScore = telling.Score;
        return Event(telling, IncidentState.Opened, Id, sentence);
    }

    /// <summary>Follows it by one row; an event when it became clearly worse or ended.</summary>
    /// <param name="telling">The row.</param>
    /// <param name="stillAbnormal">Whether the row belongs to it.</param>
    /// <param name="muted">Whether only its end may be told now.</param>
    /// <param name="judge">Whose sentence is told where it is worse.</param>
    public IncidentEvent? Follow(in Telling telling, bool stillAbnormal, bool muted, IJudge judge)
    {
        _lastAbnormalRow = stillAbnormal ? telling.Row : _lastAbnormalRow;
        MaxScore = Math.Max(MaxScore, telling.Score);

        if (telling.Row - _lastAbnormalRow >= QuietRows)
        {
            return Close(telling, $"over after {Figures.Count(_lastAbnormalRow - OpenedRow + 1, "observation")}: back to normal");
        }

        if (muted || MaxScore < _announcedScore + ToldAgain)
        {
            return null;
        }

        _announcedScore = MaxScore;
        _revision++;
        return Event(telling, IncidentState.Continued, EventId(telling, 'c'), judge.Sentence());
    }

    /// <summary>Closes it.</summary>
    /// <param name="telling">The row, or the time, that ends it.</param>
    /// <param name="how">How it ended; told behind what opened it.</param>
    public IncidentEvent Close(in Telling telling, string how)
    {
        IsOpen = false;
        _revision++;
        return Event(telling, IncidentState.Closed, EventId(telling, 'e'), $"{_opening}; {how}") with { ClosedAt = telling.Time };
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(IsOpen);
        writer.Write(OpenedRow);
        writer.Write(_lastAbnormalRow);
        writer.Write(Id);
        writer.Write(_opening);
        writer.Write(_revision);
        writer.Write((int)_kind);
        writer.Write(_onset.UtcTicks);
        writer.Write(MaxScore);
        writer.Write(_announcedScore);
        writer.Write(_recurring.Occurrence);
        writer.Write(_recurring.FirstSeen.UtcTicks);
        writer.Write(_recurring.PreviousAt?.UtcTicks ?? -1);
    }

    public void Load(BinaryReader reader)
    {
        IsOpen = reader.ReadBoolean();
        OpenedRow = reader.ReadInt64();
        _lastAbnormalRow = reader.ReadInt64();
        Id = reader.ReadString();
        _opening = reader.ReadString();
        _revision = reader.ReadInt32();
        _kind = (IncidentKind)reader.ReadInt32();
        _onset = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        MaxScore = reader.ReadDouble();
        _announcedScore = reader.ReadDouble();
        int occurrence = reader.ReadInt32();
        var first = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        long previous = reader.ReadInt64();
        _recurring = new Recurring(occurrence, first, previous < 0 ? null : new DateTimeOffset(previous, TimeSpan.Zero));
    }

    public static IncidentSeverity SeverityOf(double score) => score switch
    {
        > 70 => IncidentSeverity.Critical,
        >= 60 => IncidentSeverity.Warning,
        _ => IncidentSeverity.Info,
    };

    private IncidentEvent Event(in Telling telling, IncidentState state, string id, string explanation)
    {
        Judgement? judgement = telling.Judgement;
        return new IncidentEvent
        {
            Id = id,
            IncidentId = Id,
            Revision = _revision,
            Stream = stream,
            State = state,
            Kind = _kind,
            Severity = SeverityOf(MaxScore),
            Onset = _onset,
            Time = telling.Time,
            Score = telling.Score,
            MaxScore = MaxScore,
            Occurrence = _recurring.Occurrence,
            FirstSeen = _recurring.FirstSeen,
            PreviousAt = _recurring.PreviousAt,
            Actual = judgement?.Actual,
            Expected = judgement?.Expected?.Median,
            Lower = judgement?.Expected?.Lower,
            Upper = judgement?.Expected?.Upper,
            Columns = judgement?.Columns,
            Template = judgement?.Template,
            ExpectedTemplate = judgement?.ExpectedTemplate,
            Attribution = Attribution(judgement, telling.Words),
            Explanation = explanation,
            ModelVersion = telling.ModelVersion,
            IntervalSeconds = telling.IntervalSeconds,
        };
    }

    private static Dictionary<string, double> Attribution(Judgement? judgement, in IndicatorWords words)
    {
        if (judgement?.Columns is { } columns)
        {
            return columns.Where(figure => !figure.IsContext).ToDictionary(figure => figure.Column, figure => figure.Share);
        }

        if (judgement is null || judgement.Count == 0)
        {
            return new Dictionary<string, double> { ["silence"] = 1 };
        }

        Span<double> shares = stackalloc double[judgement.Count];
        ScoreCombination.Attribute(judgement.Scores, shares);
        var attribution = new Dictionary<string, double>();
        double told = 0;

        foreach (double share in shares)
        {
            told += share >= LeastShare ? share : 0;
        }

        for (int indicator = 0; indicator < shares.Length; indicator++)
        {
            if (shares[indicator] >= LeastShare)
            {
                attribution[words.Name(indicator)] = shares[indicator] / told;
            }
        }

        return attribution;
    }

    /// <summary>
    /// Stream, time, row and state decide it, so a replay gives the same id, and a stream that starts again after a fault
    /// gives no id twice: FNV-1a (Fowler, Noll, Vo) of the name, then seconds and row.
    /// </summary>
    private string EventId(in Telling telling, char state)
    {
        ulong hash = 14695981039346656037;

        foreach (char c in stream)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{hash:x16}-{telling.Time.ToUnixTimeMilliseconds():x}-{telling.Row}-{state}");
    }
}

/// <summary>What is told of one observation, or of a silence, when it is part of an incident.</summary>
internal readonly ref struct Telling
{
    public required long Row { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>0 to 100.</summary>
    public required double Score { get; init; }

    /// <summary>What was said of the observation; null for a silence.</summary>
    public Judgement? Judgement { get; init; }

    public required IndicatorWords Words { get; init; }

    public required long ModelVersion { get; init; }

    /// <summary>The usual gap between two observations of the stream; null while unknown.</summary>
    public double? IntervalSeconds { get; init; }
}
