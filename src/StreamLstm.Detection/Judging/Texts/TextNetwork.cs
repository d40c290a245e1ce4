using System.Collections.Frozen;
using System.Runtime.InteropServices;
using StreamLstm.Model;
using StreamLstm.Model.Heads;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>The LSTM of one stream of texts, which forecasts the next token, a character or a word, and learns while lines come.</summary>
/// <remarks>
/// Input one-hot over places, output a softmax over the places in use (Graves 2013). Place 0 is every token without a
/// place of its own, place 1 the end of a line, which is where the next one begins; tokens take the others in the order in
/// which they come, until there are none left.
/// </remarks>
internal sealed class TextNetwork
{
    /// <summary>Tokens without a place of their own.</summary>
    public const byte Other = 0;

    /// <summary>The end of a line, and so the beginning of the next.</summary>
    public const byte Boundary = 1;

    /// <summary>The first place that a token may have.</summary>
    public const byte FirstToken = 2;

    /// <summary>Pieces that are learnt from together.</summary>
    public const int BatchPieces = 4;

    private const double ClipNorm = 1;

    /// <summary>Steps after which the step length is down to 0.7 of the first, and the least share it falls to.</summary>
    private const double RateSteps = 300;
    private const double RateShareMin = 0.1;

    private static readonly AdamOptions Adam = new() { LearningRate = 0.01f };

    /// <summary>What all of a shape begin with; nobody writes to it.</summary>
    private static readonly FrozenDictionary<LstmShape, LstmWeights> Beginnings =
        TextSizes.Shapes.ToFrozenDictionary(shape => shape, shape => WeightInitializer.Create(shape, seed: 1));

    private readonly LstmWeights _weights;
    private readonly AdamOptimizer _adam;
    private readonly bool _learnsUnknown;
    private CrossEntropyLoss _loss = new(FirstToken);
    private long _tokens;   // that were learnt from

    /// <param name="shape">One of <see cref="TextSizes.Shapes"/>.</param>
    /// <param name="learnsUnknown">Whether <see cref="Other"/> is learnt from the first token on, and not only once there is no place left.</param>
    public TextNetwork(LstmShape shape, bool learnsUnknown)
    {
        _weights = new LstmWeights(shape);
        _adam = new AdamOptimizer(shape.ParameterCount, Adam);
        _learnsUnknown = learnsUnknown;
        Beginnings[shape].Parameters.CopyTo(_weights.Parameters);
    }

    /// <summary>Places at most.</summary>
    public int Places => _weights.Shape.OutputSize;

    /// <summary>Places in use; forecasts are over these.</summary>
    public int Used { get; private set; } = FirstToken;

    /// <summary>Its weights, for looking at them.</summary>
    public LstmWeights Weights => _weights;

    /// <summary>Gives the next free place to a token; <see cref="Other"/> where there is none.</summary>
    public byte Open()
    {
        if (Used == Places)
        {
            return Other;
        }

        _loss = new CrossEntropyLoss(Used + 1);
        return (byte)Used++;
    }

    /// <summary>Feeds one place, and forecasts the next.</summary>
    /// <param name="place">What came.</param>
    /// <param name="state">h and c (StateSize): replaced.</param>
    /// <param name="forecast">Becomes the chance of each place in use (Used).</param>
    /// <param name="scratch">Room to work in, of its shape.</param>
    public void Step(byte place, Span<float> state, Span<float> forecast, TextNetworkScratch scratch)
    {
        scratch.Input[place] = 1;
        LstmNetwork.Step(_weights, scratch.Input, state, scratch.Logits, scratch.Step);
        scratch.Input[place] = 0;
        ForecastHead.Softmax(scratch.Logits.AsSpan(0, Used), forecast);
    }

    /// <summary>-ln of the chance that a place had, in nats. One token in all that were learnt from may be any: so what was never seen has a chance too.</summary>
    public float Surprise(ReadOnlySpan<float> forecast, byte came)
    {
        double escape = 1.0 / (_tokens + 1);
        // While there are free places no character stands for the others, so nothing was learnt of it.
        double learnt = came == Other && Used < Places && !_learnsUnknown ? 0 : forecast[came];
        return (float)-Math.Log((1 - escape) * learnt + escape / Places);
    }

    /// <summary>One small step on some pieces; false where it was left out because it was not finite.</summary>
    public bool Train(TextPieces pieces, ReadOnlySpan<int> batch, TextNetworkScratch scratch)
    {
        const int Steps = TextPieces.Steps;
        int stateSize = _weights.Shape.StateSize;
        Span<float> inputs = scratch.Inputs.AsSpan(0, batch.Length * Steps * Places);
        Span<float> states = scratch.States.AsSpan(0, batch.Length * stateSize);
        inputs.Clear();

        for (int i = 0; i < batch.Length; i++)
        {
            ReadOnlySpan<byte> places = pieces.Places(batch[i]);
            pieces.State(batch[i], states.Slice(i * stateSize, stateSize));

            for (int step = 0; step < Steps; step++)
            {
                inputs[(i * Steps + step) * Places + places[step]] = 1;
            }
        }

        ReadOnlySpan<float> outputs = scratch.ThroughTime.Forward(_weights, inputs, states);
        Span<float> outputGradients = scratch.OutputGradients.AsSpan(0, outputs.Length);
        outputGradients.Clear();
        Span<float> target = stackalloc float[1];

        for (int i = 0; i < batch.Length; i++)
        {
            ReadOnlySpan<byte> places = pieces.Places(batch[i]);

            for (int step = 0; step < Steps; step++)
            {
                int row = (i * Steps + step) * Places;
                target[0] = places[step + 1];
                _loss.Evaluate(outputs.Slice(row, Used), target, 1f / (batch.Length * Steps), outputGradients.Slice(row, Used));
            }
        }

        Span<float> gradients = scratch.Gradients.Values;
        gradients.Clear();
        scratch.ThroughTime.Backward(_weights, outputGradients, scratch.Gradients);

        if (!double.IsFinite(GradientClipping.ByGlobalNorm(gradients, ClipNorm)))
        {
            return false;
        }

        _adam.LearningRate = (float)(Adam.LearningRate * Math.Max(RateShareMin, 1 / Math.Sqrt(1 + _adam.StepCount / RateSteps)));
        _adam.Step(_weights.Parameters, gradients);
        return true;
    }

    /// <summary>Counts tokens that are to be learnt from.</summary>
    public void Count(int tokens) => _tokens += tokens;

    public void Save(BinaryWriter writer)
    {
        writer.Write(Used);
        writer.Write(_tokens);
        writer.Write(_adam.StepCount);
        writer.Write(MemoryMarshal.AsBytes(_weights.Parameters));
        writer.Write(MemoryMarshal.AsBytes(_adam.FirstMoment));
        writer.Write(MemoryMarshal.AsBytes(_adam.SecondMoment));
    }

    public void Load(BinaryReader reader)
    {
        Used = reader.ReadInt32();

        if (Used < FirstToken || Used > Places)
        {
            throw new InvalidDataException($"text network: {Used} places, expected {FirstToken} to {Places}");
        }

        _loss = new CrossEntropyLoss(Used);
        _tokens = reader.ReadInt64();
        _adam.StepCount = reader.ReadInt64();
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_weights.Parameters));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_adam.FirstMoment));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_adam.SecondMoment));
        _weights.RequireFinite();
    }
}
