using StreamLstm.Model;
using StreamLstm.Model.Training;

namespace StreamLstm.Detection.Learning;

/// <summary>How a training of base weights ended.</summary>
public enum TrainingVerdict
{
    /// <summary>The candidate is better on the held-out windows and sound: it may serve.</summary>
    Promoted,

    /// <summary>The champion stays: the candidate is not better.</summary>
    NotBetter,

    /// <summary>The champion stays: the candidate tells injected faults from clean values less well.</summary>
    Blunter,

    /// <summary>The champion stays: the candidate's weights are not finite or grew out of proportion.</summary>
    Unsound,
}

/// <summary>A candidate and what it is worth.</summary>
/// <param name="Verdict">Whether it may serve.</param>
/// <param name="Candidate">The trained weights.</param>
/// <param name="ChampionLoss">Mean loss of the weights in service on the held-out windows, in nats per target.</param>
/// <param name="CandidateLoss">The same of the candidate.</param>
/// <param name="TrainedOn">Windows trained on.</param>
/// <param name="HeldOut">Windows judged on; never trained on.</param>
/// <param name="Epochs">Passes over the training windows.</param>
public sealed record TrainingResult(
    TrainingVerdict Verdict,
    ForecastWeights Candidate,
    double ChampionLoss,
    double CandidateLoss,
    IReadOnlyList<TrainingWindow> TrainedOn,
    IReadOnlyList<TrainingWindow> HeldOut,
    int Epochs)
{
    /// <summary>The chance that an injected fault surprises the weights in service more than a clean value does, on the held-out windows; null where they hold none.</summary>
    public required double? ChampionSeparation { get; init; }

    /// <summary>The same of the candidate.</summary>
    public required double? CandidateSeparation { get; init; }
}

/// <summary>Trains base weights on windows of all streams and holds them against the weights in service.</summary>
public static class BaseTraining
{
    private const int BatchWindows = 16;

    /// <summary>Passes over the training windows at most, where nothing else is asked for.</summary>
    public const int DefaultEpochsMax = 20;

    /// <summary>Every so many-th window is held out.</summary>
    private const int HoldOutEvery = 5;

    /// <summary>Epochs without improvement on the held-out windows before training ends.</summary>
    private const int Patience = 3;

    /// <summary>A candidate must be better by this share, else noise would swap models for ever.</summary>
    private const double Margin = 0.005;

    /// <summary>What a candidate may tell faults worse by: less than the noise of a few hundred windows is no loss.</summary>
    private const double SeparationMargin = 0.002;

    /// <summary>Trains a candidate from the champion's weights.</summary>
    /// <param name="champion">The weights in service; not changed.</param>
    /// <param name="windows">Clean windows; every fifth is held out.</param>
    /// <param name="seed">Seed of the order of the windows.</param>
    /// <param name="progress">Told the share done, 0 to 1, after every batch of windows.</param>
    /// <param name="epochsMax">Passes over the training windows at most, 1 or more.</param>
    /// <param name="cancellationToken">Ends the training early with the best weights so far being judged.</param>
    /// <exception cref="ArgumentException">Fewer than two windows, or less than one epoch.</exception>
    public static TrainingResult Train(
        ForecastWeights champion,
        IReadOnlyList<TrainingWindow> windows,
        int seed,
        IProgress<double>? progress = null,
        int epochsMax = DefaultEpochsMax,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(champion);
        ArgumentNullException.ThrowIfNull(windows);
        ArgumentOutOfRangeException.ThrowIfLessThan(epochsMax, 1);

        if (windows.Count < 2)
        {
            throw new ArgumentException($"{windows.Count} windows, expected at least 2", nameof(windows));
        }

        var random = new SeededRandom((ulong)seed);
        TrainingWindow[] shuffled = [.. windows];
        Shuffle(shuffled, ref random);
        int heldOutCount = Math.Max(1, shuffled.Length / HoldOutEvery);
        TrainingWindow[] heldOut = shuffled[..heldOutCount];
        TrainingWindow[] training = shuffled[heldOutCount..];

        var scratch = new DetectionScratch();
        var adam = new AdamOptimizer(ForecastInput.Shape.ParameterCount, new AdamOptions { LearningRate = 0.005f });
        double championLoss = Loss(champion, heldOut, scratch);
        ForecastWeights candidate = champion.Clone();
        ForecastWeights best = champion.Clone();
        double bestLoss = championLoss;
        int epoch = 0;

        for (int waited = 0; epoch < epochsMax && waited < Patience && !cancellationToken.IsCancellationRequested; epoch++)
        {
            Shuffle(training, ref random);
            TrainEpoch(candidate, training, adam, scratch, share => progress?.Report((epoch + share) / epochsMax), cancellationToken);
            double loss = Loss(candidate, heldOut, scratch);
            waited++;

            if (loss < bestLoss)
            {
                bestLoss = loss;
                best.CopyFrom(candidate);
                waited = 0;
            }
        }

        double? championSeparation = FaultSeparation.Of(champion, heldOut, scratch), bestSeparation = FaultSeparation.Of(best, heldOut, scratch);
        TrainingVerdict verdict =
            !IsSound(champion, best) ? TrainingVerdict.Unsound
            : !(bestLoss < (1 - Margin) * championLoss) ? TrainingVerdict.NotBetter
            : bestSeparation < championSeparation - SeparationMargin ? TrainingVerdict.Blunter
            : TrainingVerdict.Promoted;
        return new TrainingResult(verdict, best, championLoss, bestLoss, training, heldOut, epoch)
        {
            ChampionSeparation = championSeparation,
            CandidateSeparation = bestSeparation,
        };
    }

    /// <summary>Whether weights that served before forecast recent windows better than those in service: by as much as a candidate would have to.</summary>
    /// <param name="champion">The weights in service.</param>
    /// <param name="before">Those before them.</param>
    /// <param name="windows">Recent clean windows, at least one.</param>
    /// <param name="margin">The share by which they must be better.</param>
    /// <returns>Whether they do, and the mean loss of both, in nats per target.</returns>
    public static (bool IsBetter, double ChampionLoss, double BeforeLoss) Compare(
        ForecastWeights champion, ForecastWeights before, IReadOnlyList<TrainingWindow> windows, double margin = Margin)
    {
        ArgumentNullException.ThrowIfNull(champion);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(windows);
        ArgumentOutOfRangeException.ThrowIfZero(windows.Count);
        var scratch = new DetectionScratch();
        double championLoss = Loss(champion, windows, scratch), beforeLoss = Loss(before, windows, scratch);
        return (beforeLoss < (1 - margin) * championLoss, championLoss, beforeLoss);
    }

    private static void TrainEpoch(
        ForecastWeights candidate, TrainingWindow[] training, AdamOptimizer adam, DetectionScratch scratch,
        Action<double> report, CancellationToken cancellationToken)
    {
        for (int start = 0; start < training.Length && !cancellationToken.IsCancellationRequested; start += BatchWindows)
        {
            int end = Math.Min(start + BatchWindows, training.Length);

            for (int i = start; i < end; i++)
            {
                TrainingWindow window = training[i];
                scratch.Trainer.Accumulate(
                    candidate, window.Inputs, window.Anchors, window.Targets, ZeroState(scratch), TrainingWindow.WarmUpRows);
            }

            scratch.Trainer.Apply(candidate, adam);
            report((double)end / training.Length);
        }
    }

    private static double Loss(ForecastWeights weights, IReadOnlyList<TrainingWindow> windows, DetectionScratch scratch)
    {
        double sum = 0;

        foreach (TrainingWindow window in windows)
        {
            sum += scratch.Trainer.Loss(
                weights, window.Inputs, window.Anchors, window.Targets, ZeroState(scratch), TrainingWindow.WarmUpRows);
        }

        return sum / windows.Count;
    }

    private static ReadOnlySpan<float> ZeroState(DetectionScratch scratch) =>
        scratch.ZeroStates.AsSpan(0, ForecastInput.Shape.Network.StateSize);

    /// <summary>Finite, and the weights' norm at most ten times the champion's: an exploded training never serves.</summary>
    private static bool IsSound(ForecastWeights champion, ForecastWeights candidate)
    {
        double norm = Norm(candidate.Parameters);
        return double.IsFinite(norm) && norm <= 10 * Norm(champion.Parameters);
    }

    private static double Norm(ReadOnlySpan<float> values)
    {
        double sum = 0;

        foreach (float value in values)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum);
    }

    private static void Shuffle(TrainingWindow[] windows, ref SeededRandom random)
    {
        for (int i = windows.Length - 1; i > 0; i--)
        {
            int other = random.Next(i + 1);
            (windows[i], windows[other]) = (windows[other], windows[i]);
        }
    }
}
