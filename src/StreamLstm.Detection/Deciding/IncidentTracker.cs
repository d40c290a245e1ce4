using System.Globalization;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Deciding;

/// <summary>Turns one stream's alerts into incidents: one opening, a few continuations, one closing.</summary>
internal sealed class IncidentTracker
{
    /// <summary>Rows below half the threshold after which an incident is over.</summary>
    public const int QuietRows = 30;

    /// <summary>Rows after which what goes on is no incident any more but the stream's new normal.</summary>
    public const int AcceptedRows = 1200;

    /// <summary>Decades above the last alert that break a cooldown.</summary>
    private const double CooldownMargin = 2;

    private string _incidentId = "";
    private int _revision;
    private IncidentKind _kind;
    private DateTimeOffset _onset;
    private double _maxScore;
    private double _announcedScore;
    private int _quietRows;
    private long _cooldownUntil;
    private double _lastAlertScore;

    /// <summary>Whether an incident is open.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Whether the open incident is a silence.</summary>
    public bool IsSilence => IsOpen && _kind == IncidentKind.Silence;

    /// <summary>The row at which the open incident began.</summary>
    public long OpenedRow { get; private set; }

    /// <summary>The row from which on an alert is no echo of the last incident.</summary>
    public long CooldownUntil => _cooldownUntil;

    /// <summary>Decades that open an incident before that.</summary>
    public double CooldownScore => _lastAlertScore + CooldownMargin;

    /// <summary>Whether an alert of this score would be heard: nothing is open, and it is not an echo of the last one.</summary>
    public bool WouldOpen(long row, double score) =>
        !IsOpen && (row >= _cooldownUntil || score >= _lastAlertScore + CooldownMargin);

    /// <summary>What keeps a row from opening an incident whatever its evidence, and for how many rows more; 0 where it does not count by rows.</summary>
    /// <param name="row">The row.</param>
    /// <param name="muted">Whether a maintenance window mutes the stream.</param>
    /// <param name="isSettling">Whether the last incident was accepted as the new normal, and that has not settled yet.</param>
    public (SuppressedBy Reason, long Rows) Suppression(long row, bool muted, bool isSettling) =>
        IsOpen ? (SuppressedBy.OpenIncident, 0)
        : muted ? (SuppressedBy.Maintenance, 0)
        : row < _cooldownUntil ? (isSettling ? SuppressedBy.Accepted : SuppressedBy.Cooldown, _cooldownUntil - row)
        : (SuppressedBy.None, 0);

    /// <summary>Decades that would open an incident of a row: the threshold, or more behind an incident.</summary>
    public double Needed(double threshold, SuppressedBy suppressed) =>
        suppressed is SuppressedBy.Cooldown or SuppressedBy.Accepted ? Math.Max(threshold, CooldownScore) : threshold;

    /// <summary>Opens an incident with this observation.</summary>
    public IncidentEvent Open(in Verdict verdict)
    {
        IsOpen = true;
        OpenedRow = verdict.Row;
        _kind = verdict.Kind;
        _onset = verdict.Onset;
        _incidentId = IdOf(verdict.Stream, verdict.Row);
        _revision = 0;
        _quietRows = 0;
        _maxScore = _announcedScore = verdict.Score;
        _lastAlertScore = verdict.AnomalyScore;
        return Event(verdict, IncidentState.Opened, _incidentId);
    }

    /// <summary>Follows an open incident by one row; an event when it became clearly worse or ended.</summary>
    /// <param name="verdict">The row's verdict.</param>
    /// <param name="stillAbnormal">Whether the row belongs to the incident.</param>
    /// <param name="muted">Whether only its end may be told now.</param>
    public IncidentEvent? Follow(in Verdict verdict, bool stillAbnormal, bool muted)
    {
        _quietRows = stillAbnormal ? 0 : _quietRows + 1;
        _lastAlertScore = Math.Max(_lastAlertScore, verdict.AnomalyScore);
        _maxScore = Math.Max(_maxScore, verdict.Score);

        if (_quietRows >= QuietRows)
        {
            return Close(verdict, $"back to normal for {QuietRows} observations");
        }

        if (verdict.Row - OpenedRow >= AcceptedRows)
        {
            return Close(verdict, $"lasted {AcceptedRows} observations: taken as the new normal");
        }

        if (muted || _maxScore < _announcedScore + 10)
        {
            return null;
        }

        _announcedScore = _maxScore;
        _revision++;
        return Event(verdict, IncidentState.Continued, EventId(verdict.Stream, verdict.Row, 'c'));
    }

    /// <summary>Closes the open incident.</summary>
    public IncidentEvent Close(in Verdict verdict, string reason)
    {
        IsOpen = false;
        _revision++;
        _cooldownUntil = verdict.Row + Math.Clamp(verdict.Row / 12, 20, 150);
        return Event(verdict, IncidentState.Closed, EventId(verdict.Stream, verdict.Row, 'e')) with
        {
            ClosedAt = verdict.Time,
            Explanation = reason,
        };
    }

    /// <summary>Closes the open incident because its level is the stream's new normal: until that has settled only clearly more evidence opens another.</summary>
    public IncidentEvent Accept(in Verdict verdict, string reason)
    {
        IncidentEvent closed = Close(verdict, reason);
        _cooldownUntil = verdict.Row + AcceptedRows;
        return closed;
    }

    /// <summary>
    /// Follows a level that was accepted while its evidence still gathers: what rises by less than a cooldown's margin a row
    /// is the same deviation seen for longer, not a worse one.
    /// </summary>
    public void FollowAccepted(long row, double score)
    {
        if (row < _cooldownUntil - AcceptedRows + QuietRows && score < CooldownScore)
        {
            _lastAlertScore = Math.Max(_lastAlertScore, score);
        }
    }

    /// <summary>The cooldown ends with this row.</summary>
    public void EndCooldown(long row) => _cooldownUntil = Math.Min(_cooldownUntil, row);

    public void Save(BinaryWriter writer)
    {
        writer.Write(IsOpen);
        writer.Write(OpenedRow);
        writer.Write(_incidentId);
        writer.Write(_revision);
        writer.Write((int)_kind);
        writer.Write(_onset.UtcTicks);
        writer.Write(_maxScore);
        writer.Write(_announcedScore);
        writer.Write(_quietRows);
        writer.Write(_cooldownUntil);
        writer.Write(_lastAlertScore);
    }

    public void Load(BinaryReader reader)
    {
        IsOpen = reader.ReadBoolean();
        OpenedRow = reader.ReadInt64();
        _incidentId = reader.ReadString();
        _revision = reader.ReadInt32();
        _kind = (IncidentKind)reader.ReadInt32();
        _onset = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        _maxScore = reader.ReadDouble();
        _announcedScore = reader.ReadDouble();
        _quietRows = reader.ReadInt32();
        _cooldownUntil = reader.ReadInt64();
        _lastAlertScore = reader.ReadDouble();
    }

    /// <summary>The id of the incident that began at a row.</summary>
    public static string IdOf(string stream, long openedRow) => EventId(stream, openedRow, 'o');

    /// <summary>Reads the row at which an incident of this stream began from its id.</summary>
    public static bool TryOpenedRow(string stream, string incidentId, out long row)
    {
        row = -1;
        string[] parts = incidentId.Split('-');
        return parts.Length == 3
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out row)
            && IdOf(stream, row) == incidentId;
    }

    private IncidentEvent Event(in Verdict verdict, IncidentState state, string id) => new()
    {
        Id = id,
        IncidentId = _incidentId,
        Revision = _revision,
        Stream = verdict.Stream,
        State = state,
        Kind = _kind,
        Severity = SeverityOf(_maxScore),
        Onset = _onset,
        Time = verdict.Time,
        Score = verdict.Score,
        MaxScore = _maxScore,
        Actual = verdict.Actual,
        Expected = verdict.Expected,
        Lower = verdict.Lower,
        Upper = verdict.Upper,
        Columns = verdict.Columns,
        Template = verdict.Template,
        ExpectedTemplate = verdict.ExpectedTemplate,
        Attribution = verdict.Attribution(),
        Explanation = verdict.Explanation,
        ModelVersion = verdict.ModelVersion,
    };

    public static IncidentSeverity SeverityOf(double score) => score switch
    {
        > 85 => IncidentSeverity.Critical,
        >= 60 => IncidentSeverity.Warning,
        _ => IncidentSeverity.Info,
    };

    /// <summary>Stream, row and state decide it, so a replay gives the same id: FNV-1a (Fowler, Noll, Vo) of the name, then the row.</summary>
    private static string EventId(string stream, long row, char state)
    {
        ulong hash = 14695981039346656037;

        foreach (char c in stream)
        {
            hash = (hash ^ c) * 1099511628211;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{hash:x16}-{row}-{state}");
    }
}

/// <summary>What is said of one observation when it is part of an incident.</summary>
internal readonly ref struct Verdict
{
    public required string Stream { get; init; }

    public required long Row { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required DateTimeOffset Onset { get; init; }

    public required IncidentKind Kind { get; init; }

    public required double AnomalyScore { get; init; }

    public required double Score { get; init; }

    public double? Actual { get; init; }

    public double? Expected { get; init; }

    public double? Lower { get; init; }

    public double? Upper { get; init; }

    /// <summary>Scores of the channels; empty for a silence.</summary>
    public ReadOnlySpan<double> ChannelScores { get; init; }

    /// <summary>What was said of the columns of a record; null where there are none.</summary>
    public IReadOnlyList<ColumnFigure>? Columns { get; init; }

    /// <summary>Names of those channels: (channels); null for those of a stream of values.</summary>
    public IReadOnlyList<string>? ChannelNames { get; init; }

    /// <summary>For an event: its template, and the one that was expected instead.</summary>
    public string? Template { get; init; }

    public string? ExpectedTemplate { get; init; }

    public required string Explanation { get; init; }

    public required long ModelVersion { get; init; }

    public IReadOnlyDictionary<string, double> Attribution()
    {
        if (Columns is not null)
        {
            return Columns.Where(figure => !figure.IsContext).ToDictionary(figure => figure.Column, figure => figure.Share);
        }

        if (ChannelScores.IsEmpty)
        {
            return new Dictionary<string, double> { ["silence"] = 1 };
        }

        Span<double> shares = stackalloc double[ChannelScores.Length];
        ScoreCombination.Attribute(ChannelScores, shares);
        var attribution = new Dictionary<string, double>(shares.Length);

        for (int channel = 0; channel < shares.Length; channel++)
        {
            attribution[ChannelNames?[channel] ?? Channels.Name(channel)] = shares[channel];
        }

        return attribution;
    }
}
