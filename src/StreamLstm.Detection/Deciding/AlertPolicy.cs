using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Deciding;

/// <summary>What a shard's streams share of what is asked of alerts: the budgets of groups, and maintenance.</summary>
internal sealed class AlertPolicy
{
    /// <summary>By group; one for each that a rule with a budget names.</summary>
    private readonly Dictionary<string, BudgetWindow> _groups = new(StringComparer.Ordinal);

    /// <summary>The windows that hold; another list replaces it.</summary>
    public IReadOnlyList<MaintenanceWindow> Maintenance { get; set; }

    /// <exception cref="ArgumentOutOfRangeException">A rule's setting is outside its range.</exception>
    /// <exception cref="ArgumentException">Two rules name one group with different budgets.</exception>
    public AlertPolicy(DetectionOptions options)
    {
        Maintenance = options.Maintenance;
        Terms = options.Terms();

        foreach (AlertRule rule in Terms.Rules)
        {
            rule.Require();

            if (AlertRule.OtherBudget(Terms.Rules, rule) is { } other)
            {
                throw new ArgumentException(
                    $"group '{rule.Group}': {rule.Budget} in {rule.BudgetPer} for '{rule.Streams}', but {other.Budget} in {other.BudgetPer} for '{other.Streams}'; expected one budget",
                    nameof(options));
            }

            if (rule is { Budget: > 0, Group.Length: > 0 })
            {
                _groups.TryAdd(rule.Group, new BudgetWindow());
            }
        }
    }

    /// <summary>What is asked of alerts; others replace them, and the same streams share a budget under those.</summary>
    public AlertTerms Terms { get; set; }

    /// <summary>What a stream's alerts must pass.</summary>
    public AlertGate NewGate(string stream) => new(stream, this);

    /// <summary>The budget that a rule's streams share; null where they share none.</summary>
    public BudgetWindow? GroupBudget(AlertRule? rule) => rule is { Budget: > 0, Group.Length: > 0 } ? _groups[rule.Group] : null;

    public void Save(BinaryWriter writer)
    {
        writer.Write(_groups.Count);

        foreach ((string group, BudgetWindow window) in _groups)
        {
            writer.Write(group);
            window.Save(writer);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote; groups that no rule names any more are forgotten.</summary>
    public void Load(BinaryReader reader)
    {
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            string group = reader.ReadString();
            (_groups.TryGetValue(group, out BudgetWindow? window) ? window : new BudgetWindow()).Load(reader);
        }
    }
}
