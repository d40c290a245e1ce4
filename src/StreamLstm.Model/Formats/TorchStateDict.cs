using System.Text.RegularExpressions;

namespace StreamLstm.Model.Formats;

/// <summary>Weights as the safetensors file of a PyTorch module that holds one torch.nn.LSTM and one torch.nn.Linear.</summary>
/// <remarks>
/// Whatever the module calls the two: "lstm.weight_ih_l0" and "linear.weight", "encoder.rnn.weight_ih_l0" and "fc.weight".
/// Sizes are those of the tensors. The two biases of an LSTM are summed; bias=False is a bias of zero. What this network
/// cannot compute (two directions, further layers of other kinds) is refused by name.
/// </remarks>
public static partial class TorchStateDict
{
    /// <summary>Reads weights.</summary>
    /// <param name="file">From where it stands to its end.</param>
    /// <exception cref="InvalidDataException">It is no such file, too large, damaged, a value is not finite, or it holds another network; the message names the tensor.</exception>
    public static LstmWeights Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var tensors = new TensorSet(SafetensorsFile.Read(file).Tensors);
        var names = new LstmTensors.Prefixes(LstmPrefix(tensors), LinearPrefix(tensors));
        LstmShape shape = Shape(tensors, names);
        var network = new LstmTensors(
            tensors,
            shape,
            names,
            layersHaveBias: tensors.Contains($"{names.Lstm}bias_ih_l0") || tensors.Contains($"{names.Lstm}bias_hh_l0"),
            outputHasBias: tensors.Contains($"{names.Linear}bias"));
        tensors.RequireEmpty();

        var weights = new LstmWeights(shape);
        network.CopyTo(weights);
        return weights;
    }

    /// <summary>Writes weights so that <c>module.load_state_dict(safetensors.torch.load_file(path))</c> takes them as they are.</summary>
    /// <param name="file">Where to.</param>
    /// <param name="weights">What.</param>
    /// <param name="lstm">What the module calls its torch.nn.LSTM; empty where the names have no prefix.</param>
    /// <param name="linear">What the module calls its torch.nn.Linear.</param>
    /// <exception cref="ArgumentException">The file would be larger than <see cref="Read"/> accepts.</exception>
    public static void Write(Stream file, LstmWeights weights, string lstm = "lstm", string linear = "linear")
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(lstm);
        ArgumentNullException.ThrowIfNull(linear);
        var names = new LstmTensors.Prefixes(Prefix(lstm), Prefix(linear));
        new SafetensorsFile([.. LstmTensors.Of(weights, names)], new Dictionary<string, string> { ["format"] = "pt" }).Write(file);

        static string Prefix(string name) => name.Length == 0 ? "" : $"{name}.";
    }

    private static string LstmPrefix(TensorSet tensors)
    {
        var prefixes = new SortedSet<string>(StringComparer.Ordinal);

        foreach (Match name in tensors.Names.Select(name => LstmParameter().Match(name)).Where(match => match.Success))
        {
            if (name.Groups["reverse"].Success)
            {
                throw new InvalidDataException($"tensor {name.Value}: a bidirectional LSTM needs the future, expected one direction");
            }

            prefixes.Add(name.Groups["prefix"].Value);
        }

        return TheOne(prefixes, "weight_ih_l0", "torch.nn.LSTM");
    }

    /// <summary>The Linear is the one matrix named weight, as nothing in an LSTM is.</summary>
    private static string LinearPrefix(TensorSet tensors)
    {
        IEnumerable<string> prefixes = tensors.Names
            .Where(name => name == "weight" || name.EndsWith(".weight", StringComparison.Ordinal))
            .Where(tensors.IsMatrix)
            .Select(name => name[..^"weight".Length]);
        return TheOne(new SortedSet<string>(prefixes, StringComparer.Ordinal), "weight", "torch.nn.Linear");
    }

    private static string TheOne(SortedSet<string> prefixes, string tensor, string kind) => prefixes.Count switch
    {
        1 => prefixes.Min!,
        0 => throw new InvalidDataException($"no tensor is named {tensor} or ends with .{tensor}, expected one {kind}"),
        _ => throw new InvalidDataException(
            $"{string.Join(", ", prefixes.Select(prefix => prefix + tensor))}: {prefixes.Count} candidates, expected one {kind}"),
    };

    private static LstmShape Shape(TensorSet tensors, LstmTensors.Prefixes names)
    {
        (_, int inputSize) = tensors.MatrixSizes($"{names.Lstm}weight_ih_l0");
        (int rows, int hiddenStateSize) = tensors.MatrixSizes($"{names.Lstm}weight_hh_l0");
        bool projected = tensors.Contains($"{names.Lstm}weight_hr_l0");
        int hiddenSize = projected ? tensors.MatrixSizes($"{names.Lstm}weight_hr_l0").Columns : hiddenStateSize;
        (int outputSize, _) = tensors.MatrixSizes($"{names.Linear}weight");
        int layers = 1;

        while (tensors.Contains($"{names.Lstm}weight_ih_l{layers}"))
        {
            layers++;
        }

        if (rows != 4L * hiddenSize)
        {
            throw new InvalidDataException(
                $"tensor {names.Lstm}weight_hh_l0: shape ({rows}, {hiddenStateSize}), expected ({4L * hiddenSize}, {hiddenStateSize}): "
                + "an LSTM has four gates (a GRU three)");
        }

        try
        {
            return new LstmShape(inputSize, hiddenSize, layers, outputSize, projected ? hiddenStateSize : 0);
        }
        catch (ArgumentOutOfRangeException outside)
        {
            throw new InvalidDataException(
                $"{names.Lstm}weight_ih_l0, {names.Lstm}weight_hh_l0, {names.Linear}weight: {outside.Message}", outside);
        }
    }

    [GeneratedRegex(@"^(?<prefix>(.*\.)?)(?<kind>weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)_l[0-9]+(?<reverse>_reverse)?$", RegexOptions.ExplicitCapture)]
    private static partial Regex LstmParameter();
}
