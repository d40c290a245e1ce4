using System.Globalization;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What must hold of some streams' alerts beyond their evidence; what is left out asks for nothing.</summary>
internal sealed class AlertRuleOptions
{
    /// <summary>Names of the streams: * stands for any characters, ? for one.</summary>
    [Required]
    public string Streams { get; init; } = "";

    /// <summary>Least |value - expected|, in the stream's unit.</summary>
    [Range(0, double.MaxValue)]
    public double MinDeviation { get; init; }

    /// <summary>Least |value - expected| / |expected|; beside min_deviation, not instead.</summary>
    [Range(0, double.MaxValue)]
    public double MinRelativeDeviation { get; init; }

    /// <summary>both, up or down: the side of the forecast that counts.</summary>
    public AlertDirection Direction { get; init; } = AlertDirection.Both;

    /// <summary>N/M: an incident opens only if N of the last M observations would have opened one, M at most 64.</summary>
    [Parsed(nameof(TryParseNOfM), "N/M with 1 <= N <= M <= 64, such as 3/5")]
    public string NOfM { get; init; } = "1/1";

    /// <summary>Time after an incident's end in which none opens.</summary>
    public TimeSpan? Cooldown { get; init; }

    /// <summary>info, warning or critical: incidents open with this severity at least.</summary>
    public IncidentSeverity SeverityMin { get; init; } = IncidentSeverity.Info;

    /// <summary>Incidents in a span of time, 2/day or 1/week; empty = no budget.</summary>
    [Parsed(nameof(TryParseBudget), "N/hour, N/day, N/week or N and a duration such as 5/12h, N from 1 to 1000; empty for none")]
    public string Budget { get; init; } = "";

    /// <summary>Streams of one group share one budget; empty = each has its own.</summary>
    public string Group { get; init; } = "";

    /// <summary>Windows of 30 observations in a row that came as forecast or as the window before, after which an open incident is taken for the new normal; 0 = not before 300 observations have shown that it is one.</summary>
    [Range(0, 10_000)]
    public int AcceptAfter { get; init; }

    /// <summary>The detector's part.</summary>
    public AlertRule Detection()
    {
        _ = TryParseNOfM(NOfM, out (int Rows, int RowsOf) nOfM);
        _ = TryParseBudget(Budget, out (int Alerts, TimeSpan Per) budget);
        return new AlertRule
        {
            Streams = Streams,
            MinDeviation = MinDeviation,
            MinRelativeDeviation = MinRelativeDeviation,
            Direction = Direction,
            Rows = nOfM.Rows,
            RowsOf = nOfM.RowsOf,
            Cooldown = Cooldown ?? TimeSpan.Zero,
            SeverityMin = SeverityMin,
            Budget = budget.Alerts,
            BudgetPer = budget.Per,
            Group = Group,
            AcceptAfter = AcceptAfter,
        };
    }

    public static bool TryParseNOfM(string text) => TryParseNOfM(text, out _);

    public static bool TryParseBudget(string text) => TryParseBudget(text, out _);

    private static bool TryParseNOfM(string text, out (int Rows, int RowsOf) nOfM)
    {
        string[] parts = text.Split('/');
        nOfM = (1, 1);
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out nOfM.Rows)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out nOfM.RowsOf)
            && nOfM.Rows >= 1 && nOfM.Rows <= nOfM.RowsOf && nOfM.RowsOf <= AlertRule.WindowMax;
    }

    private static bool TryParseBudget(string text, out (int Alerts, TimeSpan Per) budget)
    {
        budget = (0, TimeSpan.FromDays(1));

        if (text.Length == 0)
        {
            return true;
        }

        string[] parts = text.Split('/');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out budget.Alerts)
            && budget.Alerts is >= 1 and <= AlertRule.BudgetMax
            && TryParseSpan(parts[1], out budget.Per) && budget.Per > TimeSpan.Zero;
    }

    private static bool TryParseSpan(string text, out TimeSpan span)
    {
        (bool known, span) = text switch
        {
            "hour" => (true, TimeSpan.FromHours(1)),
            "day" => (true, TimeSpan.FromDays(1)),
            "week" => (true, TimeSpan.FromDays(7)),
            _ => (false, default),
        };
        return known || Duration.TryParse(text, out span);
    }
}

/// <summary>The text is in a form of its own.</summary>
/// <param name="parser">The static method of the option's class that tells whether it is.</param>
/// <param name="expectation">The form, for people.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ParsedAttribute(string parser, string expectation) : ValidationAttribute
{
    public string Expectation { get; } = expectation;

    protected override ValidationResult? IsValid(object? value, ValidationContext context) =>
        context.ObjectType.GetMethod(parser, [typeof(string)])!.Invoke(null, [value ?? ""]) is true
            ? ValidationResult.Success
            : new ValidationResult(Expectation);

    public override bool RequiresValidationContext => true;
}
