using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Model;

public sealed class TorchStateDictTests
{
    private static readonly LstmShape Shape = new(2, 3, 2, 4);

    [Theory]
    [InlineData("lstm", "linear")]
    [InlineData("encoder.rnn", "fc")]
    [InlineData("0", "2")]
    [InlineData("", "head")]
    [InlineData("lstm", "")]
    [InlineData("", "")]
    [InlineData("module.net", "module.net.head")]
    public void Whatever_the_module_calls_its_two_parts_they_are_found(string lstm, string linear)
    {
        LstmWeights weights = Random();
        using var file = new MemoryStream();
        TorchStateDict.Write(file, weights, lstm, linear);
        file.Position = 0;

        LstmWeights read = TorchStateDict.Read(file);

        Assert.Equal(Shape, read.Shape);
        Assert.True(weights.Parameters.SequenceEqual(read.Parameters));
    }

    [Fact]
    public void The_two_biases_are_summed()
    {
        Dictionary<string, NamedTensor> tensors = StateDict();

        LstmWeights read = Read(tensors);

        Assert.Equal(
            tensors["lstm.bias_ih_l1"].Values.Zip(tensors["lstm.bias_hh_l1"].Values, (a, b) => a + b), read.Layer(1).Bias.ToArray());
        Assert.Equal(tensors["fc.bias"].Values, read.OutputBias.ToArray());
    }

    [Fact]
    public void A_module_without_biases_has_biases_of_zero()
    {
        Dictionary<string, NamedTensor> tensors = StateDict();
        tensors.Keys.Where(name => name.Contains("bias", StringComparison.Ordinal)).ToList().ForEach(name => tensors.Remove(name));

        LstmWeights read = Read(tensors);

        Assert.All(read.Layer(0).Bias.ToArray(), bias => Assert.Equal(0, bias));
        Assert.All(read.OutputBias.ToArray(), bias => Assert.Equal(0, bias));
        Assert.Equal(tensors["lstm.weight_ih_l0"].Values[1], read.Layer(0).InputWeights[12]);
    }

    [Theory]
    [InlineData("lstm.bias_hh_l1", "tensor lstm.bias_hh_l1 is missing")]
    [InlineData("lstm.bias_ih_l0", "tensor lstm.bias_ih_l0 is missing")]
    [InlineData("lstm.weight_hh_l0", "tensor lstm.weight_hh_l0 is missing")]
    [InlineData("lstm.weight_ih_l0", "tensor lstm.weight_ih_l0 is missing")]
    [InlineData("lstm.weight_ih_l1", "is not one of this network's")]
    [InlineData("fc.weight", "no tensor is named weight or ends with .weight, expected one torch.nn.Linear")]
    public void A_missing_tensor_is_named(string missing, string expected)
    {
        Dictionary<string, NamedTensor> tensors = StateDict();
        tensors.Remove(missing);

        Assert.Contains(expected, Refusal(tensors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lstm.weight_ih_l0_reverse", 12, 2, "tensor lstm.weight_ih_l0_reverse: a bidirectional LSTM")]
    [InlineData("decoder.weight_ih_l0", 12, 2, "decoder.weight_ih_l0, lstm.weight_ih_l0: 2 candidates, expected one torch.nn.LSTM")]
    [InlineData("embedding.weight", 9, 2, "embedding.weight, fc.weight: 2 candidates, expected one torch.nn.Linear")]
    [InlineData("attention.query", 3, 3, "tensor attention.query is not one of this network's")]
    [InlineData("lstm.weight_ih_l3", 12, 3, "tensor lstm.weight_ih_l3 is not one of this network's")]
    [InlineData("lstm.weight_ih_l2", 12, 3, "tensor lstm.weight_hh_l2 is missing")]
    public void What_this_network_cannot_compute_is_refused_by_name(string name, int rows, int columns, string expected)
    {
        Dictionary<string, NamedTensor> tensors = StateDict();
        tensors[name] = new NamedTensor(name, [rows, columns], new float[rows * columns]);

        Assert.Contains(expected, Refusal(tensors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("norm.weight", "tensor norm.weight is not one of this network's")] // a LayerNorm beside the Linear
    public void A_further_module_is_refused_by_name(string name, string expected)
    {
        Dictionary<string, NamedTensor> tensors = StateDict();
        tensors[name] = new NamedTensor(name, [3], new float[3]);

        Assert.Contains(expected, Refusal(tensors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lstm.weight_hh_l0", 9, 3, "shape (9, 3), expected (12, 3): an LSTM has four gates (a GRU three)")]
    [InlineData("lstm.weight_ih_l0", 11, 2, "shape (11, 2), expected (12, 2)")]
    [InlineData("lstm.weight_ih_l0", 12, 2000, "Expected 1 to 1024")]
    [InlineData("lstm.weight_ih_l1", 12, 2, "shape (12, 2), expected (12, 3)")]
    [InlineData("fc.weight", 4, 5, "shape (4, 5), expected (4, 3)")]
    [InlineData("lstm.bias_hh_l0", 12, 1, "shape (12, 1), expected (12)")]
    public void Sizes_that_do_not_fit_together_are_refused_by_name(string name, int rows, int columns, string expected)
    {
        Dictionary<string, NamedTensor> tensors = StateDict();
        tensors[name] = new NamedTensor(name, [rows, columns], new float[rows * columns]);

        Assert.Contains(expected, Refusal(tensors), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Biases_without_a_finite_sum_are_refused_by_name()
    {
        Dictionary<string, NamedTensor> tensors = StateDict();
        tensors["lstm.bias_ih_l0"].Values[5] = float.MaxValue;
        tensors["lstm.bias_hh_l0"].Values[5] = float.MaxValue;

        Assert.Contains("tensor lstm.bias_ih_l0[5] and lstm.bias_hh_l0[5] add up to", Refusal(tensors), StringComparison.Ordinal);
    }

    private static LstmWeights Random()
    {
        var weights = new LstmWeights(Shape);
        Chance.Normal(new Random(1), Shape.ParameterCount).CopyTo(weights.Parameters);
        return weights;
    }

    /// <summary>What a module with self.lstm and self.fc has, both biases drawn.</summary>
    private static Dictionary<string, NamedTensor> StateDict()
    {
        var random = new Random(2);
        return LstmTensors.Of(Random(), new LstmTensors.Prefixes("lstm.", "fc."))
            .Select(tensor => tensor with { Values = Chance.Normal(random, tensor.Values.Length) })
            .ToDictionary(tensor => tensor.Name);
    }

    private static LstmWeights Read(Dictionary<string, NamedTensor> tensors)
    {
        using var file = new MemoryStream();
        new SafetensorsFile([.. tensors.Values], new Dictionary<string, string>()).Write(file);
        file.Position = 0;
        return TorchStateDict.Read(file);
    }

    private static string Refusal(Dictionary<string, NamedTensor> tensors) =>
        Assert.Throws<InvalidDataException>(() => Read(tensors)).Message;
}
