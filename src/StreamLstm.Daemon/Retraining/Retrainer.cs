using System.Diagnostics;
using System.Runtime.ExceptionServices;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Retraining;

/// <summary>Trains new base weights on recent clean windows, on its period, and puts them into service if they are better.</summary>
/// <remarks>Scoring never waits for it: it trains on copies, on a thread of its own, and swaps one reference.</remarks>
/// <param name="windows">Recent clean windows of all streams; null where it is not this daemon's turn to train.</param>
/// <param name="versions">What serves, and what is to.</param>
/// <param name="options">When, and on how much.</param>
/// <param name="seed">Of the training.</param>
/// <param name="metrics">Told of trainings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of trainings.</param>
internal sealed class Retrainer(
    Func<CancellationToken, Task<IReadOnlyList<TrainingWindow>?>> windows,
    ModelVersions versions,
    RetrainOptions options,
    int seed,
    DaemonMetrics metrics,
    TimeProvider time,
    ILogger<Retrainer> logger)
{
    private volatile RetrainOptions _options = options;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How the last training ended, for the page; null before the first.</summary>
    public RetrainReport? Last { get; private set; }

    /// <summary>When the next training is due; null when there will be none.</summary>
    public DateTimeOffset? NextAt { get; private set; }

    /// <summary>The share of the present training that is done; null between trainings.</summary>
    public double? Progress { get; private set; }

    /// <summary>Trains by other options from now on.</summary>
    public void Change(RetrainOptions options)
    {
        _options = options;
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        bool isFirst = true;

        try
        {
            while (true)
            {
                Task changed = Volatile.Read(ref _changed).Task;
                RetrainOptions options = _options;
                TimeSpan wait = !options.Enabled ? Timeout.InfiniteTimeSpan : isFirst ? options.FirstAfter : options.Period;
                NextAt = options.Enabled ? time.GetUtcNow() + wait : null;

                // Whoever changes the period waits for it anew.
                if (await Task.WhenAny(changed, Task.Delay(wait, time, stopping)) != changed)
                {
                    stopping.ThrowIfCancellationRequested();
                    isFirst = false;
                    await TrainAsync(stopping);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            NextAt = null;
        }
    }

    /// <summary>One training, whatever the period says.</summary>
    internal async Task TrainAsync(CancellationToken stopping)
    {
        if (await windows(stopping) is not { } recent)
        {
            return;
        }

        if (recent.Count < _options.WindowsMin)
        {
            Report("too_few_windows", TimeSpan.Zero, double.NaN, double.NaN, recent.Count);
            LogMessages.TooFewWindows(logger, recent.Count, _options.WindowsMin);
            return;
        }

        BaseModel champion = versions.Newest;
        long started = Stopwatch.GetTimestamp();

        try
        {
            if (await RollBackAsync(champion, recent, stopping))
            {
                return;
            }

            TrainingResult result = await AsideAsync(
                limit => BaseTraining.Train(champion.Weights, recent, seed + (int)champion.Version, new Share(this), cancellationToken: limit), stopping);
            TimeSpan duration = Stopwatch.GetElapsedTime(started);

            // R4: the file, then the journal, then the first score. Whoever has other weights serve meanwhile knows why.
            bool isBetter = result.Verdict == TrainingVerdict.Promoted;
            string verdict = isBetter && !await versions.ReplaceAsync(champion, result, stopping)
                ? "superseded"
                : System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(result.Verdict.ToString());
            Report(verdict, duration, result.ChampionLoss, result.CandidateLoss, result.TrainingWindows);
            LogMessages.Trained(
                logger, verdict, result.TrainingWindows, result.HeldOutWindows, result.Epochs, duration.TotalSeconds,
                result.ChampionLoss, result.CandidateLoss, versions.Newest.Version);
        }
#pragma warning disable CA1031 // whatever went wrong, the champion keeps serving
        catch (Exception failed) when (failed is not (OperationCanceledException or System.Threading.Channels.ChannelClosedException))
#pragma warning restore CA1031
        {
            Report("failed", Stopwatch.GetElapsedTime(started), double.NaN, double.NaN, recent.Count);
            LogMessages.TrainingFailed(logger, failed);
        }
        finally
        {
            Progress = null;
        }
    }

    /// <summary>Puts the weights back that served before, where they forecast the recent windows better: more and more of those came after the training.</summary>
    private async Task<bool> RollBackAsync(BaseModel champion, IReadOnlyList<TrainingWindow> recent, CancellationToken stopping)
    {
        if (versions.BeforeTrained() is not { } before)
        {
            return false;
        }

        long started = Stopwatch.GetTimestamp();
        (bool isBetter, double championLoss, double beforeLoss) = await AsideAsync(_ => BaseTraining.Compare(champion.Weights, before.Weights, recent), stopping);

        if (!isBetter || !await versions.TakeBackAsync(champion, stopping))
        {
            return false;
        }

        Report("rolled_back", Stopwatch.GetElapsedTime(started), championLoss, beforeLoss, recent.Count);
        LogMessages.RolledBack(logger, champion.Version, recent.Count, championLoss, beforeLoss, versions.Newest.Version);
        return true;
    }

    /// <summary>Works on a thread that lets all others go first.</summary>
    /// <remarks>
    /// That thread hands nothing on by itself: one that it had to make for that would take its low priority over, and keep it for as long
    /// as the pool keeps the thread.
    /// </remarks>
    private Task<T> AsideAsync<T>(Func<CancellationToken, T> work, CancellationToken stopping) => Task.Factory.StartNew(
        () =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            limit.CancelAfter(_options.TimeMax);
            T? result = default;
            ExceptionDispatchInfo? failure = null;
            var thread = new Thread(() =>
            {
                KernelPriority.LowerThisThread();

                try
                {
                    result = work(limit.Token);
                }
#pragma warning disable CA1031 // travels to the awaiting task
                catch (Exception failed)
#pragma warning restore CA1031
                {
                    failure = ExceptionDispatchInfo.Capture(failed);
                }
            })
            {
                IsBackground = true,
                Name = "retrainer",
            };
            thread.Start();
            thread.Join();
            failure?.Throw();
            return result!;
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Report(string result, TimeSpan duration, double championLoss, double candidateLoss, int windows)
    {
        Last = new RetrainReport(time.GetUtcNow(), result, duration, championLoss, candidateLoss, windows);
        metrics.Trained(result, duration, championLoss, candidateLoss);
    }

    private sealed class Share(Retrainer retrainer) : IProgress<double>
    {
        public void Report(double value) => retrainer.Progress = value;
    }
}

/// <summary>How a training ended.</summary>
internal sealed record RetrainReport(
    DateTimeOffset Time, string Result, TimeSpan Duration, double ChampionLoss, double CandidateLoss, int Windows);
