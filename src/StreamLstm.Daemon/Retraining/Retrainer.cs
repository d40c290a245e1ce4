using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection.Learning;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Retraining;

/// <summary>Whose weights are trained.</summary>
/// <param name="WindowsAsync">Recent clean windows of all its streams; null where it is not this daemon's turn to train.</param>
/// <param name="Serving">The weights in service.</param>
/// <param name="SwapAsync">Puts better ones into service, whose file is durable by then.</param>
internal sealed record Trainee(
    Func<CancellationToken, Task<IReadOnlyList<TrainingWindow>?>> WindowsAsync, Func<BaseModel> Serving, Func<BaseModel, ModelSwap, CancellationToken, Task> SwapAsync)
{
    public static Trainee Of(DetectionPipeline pipeline, LiveModel live, DaemonMetrics metrics) => new(
        async cancellation => await pipeline.CollectWindowsAsync(cancellation), () => live.Serving.Model, async (model, swap, cancellation) =>
        {
            await pipeline.Decisions.SwapAsync(model, swap, cancellation);
            metrics.Swapped(model.Version);
        });

    public static Trainee Of(ClusterWeights weights, LiveModel live) => new(
        weights.WindowsAsync, () => live.Serving.Model, (model, swap, _) =>
        {
            weights.Tell(model, swap);
            return Task.CompletedTask;
        });
}

/// <summary>Trains new base weights on recent clean windows, on its period, and puts them into service if they are better.</summary>
/// <remarks>Scoring never waits for it: it trains on copies, on a thread of its own, and swaps one reference.</remarks>
internal sealed class Retrainer(
    Trainee trainee,
    StorageDirectory storage,
    RetrainOptions options,
    int seed,
    DaemonMetrics metrics,
    TimeProvider time,
    ILogger<Retrainer> logger)
{
    private const int ModelsKept = 5;

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
        if (await trainee.WindowsAsync(stopping) is not { } windows)
        {
            return;
        }

        if (windows.Count < _options.WindowsMin)
        {
            Report("too_few_windows", TimeSpan.Zero, double.NaN, double.NaN, windows.Count);
            LogMessages.TooFewWindows(logger, windows.Count, _options.WindowsMin);
            return;
        }

        BaseModel champion = trainee.Serving();
        long started = Stopwatch.GetTimestamp();

        try
        {
            TrainingResult result = await TrainOnOwnThreadAsync(champion, windows, stopping);
            TimeSpan duration = Stopwatch.GetElapsedTime(started);

            if (result.Verdict == TrainingVerdict.Promoted)
            {
                await PromoteAsync(champion, result, stopping);
            }

            string verdict = System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(result.Verdict.ToString());
            Report(verdict, duration, result.ChampionLoss, result.CandidateLoss, result.TrainingWindows);
            LogMessages.Trained(
                logger, verdict, result.TrainingWindows, result.HeldOutWindows, result.Epochs, duration.TotalSeconds,
                result.ChampionLoss, result.CandidateLoss, trainee.Serving().Version);
        }
#pragma warning disable CA1031 // whatever went wrong, the champion keeps serving
        catch (Exception failed) when (failed is not (OperationCanceledException or System.Threading.Channels.ChannelClosedException))
#pragma warning restore CA1031
        {
            Report("failed", Stopwatch.GetElapsedTime(started), double.NaN, double.NaN, windows.Count);
            LogMessages.TrainingFailed(logger, failed);
        }
        finally
        {
            Progress = null;
        }
    }

    /// <remarks>
    /// The thread that trains hands nothing on by itself: one that it had to make for that would take its low priority over, and keep
    /// it for as long as the pool keeps the thread.
    /// </remarks>
    private Task<TrainingResult> TrainOnOwnThreadAsync(BaseModel champion, IReadOnlyList<TrainingWindow> windows, CancellationToken stopping) =>
        Task.Factory.StartNew(
            () =>
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                limit.CancelAfter(_options.TimeMax);
                TrainingResult? result = null;
                ExceptionDispatchInfo? failure = null;
                var thread = new Thread(() =>
                {
                    KernelPriority.LowerThisThread();

                    try
                    {
                        result = BaseTraining.Train(champion.Weights, windows, seed + (int)champion.Version, new Share(this), cancellationToken: limit.Token);
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

    /// <summary>R4: the file, then the journal, then the first score.</summary>
    private async Task PromoteAsync(BaseModel champion, TrainingResult result, CancellationToken stopping)
    {
        var model = new BaseModel(champion.Version + 1, result.Candidate);
        DateTimeOffset now = time.GetUtcNow();
        string sha256 = Keep(model, result, now);
        await trainee.SwapAsync(
            model, new ModelSwap(model.Version, now, result.ChampionLoss, result.CandidateLoss, result.TrainingWindows, sha256), stopping);
    }

    /// <summary>The weights of a swap that a former life of the program made.</summary>
    /// <exception cref="StorageException">They are not what was put into service.</exception>
    public static BaseModel Load(StorageDirectory storage, ModelSwap swap)
    {
        string path = storage.FileIn(Path.Combine("models", $"{swap.Sha256}.safetensors"));

        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            return Convert.ToHexStringLower(SHA256.HashData(bytes)) == swap.Sha256
                ? new BaseModel(swap.Version, WeightsFile.Read(new MemoryStream(bytes, writable: false), out _))
                : throw new InvalidDataException("its SHA-256 is not its name");
        }
        catch (Exception unreadable) when (unreadable is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"{path}: the weights that were in service cannot be read ({unreadable.Message}); restore the file from a backup", unreadable);
        }
    }

    /// <summary>Writes the weights under their own hash before anything names them; keeps the last five.</summary>
    private string Keep(BaseModel model, TrainingResult result, DateTimeOffset now)
    {
        using var buffer = new MemoryStream();
        WeightsFile.Write(buffer, model.Weights, new Dictionary<string, string>
        {
            ["version"] = model.Version.ToString(CultureInfo.InvariantCulture),
            ["trained_at"] = now.ToString("O", CultureInfo.InvariantCulture),
            ["champion_loss"] = result.ChampionLoss.ToString("R", CultureInfo.InvariantCulture),
            ["candidate_loss"] = result.CandidateLoss.ToString("R", CultureInfo.InvariantCulture),
        });
        string sha256 = Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
        string directory = storage.FileIn("models");
        Directory.CreateDirectory(directory);
        string temporary = Path.Combine(directory, "candidate.tmp");

        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            buffer.Position = 0;
            buffer.CopyTo(file);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, Path.Combine(directory, $"{sha256}.safetensors"), overwrite: true);
        LocalDisk.Sync(directory);

        foreach (FileInfo old in new DirectoryInfo(directory).GetFiles("*.safetensors")
            .OrderByDescending(file => file.LastWriteTimeUtc).Skip(ModelsKept))
        {
            old.Delete();
        }

        return sha256;
    }

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
