namespace StreamLstm.Detection.Learning;

/// <summary>A stretch of one stream, encoded: enough to train base weights on, and where it came from, for the ledger of trainings.</summary>
/// <param name="Inputs">(Rows, <see cref="ForecastInput.Size"/>).</param>
/// <param name="Anchors">(Rows, <see cref="ForecastInput.Anchors"/>); -1 = none.</param>
/// <param name="Targets">(Rows, horizons); -1 = masked.</param>
public sealed record TrainingWindow(float[] Inputs, int[] Anchors, int[] Targets)
{
    /// <summary>Rows of a window.</summary>
    public const int Rows = 96;

    /// <summary>Rows at its beginning that only warm h and c up, from zero.</summary>
    public const int WarmUpRows = 16;

    /// <summary>The stream's name.</summary>
    public string Stream { get; init; } = "";

    /// <summary>Time of its first row, by the observations' own clock.</summary>
    public DateTimeOffset From { get; init; }

    /// <summary>Time of its last row.</summary>
    public DateTimeOffset To { get; init; }
}
