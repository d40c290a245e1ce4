using System.Numerics.Tensors;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Synthetic.Lives;
using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Reconstructing;

/// <summary>How the network that reconstructs stretches is trained.</summary>
public sealed record ReconstructionTrainingOptions
{
    /// <summary>Lives of each family to learn from, 1 or more.</summary>
    public int LivesPerFamily { get; init; } = 12;

    /// <summary>Steps of the optimizer, 1 or more.</summary>
    public int Steps { get; init; } = 12_000;

    /// <summary>H: cells.</summary>
    public int Cells { get; init; } = 32;

    /// <summary>Seed of the lives, the stretches and the starting weights.</summary>
    public ulong Seed { get; init; } = 1;
}

/// <summary>What reconstructing clean stretches of held-out lives comes to, in mean deviations of each life: mean absolute errors.</summary>
/// <param name="Stretches">Stretches.</param>
/// <param name="Ours">What the network said.</param>
/// <param name="Carried">The last value, carried on.</param>
/// <param name="Season">The same rows a season before; the last value where the life has none.</param>
/// <param name="Nearest">What followed when the stream was most as it was just before the stretch.</param>
/// <param name="InBand">Share of the rows inside the 90 % band.</param>
public readonly record struct ReconstructionError(int Stretches, double Ours, double Carried, double Season, double Nearest, double InBand);

/// <summary>Trains the network that says what a stretch should have looked like, on the clean rows of simulated lives.</summary>
public static class ReconstructionTraining
{
    private const int Batch = 16;
    private const int LengthMin = 12;
    private const int LengthMax = 128;
    private const int LifeRows = 6_000;
    private const int StretchesPerLife = 20;
    private const int TuningSteps = 150;

    /// <summary>Rows of a stream that are past before its first stretch.</summary>
    private const int FirstRow = 400;

    /// <summary>Trains a network.</summary>
    /// <param name="options">How.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public static LstmWeights Train(ReconstructionTrainingOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        StretchPast[] pasts = [.. Lives(validation: false, options.LivesPerFamily, options.Seed * 1_000, cancellationToken)];
        ReconstructionNetwork network = ReconstructionNetwork.Untrained(options.Cells, options.Seed);
        Fit(network, pasts, int.MaxValue, options.Steps, new LearningRateSchedule(0.005f, 100, options.Steps, 0.02f), options.Seed, progress, cancellationToken);
        return network.Weights;
    }

    /// <summary>Goes on with a network on what one stream was before a stretch: the more it knows of the stream's own shape, the nearer it comes.</summary>
    internal static ReconstructionNetwork Tuned(ReconstructionNetwork network, StretchPast past, int from, CancellationToken cancellationToken)
    {
        ReconstructionNetwork tuned = network.Clone();
        Fit(tuned, [past], from, TuningSteps, new LearningRateSchedule(0.002f, 20, TuningSteps, 0.02f), seed: 1, progress: null, cancellationToken);
        return tuned;
    }

    /// <summary>Takes steps on stretches of the pasts that end before a row.</summary>
    private static void Fit(
        ReconstructionNetwork network, StretchPast[] pasts, int endRow, int steps, LearningRateSchedule rate, ulong seed, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var trainer = new ReconstructionNetwork.Trainer(network, Batch, LengthMax, rate);
        var random = new SeededRandom(seed);
        var stretches = new (StretchPast, int)[Batch];

        for (int step = 0; step < steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = (int)(LengthMin * Math.Pow((double)LengthMax / LengthMin, random.NextDouble()));

            for (int i = 0; i < Batch; i++)
            {
                StretchPast past = pasts[random.Next(pasts.Length)];
                stretches[i] = (past, Draw(FirstRow, Math.Min(endRow, past.Rows), length, ref random));
            }

            trainer.Step(stretches, length);
            progress?.Report((step + 1.0) / steps);
        }
    }

    /// <summary>What a network makes of clean stretches of lives of families that none was trained on.</summary>
    /// <param name="weights">The network; null for the one that comes with the program.</param>
    /// <param name="length">Rows of a stretch, 1 to 256.</param>
    /// <param name="livesPerFamily">Lives of each family.</param>
    /// <param name="seed">Of lives and stretches.</param>
    /// <param name="tuned">Whether it goes on to learn from the first half of each life, as it does where somebody asks.</param>
    public static ReconstructionError Measure(LstmWeights? weights, int length, int livesPerFamily, ulong seed, bool tuned)
    {
        ReconstructionNetwork network = weights is null ? ReconstructionNetwork.Shipped : new ReconstructionNetwork(weights);
        var random = new SeededRandom(seed);
        var sum = default(ReconstructionError);

        foreach (StretchPast past in Lives(validation: true, livesPerFamily, 500_000 + seed * 1_000, CancellationToken.None))
        {
            ReconstructionNetwork asked = tuned ? Tuned(network, past, past.Rows / 2, CancellationToken.None) : network;

            for (int i = 0; i < StretchesPerLife; i++)
            {
                int from = Draw(past.Rows / 2, past.Rows, length, ref random);
                sum = Add(sum, past, from, asked.Fill(past, from, length));
            }
        }

        int n = sum.Stretches;
        return new ReconstructionError(n, sum.Ours / n, sum.Carried / n, sum.Season / n, sum.Nearest / n, sum.InBand / n);
    }

    /// <summary>Adds what was said of one stretch; a life that never changes says nothing.</summary>
    private static ReconstructionError Add(in ReconstructionError sum, StretchPast past, int from, ReadOnlySpan<float> bands)
    {
        int length = bands.Length / 3;
        float[] inputs = new float[(StretchPast.ReadRows + length) * StretchPast.InputSize], candidates = new float[length * StretchPast.Candidates];
        past.Stage(from, length, inputs, candidates);
        double mean = TensorPrimitives.Average(past.Y), deviation = 0;

        foreach (float value in past.Y)
        {
            deviation += Math.Abs(value - mean) / past.Rows;
        }

        if (deviation < 1e-6)
        {
            return sum;
        }

        double ours = 0, carried = 0, season = 0, nearest = 0, inBand = 0;

        for (int row = 0; row < length; row++)
        {
            float value = past.Y[from + row];
            ReadOnlySpan<float> peers = candidates.AsSpan(row * StretchPast.Candidates, StretchPast.Candidates);
            ours += Math.Abs(value - bands[3 * row + 1]);
            carried += Math.Abs(value - peers[StretchPast.Carried]);
            season += Math.Abs(value - peers[StretchPast.Season]);
            nearest += Math.Abs(value - peers[StretchPast.Nearest]);
            inBand += value >= bands[3 * row] && value <= bands[3 * row + 2] ? 1 : 0;
        }

        double share = 1 / (deviation * length);
        return new ReconstructionError(
            sum.Stretches + 1, sum.Ours + ours * share, sum.Carried + carried * share, sum.Season + season * share, sum.Nearest + nearest * share, sum.InBand + inBand / length);
    }

    private static int Draw(int firstRow, int endRow, int length, ref SeededRandom random) => firstRow + random.Next(Math.Max(1, endRow - firstRow - length));

    /// <summary>Lives without faults, as a stream's memory would hold them.</summary>
    private static IEnumerable<StretchPast> Lives(bool validation, int perFamily, ulong seed, CancellationToken cancellationToken)
    {
        var scratch = new DetectionScratch();

        foreach (string family in SimulatedLives.Families(validation))
        {
            for (int i = 0; i < perFamily; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                SimulatedLife life = SimulatedLives.Create(family, LifeRows, seed + (ulong)i, faulty: false);
                yield return Past(life.Values, life.Seconds, scratch);
            }
        }
    }

    /// <summary>A clean series as a stream's memory would hold it: of a counter its changes.</summary>
    private static StretchPast Past(double[] values, double[] seconds, DetectionScratch scratch)
    {
        var counter = new CounterRate();
        var random = new SeededRandom(1);
        (ValueRing ring, SortedReservoir history, var seasons) = (NewRing(), NewHistory(), new Seasons());

        for (int i = 0; i < values.Length; i++)
        {
            double? told = counter.Of(values[i], 1);
            counter.Take(values[i]);

            if (counter.HasJustBecome)
            {
                (ring, history, seasons) = (NewRing(), NewHistory(), new Seasons());
            }

            if (told is not { } value)
            {
                continue;
            }

            ring.Append(value, seconds[i], 1);
            history.Add(value, ref random);

            if (Seasons.IsDue(ring.Count, ring.RowsMax))
            {
                seasons.Find(ring, ValueScale.Of(history), (seconds[^1] - seconds[0]) / (values.Length - 1), scratch);
            }
        }

        var scale = ValueScale.Of(history);
        float[] y = new float[ring.Count];

        for (int row = 0; row < y.Length; row++)
        {
            y[row] = (float)scale.Y(ring[row]);
        }

        return new StretchPast(y, new bool[y.Length], seasons.Short, seasons.Long);
    }

    private static ValueRing NewRing() => new(MemorySizes.RingRowsMax);

    private static SortedReservoir NewHistory() => new(capacity: 512, horizon: 8192);
}
