namespace StreamLstm.Detection.Learning;

/// <summary>A stretch of one stream, encoded: enough to train base weights on, and nothing that names the stream.</summary>
/// <param name="Inputs">(Rows, <see cref="ForecastInput.Size"/>).</param>
/// <param name="Anchors">(Rows, <see cref="ForecastInput.Anchors"/>); -1 = none.</param>
/// <param name="Targets">(Rows, horizons); -1 = masked.</param>
public sealed record TrainingWindow(float[] Inputs, int[] Anchors, int[] Targets)
{
    /// <summary>Rows of a window.</summary>
    public const int Rows = 96;

    /// <summary>Rows at its beginning that only warm h and c up, from zero.</summary>
    public const int WarmUpRows = 16;
}
