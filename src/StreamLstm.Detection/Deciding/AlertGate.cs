namespace StreamLstm.Detection.Deciding;

/// <summary>What an alert rule looks at of one row.</summary>
/// <param name="Kind">What an incident that opens with it would be.</param>
/// <param name="Score">0 to 100.</param>
/// <param name="Value">The observed value; null where there is none.</param>
/// <param name="Expected">The median that was forecast for it, or null.</param>
internal readonly record struct AlertCandidate(IncidentKind Kind, double Score, double? Value = null, double? Expected = null);

/// <summary>Holds one stream's alerts against its rule, and counts those that it keeps back.</summary>
/// <remarks>
/// A stretch of rows kept back for one reason is one suppressed alert, as it would have been one incident: it ends when
/// none was kept back for as many rows as end an incident.
/// </remarks>
/// <param name="stream">The stream's name.</param>
/// <param name="policy">What the streams of its shard share.</param>
internal sealed class AlertGate(string stream, AlertPolicy policy)
{
    private AlertPolicy _policy = policy;

    /// <summary>The terms under which the rule was looked for last; null before the first question.</summary>
    private AlertTerms? _terms;

    /// <summary>Of a stream that a rule or a window is about; null for the others, which are most.</summary>
    private Ruled? _ruled;
    private IReadOnlyList<MaintenanceWindow> _known = [];
    private SuppressedBy _last;
    private long _lastRow;

    /// <summary>Looks at every judged row, whether it has the evidence for an alert or not.</summary>
    /// <param name="candidate">The row.</param>
    /// <param name="above">Whether its evidence is above the threshold.</param>
    /// <returns>What keeps a row with that evidence from opening an incident.</returns>
    public SuppressedBy Weigh(in AlertCandidate candidate, bool above)
    {
        if (Rule is not { } rule)
        {
            return SuppressedBy.None;
        }

        SuppressedBy reason = Refuses(rule, candidate);
        Ruled ruled = _ruled!;
        ruled.Recent = (ruled.Recent << 1) | (above && reason == SuppressedBy.None ? 1UL : 0);
        return reason != SuppressedBy.None ? reason
            : System.Numerics.BitOperations.PopCount(ruled.Recent & (ulong.MaxValue >> (AlertRule.WindowMax - rule.RowsOf))) < rule.Rows ? SuppressedBy.NOfM
            : SuppressedBy.None;
    }

    /// <summary>What is asked of alerts at present.</summary>
    public AlertTerms Terms => _policy.Terms;

    /// <summary>Stable windows after which an incident is accepted by itself; 0 = never.</summary>
    public int AcceptAfter => Rule?.AcceptAfter ?? 0;

    /// <summary>The stream's rule, null for none. Names are compared once under the same terms; what a budget holds outlives a change of its size.</summary>
    private AlertRule? Rule
    {
        get
        {
            if (_terms != _policy.Terms)
            {
                _terms = _policy.Terms;
                AlertRule? rule = AlertRule.Of(_terms.Rules, stream);

                if (rule is not null || _ruled is not null)
                {
                    Ruled ruled = _ruled ??= new Ruled();
                    ruled.Rule = rule;
                    ruled.OwnBudget = rule is { Budget: > 0, Group.Length: 0 } ? ruled.OwnBudget ?? new BudgetWindow() : null;
                }
            }

            return _ruled?.Rule;
        }
    }

    /// <summary>What maintenance asks for at an instant.</summary>
    public Maintenance MaintenanceAt(DateTimeOffset time)
    {
        if (_known != _policy.Maintenance)
        {
            _known = _policy.Maintenance;
            MaintenanceWindow[] windows = [.. _known.Where(window => window.Matches(stream))];

            if (windows.Length > 0 || _ruled is not null)
            {
                (_ruled ??= new Ruled()).Maintenance = windows;
            }
        }

        var all = default(Maintenance);

        foreach (MaintenanceWindow window in _ruled?.Maintenance ?? [])
        {
            if (window.Holds(time))
            {
                all = new Maintenance(all.MuteAlerts || window.MuteAlerts, all.FreezeLearning || window.FreezeLearning);
            }
        }

        return all;
    }

    /// <summary>Asked last, of what would otherwise open an incident now.</summary>
    /// <param name="time">The record's, or the clock's for a silence.</param>
    /// <param name="decades">Its evidence.</param>
    public SuppressedBy Admit(DateTimeOffset time, double decades) =>
        MaintenanceAt(time).MuteAlerts ? SuppressedBy.Maintenance
        : _ruled is { } ruled && time < ruled.CooldownUntil ? SuppressedBy.RuleCooldown
        : Rule is { Budget: > 0 } rule && !(_ruled!.OwnBudget ?? _policy.GroupBudget(rule))!.TrySpend(time, decades, rule) ? SuppressedBy.Budget
        : SuppressedBy.None;

    /// <summary>The same of a silence.</summary>
    /// <param name="time">The wall clock.</param>
    /// <param name="decades">What a silence is worth.</param>
    /// <param name="score">The same, 0 to 100.</param>
    public SuppressedBy AdmitSilence(DateTimeOffset time, double decades, double score) =>
        Rule is { } rule && Incident.SeverityOf(score) < rule.SeverityMin ? SuppressedBy.Severity : Admit(time, decades);

    /// <summary>Whether what was kept back for this reason may open later without anything new having come.</summary>
    public static bool IsForATime(SuppressedBy reason) => reason is SuppressedBy.RuleCooldown or SuppressedBy.Maintenance;

    /// <summary>An incident has ended.</summary>
    public void Ended(DateTimeOffset time)
    {
        if (Rule is { } rule && rule.Cooldown > TimeSpan.Zero)
        {
            _ruled!.CooldownUntil = time > DateTimeOffset.MaxValue - rule.Cooldown ? DateTimeOffset.MaxValue : time + rule.Cooldown;
        }
    }

    /// <summary>The stream lives in another shard from now on.</summary>
    public void MoveTo(AlertPolicy home) => _policy = home;

    /// <summary>Notes that an alert was kept back.</summary>
    public void Count(long row, SuppressedBy reason, ShardOutput output)
    {
        if (reason != _last || row > _lastRow + Incident.QuietRows)
        {
            output.Suppressed[(int)reason]++;
        }

        _last = reason;
        _lastRow = row;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write((byte)_last);
        writer.Write(_lastRow);
        writer.Write(_ruled is not null);

        if (_ruled is { } ruled)
        {
            writer.Write(ruled.Recent);
            writer.Write(ruled.CooldownUntil.UtcTicks);
            writer.Write(ruled.OwnBudget is not null);
            ruled.OwnBudget?.Save(writer);
        }
    }

    public void Load(BinaryReader reader)
    {
        _last = (SuppressedBy)reader.ReadByte();
        _lastRow = reader.ReadInt64();

        if (!reader.ReadBoolean())
        {
            return;
        }

        _ruled = new Ruled { Recent = reader.ReadUInt64(), CooldownUntil = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero) };

        if (reader.ReadBoolean())
        {
            _ruled.OwnBudget = new BudgetWindow();
            _ruled.OwnBudget.Load(reader);
        }
    }

    private static SuppressedBy Refuses(AlertRule rule, in AlertCandidate candidate)
    {
        if (Incident.SeverityOf(candidate.Score) < rule.SeverityMin)
        {
            return SuppressedBy.Severity;
        }

        // A standstill, a silence and an event deviate from no forecast of a value.
        if (candidate is not { Value: { } value, Expected: { } expected, Kind: not IncidentKind.Flatline })
        {
            return SuppressedBy.None;
        }

        double deviation = value - expected;
        return rule.Direction == AlertDirection.Up && deviation <= 0 || rule.Direction == AlertDirection.Down && deviation >= 0
                ? SuppressedBy.Direction
            : Math.Abs(deviation) < Math.Max(rule.MinDeviation, rule.MinRelativeDeviation * Math.Abs(expected))
                ? SuppressedBy.Deviation
            : SuppressedBy.None;
    }

    /// <summary>What is remembered of a stream that a rule or a window is about. Names are compared once, not with every record.</summary>
    private sealed class Ruled
    {
        public AlertRule? Rule { get; set; }

        /// <summary>As saved until the first question, whatever the rules said at a restart.</summary>
        public BudgetWindow? OwnBudget { get; set; }

        public MaintenanceWindow[] Maintenance { get; set; } = [];

        /// <summary>Bit i: whether the row i rows ago would have opened an incident.</summary>
        public ulong Recent { get; set; }

        public DateTimeOffset CooldownUntil { get; set; } = DateTimeOffset.MinValue;
    }
}
