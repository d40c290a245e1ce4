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
/// <param name="SwapAsync">Puts into service what is to serve from now on, all groups of it: of that the swap's group is new, and its file durable by then.</param>
internal sealed record Swapper(
    Func<ServingModel> Serving, Func<CancellationToken, Task> ReadyAsync, Func<string?> WhyNot,
    Func<BaseModel, ModelSwap, CancellationToken, Task> SwapAsync)
{
    public static Swapper Of(DetectionPipeline pipeline, LiveModel live, DaemonMetrics metrics) => new(
        () => live.Serving,
        pipeline.RouterPartAsync,
        () => null,
        async (served, swap, cancellation) =>
        {
            await pipeline.Decisions.SwapAsync(served.Of(swap.Group), swap, cancellation);
            metrics.Swapped(served.Version);
        });

    public static Swapper Of(ClusterWeights weights, LiveModel live) => new(
        () => live.Serving,
        _ => Task.CompletedTask,
        () => weights.IsDecider ? null : "the daemon that owns partition 0 decides which weights serve the group; ask that one (/api/v1/fleet says which it is)",
        (served, swap, _) =>
        {
            weights.Tell(served, swap);
            return Task.CompletedTask;
        });
}

/// <summary>What was asked for cannot be; the message says why, for people.</summary>
internal sealed class ModelRefusedException(string message) : Exception(message);

/// <summary>Which weights are kept, which serve and served: one swap after the other, whoever asks for it.</summary>
/// <remarks>
/// A swap gives whatever it brings a version of its own, one higher than the last: weights of before that serve again have two. So a
/// replay and the daemons of a cluster go through the same versions in the same order. Versions count the swaps of all groups.
/// </remarks>
/// <param name="swapper">Puts weights into service.</param>
/// <param name="files">Those that are kept.</param>
/// <param name="told">The swaps that the sinks were told of, in their order.</param>
/// <param name="groups">Names of the groups that may have weights of their own.</param>
/// <param name="time">When something was decided.</param>
internal sealed class ModelVersions(
    Swapper swapper, ModelFiles files, Func<IReadOnlyList<ModelSwap>> told, IReadOnlyList<string> groups, TimeProvider time) : IDisposable
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

    /// <summary>What a file of weights serves now: the groups, and null for the streams that are in none with weights of its own; empty for none.</summary>
    /// <param name="sha256">The file's hash.</param>
    public IReadOnlyList<string?> ServedBy(string sha256) =>
        [.. Newest.Groups.Keys.Order(StringComparer.Ordinal).Prepend(null).Where(group => ServingHash(group) == sha256)];

    /// <summary>Weights that were trained serve a group instead of those they were held against.</summary>
    /// <param name="champion">All that served when they were.</param>
    /// <param name="group">The group; null for the streams that are in none with weights of its own.</param>
    /// <param name="result">What came of the training.</param>
    /// <param name="cancellationToken">Ends the wait for the change before.</param>
    /// <returns>Whether they do: not where others serve by now.</returns>
    public async Task<bool> ReplaceAsync(BaseModel champion, string? group, TrainingResult result, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);

        try
        {
            await swapper.ReadyAsync(cancellationToken);

            if (Newest.Of(group).Since != champion.Of(group).Since || swapper.WhyNot() is not null)
            {
                return false;
            }

            KeepServing();
            DateTimeOffset now = time.GetUtcNow();
            var model = new BaseModel(Newest.Version + 1, result.Candidate);
            KeptModel kept = files.Keep(
                model,
                new KeptModel(
                    "", ModelOrigin.Trained, now, ModelSwap.Retrainer, model.Version, result.ChampionLoss, result.CandidateLoss, result.TrainedOn.Count, result.HeldOut.Count,
                    Group: group)
                {
                    ChampionSeparation = result.ChampionSeparation,
                    CandidateSeparation = result.CandidateSeparation,
                },
                Pinned(), TrainingSource.Of(result));
            await SwapAsync(model, kept, SwapReason.Trained, ModelSwap.Retrainer, group, now, cancellationToken);
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
            return files.Keep(new BaseModel(0, weights), new KeptModel("", ModelOrigin.Imported, time.GetUtcNow(), by, null), Pinned(), []);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Puts weights that are kept into service.</summary>
    /// <param name="name">A version under which they served, or the first characters of their hash.</param>
    /// <param name="group">The group they are for; null for the streams that are in none with weights of its own.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelRefusedException">There are none such, they serve already, there is no such group, or this daemon may not.</exception>
    public Task<ModelSwap> PromoteAsync(string name, string? group, string by, CancellationToken cancellationToken) => ServeAsync(
        () => Find(name) ?? throw new ModelRefusedException($"model '{name}' is not kept; /api/v1/models lists those that are"),
        SwapReason.Promoted, group, by, cancellationToken);

    /// <summary>Puts those back into service that served a group before the present ones.</summary>
    /// <param name="group">The group; null for the streams that are in none with weights of its own.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelRefusedException">None did, they are not kept any more, or this daemon may not.</exception>
    public Task<ModelSwap> RollbackAsync(string? group, string by, CancellationToken cancellationToken) =>
        ServeAsync(() => Before(group), SwapReason.RolledBack, group, by, cancellationToken);

    /// <summary>The retrainer puts those back that served a group before the ones it has looked at.</summary>
    /// <param name="champion">All that served when it looked.</param>
    /// <param name="group">The group; null for the streams that are in none with weights of its own.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Whether they serve: not where a person has chosen others meanwhile.</returns>
    public async Task<bool> TakeBackAsync(BaseModel champion, string? group, CancellationToken cancellationToken)
    {
        try
        {
            await ServeAsync(
                () => Newest.Of(group).Since == champion.Of(group).Since ? Before(group) : throw new ModelRefusedException($"version {Newest.Of(group).Since} serves by now"),
                SwapReason.RolledBack, group, ModelSwap.Retrainer, cancellationToken);
            return true;
        }
        catch (ModelRefusedException)
        {
            return false;
        }
    }

    /// <summary>The weights that served a group before those in service, where the retrainer put these there; null where a person did, or they are not kept any more.</summary>
    /// <param name="group">The group; null for the streams that are in none with weights of its own.</param>
    public BaseModel? BeforeTrained(string? group)
    {
        long version = Newest.Of(group).Since;
        return Swaps.FirstOrDefault(swap => swap.Version == version) is { Reason: SwapReason.Trained }
            && Find(Named(VersionBefore(version, group))) is { } kept
                ? new BaseModel(VersionBefore(version, group), files.Read(kept.Sha256).Weights)
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

    /// <summary>Which windows what is kept was trained and judged on; empty where that is not known.</summary>
    public IReadOnlyList<TrainingSource> Sources(KeptModel kept) => files.Sources(kept.Sha256);

    /// <summary>The bytes of what is kept.</summary>
    /// <exception cref="IOException">They are not there any more.</exception>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public byte[] Bytes(KeptModel kept) => files.Read(kept.Sha256).Bytes;

    private KeptModel Before(string? group)
    {
        long version = Newest.Of(group).Since;

        if (version == 0 || (group is not null && !Newest.Groups.ContainsKey(group)))
        {
            throw new ModelRefusedException(group is null
                ? $"version {version} is the first that served, there is none before it"
                : $"group '{group}' has no weights of its own: version {version} serves it as all streams");
        }

        long before = VersionBefore(version, group);
        return Find(Named(before))
            ?? throw new ModelRefusedException($"version {before}, which served before, is not kept any more; /api/v1/models lists those that are");
    }

    /// <summary>The version that served a group's streams before another: its own, or that of all streams where it had none yet.</summary>
    private long VersionBefore(long version, string? group) =>
        Swaps.LastOrDefault(swap => swap.Version < version && (swap.Group == group || (swap.Group is null && !HasOwnBefore(version, group))))?.Version ?? 0;

    private bool HasOwnBefore(long version, string? group) => Swaps.Any(swap => swap.Version < version && swap.Group == group);

    private static string Named(long version) => version.ToString(CultureInfo.InvariantCulture);

    private string? ServingHash(string? group) => HashOf(Newest.Of(group).Since);

    private async Task<ModelSwap> ServeAsync(Func<KeptModel> find, SwapReason reason, string? group, string by, CancellationToken cancellationToken)
    {
        if (group is not null && !groups.Contains(group))
        {
            throw new ModelRefusedException($"group '{group}', expected one of detection.model_groups{(groups.Count > 0 ? ": " + string.Join(", ", groups) : ", which names none")}");
        }

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

            // A group that is served as all are may be given the same weights to keep.
            if (kept.Sha256 == ServingHash(group) && (group is null || Newest.Groups.ContainsKey(group)))
            {
                throw new ModelRefusedException($"these weights serve already, as version {Newest.Of(group).Since}");
            }

            // Whoever asked may have gone: it is decided nevertheless.
            return await SwapAsync(
                new BaseModel(Newest.Version + 1, files.Read(kept.Sha256).Weights), kept, reason, by, group, time.GetUtcNow(), CancellationToken.None);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<ModelSwap> SwapAsync(
        BaseModel model, KeptModel kept, SwapReason reason, string by, string? group, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var swap = new ModelSwap(model.Version, now, kept.ChampionLoss, kept.CandidateLoss, kept.TrainingWindows, kept.Sha256, reason, by, group);
        BaseModel served = Newest.With(group, model);
        await swapper.SwapAsync(served, swap, cancellationToken);
        _newest = served;

        lock (_made)
        {
            _made.Add(swap);
        }

        return swap;
    }

    /// <summary>What serves is kept before others do, so that there is a way back: the weights of the start are in no file yet, and a cluster's in another daemon's.</summary>
    private void KeepServing()
    {
        foreach (BaseModel serving in Newest.Groups.Values.Prepend(Newest).Where(one => HashOf(one.Since) is null))
        {
            ModelSwap? brought = Swaps.FirstOrDefault(swap => swap.Version == serving.Since);
            files.Keep(
                serving with { Version = serving.Since },
                brought is null
                    ? new KeptModel("", ModelOrigin.Start, time.GetUtcNow(), "", serving.Since)
                    : new KeptModel(
                        "", ModelOrigin.Trained, brought.Time, brought.By, serving.Since, brought.ChampionLoss, brought.CandidateLoss, brought.TrainingWindows, Group: brought.Group),
                Pinned(), []);
        }
    }

    private string? HashOf(long version) =>
        Swaps.FirstOrDefault(swap => swap.Version == version)?.Sha256 is { } swapped && files.Has(swapped)
            ? swapped
            : files.All().FirstOrDefault(one => one.Version == version)?.Sha256;

    /// <summary>What a replay may ask for, and what serves: the journal reaches no further back than a few swaps.</summary>
    private HashSet<string> Pinned() =>
        [.. Swaps.TakeLast(ModelFiles.FilesMax * (1 + groups.Count)).Select(swap => swap.Sha256), .. Newest.Groups.Keys.Prepend(null).Select(group => ServingHash(group) ?? "")];
}
