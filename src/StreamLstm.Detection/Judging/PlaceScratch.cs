using StreamLstm.Model;
using StreamLstm.Model.Heads;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Detection.Judging;

/// <summary>
/// Buffers of one thread for networks of one shape that forecast which place comes next, and what is done in them: a step, and what a few pieces of the past teach.
/// Input one-hot over places, output a softmax over those in use. Holds nothing between two observations.
/// </summary>
/// <param name="shape">As many places in as out.</param>
/// <param name="stepsMax">Steps of a piece at most.</param>
/// <param name="piecesMax">Pieces that are learnt from together.</param>
internal sealed class PlaceScratch(LstmShape shape, int stepsMax, int piecesMax)
{
    private const double ClipNorm = 1;

    /// <summary>Steps of training after which the step length is down to 0.7 of the first.</summary>
    private const double RateSteps = 300;

    private readonly LstmScratch _step = new(shape);
    private readonly BackpropagationThroughTime _throughTime = new(shape, stepsMax, piecesMax);
    private readonly LstmGradients _gradients = new(shape);
    private readonly float[] _input = new float[shape.InputSize];                // one place 1, the others 0
    private readonly float[] _logits = new float[shape.OutputSize];
    private readonly float[] _inputs = new float[piecesMax * stepsMax * shape.InputSize];
    private readonly float[] _outputGradients = new float[piecesMax * stepsMax * shape.OutputSize];
    private readonly float[] _states = new float[piecesMax * shape.StateSize];
    private readonly byte[] _places = new byte[piecesMax * (stepsMax + 1)];
    private readonly int[] _lengths = new int[piecesMax];
    private int _pieces;

    /// <summary>h and c of whoever tries something (StateSize).</summary>
    public float[] State { get; } = new float[shape.StateSize];

    /// <summary>Feeds one place, and forecasts the next.</summary>
    /// <param name="weights">The network's.</param>
    /// <param name="place">What came.</param>
    /// <param name="state">h and c (StateSize): replaced.</param>
    /// <param name="forecast">Becomes the chance of each place in use.</param>
    public void Step(LstmWeights weights, int place, Span<float> state, Span<float> forecast)
    {
        _input[place] = 1;
        LstmNetwork.Step(weights, _input, state, _logits, _step);
        _input[place] = 0;
        ForecastHead.Softmax(_logits.AsSpan(0, forecast.Length), forecast);
    }

    /// <summary>Pieces that are to be learnt from follow.</summary>
    public void Begin() => _pieces = 0;

    /// <summary>Adds a piece: each place is the answer to the one before it.</summary>
    /// <param name="places">One more than steps.</param>
    /// <returns>Where h and c before it are to be written (StateSize).</returns>
    public Span<float> Add(ReadOnlySpan<byte> places)
    {
        places.CopyTo(_places.AsSpan(_pieces * (stepsMax + 1)));
        _lengths[_pieces] = places.Length - 1;
        return _states.AsSpan(_pieces++ * shape.StateSize, shape.StateSize);
    }

    /// <summary>What the pieces teach: the gradient of their mean surprise, cut to norm 1. Empty where it is not finite, or there was nothing in them.</summary>
    /// <param name="weights">The network's.</param>
    /// <param name="loss">Over the places in use.</param>
    /// <param name="used">How many those are.</param>
    /// <param name="isFinite">Whether it is.</param>
    public ReadOnlySpan<float> Gradients(LstmWeights weights, CrossEntropyLoss loss, int used, out bool isFinite)
    {
        ReadOnlySpan<int> lengths = _lengths.AsSpan(0, _pieces);
        int steps = 0, all = 0;

        foreach (int length in lengths)
        {
            (steps, all) = (Math.Max(steps, length), all + length);
        }

        isFinite = true;

        if (all == 0)
        {
            return [];
        }

        Span<float> inputs = _inputs.AsSpan(0, _pieces * steps * shape.InputSize);
        inputs.Clear();

        for (int i = 0; i < _pieces; i++)
        {
            for (int step = 0; step < lengths[i]; step++)
            {
                inputs[(i * steps + step) * shape.InputSize + Place(i, step)] = 1;
            }
        }

        ReadOnlySpan<float> outputs = _throughTime.Forward(weights, inputs, _states.AsSpan(0, _pieces * shape.StateSize));
        Span<float> outputGradients = _outputGradients.AsSpan(0, outputs.Length);
        outputGradients.Clear();
        Span<float> target = stackalloc float[1];

        // A shorter piece ends before the others do: what follows has neither loss nor gradient.
        for (int i = 0; i < _pieces; i++)
        {
            for (int step = 0; step < lengths[i]; step++)
            {
                int row = (i * steps + step) * shape.OutputSize;
                target[0] = Place(i, step + 1);
                loss.Evaluate(outputs.Slice(row, used), target, 1f / all, outputGradients.Slice(row, used));
            }
        }

        Span<float> gradients = _gradients.Values;
        gradients.Clear();
        _throughTime.Backward(weights, outputGradients, _gradients);
        isFinite = double.IsFinite(GradientClipping.ByGlobalNorm(gradients, ClipNorm));
        return isFinite ? gradients : [];
    }

    /// <summary>One small step along them, shorter the more there have been: what is learnt becomes sharp, and may still change.</summary>
    /// <param name="adam">The network's.</param>
    /// <param name="first">Length of the first step.</param>
    /// <param name="shareMin">The least share of it that a step falls to.</param>
    /// <param name="weights">Replaced.</param>
    /// <param name="gradients">From <see cref="Gradients"/>.</param>
    public static void Take(AdamOptimizer adam, float first, double shareMin, LstmWeights weights, ReadOnlySpan<float> gradients)
    {
        adam.LearningRate = (float)(first * Math.Max(shareMin, 1 / Math.Sqrt(1 + adam.StepCount / RateSteps)));
        adam.Step(weights.Parameters, gradients);
    }

    private byte Place(int piece, int step) => _places[piece * (stepsMax + 1) + step];
}

/// <summary>The buffers for networks of each shape that has been asked for.</summary>
/// <param name="stepsMax">Steps of a piece at most.</param>
/// <param name="piecesMax">Pieces that are learnt from together.</param>
internal sealed class PlaceScratches(int stepsMax, int piecesMax)
{
    private readonly Dictionary<LstmShape, PlaceScratch> _byShape = [];

    /// <summary>The buffers for a shape, made when first asked for.</summary>
    public PlaceScratch Of(LstmShape shape)
    {
        if (!_byShape.TryGetValue(shape, out PlaceScratch? scratch))
        {
            _byShape.Add(shape, scratch = new PlaceScratch(shape, stepsMax, piecesMax));
        }

        return scratch;
    }
}
