using System.Collections.Frozen;
using System.Runtime.InteropServices;
using StreamLstm.Model;
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

    /// <summary>The least share that the step length falls to.</summary>
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
    public void Step(byte place, Span<float> state, Span<float> forecast, PlaceScratch scratch) => scratch.Step(_weights, place, state, forecast);

    /// <summary>-ln of the chance that a place had, in nats. One token in all that were learnt from may be any: so what was never seen has a chance too.</summary>
    public float Surprise(ReadOnlySpan<float> forecast, byte came)
    {
        double escape = 1.0 / (_tokens + 1);
        // While there are free places no character stands for the others, so nothing was learnt of it.
        double learnt = came == Other && Used < Places && !_learnsUnknown ? 0 : forecast[came];
        return (float)-Math.Log((1 - escape) * learnt + escape / Places);
    }

    /// <summary>One small step on some pieces; false where it was left out because it was not finite.</summary>
    public bool Train(TextPieces pieces, ReadOnlySpan<int> batch, PlaceScratch scratch)
    {
        scratch.Begin();

        foreach (int piece in batch)
        {
            pieces.State(piece, scratch.Add(pieces.Places(piece)));
        }

        ReadOnlySpan<float> gradients = scratch.Gradients(_weights, _loss, Used, out bool isFinite);

        if (!gradients.IsEmpty)
        {
            PlaceScratch.Take(_adam, Adam.LearningRate, RateShareMin, _weights, gradients);
        }

        return isFinite;
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
