using StreamLstm.Model;

namespace StreamLstm.Benchmarks.LongMemory.Networks;

/// <summary>The sizes that a problem asks of a network.</summary>
/// <param name="Input">I.</param>
/// <param name="Hidden">H.</param>
/// <param name="Output">O.</param>
/// <param name="Steps">T of a sequence.</param>
internal readonly record struct NetworkSizes(int Input, int Hidden, int Output, int Steps);

/// <summary>A network and how its weights start.</summary>
/// <remarks>
/// Whatever the network, one seed means one set of starting weights: those of the product's initializer. The RNN gets
/// the block of the LSTM's candidate; the GRU's update gate gets that of the forget gate, its reset gate that of the
/// input gate. Recurrent blocks are orthogonal, the best start known for an RNN.
/// </remarks>
internal sealed record Contender(string Name, Func<NetworkSizes, int, IRecurrentNetwork<float>> Create)
{
    public static Contender Rnn { get; } = new("vanilla RNN", CreateRnn);

    public static Contender Gru { get; } = new("GRU, update bias 1", (sizes, seed) => CreateGru(sizes, seed, chrono: false));

    public static Contender GruChrono { get; } = new("GRU, chrono biases", (sizes, seed) => CreateGru(sizes, seed, chrono: true));

    public static Contender LstmChrono { get; } = new("LSTM, chrono biases", (sizes, seed) =>
        new ProductLstm(ChronoWeights(sizes, seed), sizes.Steps));

    public static Contender Lstm(float forgetBias) => new($"LSTM, forget bias {forgetBias}", (sizes, seed) =>
    {
        LstmWeights weights = Start(sizes, seed);
        ProductLstm.Bias(weights, LstmGate.Forget).Fill(forgetBias);
        return new ProductLstm(weights, sizes.Steps);
    });

    public static Contender LstmWithout(LstmGate gate) => new($"LSTM, no {gate.ToString().ToLowerInvariant()} gate", (sizes, seed) =>
        new ProductLstm(ChronoWeights(sizes, seed), sizes.Steps, gate));

    private static LstmWeights Start(NetworkSizes sizes, int seed) =>
        WeightInitializer.Create(new LstmShape(sizes.Input, sizes.Hidden, 1, sizes.Output), (ulong)seed);

    /// <summary>
    /// Forget bias log(u), u uniform in [1, T-1], input bias its negative (Tallec and Ollivier 2018): cells that forget
    /// at all speeds between one step and the whole sequence.
    /// </summary>
    private static LstmWeights ChronoWeights(NetworkSizes sizes, int seed)
    {
        LstmWeights weights = Start(sizes, seed);
        Span<float> forget = ProductLstm.Bias(weights, LstmGate.Forget);
        FillChrono(forget, sizes.Steps, seed);
        System.Numerics.Tensors.TensorPrimitives.Negate(forget, ProductLstm.Bias(weights, LstmGate.Input));
        return weights;
    }

    private static void FillChrono(Span<float> bias, int steps, int seed)
    {
        var random = new Random(seed);

        for (int cell = 0; cell < bias.Length; cell++)
        {
            bias[cell] = (float)Math.Log(1 + random.NextDouble() * (steps - 2));
        }
    }

    private static VanillaRnn<float> CreateRnn(NetworkSizes sizes, int seed)
    {
        LstmWeights start = Start(sizes, seed);
        LstmLayer layer = start.Layer(0);
        var rnn = new VanillaRnn<float>(sizes.Input, sizes.Hidden, sizes.Output, sizes.Steps);
        CopyBlock(layer.InputWeights, LstmGate.Candidate, rnn.InputWeights, 0, sizes.Hidden);
        CopyBlock(layer.RecurrentWeights, LstmGate.Candidate, rnn.RecurrentWeights, 0, sizes.Hidden);
        start.OutputWeights.CopyTo(rnn.OutputWeights);
        return rnn;
    }

    private static Gru<float> CreateGru(NetworkSizes sizes, int seed, bool chrono)
    {
        LstmWeights start = Start(sizes, seed);
        LstmLayer layer = start.Layer(0);
        var gru = new Gru<float>(sizes.Input, sizes.Hidden, sizes.Output, sizes.Steps);
        CopyBlock(layer.InputWeights, LstmGate.Forget, gru.GateInputWeights, 0, sizes.Hidden);
        CopyBlock(layer.InputWeights, LstmGate.Input, gru.GateInputWeights, 1, sizes.Hidden);
        CopyBlock(layer.InputWeights, LstmGate.Candidate, gru.CandidateInputWeights, 0, sizes.Hidden);
        CopyBlock(layer.RecurrentWeights, LstmGate.Forget, gru.GateRecurrentWeights, 0, sizes.Hidden);
        CopyBlock(layer.RecurrentWeights, LstmGate.Input, gru.GateRecurrentWeights, 1, sizes.Hidden);
        CopyBlock(layer.RecurrentWeights, LstmGate.Candidate, gru.CandidateRecurrentWeights, 0, sizes.Hidden);
        start.OutputWeights.CopyTo(gru.OutputWeights);
        Span<float> updateBias = gru.GateBias[..sizes.Hidden];

        if (chrono)
        {
            FillChrono(updateBias, sizes.Steps, seed);
        }
        else
        {
            updateBias.Fill(1);
        }

        return gru;
    }

    /// <summary>Copies the rows of one gate, of all columns, to the rows of block <paramref name="block"/>.</summary>
    private static void CopyBlock(ReadOnlySpan<float> source, LstmGate gate, Span<float> target, int block, int size)
    {
        int columns = source.Length / (4 * size);
        int targetRows = target.Length / columns;

        for (int k = 0; k < columns; k++)
        {
            source.Slice(k * 4 * size + (int)gate * size, size).CopyTo(target[(k * targetRows + block * size)..]);
        }
    }
}
