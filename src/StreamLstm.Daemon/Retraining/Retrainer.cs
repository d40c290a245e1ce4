using System.Diagnostics;
using System.Runtime.ExceptionServices;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Retraining;

/// <summary>Trains new base weights on recent clean windows, on its period, and puts them into service if they are better.</summary>
/// <remarks>Scoring never waits for it: it trains on copies, on a thread of its own, and swaps one reference.</remarks>
/// <param name="windows">Recent clean windows of all streams; null where it is not this daemon's turn to train.</param>
/// <param name="versions">What serves, and what is to.</param>
/// <param name="groups">Streams that may have weights of their own.</param>
/// <param name="options">When, and on how much.</param>
/// <param name="seed">Of the training.</param>
/// <param name="metrics">Told of trainings.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of trainings.</param>
internal sealed class Retrainer(
    Func<CancellationToken, Task<IReadOnlyList<TrainingWindow>?>> windows,
    ModelVersions versions,
    IReadOnlyList<ModelGroup> groups,
    RetrainOptions options,
    int seed,
    DaemonMetrics metrics,
    TimeProvider time,
    ILogger<Retrainer> logger)
{
    /// <summary>Windows that must have come meanwhile for them to be asked.</summary>
    private const int ShadowWindowsMin = 10;

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

    /// <summary>One training of each group and of the other streams, whatever the period says.</summary>
    internal async Task TrainAsync(CancellationToken stopping)
    {
        if (await windows(stopping) is not { } recent)
        {
            return;
        }

        foreach (string? group in groups.Select(group => group.Name).Prepend(null))
        {
            await TrainAsync(group, [.. recent.Where(window => IsOf(group, window))], stopping);
        }
    }

    /// <summary>Whether a window is of a stream that such weights serve: a group without weights of its own is served as all are.</summary>
    private bool IsOf(string? group, TrainingWindow window) => ModelGroup.Of(groups, window.Stream) is var its
        && (its == group || (group is null && !versions.Newest.Groups.ContainsKey(its!)));

    private async Task TrainAsync(string? group, IReadOnlyList<TrainingWindow> recent, CancellationToken stopping)
    {
        if (recent.Count < _options.WindowsMin)
        {
            Report("too_few_windows", group, TimeSpan.Zero, double.NaN, double.NaN, recent.Count);
            LogMessages.TooFewWindows(logger, Said(group), recent.Count, _options.WindowsMin);
            return;
        }

        BaseModel champion = versions.Newest;
        long started = Stopwatch.GetTimestamp();

        try
        {
            if (await RollBackAsync(champion, group, recent, stopping))
            {
                return;
            }

            TrainingResult result = await AsideAsync(
                limit => BaseTraining.Train(champion.Of(group).Weights, recent, seed + (int)champion.Version, new Share(this), cancellationToken: limit), stopping);
            TimeSpan duration = Stopwatch.GetElapsedTime(started);

            // R4: the file, then the journal, then the first score. Whoever has other weights serve meanwhile knows why.
            string verdict =
                result.Verdict != TrainingVerdict.Promoted ? System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(result.Verdict.ToString())
                : !await IsBetterBesideAsync(champion.Of(group), group, result, recent, stopping) ? "worse_beside"
                : !await versions.ReplaceAsync(champion, group, result, stopping) ? "superseded"
                : "promoted";
            Report(verdict, group, duration, result.ChampionLoss, result.CandidateLoss, result.TrainedOn.Count);
            LogMessages.Trained(
                logger, Said(group), verdict, result.TrainedOn.Count, result.HeldOut.Count, result.Epochs, duration.TotalSeconds,
                result.ChampionLoss, result.CandidateLoss, result.ChampionSeparation, result.CandidateSeparation, versions.Newest.Version);
        }
#pragma warning disable CA1031 // whatever went wrong, the champion keeps serving
        catch (Exception failed) when (failed is not (OperationCanceledException or System.Threading.Channels.ChannelClosedException))
#pragma warning restore CA1031
        {
            Report("failed", group, Stopwatch.GetElapsedTime(started), double.NaN, double.NaN, recent.Count);
            LogMessages.TrainingFailed(logger, failed);
        }
        finally
        {
            Progress = null;
        }
    }

    /// <summary>Has a candidate forecast beside the weights in service, and asks the windows that came meanwhile which of the two they had better have had.</summary>
    /// <returns>False where those in service were the better; true too where too few windows came to say.</returns>
    private async Task<bool> IsBetterBesideAsync(
        BaseModel champion, string? group, TrainingResult result, IReadOnlyList<TrainingWindow> before, CancellationToken stopping)
    {
        if (_options.Shadow <= TimeSpan.Zero)
        {
            return true;
        }

        Progress = null;
        await Task.Delay(_options.Shadow, time, stopping);
        var known = before.ToHashSet(ReferenceEqualityComparer.Instance);
        TrainingWindow[] since = [.. (await windows(stopping) ?? []).Where(window => IsOf(group, window) && !known.Contains(window))];

        if (since.Length < ShadowWindowsMin)
        {
            return true;
        }

        (bool isChampionBetter, double candidateLoss, double championLoss) =
            await AsideAsync(_ => BaseTraining.Compare(result.Candidate, champion.Weights, since, margin: 0), stopping);
        LogMessages.ForecastBeside(logger, Said(group), since.Length, championLoss, candidateLoss);
        return !isChampionBetter;
    }

    /// <summary>Puts the weights back that served before, where they forecast the recent windows better: more and more of those came after the training.</summary>
    private async Task<bool> RollBackAsync(BaseModel champion, string? group, IReadOnlyList<TrainingWindow> recent, CancellationToken stopping)
    {
        if (versions.BeforeTrained(group) is not { } before)
        {
            return false;
        }

        long started = Stopwatch.GetTimestamp();
        (bool isBetter, double championLoss, double beforeLoss) =
            await AsideAsync(_ => BaseTraining.Compare(champion.Of(group).Weights, before.Weights, recent), stopping);

        if (!isBetter || !await versions.TakeBackAsync(champion, group, stopping))
        {
            return false;
        }

        Report("rolled_back", group, Stopwatch.GetElapsedTime(started), championLoss, beforeLoss, recent.Count);
        LogMessages.RolledBack(logger, champion.Of(group).Since, recent.Count, championLoss, beforeLoss, versions.Newest.Version);
        return true;
    }

    /// <summary>A group, for people.</summary>
    private static string Said(string? group) => group is null ? "all streams" : $"group {group}";

    /// <summary>Works on a thread that lets all others go first.</summary>
    /// <remarks>
    /// That thread hands nothing on by itself: one that it had to make for that would take its low priority over, and keep it for as long
    /// as the pool keeps the thread.
    /// </remarks>
    private Task<T> AsideAsync<T>(Func<CancellationToken, T> work, CancellationToken stopping) => Task.Factory.StartNew(
        () =>
        {
            using var allowed = new CancellationTokenSource(_options.TimeMax);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping, allowed.Token);
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

    private void Report(string result, string? group, TimeSpan duration, double championLoss, double candidateLoss, int windows)
    {
        Last = new RetrainReport(time.GetUtcNow(), result, duration, championLoss, candidateLoss, windows, group);
        metrics.Trained(result, duration, championLoss, candidateLoss);
    }

    private sealed class Share(Retrainer retrainer) : IProgress<double>
    {
        public void Report(double value) => retrainer.Progress = value;
    }
}

/// <summary>How a training ended, and of which group; null for the streams that are in none with weights of its own.</summary>
internal sealed record RetrainReport(
    DateTimeOffset Time, string Result, TimeSpan Duration, double ChampionLoss, double CandidateLoss, int Windows, string? Group = null);
