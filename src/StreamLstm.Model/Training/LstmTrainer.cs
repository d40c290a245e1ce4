using System.Numerics.Tensors;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Model.Training;

/// <summary>One sequence to learn from.</summary>
/// <param name="Inputs">(T, I).</param>
/// <param name="Targets">(T, target size of the loss); NaN = missing.</param>
public sealed record TrainingSequence(ReadOnlyMemory<float> Inputs, ReadOnlyMemory<float> Targets)
{
    /// <summary>In place of <see cref="Inputs"/> where each step's input is one-hot: which of its I values is 1, the others being 0; (T).</summary>
    /// <remarks>A sequence of 250 kinds takes 4 bytes a step so, else 1,000.</remarks>
    public ReadOnlyMemory<int> Places { get; init; }

    /// <summary>T.</summary>
    internal int Steps(int inputSize) => Places.IsEmpty ? Inputs.Length / inputSize : Places.Length;
}

/// <summary>Settings of <see cref="LstmTrainer"/>.</summary>
public sealed record LstmTrainingOptions
{
    /// <summary>What is to become small.</summary>
    public required SequenceLoss Loss { get; init; }

    /// <summary>Passes over all sequences at most.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Sequences of one step.</summary>
    public int BatchSequences { get; init; } = 32;

    /// <summary>Steps the gradient goes back. A longer sequence is cut; h and c go on across the cut, the gradient does not.</summary>
    public int TruncationSteps { get; init; } = 128;

    /// <summary>Length of the optimizer's steps.</summary>
    public LearningRateSchedule LearningRate { get; init; } = new(0.005f);

    /// <summary>The optimizer; its own rate gives way to the schedule's.</summary>
    public AdamOptions Adam { get; init; } = new();

    /// <summary>Largest norm of a step's gradient.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Share of what a layer hands to the next that is left out.</summary>
    public float Dropout { get; init; }

    /// <summary>Epochs without a better loss on the validation sequences before training ends; needs such sequences.</summary>
    public int Patience { get; init; } = 5;

    /// <summary>Seed of the order of the sequences and of dropout.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads at most; changes no bit of the result.</summary>
    public int Threads { get; init; } = 1;
}

/// <summary>How far a training has come.</summary>
/// <param name="Epoch">Epochs done.</param>
/// <param name="Epochs">Epochs at most.</param>
/// <param name="TrainingLoss">Mean loss per step of the epoch.</param>
/// <param name="ValidationLoss">The same on the validation sequences after it; NaN where there are none.</param>
public sealed record TrainingProgress(int Epoch, int Epochs, double TrainingLoss, double ValidationLoss);

/// <summary>Trains a network on sequences: truncated backpropagation through time, Adam, clipping, early stopping.</summary>
/// <remarks>
/// A batch is cut into groups of a fixed size, each with a tape and a gradient of its own; groups may run on several
/// threads, and their gradients are added in the order of the groups. So the same seed gives the same weights, whatever
/// the number of threads. A group runs no further than its longest sequence, and one that has ended waits outside: the cost
/// is that of the steps there are, not of the batch's longest sequence for each.
/// </remarks>
public sealed class LstmTrainer
{
    /// <summary>Two tiles of the kernel.</summary>
    private const int GroupSequences = 12;

    private readonly LstmShape _shape;
    private readonly LstmTrainingOptions _options;
    private readonly Group[] _groups;

    /// <summary>A trainer.</summary>
    /// <exception cref="ArgumentException">The network's output is not what the loss reads.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range.</exception>
    public LstmTrainer(LstmShape shape, LstmTrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSequences, 1, nameof(options.BatchSequences));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TruncationSteps, 1, nameof(options.TruncationSteps));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Epochs, 1, nameof(options.Epochs));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, nameof(options.Threads));

        if (options.Loss.OutputSize != shape.OutputSize)
        {
            throw new ArgumentException(
                $"the loss reads {options.Loss.OutputSize} values, expected the network's {shape.OutputSize}", nameof(options));
        }

        _shape = shape;
        _options = options;
        int groups = (options.BatchSequences + GroupSequences - 1) / GroupSequences;
        _groups = [.. Enumerable.Range(0, groups).Select(group => new Group(shape, options, group))];
    }

    /// <summary>Steps run forward so far, of all sequences, those that fill up a group's cut among them: what the cost goes by.</summary>
    public long StepsRun => _groups.Sum(group => group.StepsRun);

    /// <summary>Trains <paramref name="weights"/> in place; leaves the best seen, by validation loss where there are validation sequences.</summary>
    /// <param name="weights">Where to start, and the result.</param>
    /// <param name="training">Sequences to learn from.</param>
    /// <param name="validation">Sequences to judge by; none = train to the last epoch.</param>
    /// <param name="progress">Told after each epoch.</param>
    /// <param name="cancellationToken">Ends the training after the batch at work; the best weights so far are left.</param>
    /// <returns>Each epoch's figures.</returns>
    /// <exception cref="ArgumentException">A sequence's sizes do not fit the network and the loss, or there is none.</exception>
    public IReadOnlyList<TrainingProgress> Train(
        LstmWeights weights,
        IReadOnlyList<TrainingSequence> training,
        IReadOnlyList<TrainingSequence> validation,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        weights.RequireFinite();
        RequireSequences(training, nameof(training));

        if (validation.Count > 0)
        {
            RequireSequences(validation, nameof(validation));
        }

        var adam = new AdamOptimizer(_shape.ParameterCount, _options.Adam);
        var random = new Kernels.SplitMix64(_options.Seed);
        TrainingSequence[] order = [.. training];
        float[] best = weights.Parameters.ToArray();
        double bestLoss = double.PositiveInfinity;
        List<TrainingProgress> report = [];

        for (int epoch = 1, waited = 0; epoch <= _options.Epochs && waited < _options.Patience; epoch++)
        {
            Shuffle(order, ref random);
            double loss = RunAll(weights, order, adam, cancellationToken);

            if (cancellationToken.IsCancellationRequested)
            {
                break;
            }

            double validationLoss = validation.Count > 0 ? Loss(weights, validation) : double.NaN;
            report.Add(new TrainingProgress(epoch, _options.Epochs, loss, validationLoss));
            progress?.Report(report[^1]);
            bool better = validation.Count == 0 || validationLoss < bestLoss;
            waited = better ? 0 : waited + 1;

            if (better)
            {
                bestLoss = validationLoss;
                weights.Parameters.CopyTo(best);
            }
        }

        best.CopyTo(weights.Parameters);
        return report;
    }

    /// <summary>Mean loss per step that has a target.</summary>
    /// <exception cref="ArgumentException">A sequence's sizes do not fit the network and the loss, or there is none.</exception>
    public double Loss(LstmWeights weights, IReadOnlyList<TrainingSequence> sequences)
    {
        ArgumentNullException.ThrowIfNull(weights);
        RequireSequences(sequences, nameof(sequences));
        return RunAll(weights, [.. sequences], adam: null, CancellationToken.None);
    }

    private static void Shuffle(TrainingSequence[] sequences, ref Kernels.SplitMix64 random)
    {
        for (int i = sequences.Length - 1; i > 0; i--)
        {
            int other = (int)(random.NextDouble() * (i + 1));
            (sequences[i], sequences[other]) = (sequences[other], sequences[i]);
        }
    }

    private double RunAll(LstmWeights weights, TrainingSequence[] sequences, AdamOptimizer? adam, CancellationToken cancellationToken)
    {
        double loss = 0;
        long scored = 0;

        for (int first = 0; first < sequences.Length && !cancellationToken.IsCancellationRequested; first += _options.BatchSequences)
        {
            TrainingSequence[] batch = sequences[first..Math.Min(first + _options.BatchSequences, sequences.Length)];
            int longest = batch.Max(sequence => sequence.Steps(_shape.InputSize));

            for (int from = 0; from < longest; from += _options.TruncationSteps)
            {
                (double chunkLoss, long chunkScored) = RunChunk(weights, batch, from, Math.Min(_options.TruncationSteps, longest - from), adam);
                loss += chunkLoss;
                scored += chunkScored;
            }
        }

        return scored == 0 ? 0 : loss / scored;
    }

    /// <summary>The same steps of every sequence of a batch; one step of the optimizer.</summary>
    private (double Loss, long Scored) RunChunk(LstmWeights weights, TrainingSequence[] batch, int from, int steps, AdamOptimizer? adam)
    {
        Group[] used = _groups[..((batch.Length + GroupSequences - 1) / GroupSequences)];
        Parallel.ForEach(
            used,
            new ParallelOptions { MaxDegreeOfParallelism = _options.Threads },
            group => group.Run(weights, batch, from, steps, withGradients: adam is not null));
        double loss = 0;
        long scored = 0;

        foreach (Group group in used)
        {
            loss += group.Loss;
            scored += group.Scored;
        }

        if (adam is not null && scored > 0)
        {
            Span<float> sum = used[0].Gradients.Values;

            foreach (Group group in used[1..])
            {
                TensorPrimitives.Add(sum, group.Gradients.Values, sum);
            }

            TensorPrimitives.Multiply(sum, 1f / scored, sum);

            if (double.IsFinite(GradientClipping.ByGlobalNorm(sum, _options.ClipNorm)))
            {
                adam.LearningRate = _options.LearningRate.At((int)adam.StepCount);
                adam.Step(weights.Parameters, sum);
            }
        }

        return (loss, scored);
    }

    private void RequireSequences(IReadOnlyList<TrainingSequence> sequences, string name)
    {
        if (sequences.Count == 0)
        {
            throw new ArgumentException("no sequence, expected at least one", name);
        }

        for (int i = 0; i < sequences.Count; i++)
        {
            TrainingSequence sequence = sequences[i];
            int inputs = sequence.Inputs.Length, places = sequence.Places.Length, targets = sequence.Targets.Length;

            if (inputs > 0 == places > 0 || inputs % _shape.InputSize != 0 || targets != sequence.Steps(_shape.InputSize) * _options.Loss.TargetSize)
            {
                throw new ArgumentException(
                    $"{name}[{i}] holds {inputs} inputs, {places} places and {targets} targets, expected {_shape.InputSize} inputs or one place, and {_options.Loss.TargetSize} targets for each step",
                    name);
            }

            if (sequence.Places.Span.IndexOfAnyExceptInRange(0, _shape.InputSize - 1) is >= 0 and int wrong)
            {
                throw new ArgumentException(
                    $"{name}[{i}] has place {sequence.Places.Span[wrong]} at step {wrong}, expected 0 to {_shape.InputSize - 1}", name);
            }
        }
    }

    /// <summary>Some sequences of a batch, their tape, each one's state between chunks, and their gradient.</summary>
    private sealed class Group
    {
        private readonly LstmShape _shape;
        private readonly LstmTrainingOptions _options;
        private readonly int _index;
        private readonly BackpropagationThroughTime _throughTime;
        private readonly InterLayerDropout? _dropout;
        private readonly float[] _inputs;
        private readonly float[] _outputGradients;
        private readonly float[] _states;
        private readonly float[] _kept;
        private readonly int[] _running = new int[GroupSequences];

        public Group(LstmShape shape, LstmTrainingOptions options, int index)
        {
            _shape = shape;
            _options = options;
            _index = index;
            int rows = GroupSequences * options.TruncationSteps;
            _throughTime = new BackpropagationThroughTime(shape, options.TruncationSteps, GroupSequences);
            _dropout = options.Dropout > 0 ? new InterLayerDropout(options.Dropout, options.Seed + (ulong)index + 1) : null;
            _inputs = new float[rows * shape.InputSize];
            _outputGradients = new float[rows * shape.OutputSize];
            _states = new float[GroupSequences * shape.StateSize];
            _kept = new float[GroupSequences * shape.StateSize];
            Gradients = new LstmGradients(shape);
        }

        public LstmGradients Gradients { get; }

        public double Loss { get; private set; }

        public long Scored { get; private set; }

        public long StepsRun { get; private set; }

        public void Run(LstmWeights weights, TrainingSequence[] batch, int from, int steps, bool withGradients)
        {
            int first = _index * GroupSequences;
            int last = Math.Min(first + GroupSequences, batch.Length);
            int count = 0;
            int longest = 0;
            (Loss, Scored) = (0, 0);

            for (int sequence = first; sequence < last; sequence++)
            {
                int left = batch[sequence].Steps(_shape.InputSize) - from;

                if (left > 0)
                {
                    _running[count++] = sequence;
                    longest = Math.Max(longest, Math.Min(left, steps));
                }
            }

            if (withGradients)
            {
                Gradients.Clear();
            }

            if (count == 0)
            {
                return;
            }

            // What has ended had a gradient of nought: without it every sum is the same.
            Span<float> states = _states.AsSpan(0, count * _shape.StateSize);
            Span<float> inputs = _inputs.AsSpan(0, count * longest * _shape.InputSize);
            StepsRun += (long)count * longest;
            inputs.Clear();

            for (int i = 0; i < count; i++)
            {
                Feed(batch[_running[i]], from, longest, inputs.Slice(i * longest * _shape.InputSize));
                Span<float> state = states.Slice(i * _shape.StateSize, _shape.StateSize);

                if (from == 0)
                {
                    state.Clear();
                }
                else
                {
                    StateOf(_running[i] - first).CopyTo(state);
                }
            }

            ReadOnlySpan<float> outputs = _throughTime.Forward(weights, inputs, states, withGradients ? _dropout : null);
            Span<float> outputGradients = _outputGradients.AsSpan(0, outputs.Length);
            outputGradients.Clear();

            for (int i = 0; i < count; i++)
            {
                Judge(batch[_running[i]], i, from, longest, outputs, outputGradients);
            }

            ReadOnlySpan<float> final = _throughTime.FinalStates();

            for (int i = 0; i < count; i++)
            {
                final.Slice(i * _shape.StateSize, _shape.StateSize).CopyTo(StateOf(_running[i] - first));
            }

            if (withGradients)
            {
                _throughTime.Backward(weights, outputGradients, Gradients);
            }
        }

        private Span<float> StateOf(int sequence) => _kept.AsSpan(sequence * _shape.StateSize, _shape.StateSize);

        private void Feed(TrainingSequence sequence, int from, int steps, Span<float> inputs)
        {
            Part(sequence.Inputs.Span, _shape.InputSize, from, steps).CopyTo(inputs);
            ReadOnlySpan<int> places = Part(sequence.Places.Span, 1, from, steps);

            for (int step = 0; step < places.Length; step++)
            {
                inputs[step * _shape.InputSize + places[step]] = 1;
            }
        }

        private void Judge(
            TrainingSequence sequence, int index, int from, int steps, ReadOnlySpan<float> outputs, Span<float> outputGradients)
        {
            int targetSize = _options.Loss.TargetSize, outputSize = _shape.OutputSize;
            ReadOnlySpan<float> targets = Part(sequence.Targets.Span, targetSize, from, steps);

            for (int step = 0; step < targets.Length / targetSize; step++)
            {
                ReadOnlySpan<float> target = targets.Slice(step * targetSize, targetSize);
                Scored += TensorPrimitives.IsNaNAll(target) ? 0 : 1;
                int row = index * steps + step;
                Loss += _options.Loss.Evaluate(
                    outputs.Slice(row * outputSize, outputSize), target, 1, outputGradients.Slice(row * outputSize, outputSize));
            }
        }

        private static ReadOnlySpan<T> Part<T>(ReadOnlySpan<T> values, int size, int from, int steps)
        {
            int start = Math.Min(from * size, values.Length);
            return values[start..Math.Min((from + steps) * size, values.Length)];
        }
    }
}
