using System.Globalization;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;

namespace StreamLstm.Daemon.Retraining;

/// <summary>Who puts weights into service.</summary>
/// <param name="Serving">The weights in service, and what brought them.</param>
/// <param name="ReadyAsync">Ends once all swaps that were written down before have come into force: a version would be given twice else.</param>
/// <param name="WhyNot">Why this daemon may not, for people; null where it may.</param>
/// <param name="SwapAsync">Puts others into service, whose file is durable by then.</param>
internal sealed record Swapper(
    Func<ServingModel> Serving, Func<CancellationToken, Task> ReadyAsync, Func<string?> WhyNot,
    Func<BaseModel, ModelSwap, CancellationToken, Task> SwapAsync)
{
    public static Swapper Of(DetectionPipeline pipeline, LiveModel live, DaemonMetrics metrics) => new(
        () => live.Serving,
        pipeline.RouterPartAsync,
        () => null,
        async (model, swap, cancellation) =>
        {
            await pipeline.Decisions.SwapAsync(model, swap, cancellation);
            metrics.Swapped(model.Version);
        });

    public static Swapper Of(ClusterWeights weights, LiveModel live) => new(
        () => live.Serving,
        _ => Task.CompletedTask,
        () => weights.IsDecider ? null : "the daemon that owns partition 0 decides which weights serve the group; ask that one (/api/v1/fleet says which it is)",
        (model, swap, _) =>
        {
            weights.Tell(model, swap);
            return Task.CompletedTask;
        });
}

/// <summary>What was asked for cannot be; the message says why, for people.</summary>
internal sealed class ModelRefusedException(string message) : Exception(message);

/// <summary>Which weights are kept, which serve and served: one swap after the other, whoever asks for it.</summary>
/// <remarks>
/// A swap gives whatever it brings a version of its own, one higher than the last: weights of before that serve again have two. So a
/// replay and the daemons of a cluster go through the same versions in the same order.
/// </remarks>
/// <param name="swapper">Puts weights into service.</param>
/// <param name="files">Those that are kept.</param>
/// <param name="told">The swaps that the sinks were told of, in their order.</param>
/// <param name="time">When something was decided.</param>
internal sealed class ModelVersions(Swapper swapper, ModelFiles files, Func<IReadOnlyList<ModelSwap>> told, TimeProvider time) : IDisposable
{
    private const int HashMin = 6;

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly List<ModelSwap> _made = [];
    private BaseModel? _newest;

    /// <summary>The weights that serve once all that was decided has come into force.</summary>
    public BaseModel Newest => _newest is { } made && made.Version > swapper.Serving().Model.Version ? made : swapper.Serving().Model;

    /// <summary>All that are kept, those written last first.</summary>
    public IReadOnlyList<KeptModel> Kept => files.All();

    /// <summary>The swaps that are known of, in their order.</summary>
    public IReadOnlyList<ModelSwap> Swaps
    {
        get
        {
            ModelSwap? present = swapper.Serving().Swap;

            lock (_made)
            {
                return [.. told().Concat(present is null ? [] : [present]).Concat(_made).DistinctBy(swap => swap.Version).OrderBy(swap => swap.Version)];
            }
        }
    }

    /// <summary>The hash of the weights in service; null where they are not kept.</summary>
    public string? ServingHash => HashOf(Newest.Version);

    /// <summary>Weights that were trained serve instead of those they were held against.</summary>
    /// <returns>Whether they do: not where others serve by now.</returns>
    public async Task<bool> ReplaceAsync(BaseModel champion, TrainingResult result, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);

        try
        {
            await swapper.ReadyAsync(cancellationToken);

            if (Newest.Version != champion.Version || swapper.WhyNot() is not null)
            {
                return false;
            }

            KeepServing();
            DateTimeOffset now = time.GetUtcNow();
            var model = new BaseModel(champion.Version + 1, result.Candidate);
            KeptModel kept = files.Keep(
                model,
                new KeptModel("", ModelOrigin.Trained, now, ModelSwap.Retrainer, model.Version, result.ChampionLoss, result.CandidateLoss, result.TrainingWindows, result.HeldOutWindows),
                Pinned());
            await SwapAsync(model, kept, SwapReason.Trained, ModelSwap.Retrainer, now, cancellationToken);
            return true;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Takes weights in; they serve nobody before they are promoted.</summary>
    /// <param name="bytes">A safetensors file, as export gives it.</param>
    /// <param name="by">Who brings them.</param>
    /// <param name="cancellationToken">Ends the wait for the change before.</param>
    /// <exception cref="InvalidDataException">They are of another shape, or not finite, or no such file; the message says what is wrong.</exception>
    public async Task<KeptModel> ImportAsync(byte[] bytes, string by, CancellationToken cancellationToken)
    {
        ForecastWeights weights = BaseWeightsFile.Read(new MemoryStream(bytes, writable: false));
        await _oneAtATime.WaitAsync(cancellationToken);

        try
        {
            return files.Keep(new BaseModel(0, weights), new KeptModel("", ModelOrigin.Imported, time.GetUtcNow(), by, null), Pinned());
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Puts weights that are kept into service.</summary>
    /// <param name="name">A version under which they served, or the first characters of their hash.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelRefusedException">There are none such, they serve already, or this daemon may not.</exception>
    public Task<ModelSwap> PromoteAsync(string name, string by, CancellationToken cancellationToken) => ServeAsync(
        () => Find(name) ?? throw new ModelRefusedException($"model '{name}' is not kept; /api/v1/models lists those that are"),
        SwapReason.Promoted, by, cancellationToken);

    /// <summary>Puts those back into service that served before the present ones.</summary>
    /// <exception cref="ModelRefusedException">None did, they are not kept any more, or this daemon may not.</exception>
    public Task<ModelSwap> RollbackAsync(string by, CancellationToken cancellationToken) => ServeAsync(Before, SwapReason.RolledBack, by, cancellationToken);

    /// <summary>The retrainer puts those back that served before the ones it has looked at.</summary>
    /// <param name="champion">Those it has looked at.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether they serve: not where a person has chosen others meanwhile.</returns>
    public async Task<bool> TakeBackAsync(BaseModel champion, CancellationToken cancellationToken)
    {
        try
        {
            await ServeAsync(
                () => Newest.Version == champion.Version ? Before() : throw new ModelRefusedException($"version {Newest.Version} serves by now"),
                SwapReason.RolledBack, ModelSwap.Retrainer, cancellationToken);
            return true;
        }
        catch (ModelRefusedException)
        {
            return false;
        }
    }

    /// <summary>The weights that served before those in service, where the retrainer put these there; null where a person did, or they are not kept any more.</summary>
    public BaseModel? BeforeTrained()
    {
        long version = Newest.Version;
        return Swaps.FirstOrDefault(swap => swap.Version == version) is { Reason: SwapReason.Trained }
            && Find((version - 1).ToString(CultureInfo.InvariantCulture)) is { } kept
                ? new BaseModel(version - 1, files.Read(kept.Sha256).Weights)
                : null;
    }

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>What is kept under a version or a hash's first characters; null where nothing is.</summary>
    public KeptModel? Find(string name)
    {
        IReadOnlyList<KeptModel> all = files.All();

        if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long version)
            && (all.FirstOrDefault(one => one.Version == version) ?? all.FirstOrDefault(one => one.Sha256 == HashOf(version))) is { } served)
        {
            return served;
        }

        KeptModel[] named = name.Length >= HashMin ? [.. all.Where(one => one.Sha256.StartsWith(name, StringComparison.Ordinal))] : [];
        return named.Length == 1 ? named[0] : null;
    }

    /// <summary>The bytes of what is kept.</summary>
    /// <exception cref="IOException">They are not there any more.</exception>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public byte[] Bytes(KeptModel kept) => files.Read(kept.Sha256).Bytes;

    private KeptModel Before()
    {
        long before = Newest.Version - 1;
        return before < 0
            ? throw new ModelRefusedException($"version {Newest.Version} is the first that served, there is none before it")
            : Find(before.ToString(CultureInfo.InvariantCulture))
                ?? throw new ModelRefusedException($"version {before}, which served before, is not kept any more; /api/v1/models lists those that are");
    }

    private async Task<ModelSwap> ServeAsync(Func<KeptModel> find, SwapReason reason, string by, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);

        try
        {
            await swapper.ReadyAsync(cancellationToken);

            if (swapper.WhyNot() is { } why)
            {
                throw new ModelRefusedException(why);
            }

            KeepServing();
            KeptModel kept = find();

            if (kept.Sha256 == ServingHash)
            {
                throw new ModelRefusedException($"these weights serve already, as version {Newest.Version}");
            }

            // Whoever asked may have gone: it is decided nevertheless.
            return await SwapAsync(
                new BaseModel(Newest.Version + 1, files.Read(kept.Sha256).Weights), kept, reason, by, time.GetUtcNow(), CancellationToken.None);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<ModelSwap> SwapAsync(BaseModel model, KeptModel kept, SwapReason reason, string by, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var swap = new ModelSwap(model.Version, now, kept.ChampionLoss, kept.CandidateLoss, kept.TrainingWindows, kept.Sha256, reason, by);
        await swapper.SwapAsync(model, swap, cancellationToken);
        _newest = model;

        lock (_made)
        {
            _made.Add(swap);
        }

        return swap;
    }

    /// <summary>What serves is kept before others do, so that there is a way back: the weights of the start are in no file yet, and a cluster's in another daemon's.</summary>
    private void KeepServing()
    {
        BaseModel serving = Newest;

        if (ServingHash is null)
        {
            ModelSwap? brought = Swaps.FirstOrDefault(swap => swap.Version == serving.Version);
            files.Keep(
                serving,
                brought is null
                    ? new KeptModel("", ModelOrigin.Start, time.GetUtcNow(), "", serving.Version)
                    : new KeptModel("", ModelOrigin.Trained, brought.Time, brought.By, serving.Version, brought.ChampionLoss, brought.CandidateLoss, brought.TrainingWindows),
                Pinned());
        }
    }

    private string? HashOf(long version) =>
        Swaps.FirstOrDefault(swap => swap.Version == version)?.Sha256 is { } swapped && files.Has(swapped)
            ? swapped
            : files.All().FirstOrDefault(one => one.Version == version)?.Sha256;

    /// <summary>What a replay may ask for, and what serves: the journal reaches no further back than a few swaps.</summary>
    private HashSet<string> Pinned() => [.. Swaps.TakeLast(ModelFiles.FilesMax).Select(swap => swap.Sha256), ServingHash ?? ""];
}
