using System.Collections.Frozen;
using System.Runtime.InteropServices;
using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>The LSTM of one stream of events, which forecasts the next event of a session and learns while events come.</summary>
/// <remarks>
/// Next-event softmax as DeepLog (Du et al. 2017): input one-hot over places, so that the input matrix is their embedding;
/// output a softmax over the places in use. Place 0 is every kind without a place of its own, place 1 a session's start
/// as input and its end as output. A stream that knows few kinds pays for few: places grow 32, 64, 128, 256, and what
/// was learnt stays. Until it learns for the first time it has the weights that all begin with.
/// </remarks>
internal sealed class EventNetwork
{
    /// <summary>Kinds without a place of their own.</summary>
    public const int Other = 0;

    /// <summary>A session's start, and its end.</summary>
    public const int Boundary = 1;

    /// <summary>The first place that a kind may have.</summary>
    public const int FirstKind = 2;

    /// <summary>Places at most.</summary>
    public const int PlacesMax = 256;

    /// <summary>Floats of one session's h and c.</summary>
    public const int StateSize = 2 * HiddenSize;

    /// <summary>Pieces that are learnt from together.</summary>
    public const int BatchChunks = 4;

    private const int HiddenSize = 32;
    private const int PlacesMin = 32;

    /// <summary>The least share that the step length falls to.</summary>
    private const double RateShareMin = 0.2;

    private static readonly AdamOptions Adam = new() { LearningRate = 0.01f };

    /// <summary>What all begin with, by the number of places; nobody writes to it.</summary>
    private static readonly FrozenDictionary<int, LstmWeights> Beginnings = Begin().ToFrozenDictionary(weights => weights.Shape.OutputSize);

    private LstmWeights _weights = Beginnings[PlacesMin];
    private AdamOptimizer? _adam;   // none until it has learnt, and then the weights are its own
    private CrossEntropyLoss _loss = new(FirstKind);

    /// <summary>Places in use; forecasts are over these.</summary>
    public int Used { get; private set; } = FirstKind;

    /// <summary>Feeds an event, and forecasts the next.</summary>
    /// <param name="place">The event.</param>
    /// <param name="state">h and c of the session (StateSize): replaced.</param>
    /// <param name="scratch">Its forecast becomes the probabilities of the places in use.</param>
    public void Step(int place, Span<float> state, EventScratch scratch) => scratch.Of(_weights.Shape).Step(_weights, place, state, scratch.Forecast.AsSpan(0, Used));

    /// <summary>Gives the next free place to a kind; there must be one.</summary>
    public int Open()
    {
        if (Used == _weights.Shape.OutputSize)
        {
            Grow();
        }

        int place = Used++;
        _loss = new CrossEntropyLoss(Used);
        Forget(place);
        return place;
    }

    /// <summary>Forgets what was learnt of a place: its next kind starts as an unlikely one.</summary>
    public void Forget(int place)
    {
        if (_adam is null)
        {
            return;
        }

        int outputs = _weights.Shape.OutputSize;

        for (int cell = 0; cell < HiddenSize; cell++)
        {
            _weights.OutputWeights[cell * outputs + place] = 0;
        }

        float least = 0;

        for (int other = 0; other < Used; other++)
        {
            least = other == place ? least : Math.Min(least, _weights.OutputBias[other]);
        }

        _weights.OutputBias[place] = least;
    }

    /// <summary>One small step on some pieces; false where it was left out because it was not finite.</summary>
    public bool Train(EventChunks chunks, ReadOnlySpan<int> batch, EventScratch scratch)
    {
        PlaceScratch buffers = scratch.Of(_weights.Shape);
        buffers.Begin();

        foreach (int chunk in batch)
        {
            chunks.State(chunk).CopyTo(buffers.Add(chunks.Places(chunk)));
        }

        ReadOnlySpan<float> gradients = buffers.Gradients(_weights, _loss, Used, out bool isFinite);

        if (gradients.IsEmpty)
        {
            return isFinite;
        }

        if (_adam is null)
        {
            LstmWeights beginning = _weights;
            _weights = new LstmWeights(beginning.Shape);
            beginning.Parameters.CopyTo(_weights.Parameters);
            _adam = new AdamOptimizer(beginning.Shape.ParameterCount, Adam);
        }

        PlaceScratch.Take(_adam, Adam.LearningRate, RateShareMin, _weights, gradients);
        return true;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_weights.Shape.OutputSize);
        writer.Write(Used);
        writer.Write(_adam is not null);

        if (_adam is null)
        {
            return;
        }

        writer.Write(_adam.StepCount);
        writer.Write(MemoryMarshal.AsBytes(_weights.Parameters));
        writer.Write(MemoryMarshal.AsBytes(_adam.FirstMoment));
        writer.Write(MemoryMarshal.AsBytes(_adam.SecondMoment));
    }

    public void Load(BinaryReader reader)
    {
        int places = reader.ReadInt32();
        Used = reader.ReadInt32();
        bool hasLearnt = reader.ReadBoolean();

        if (places is not (32 or 64 or 128 or PlacesMax) || Used < FirstKind || Used > places)
        {
            throw new InvalidDataException($"event network: {Used} of {places} places, expected 32, 64, 128 or 256");
        }

        _loss = new CrossEntropyLoss(Used);

        if (!hasLearnt)
        {
            (_weights, _adam) = (Beginnings[places], null);
            return;
        }

        LstmShape shape = Shape(places);
        _weights = new LstmWeights(shape);
        _adam = new AdamOptimizer(shape.ParameterCount, Adam) { StepCount = reader.ReadInt64() };
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_weights.Parameters));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_adam.FirstMoment));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_adam.SecondMoment));
        _weights.RequireFinite();
    }

    private static LstmShape Shape(int places) => new(places, HiddenSize, 1, places);

    /// <summary>Weights of all sizes, each as it would have grown from the one before: what is not in use yet has no output.</summary>
    private static IEnumerable<LstmWeights> Begin()
    {
        LstmWeights weights = WeightInitializer.Create(Shape(PlacesMin), PlacesMin);
        weights.OutputWeights.Clear();

        for (; weights.Shape.OutputSize < PlacesMax; weights = Larger(weights))
        {
            yield return weights;
        }

        yield return weights;
    }

    /// <summary>Twice the places; weights and moments of those there were go with them.</summary>
    private void Grow()
    {
        if (_adam is null)
        {
            _weights = Beginnings[2 * _weights.Shape.OutputSize];
            return;
        }

        LstmWeights larger = Larger(_weights);
        var adam = new AdamOptimizer(larger.Shape.ParameterCount, Adam) { StepCount = _adam.StepCount };
        Move(_adam.FirstMoment, adam.FirstMoment);
        Move(_adam.SecondMoment, adam.SecondMoment);
        _weights = larger;
        _adam = adam;

        void Move(Span<float> from, Span<float> to)
        {
            var before = new LstmWeights(_weights.Shape);
            var after = new LstmWeights(larger.Shape);
            from.CopyTo(before.Parameters);
            CopyInto(before, after);
            after.Parameters.CopyTo(to);
        }
    }

    /// <summary>Rows of the input matrix that are to come are small random numbers, as all were at the start.</summary>
    private static LstmWeights Larger(LstmWeights weights)
    {
        LstmShape shape = Shape(2 * weights.Shape.OutputSize);
        LstmWeights larger = WeightInitializer.Create(shape, (ulong)shape.OutputSize);
        larger.OutputWeights.Clear();
        CopyInto(weights, larger);
        return larger;
    }

    private static void CopyInto(LstmWeights from, LstmWeights to)
    {
        int before = from.Shape.OutputSize, after = to.Shape.OutputSize;
        from.Layer(0).InputWeights.CopyTo(to.Layer(0).InputWeights);
        from.Layer(0).RecurrentWeights.CopyTo(to.Layer(0).RecurrentWeights);
        from.Layer(0).Bias.CopyTo(to.Layer(0).Bias);
        from.OutputBias.CopyTo(to.OutputBias);

        for (int cell = 0; cell < HiddenSize; cell++)
        {
            from.OutputWeights.Slice(cell * before, before).CopyTo(to.OutputWeights[(cell * after)..]);
        }
    }
}
