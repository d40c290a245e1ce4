using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Detection.Learning;

/// <summary>Weights that streams start from, or share. Never changed once published; replaced whole.</summary>
/// <param name="Version">0 for the start, then counting up with every swap.</param>
/// <param name="Weights">The weights.</param>
public sealed record BaseModel(long Version, ForecastWeights Weights)
{
    /// <summary>The shape of every base model: that of the detector's inputs and heads.</summary>
    public static ForecastShape Shape => ForecastInput.Shape;

    private static readonly Lazy<BaseModel> Shipped = new(ReadShipped);

    /// <summary>The start that comes with the program: trained by <c>streamlstm train</c> on synthetic streams of every kind.</summary>
    public static BaseModel Pretrained => Shipped.Value;

    /// <summary>A start that knows nothing: random weights, the same for the same seed.</summary>
    public static BaseModel Untrained(int seed) =>
        new(0, WeightInitializer.Create(ForecastInput.Shape, (ulong)seed));

    private static BaseModel ReadShipped()
    {
        using Stream file = typeof(BaseModel).Assembly.GetManifestResourceStream("base-weights.safetensors")
            ?? throw new InvalidOperationException("base-weights.safetensors is not embedded");
        return new BaseModel(0, WeightsFile.Read(file, out _));
    }
}
