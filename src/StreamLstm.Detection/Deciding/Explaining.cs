using System.Globalization;
using System.Text;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Deciding;

/// <summary>What the indicators of a kind of stream are called.</summary>
/// <param name="Name">An indicator's name, by its number.</param>
/// <param name="Meaning">What it means that it speaks up, by its number and the rows the values have not changed for.</param>
internal readonly record struct IndicatorWords(Func<int, string> Name, Func<int, int, string> Meaning);

/// <summary>Puts a decision into figures with names, and into words.</summary>
internal static class Explaining
{
    /// <param name="stream">The stream's name.</param>
    /// <param name="words">What the channels are called.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="scores">(channels), in decades.</param>
    /// <param name="warmUp">Why it could not alert yet; null where it could.</param>
    /// <param name="incident">The incident it is part of; null for none.</param>
    /// <param name="held">Which decisions are held.</param>
    /// <param name="particulars">What is to be said beside its figures.</param>
    public static Explanation Explain(
        string stream, in IndicatorWords words, in Decision decision, ReadOnlySpan<Half> scores, WarmUp? warmUp,
        RememberedIncident? incident, HeldDecisions held, in Particulars particulars)
    {
        bool isJudged = !float.IsNaN(decision.Evidence);
        var explanation = new Explanation
        {
            Stream = stream,
            Time = new DateTimeOffset(decision.Ticks, TimeSpan.Zero),
            Value = decision.Value,
            Expected = At(decision, decision.ExpectedOffset),
            Lower = At(decision, decision.LowerOffset),
            Upper = At(decision, decision.UpperOffset),
            Lifecycle = decision.Lifecycle,
            WarmUp = warmUp,
            Evidence = isJudged ? decision.Evidence : null,
            EvidenceWithoutLabels = float.IsNaN(decision.Plain) ? null : decision.Plain,
            Threshold = decision.Threshold,
            Needed = decision.Needed,
            IsAlert = decision.IsAlert,
            IncidentOpen = decision.IncidentOpen,
            IncidentId = incident?.Id,
            Label = incident?.Label,
            SuppressedBy = decision.SuppressedBy,
            SuppressedRows = decision.SuppressedRows > 0 ? decision.SuppressedRows : null,
            Indicators = isJudged ? Indicators(words, scores, decision.FlatRows) : [],
            Columns = particulars.Columns,
            Template = decision.Template,
            ModelVersion = decision.ModelVersion,
            Sentence = "",
            Held = held,
        };
        return explanation with { Sentence = Sentence(explanation, particulars.Subject) };
    }

    private static double? At(in Decision decision, float offset) => float.IsNaN(offset) ? null : decision.Value + offset;

    private static Indication[] Indicators(in IndicatorWords words, ReadOnlySpan<Half> halves, int flatRows)
    {
        Span<double> scores = stackalloc double[halves.Length];
        Span<double> shares = stackalloc double[halves.Length];

        for (int channel = 0; channel < scores.Length; channel++)
        {
            scores[channel] = (double)halves[channel];
        }

        ScoreCombination.Attribute(scores, shares);
        var indicators = new Indication[scores.Length];

        for (int channel = 0; channel < indicators.Length; channel++)
        {
            indicators[channel] = new Indication(
                words.Name(channel), scores[channel], shares[channel], words.Meaning(channel, flatRows));
        }

        // Stable: equal ones stay in the order of channels.
        return [.. indicators.OrderByDescending(indicator => indicator.Score)];
    }

    private static string Sentence(Explanation e, string? subject)
    {
        var words = new StringBuilder();

        if (subject is not null)
        {
            words.Append(subject);
        }
        else
        {
            words.Append(Figures.Of(e.Value));
        }

        if (e.Expected is { } expected)
        {
            words.Append(CultureInfo.InvariantCulture, $", expected {Figures.Of(expected)} ({Figures.Of(e.Lower)} to {Figures.Of(e.Upper)})");
        }

        words.Append(": ").Append(Verdict(e));

        if (e.Label is { } label)
        {
            words.Append(label == IncidentLabel.Real ? " That incident was labelled real." : " That incident was labelled a false alarm.");
        }

        // A tenth of a decade is what is shown.
        if (e.EvidenceWithoutLabels - e.Evidence >= 0.1)
        {
            words.Append(CultureInfo.InvariantCulture, $" Incidents labelled false alarms made such levels ordinary: without them it would be {e.EvidenceWithoutLabels:0.0} decades.");
        }

        if (e.Indicators.Count > 0)
        {
            Indication strongest = e.Indicators[0];
            words.Append(
                CultureInfo.InvariantCulture,
                $" Strongest of {e.Indicators.Count} indicators: {strongest.Name} with {strongest.Score:0.0} decades{(strongest.Score > 0 ? $" ({strongest.Meaning})" : ", nothing out of the ordinary")}.");
        }

        return words.ToString();
    }

    private static string Verdict(Explanation e)
    {
        string evidence = e.Evidence is { } decades
            ? string.Create(CultureInfo.InvariantCulture, $"evidence {decades:0.0} of {e.Needed:0.0} decades needed")
            : "nothing is judged yet";
        string missing = e.ShortBy > 0 ? string.Create(CultureInfo.InvariantCulture, $", {e.ShortBy:0.0} decades short") : "";
        return e switch
        {
            { IsAlert: true, SuppressedBy: SuppressedBy.OpenIncident } => $"raised the open incident, {evidence}.",
            { IsAlert: true } => $"opened an incident, {evidence}.",
            { SuppressedBy: SuppressedBy.WarmUp } => $"no alert, as the stream is in its warm-up ({e.WarmUp?.Reason ?? "its last observation"}); {evidence}.",
            { SuppressedBy: SuppressedBy.Gap } => $"no alert, as forecasts start again after a gap in time (for {e.SuppressedRows ?? 0} more observations); {evidence}.",
            { SuppressedBy: SuppressedBy.OpenIncident, IncidentOpen: true } => $"belongs to the incident that is open; {evidence}{missing}.",
            { SuppressedBy: SuppressedBy.OpenIncident } => $"ended the incident that was open; {evidence}{missing}.",
            { SuppressedBy: SuppressedBy.None } => $"no alert, {evidence}{missing}.",
            _ => $"no alert, as {Reason(e.SuppressedBy)}; {evidence}{missing}.",
        };
    }

    private static string Reason(SuppressedBy reason) => reason switch
    {
        SuppressedBy.Direction => "the stream's alert rule does not ask for values on this side of the forecast",
        SuppressedBy.Deviation => "the stream's alert rule asks for more distance from the forecast",
        SuppressedBy.Severity => "the stream's alert rule asks for a higher severity",
        SuppressedBy.NOfM => "the stream's alert rule asks for more such rows among the last ones",
        SuppressedBy.RuleCooldown => "the stream's alert rule asks for more time after an incident",
        SuppressedBy.Budget => "the alert budget is spent on incidents with at least as much evidence",
        SuppressedBy.Maintenance => "a maintenance window mutes the stream",
        SuppressedBy.Regular => "this comes again where it always does",
        SuppressedBy.Accepted => "the present level was accepted as the new normal and has not settled yet",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "expected a reason that a sentence of its own does not explain"),
    };
}
