namespace StreamLstm.Detection.Deciding;

/// <summary>The incidents that opened in the last span of time, at most as many as the budget allows.</summary>
/// <remarks>
/// While there are fewer, an incident opens. Once the budget is spent it opens only if its evidence is greater than the
/// least of those held, whose place it takes: what is held are always the strongest of the window, and were the
/// evidence of n candidates of one window exchangeable, k (1 + ln(n / k)) would open for a budget of k. Time is the
/// records' own. A record older than all that is held by a whole window begins anew, as it belongs to another past.
/// </remarks>
internal sealed class BudgetWindow
{
    private readonly List<(long Ticks, double Decades)> _held = [];

    /// <summary>Whether an incident may open; if so it is held from now on.</summary>
    /// <param name="time">Its time.</param>
    /// <param name="decades">Its evidence.</param>
    /// <param name="rule">Whose budget it is: how many, in which time.</param>
    public bool TrySpend(DateTimeOffset time, double decades, AlertRule rule)
    {
        (int alertsMax, TimeSpan per) = (rule.Budget, rule.BudgetPer);
        long now = time.UtcTicks;
        _held.RemoveAll(alert => now - alert.Ticks >= per.Ticks || alert.Ticks - now >= per.Ticks);

        while (_held.Count >= alertsMax)
        {
            (long Ticks, double Decades) least = _held.MinBy(alert => alert.Decades);

            // More than the budget are held only after it was lowered.
            if (_held.Count == alertsMax && decades <= least.Decades)
            {
                return false;
            }

            _held.Remove(least);
        }

        _held.Add((now, decades));
        return true;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_held.Count);

        foreach ((long ticks, double decades) in _held)
        {
            writer.Write(ticks);
            writer.Write(decades);
        }
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();

        if (count is < 0 or > AlertRule.BudgetMax)
        {
            throw new InvalidDataException($"budget: {count} incidents, expected 0 to {AlertRule.BudgetMax}");
        }

        for (; count > 0; count--)
        {
            _held.Add((reader.ReadInt64(), reader.ReadDouble()));
        }
    }
}
