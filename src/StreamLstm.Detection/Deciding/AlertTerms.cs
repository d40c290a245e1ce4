namespace StreamLstm.Detection.Deciding;

/// <summary>What is asked of alerts: how seldom they are to be where nothing happens, and what must hold of them beyond their evidence.</summary>
/// <param name="Rules">The first whose streams match counts.</param>
/// <param name="CleanRowsPerAlert">Clean rows of a stream of values or events between two alerts; 1,000 or more.</param>
/// <param name="CleanDaysPerAlert">Clean days of such a stream between two alerts, where they come often; 0 to ask for none.</param>
public sealed record AlertTerms(IReadOnlyList<AlertRule> Rules, double CleanRowsPerAlert, double CleanDaysPerAlert)
{
    /// <summary>Whether the same streams share a budget under both: a stream then lives in the same shard.</summary>
    /// <param name="other">The other terms.</param>
    public bool HasGroupsOf(AlertTerms other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Grouping(Rules).SequenceEqual(Grouping(other.Rules));

        // Which rule is a stream's follows from all patterns up to the last one with a group.
        static IEnumerable<(string Streams, string Group)> Grouping(IReadOnlyList<AlertRule> rules)
        {
            int last = rules.Count - 1;

            while (last >= 0 && SharedBudget(rules[last]).Length == 0)
            {
                last--;
            }

            return rules.Take(last + 1).Select(rule => (rule.Streams, SharedBudget(rule)));
        }

        static string SharedBudget(AlertRule rule) => rule.Budget > 0 ? rule.Group : "";
    }
}
