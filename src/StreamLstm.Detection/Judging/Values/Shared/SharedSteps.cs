using System.Runtime.CompilerServices;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Heads;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>Steps of the base network that streams in shared form are due, taken together; and what was said of the one judged last.</summary>
/// <remarks>
/// Belongs to the thread that scores. A step waits until <see cref="Most"/> have come, a stream that waits is asked for
/// again, or the batch of observations ends, and no longer: no observation is delayed by it. A stream's step comes to the same bits
/// whatever is stepped beside it, so no score depends on how batches were cut.
/// </remarks>
internal sealed class SharedSteps
{
    /// <summary>Steps that are taken together at most.</summary>
    public const int Most = 64;

    private static readonly ForecastShape Shape = ForecastInput.Shape;
    private static readonly int[] Rows = [.. Enumerable.Range(0, Most)];

    /// <summary>Once for all threads; streams of several model groups come in turns.</summary>
    private static readonly ConditionalWeakTable<ForecastWeights, PackedLstmWeights> Packed = [];

    private readonly SharedJudge?[] _waiting = new SharedJudge?[Most];
    private readonly float[] _inputs = new float[Most * ForecastInput.Size];
    private readonly int[] _anchors = new int[Most * ForecastInput.Anchors];
    private readonly float[] _states = new float[Most * Shape.Network.StateSize];
    private readonly float[] _logits = new float[Most * Shape.Network.OutputSize];
    private readonly LstmScratch _scratch = new(Shape.Network);
    private ForecastWeights? _weights;
    private PackedLstmWeights? _packed;
    private int _count;
    private double _askedRows;
    private double _askedDecades = Math.Log10(0);

    /// <summary>What was said of the observation judged last, and of which stream.</summary>
    public Judgement Said { get; } = new(SharedIndicators.Count);

    public SharedJudge? SaidOf { get; set; }

    /// <summary>What the measures of the observation judged last came to: (measures).</summary>
    public float[] Measures { get; } = new float[SharedIndicators.Measures];

    /// <summary>The same as bytes: (measures).</summary>
    public byte[] Codes { get; } = new byte[SharedIndicators.Measures];

    /// <summary>How far the network is to be trusted after that observation.</summary>
    public (float Next, float Ahead) Trust { get; set; }

    /// <summary>Room for the probabilities of bins: (bins).</summary>
    public float[] Probabilities { get; } = new float[Scoring.QuantileBins.Count];

    /// <summary>Streams whose h and c had become non-finite and were set to zero, since this was last asked.</summary>
    public int TakeResets()
    {
        (int resets, Resets) = (Resets, 0);
        return resets;
    }

    private int Resets { get; set; }

    /// <summary>The logarithm of the rows that a stream's alerts are to be apart: of streams in turn it is mostly the same.</summary>
    /// <param name="rows">Those rows.</param>
    public double DecadesOf(double rows)
    {
        if (rows != _askedRows)
        {
            (_askedRows, _askedDecades) = (rows, Math.Log10(rows));
        }

        return _askedDecades;
    }

    /// <summary>A stream is due a step: room for what the network is told, to be filled at once.</summary>
    /// <param name="judge">Whose step it is; it does not wait already.</param>
    /// <param name="weights">The base weights in service.</param>
    /// <param name="anchors">(anchors): bins the forecast may lean on.</param>
    /// <returns>(inputs).</returns>
    public Span<float> Add(SharedJudge judge, ForecastWeights weights, out Span<int> anchors)
    {
        if (_count == Most || (_count > 0 && weights != _weights))
        {
            Take();
        }

        if (weights != _weights)
        {
            (_weights, _packed) = (weights, Packed.GetValue(weights, one => new PackedLstmWeights(one.Network)));
        }

        int place = _count++;
        _waiting[place] = judge;
        anchors = _anchors.AsSpan(place * ForecastInput.Anchors, ForecastInput.Anchors);
        return _inputs.AsSpan(place * ForecastInput.Size, ForecastInput.Size);
    }

    /// <summary>Takes all steps that wait.</summary>
    public void Take()
    {
        if (_count == 0)
        {
            return;
        }

        int count = _count, size = Shape.Network.StateSize, outputs = Shape.Network.OutputSize;
        _count = 0;

        for (int place = 0; place < count; place++)
        {
            _waiting[place]!.State.CopyTo(_states.AsSpan(place * size));
        }

        ForecastHead.Step(
            _weights!, _packed!, _inputs.AsSpan(0, count * ForecastInput.Size), _states.AsSpan(0, count * size), Rows.AsSpan(0, count),
            _anchors.AsSpan(0, count * ForecastInput.Anchors), _logits.AsSpan(0, count * outputs), _scratch);

        for (int place = 0; place < count; place++)
        {
            Resets += _waiting[place]!.Stepped(_states.AsSpan(place * size, size), _logits.AsSpan(place * outputs, outputs)) ? 0 : 1;
            _waiting[place] = null;
        }
    }
}
