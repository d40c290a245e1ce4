using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using StreamLstm.Model.Kernels;

namespace StreamLstm.Model.Training;

/// <summary>Settings of <see cref="AdamOptimizer"/>.</summary>
public sealed record AdamOptions
{
    /// <summary>Step size.</summary>
    public float LearningRate { get; init; } = 0.01f;

    /// <summary>Share of the first moment that stays.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>Share of the second moment that stays.</summary>
    public float Beta2 { get; init; } = 0.99f;

    /// <summary>Added to the root of the second moment.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <summary>Share of each weight that a step takes away, times the learning rate; apart from the gradient.</summary>
    public float WeightDecay { get; init; } = 1e-4f;
}

/// <summary>Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
/// <remarks><code>
///   m ← β1 m + (1-β1) g    v ← β2 v + (1-β2) g²
///   w ← w - rate (m / (1-β1^t) / (√(v / (1-β2^t)) + ε) + decay w)
/// </code></remarks>
public sealed class AdamOptimizer
{
    private readonly AdamOptions _options;
    private readonly float[] _firstMoment;
    private readonly float[] _secondMoment;

    /// <summary>An optimizer that has made no step.</summary>
    /// <param name="parameterCount">Parameters it will move.</param>
    /// <param name="options">Its settings.</param>
    public AdamOptimizer(int parameterCount, AdamOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _firstMoment = new float[parameterCount];
        _secondMoment = new float[parameterCount];
        LearningRate = options.LearningRate;
    }

    /// <summary>Step size of the next step.</summary>
    public float LearningRate { get; set; }

    /// <summary>m (parameters).</summary>
    public Span<float> FirstMoment => _firstMoment;

    /// <summary>v (parameters).</summary>
    public Span<float> SecondMoment => _secondMoment;

    /// <summary>t: steps made.</summary>
    public long StepCount { get; set; }

    /// <summary>Moves the parameters against the gradients.</summary>
    /// <exception cref="ArgumentException">A span has another length than the optimizer was made for.</exception>
    public void Step(Span<float> parameters, ReadOnlySpan<float> gradients)
    {
        LstmNetwork.Require(parameters.Length, _firstMoment.Length, nameof(parameters));
        LstmNetwork.Require(gradients.Length, _firstMoment.Length, nameof(gradients));
        StepCount++;
        var step = new Moves(
            LearningRate,
            (float)(1 / (1 - Math.Pow(_options.Beta1, StepCount))),
            (float)(1 / (1 - Math.Pow(_options.Beta2, StepCount))));
        int from = 0;

        if (VectorWidth.Widest >= 16)
        {
            from = StepFrom<Lanes512, Vector512<float>>(from, step, parameters, gradients);
        }

        if (VectorWidth.Widest >= 8)
        {
            from = StepFrom<Lanes256, Vector256<float>>(from, step, parameters, gradients);
        }

        if (VectorWidth.Widest >= 4)
        {
            from = StepFrom<Lanes128, Vector128<float>>(from, step, parameters, gradients);
        }

        StepFrom<Lanes32, Vector128<float>>(from, step, parameters, gradients);
    }

    private int StepFrom<TLanes, TVector>(int from, Moves step, Span<float> parameters, ReadOnlySpan<float> gradients)
        where TLanes : ILanes<TVector>
        where TVector : struct
    {
        ref float parameter = ref MemoryMarshal.GetReference(parameters);
        ref float gradient = ref MemoryMarshal.GetReference(gradients);
        ref float firstMoment = ref MemoryMarshal.GetArrayDataReference(_firstMoment);
        ref float secondMoment = ref MemoryMarshal.GetArrayDataReference(_secondMoment);
        TVector beta1 = TLanes.All(_options.Beta1), beta2 = TLanes.All(_options.Beta2);
        TVector rest1 = TLanes.All(1 - _options.Beta1), rest2 = TLanes.All(1 - _options.Beta2);

        for (; from + TLanes.Count <= gradients.Length; from += TLanes.Count)
        {
            TVector g = TLanes.Load(ref gradient, from);
            TVector w = TLanes.Load(ref parameter, from);
            TVector m = TLanes.FusedMultiplyAdd(beta1, TLanes.Load(ref firstMoment, from), TLanes.Multiply(rest1, g));
            TVector v = TLanes.FusedMultiplyAdd(
                beta2, TLanes.Load(ref secondMoment, from), TLanes.Multiply(rest2, TLanes.Multiply(g, g)));
            TVector root = TLanes.SquareRoot(TLanes.Multiply(v, TLanes.All(step.SecondCorrection)));
            TVector move = TLanes.Divide(
                TLanes.Multiply(m, TLanes.All(step.FirstCorrection)), TLanes.Add(root, TLanes.All(_options.Epsilon)));
            move = TLanes.FusedMultiplyAdd(TLanes.All(_options.WeightDecay), w, move);
            TLanes.Store(m, ref firstMoment, from);
            TLanes.Store(v, ref secondMoment, from);
            TLanes.Store(TLanes.Subtract(w, TLanes.Multiply(TLanes.All(step.Rate), move)), ref parameter, from);
        }

        return from;
    }

    /// <summary>What the parameters of one step have in common.</summary>
    private readonly record struct Moves(float Rate, float FirstCorrection, float SecondCorrection);
}
