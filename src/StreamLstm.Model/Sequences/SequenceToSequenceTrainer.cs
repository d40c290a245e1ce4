using StreamLstm.Model.Kernels;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Model.Sequences;

/// <summary>Settings of <see cref="SequenceToSequenceTrainer"/>.</summary>
public sealed record SequenceToSequenceOptions
{
    /// <summary>Pairs of one step, 1 or more.</summary>
    public int BatchPairs { get; init; } = 24;

    /// <summary>Tokens of the longest source or target, 1 or more.</summary>
    public int TokensMax { get; init; } = 64;

    /// <summary>Length of the optimizer's steps.</summary>
    public LearningRateSchedule LearningRate { get; init; } = new(0.005f);

    /// <summary>The optimizer; its own rate gives way to the schedule's.</summary>
    public AdamOptions Adam { get; init; } = new() { WeightDecay = 0 };

    /// <summary>Largest norm of a step's gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Seed of the order of the pairs.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>Trains an encoder and a decoder together: teacher forcing, and the gradient back through both.</summary>
/// <remarks>
/// The decoder is fed with the target itself, whatever it would have written (Williams and Zipser 1989). What its first h and c would have
/// had to be is its gradient by them, and that is where the encoder's way back begins. Pairs of a batch have sources of one length, so that
/// no state goes through padding; shorter targets are padded with steps that count nothing.
/// </remarks>
public sealed class SequenceToSequenceTrainer
{
    private readonly SequenceToSequence _model;
    private readonly SequenceToSequenceOptions _options;
    private readonly BackpropagationThroughTime _encoder;
    private readonly BackpropagationThroughTime _decoder;
    private readonly LstmGradients _encoderGradients;
    private readonly LstmGradients _decoderGradients;
    private readonly AdamOptimizer _encoderAdam;
    private readonly AdamOptimizer _decoderAdam;
    private readonly CrossEntropyLoss _loss;
    private readonly float[] _sources;
    private readonly float[] _targets;
    private readonly float[] _outputGradients;
    private readonly float[] _noGradients;
    private readonly float[] _states;
    private readonly float[] _stateGradients;
    private readonly float[] _all;

    /// <summary>A trainer of one model.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range.</exception>
    public SequenceToSequenceTrainer(SequenceToSequence model, SequenceToSequenceOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchPairs, 1, nameof(options.BatchPairs));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TokensMax, 1, nameof(options.TokensMax));
        (_model, _options) = (model, options);
        LstmShape encoder = model.Shape.Encoder, decoder = model.Shape.Decoder;
        int pairs = options.BatchPairs, steps = options.TokensMax + 1;
        _encoder = new BackpropagationThroughTime(encoder, options.TokensMax, pairs);
        _decoder = new BackpropagationThroughTime(decoder, steps, pairs);
        (_encoderGradients, _decoderGradients) = (new LstmGradients(encoder), new LstmGradients(decoder));
        (_encoderAdam, _decoderAdam) = (new AdamOptimizer(encoder.ParameterCount, options.Adam), new AdamOptimizer(decoder.ParameterCount, options.Adam));
        _loss = new CrossEntropyLoss(decoder.OutputSize);
        _sources = new float[pairs * options.TokensMax * encoder.InputSize];
        _targets = new float[pairs * steps * decoder.InputSize];
        _outputGradients = new float[pairs * steps * decoder.OutputSize];
        _noGradients = new float[pairs * options.TokensMax];
        _states = new float[pairs * encoder.StateSize];
        _stateGradients = new float[pairs * encoder.StateSize];
        _all = new float[encoder.ParameterCount + decoder.ParameterCount];
    }

    /// <summary>dLoss/d(encoder's weights) of the last batch, before it was clipped.</summary>
    internal ReadOnlySpan<float> EncoderGradients => _encoderGradients.Values;

    /// <summary>dLoss/d(decoder's weights) of the last batch, before it was clipped.</summary>
    internal ReadOnlySpan<float> DecoderGradients => _decoderGradients.Values;

    /// <summary>Steps of the optimizer so far.</summary>
    public long StepCount => _encoderAdam.StepCount;

    /// <summary>Takes steps, each on pairs drawn by the seed.</summary>
    /// <param name="pairs">Pairs to learn from.</param>
    /// <param name="steps">Steps to take.</param>
    /// <param name="progress">Told after each step its loss: nats a token, the end among them.</param>
    /// <param name="cancellationToken">Ends it after the step at work.</param>
    /// <returns>The mean loss of the last tenth of the steps.</returns>
    /// <exception cref="ArgumentException">There is no pair, a source is empty, one is too long, or a number is no token's.</exception>
    public double Train(IReadOnlyList<SequencePair> pairs, int steps, Action<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        Require(pairs);
        SequencePair[][] byLength = [.. pairs.GroupBy(pair => pair.Source.Count).OrderBy(group => group.Key).Select(group => group.ToArray())];
        var random = new SplitMix64(_options.Seed + (ulong)_encoderAdam.StepCount);
        var batch = new SequencePair[_options.BatchPairs];
        double sum = 0;
        int summed = 0;

        for (int step = 0; step < steps && !cancellationToken.IsCancellationRequested; step++)
        {
            // A pair is drawn evenly, and the others of its length with it.
            SequencePair[] group = byLength[^1];
            int at = (int)(random.NextDouble() * pairs.Count);

            foreach (SequencePair[] one in byLength)
            {
                if (at < one.Length)
                {
                    group = one;
                    break;
                }

                at -= one.Length;
            }

            for (int i = 0; i < batch.Length; i++)
            {
                batch[i] = group[(int)(random.NextDouble() * group.Length)];
            }

            double loss = Accumulate(batch);
            Step();
            progress?.Invoke(loss);

            if (step >= steps - Math.Max(1, steps / 10))
            {
                sum += loss;
                summed++;
            }
        }

        return summed == 0 ? double.NaN : sum / summed;
    }

    /// <summary>The batch's loss in nats a token, and its gradient; sources of one length.</summary>
    internal double Accumulate(IReadOnlyList<SequencePair> batch)
    {
        LstmShape encoder = _model.Shape.Encoder, decoder = _model.Shape.Decoder;
        int sourceSteps = batch[0].Source.Count, targetSteps = batch.Max(pair => pair.Target.Count) + 1;
        Span<float> sources = _sources.AsSpan(0, batch.Count * sourceSteps * encoder.InputSize);
        Span<float> targets = _targets.AsSpan(0, batch.Count * targetSteps * decoder.InputSize);
        sources.Clear();
        targets.Clear();

        for (int i = 0; i < batch.Count; i++)
        {
            for (int step = 0; step < sourceSteps; step++)
            {
                sources[(i * sourceSteps + step) * encoder.InputSize + batch[i].Source[step]] = 1;
            }

            for (int step = 0; step <= batch[i].Target.Count; step++)
            {
                targets[(i * targetSteps + step) * decoder.InputSize + (step == 0 ? _model.Shape.Boundary : batch[i].Target[step - 1])] = 1;
            }
        }

        Span<float> states = _states.AsSpan(0, batch.Count * encoder.StateSize);
        states.Clear();
        _encoder.Forward(_model.Encoder, sources, states);
        _encoder.FinalStates().CopyTo(states);
        ReadOnlySpan<float> outputs = _decoder.Forward(_model.Decoder, targets, states);
        Span<float> outputGradients = _outputGradients.AsSpan(0, outputs.Length);
        outputGradients.Clear();
        int tokens = batch.Sum(pair => pair.Target.Count + 1);
        Span<float> target = stackalloc float[1];
        double loss = 0;

        for (int i = 0; i < batch.Count; i++)
        {
            for (int step = 0; step <= batch[i].Target.Count; step++)
            {
                int row = (i * targetSteps + step) * decoder.OutputSize;
                target[0] = step == batch[i].Target.Count ? _model.Shape.Boundary : batch[i].Target[step];
                loss += _loss.Evaluate(outputs.Slice(row, decoder.OutputSize), target, 1f / tokens, outputGradients.Slice(row, decoder.OutputSize));
            }
        }

        _encoderGradients.Clear();
        _decoderGradients.Clear();
        Span<float> stateGradients = _stateGradients.AsSpan(0, states.Length);
        _decoder.Backward(_model.Decoder, outputGradients, _decoderGradients, [], stateGradients);
        _encoder.Backward(_model.Encoder, _noGradients.AsSpan(0, batch.Count * sourceSteps), _encoderGradients, stateGradients, []);
        return loss;
    }

    /// <summary>One step of the optimizer, clipped over both networks as one; none where it is not finite.</summary>
    private void Step()
    {
        int encoder = _encoderGradients.Values.Length;
        _encoderGradients.Values.CopyTo(_all);
        _decoderGradients.Values.CopyTo(_all.AsSpan(encoder));

        if (double.IsFinite(GradientClipping.ByGlobalNorm(_all, _options.ClipNorm)))
        {
            _encoderAdam.LearningRate = _decoderAdam.LearningRate = _options.LearningRate.At((int)_encoderAdam.StepCount);
            _encoderAdam.Step(_model.Encoder.Parameters, _all.AsSpan(0, encoder));
            _decoderAdam.Step(_model.Decoder.Parameters, _all.AsSpan(encoder));
        }
    }

    private void Require(IReadOnlyList<SequencePair> pairs)
    {
        if (pairs.Count == 0)
        {
            throw new ArgumentException("no pair, expected one at least", nameof(pairs));
        }

        for (int i = 0; i < pairs.Count; i++)
        {
            int source = pairs[i].Source.Count, target = pairs[i].Target.Count;

            if (source < 1 || source > _options.TokensMax || target > _options.TokensMax)
            {
                throw new ArgumentException($"pairs[{i}] has {source} tokens of source and {target} of target, expected 1 to {_options.TokensMax} and at most {_options.TokensMax}", nameof(pairs));
            }

            SequenceToSequence.Require(pairs[i].Source, _model.Shape.SourceTokens, $"pairs[{i}].Source");
            SequenceToSequence.Require(pairs[i].Target, _model.Shape.TargetTokens, $"pairs[{i}].Target");
        }
    }
}
