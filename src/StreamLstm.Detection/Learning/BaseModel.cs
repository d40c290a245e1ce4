using StreamLstm.Model;

namespace StreamLstm.Detection.Learning;

/// <summary>Weights that streams start from, or share. Never changed once published; replaced whole.</summary>
/// <param name="Version">0 for the untrained start, then counting up with every swap.</param>
/// <param name="Weights">The weights.</param>
public sealed record BaseModel(long Version, ForecastWeights Weights)
{
    /// <summary>The shape of every base model: that of the detector's inputs and heads.</summary>
    public static ForecastShape Shape => ForecastInput.Shape;

    /// <summary>The start: random weights, the same for the same seed.</summary>
    public static BaseModel Untrained(int seed) =>
        new(0, WeightInitializer.Create(ForecastInput.Shape, (ulong)seed));
}
