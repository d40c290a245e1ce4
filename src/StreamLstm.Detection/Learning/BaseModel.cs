using System.Collections.Frozen;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Detection.Learning;

/// <summary>Weights that streams start from, or share: one set for all, and others for groups that have their own. Never changed once published; replaced whole.</summary>
/// <param name="Version">0 for the start, then counting up with every swap, whichever group it is for.</param>
/// <param name="Weights">The weights of all streams that are in no group with weights of its own.</param>
public sealed record BaseModel(long Version, ForecastWeights Weights)
{
    /// <summary>The shape of every base model: that of the detector's inputs and heads.</summary>
    public static ForecastShape Shape => ForecastInput.Shape;

    private static readonly Lazy<BaseModel> Shipped = new(ReadShipped);

    /// <summary>The version that brought <see cref="Weights"/>: a group's swap counts the version on and leaves them.</summary>
    public long Since { get; init; } = Version;

    /// <summary>Weights of groups, by the group's name.</summary>
    public IReadOnlyDictionary<string, BaseModel> Groups { get; init; } = FrozenDictionary<string, BaseModel>.Empty;

    /// <summary>The start that comes with the program: trained by <c>streamlstm train</c> on synthetic streams of every kind.</summary>
    public static BaseModel Pretrained => Shipped.Value;

    /// <summary>A start that knows nothing: random weights, the same for the same seed.</summary>
    public static BaseModel Untrained(int seed) =>
        new(0, WeightInitializer.Create(ForecastInput.Shape, (ulong)seed));

    /// <summary>What serves the streams of a group, or those of none: this one where the group has no weights of its own.</summary>
    /// <param name="group">The group's name; null for none.</param>
    public BaseModel Of(string? group) => group is not null && Groups.TryGetValue(group, out BaseModel? own) ? own : this;

    /// <summary>What serves once others have come into service for a group, or for all streams of none.</summary>
    /// <param name="group">The group's name; null for none.</param>
    /// <param name="others">Its weights from now on, with the version that brings them.</param>
    public BaseModel With(string? group, BaseModel others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return group is null
            ? others with { Groups = Groups }
            : this with { Version = others.Version, Groups = new Dictionary<string, BaseModel>(Groups) { [group] = others } };
    }

    private static BaseModel ReadShipped()
    {
        using Stream file = typeof(BaseModel).Assembly.GetManifestResourceStream("base-weights.safetensors")
            ?? throw new InvalidOperationException("base-weights.safetensors is not embedded");
        return new BaseModel(0, WeightsFile.Read(file, out _));
    }
}
