using System.Globalization;

namespace StreamLstm.Model.Formats;

/// <summary>A forecasting network's weights as a safetensors file, strict on reading: what is not exactly right is refused by name.</summary>
/// <remarks>
/// Names as PyTorch's state dict: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 (zero: one bias is enough), ...,
/// head.weight, head.bias; offset_kernels (K, A, 2B - 1). The shape stands in the metadata.
/// </remarks>
public static class WeightsFile
{
    private const string ShapeKey = "shape";

    private static readonly LstmTensors.Prefixes Names = new(Lstm: "", Linear: "head.");

    /// <summary>Writes the weights.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="weights">What.</param>
    /// <param name="metadata">Further entries for the header; "shape" is ours.</param>
    /// <exception cref="ArgumentException">The metadata names a shape, or the file would be larger than <see cref="Read"/> accepts.</exception>
    public static void Write(Stream file, ForecastWeights weights, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(metadata);
        ForecastShape shape = weights.Shape;

        if (shape.Network.ProjectionSize > 0)
        {
            throw new ArgumentException($"projection size is {shape.Network.ProjectionSize}, expected 0 in a forecasting network's file", nameof(weights));
        }

        List<NamedTensor> tensors = [.. LstmTensors.Of(weights.Network, Names)];

        if (shape.AnchorCount > 0)
        {
            tensors.Add(new NamedTensor(
                "offset_kernels",
                [shape.HorizonCount, shape.AnchorCount, shape.KernelSize],
                weights.Parameters[shape.Network.ParameterCount..].ToArray()));
        }

        var entries = new Dictionary<string, string>(metadata) { { ShapeKey, Describe(shape) } };
        new SafetensorsFile(tensors, entries).Write(file);
    }

    /// <summary>Reads weights.</summary>
    /// <param name="file">From where it stands to its end.</param>
    /// <param name="metadata">The header's entries.</param>
    /// <exception cref="InvalidDataException">It is not such a file, too large, damaged, or a value is not finite; the message names the tensor.</exception>
    public static ForecastWeights Read(Stream file, out IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(file);
        SafetensorsFile container = SafetensorsFile.Read(file);
        metadata = container.Metadata;
        ForecastShape shape = ParseShape(metadata);
        var tensors = new TensorSet(container.Tensors);
        var network = new LstmTensors(tensors, shape.Network, Names, layersHaveBias: true, outputHasBias: true);
        float[] kernels = shape.AnchorCount > 0
            ? tensors.Take("offset_kernels", shape.HorizonCount, shape.AnchorCount, shape.KernelSize)
            : [];
        tensors.RequireEmpty();

        var weights = new ForecastWeights(shape);
        network.CopyTo(weights.Network);
        kernels.CopyTo(weights.Parameters[shape.Network.ParameterCount..]);
        return weights;
    }

    private static string Describe(ForecastShape shape) => string.Create(
        CultureInfo.InvariantCulture,
        $"{shape.Network.InputSize},{shape.Network.HiddenSize},{shape.Network.LayerCount},{shape.HorizonCount},{shape.BinCount},{shape.AnchorCount}");

    private static ForecastShape ParseShape(IReadOnlyDictionary<string, string> metadata)
    {
        string text = metadata.GetValueOrDefault(ShapeKey)
            ?? throw new InvalidDataException($"header: __metadata__ is missing, expected {ShapeKey}");
        int[] sizes = [.. text.Split(',').Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : -1)];

        if (sizes.Length != 6 || sizes.Contains(-1))
        {
            throw new InvalidDataException($"metadata shape is '{SafetensorsHeader.Printable(text)}', expected six sizes: input,hidden,layers,horizons,bins,anchors");
        }

        try
        {
            return new ForecastShape(
                new LstmShape(sizes[0], sizes[1], sizes[2], checked(sizes[3] * sizes[4])), sizes[3], sizes[4], sizes[5]);
        }
        catch (Exception outside) when (outside is ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"metadata shape is '{text}': {outside.Message}", outside);
        }
    }
}
