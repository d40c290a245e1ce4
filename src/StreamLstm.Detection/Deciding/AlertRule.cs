using System.IO.Enumeration;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Deciding;

/// <summary>To which side of its forecast a value must lie to open an incident.</summary>
public enum AlertDirection
{
    /// <summary>To either.</summary>
    Both,

    /// <summary>Above it.</summary>
    Up,

    /// <summary>Below it.</summary>
    Down,
}

/// <summary>What must hold of some streams' alerts beyond their evidence. Whatever is left out asks for nothing.</summary>
/// <remarks>
/// Direction and deviations compare the value with the median forecast for it; they are not asked of a standstill, of a
/// silence, of events and of records, which are no deviation of one value in one unit. A row that meets direction, deviations and severity would
/// open an incident; N of M counts those.
/// </remarks>
public sealed record AlertRule
{
    /// <summary>Alerts that a budget may hold at most: they are remembered one by one.</summary>
    public const int BudgetMax = 1_000;

    /// <summary>Rows that N of M may look back on at most.</summary>
    public const int WindowMax = 64;

    /// <summary>Names of the streams: * stands for any characters, ? for one.</summary>
    public string Streams { get; init; } = "*";

    /// <summary>Least |value - expected|, in the stream's unit; at least 0.</summary>
    public double MinDeviation { get; init; }

    /// <summary>Least |value - expected| / |expected|; at least 0. Asked for beside <see cref="MinDeviation"/>, not instead.</summary>
    public double MinRelativeDeviation { get; init; }

    /// <summary>The side that counts.</summary>
    public AlertDirection Direction { get; init; }

    /// <summary>Rows, this one among them, that must be able to open an incident before one opens, 1 to <see cref="RowsOf"/>.</summary>
    public int Rows { get; init; } = 1;

    /// <summary>How many of the last judged rows <see cref="Rows"/> are looked for in, 1 to 64.</summary>
    public int RowsOf { get; init; } = 1;

    /// <summary>Time after an incident's end in which none opens, by the records' own clock; at least 0.</summary>
    public TimeSpan Cooldown { get; init; }

    /// <summary>Incidents open with this severity at least.</summary>
    public IncidentSeverity SeverityMin { get; init; }

    /// <summary>Incidents that may open in any span of <see cref="BudgetPer"/>, 1 to 1000; 0 = no budget.</summary>
    public int Budget { get; init; }

    /// <summary>The length of the budget's sliding window; more than 0.</summary>
    public TimeSpan BudgetPer { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Streams of one group share one budget, and so must share one shard; empty = each has its own.</summary>
    public string Group { get; init; } = "";

    /// <summary>
    /// Windows of 30 rows in a row that came as forecast, or as the window before, after which an open incident is taken for
    /// the stream's new normal; 0 = not before 300 rows have shown that it is one.
    /// </summary>
    public int AcceptAfter { get; init; }

    /// <summary>The first rule whose pattern the name matches; null where there is none.</summary>
    public static AlertRule? Of(IReadOnlyList<AlertRule> rules, string stream)
    {
        ArgumentNullException.ThrowIfNull(rules);

        foreach (AlertRule rule in rules)
        {
            if (FileSystemName.MatchesSimpleExpression(rule.Streams, stream, ignoreCase: false))
            {
                return rule;
            }
        }

        return null;
    }

    /// <summary>The group whose streams must share a shard with this one; null where it is alone.</summary>
    public static string? GroupOf(IReadOnlyList<AlertRule> rules, string stream) =>
        Of(rules, stream) is { Budget: > 0, Group: { Length: > 0 } group } ? group : null;

    /// <summary>A rule that gives the same group another budget; null where there is none.</summary>
    public static AlertRule? OtherBudget(IReadOnlyList<AlertRule> rules, AlertRule rule)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(rule);
        return rules.FirstOrDefault(other =>
            other.Budget > 0 && rule.Budget > 0 && rule.Group.Length > 0 && other.Group == rule.Group
            && (other.Budget, other.BudgetPer) != (rule.Budget, rule.BudgetPer));
    }

    /// <summary>Refuses settings outside their ranges.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range.</exception>
    internal void Require()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(MinDeviation, nameof(MinDeviation));
        ArgumentOutOfRangeException.ThrowIfNegative(MinRelativeDeviation, nameof(MinRelativeDeviation));
        ArgumentOutOfRangeException.ThrowIfLessThan(RowsOf, 1, nameof(RowsOf));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(RowsOf, WindowMax, nameof(RowsOf));
        ArgumentOutOfRangeException.ThrowIfLessThan(Rows, 1, nameof(Rows));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Rows, RowsOf, nameof(Rows));
        ArgumentOutOfRangeException.ThrowIfLessThan(Cooldown, TimeSpan.Zero, nameof(Cooldown));
        ArgumentOutOfRangeException.ThrowIfNegative(Budget, nameof(Budget));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Budget, BudgetMax, nameof(Budget));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(BudgetPer, TimeSpan.Zero, nameof(BudgetPer));
        ArgumentOutOfRangeException.ThrowIfNegative(AcceptAfter, nameof(AcceptAfter));
    }
}
