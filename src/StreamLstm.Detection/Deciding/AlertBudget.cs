namespace StreamLstm.Detection.Deciding;

/// <summary>The threshold of one stream, moved so that alerts stay within a budget.</summary>
/// <remarks>
/// Stochastic approximation of a quantile (Robbins and Monro 1951): every alert raises the threshold by
/// <see cref="RisePerAlert"/>, every other observation lowers it by the budgeted share of that. A stream whose alerts
/// come more often than budgeted thus needs ever stronger evidence; one that is quiet stays at the floor.
/// </remarks>
internal sealed class AlertBudget(AlertBudgetOptions options)
{
    /// <summary>Decades of evidence that an alert adds to the next one's price.</summary>
    private const double RisePerAlert = 0.25;

    public double Threshold { get; private set; } = options.ThresholdMin;

    public void Observe(bool alerted) =>
        Threshold = Math.Clamp(
            Threshold + (alerted ? RisePerAlert : 0) - RisePerAlert / options.RowsPerAlert,
            options.ThresholdMin,
            options.ThresholdMax);

    /// <summary>What is left, in decades, of the rise that an alert of so many rows ago brought.</summary>
    public double LeftOfRise(long rowsAgo) => RisePerAlert * Math.Max(0, 1 - rowsAgo / options.RowsPerAlert);

    /// <summary>Lowers the threshold because an alert was justified after all, or raises it again.</summary>
    public void GiveBack(double decades) =>
        Threshold = Math.Clamp(Threshold - decades, options.ThresholdMin, options.ThresholdMax);

    public void Save(BinaryWriter writer) => writer.Write(Threshold);

    public void Load(BinaryReader reader) => Threshold = reader.ReadDouble();
}

/// <summary>How often a stream may alert.</summary>
internal sealed record AlertBudgetOptions
{
    /// <summary>Lowest threshold, in decades: 1.7 = a fiftieth of a comparable event was to be expected so far.</summary>
    public double ThresholdMin { get; init; } = 1.7;

    /// <summary>Highest threshold, in decades.</summary>
    public double ThresholdMax { get; init; } = 8;

    /// <summary>Observations between two alerts that the budget allows.</summary>
    public double RowsPerAlert { get; init; } = 5_000;
}
