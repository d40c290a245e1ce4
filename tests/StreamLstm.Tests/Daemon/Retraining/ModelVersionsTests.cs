using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Retraining;

public sealed class ModelVersionsTests : IDisposable
{
    private static readonly HashSet<string> None = [];

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-models-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Weights_are_imported_promoted_and_rolled_back_and_what_is_scored_afterwards_names_the_version()
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync("retrain.enabled=false");
        byte[] other = Bytes(BaseModel.Untrained(7).Weights);

        JsonElement imported = await SentAsync(daemon, HttpStatusCode.Created, "/api/v1/models?by=ann", other);
        string hash = imported.GetProperty("sha256").GetString()!;
        Assert.Equal(("imported", "ann", false), (imported.GetProperty("origin").GetString(), imported.GetProperty("by").GetString(), imported.GetProperty("is_serving").GetBoolean()));
        Assert.Equal(0, (await GetAsync(daemon, "/api/v1/models")).GetProperty("serving").GetInt64());

        JsonElement swap = await SaidAsync(daemon, HttpStatusCode.Created, $"/api/v1/models/{hash[..8]}/promote", "bea");
        Assert.Equal((1, hash, "promoted", "bea"), (swap.GetProperty("version").GetInt64(), swap.GetProperty("sha256").GetString(), swap.GetProperty("reason").GetString(), swap.GetProperty("by").GetString()));
        await ScoredByAsync(daemon, 1, 1);

        // Back, and there again: each time a version of its own.
        JsonElement back = await SaidAsync(daemon, HttpStatusCode.Created, "/api/v1/models/rollback", "bea");
        Assert.Equal((2, "rolled_back"), (back.GetProperty("version").GetInt64(), back.GetProperty("reason").GetString()));
        await ScoredByAsync(daemon, 2, 2);
        JsonElement again = await SaidAsync(daemon, HttpStatusCode.Created, "/api/v1/models/rollback", "bea");
        Assert.Equal((3, hash), (again.GetProperty("version").GetInt64(), again.GetProperty("sha256").GetString()));
        await ScoredByAsync(daemon, 3, 3);

        JsonElement[] kept = [.. (await GetAsync(daemon, "/api/v1/models")).GetProperty("kept").EnumerateArray()];
        Assert.Equal(["imported", "start"], kept.Select(one => one.GetProperty("origin").GetString()!).Order());
        JsonElement one = await GetAsync(daemon, "/api/v1/models/3");
        Assert.Equal("1, 3", string.Join(", ", one.GetProperty("versions").EnumerateArray()));
        Assert.True(one.GetProperty("is_serving").GetBoolean());
        byte[] start = await daemon.Http.GetByteArrayAsync("/api/v1/models/0/weights", Cancellation);
        Assert.Equal(BaseModel.Pretrained.Weights.Parameters.ToArray(), WeightsFile.Read(new MemoryStream(start), out _).Parameters.ToArray());
    }

    [Fact]
    public async Task What_cannot_be_is_refused_by_name()
    {
        await using HostedDaemon daemon = await HostedDaemon.StartAsync("retrain.enabled=false");
        byte[] good = Bytes(BaseModel.Untrained(7).Weights);

        Assert.Contains("version 0 is the first that served", await ErrorAsync(daemon, HttpStatusCode.Conflict, "/api/v1/models/rollback", "ann"), StringComparison.Ordinal);
        Assert.Contains("model '9' is not kept", await ErrorAsync(daemon, HttpStatusCode.Conflict, "/api/v1/models/9/promote", "ann"), StringComparison.Ordinal);
        Assert.Contains("by: 0 characters, expected 1 to 100", await ErrorAsync(daemon, HttpStatusCode.BadRequest, "/api/v1/models/9/promote", " "), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await daemon.Http.GetAsync("/api/v1/models/9/weights", Cancellation)).StatusCode);

        byte[] damaged = [.. good];
        BinaryPrimitives.WriteSingleLittleEndian(damaged.AsSpan(damaged.Length - 4), float.NaN);
        Assert.Contains("is NaN, expected", (await SentAsync(daemon, HttpStatusCode.BadRequest, "/api/v1/models", damaged)).GetProperty("error").GetString(), StringComparison.Ordinal);

        ForecastShape shape = BaseModel.Shape;
        var narrow = new ForecastWeights(new ForecastShape(
            new LstmShape(shape.Network.InputSize, shape.Network.HiddenSize - 4, shape.Network.LayerCount, shape.Network.OutputSize), shape.HorizonCount, shape.BinCount, shape.AnchorCount));
        Assert.Contains("expected ForecastShape", (await SentAsync(daemon, HttpStatusCode.BadRequest, "/api/v1/models", Bytes(narrow))).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("safetensors", (await SentAsync(daemon, HttpStatusCode.BadRequest, "/api/v1/models", "none"u8.ToArray())).GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("more than", (await SentAsync(daemon, HttpStatusCode.RequestEntityTooLarge, "/api/v1/models", new byte[(1 << 20) + 1])).GetProperty("error").GetString(), StringComparison.Ordinal);

        await SentAsync(daemon, HttpStatusCode.Created, "/api/v1/models?promote=true", good);
        Assert.Contains("serve already, as version 1", await ErrorAsync(daemon, HttpStatusCode.Conflict, "/api/v1/models/1/promote", "ann"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_trained_against_weights_that_serve_no_longer_does_not_serve()
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        BaseModel serving = BaseModel.Pretrained;
        List<ModelSwap> swaps = [];
        using var versions = new ModelVersions(
            new Swapper(() => new ServingModel(serving, null), _ => Task.CompletedTask, () => null, (model, swap, _) =>
            {
                serving = model;
                swaps.Add(swap);
                return Task.CompletedTask;
            }),
            new ModelFiles(storage), () => swaps, ["pumps"], TimeProvider.System);
        BaseModel champion = versions.Newest;
        TrainingResult result = Trained(BaseModel.Untrained(3).Weights);
        KeptModel brought = await versions.ImportAsync(Bytes(BaseModel.Untrained(7).Weights), "ann", Cancellation);
        await versions.PromoteAsync(brought.Sha256, null, "ann", Cancellation);

        Assert.False(await versions.ReplaceAsync(champion, null, result, Cancellation));
        Assert.True(await versions.ReplaceAsync(versions.Newest, null, result, Cancellation));

        Assert.Equal([(1L, SwapReason.Promoted, "ann"), (2L, SwapReason.Trained, "retrainer")], swaps.Select(swap => (swap.Version, swap.Reason, swap.By)));
        Assert.Equal((2.0, 1.0, 2), (swaps[1].ChampionLoss, swaps[1].CandidateLoss, swaps[1].TrainingWindows));
        Assert.Null(swaps[0].ChampionLoss);

        // What a later life reads is what served.
        Assert.Equal(serving.Weights.Parameters.ToArray(), ModelFiles.Load(storage, swaps[1]).Weights.Parameters.ToArray());
    }

    [Theory]
    [InlineData(true, "rolled_back")]
    [InlineData(false, "not_better")]
    public async Task What_the_retrainer_put_into_service_and_forecasts_worse_since_is_taken_back_and_a_persons_word_is_not(bool isTrained, string result)
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        ServingModel serving = new(BaseModel.Pretrained, null);
        List<ModelSwap> swaps = [];
        using var versions = new ModelVersions(
            new Swapper(() => serving, _ => Task.CompletedTask, () => null, (model, swap, _) =>
            {
                serving = new ServingModel(model, swap);
                swaps.Add(swap);
                return Task.CompletedTask;
            }),
            new ModelFiles(storage), () => swaps, ["pumps"], TimeProvider.System);
        ForecastWeights worse = BaseModel.Untrained(3).Weights;

        if (isTrained)
        {
            Assert.True(await versions.ReplaceAsync(versions.Newest, null, Trained(worse), Cancellation));
        }
        else
        {
            await versions.PromoteAsync((await versions.ImportAsync(Bytes(worse), "ann", Cancellation)).Sha256, null, "ann", Cancellation);
        }

        using var metrics = new DaemonMetrics(new Ledger());
        IReadOnlyList<TrainingWindow> windows = Windows();

        // No time to train: what comes of a training is that it is not better.
        var retrainer = new Retrainer(
            _ => Task.FromResult<IReadOnlyList<TrainingWindow>?>(windows), versions, [], new RetrainOptions { WindowsMin = 2, Shadow = TimeSpan.Zero, TimeMax = TimeSpan.Zero }, 1, metrics,
            TimeProvider.System, NullLogger<Retrainer>.Instance);
        await retrainer.TrainAsync(Cancellation);

        Assert.Equal(result, retrainer.Last?.Result);
        Assert.Equal(isTrained ? BaseModel.Pretrained.Weights.Parameters.ToArray() : worse.Parameters.ToArray(), versions.Newest.Weights.Parameters.ToArray());

        // Whoever chose others meanwhile is not overruled.
        Assert.False(await versions.TakeBackAsync(new BaseModel(versions.Newest.Version - 1, worse), null, Cancellation));

        // Not back and forth: those that are back were not trained.
        await retrainer.TrainAsync(Cancellation);
        Assert.Equal("not_better", retrainer.Last?.Result);
        Assert.Equal(isTrained ? 2 : 1, swaps.Count);
    }

    [Fact]
    public async Task A_group_gets_weights_of_its_own_which_leave_all_others_alone_and_are_rolled_back_alone()
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        ServingModel serving = new(BaseModel.Pretrained, null);
        List<ModelSwap> swaps = [];
        using ModelVersions versions = Versions(storage, () => serving, (model, swap) =>
        {
            serving = new ServingModel(model, swap);
            swaps.Add(swap);
        });
        ForecastWeights first = BaseModel.Untrained(3).Weights, second = BaseModel.Untrained(4).Weights, all = BaseModel.Untrained(5).Weights;

        Assert.True(await versions.ReplaceAsync(versions.Newest, "pumps", Trained(first), Cancellation));
        Assert.True(await versions.ReplaceAsync(versions.Newest, null, Trained(all), Cancellation));
        BaseModel before = versions.Newest;
        Assert.True(await versions.ReplaceAsync(before, "pumps", Trained(second), Cancellation));

        // A swap of one does not make what was trained for another old.
        Assert.True(await versions.ReplaceAsync(before, null, Trained(all), Cancellation));
        Assert.False(await versions.ReplaceAsync(before, "pumps", Trained(first), Cancellation));
        Assert.Equal((4, 4, 3), (serving.Model.Version, serving.Model.Since, serving.Model.Of("pumps").Since));
        Assert.Equal([null, "pumps"], swaps.Select(swap => swap.Group).Distinct().Order());

        ModelSwap back = await versions.RollbackAsync("pumps", "ann", Cancellation);
        Assert.Equal((5, swaps[0].Sha256, "pumps"), (back.Version, back.Sha256, back.Group));
        Assert.Equal(first.Parameters.ToArray(), serving.Model.Of("pumps").Weights.Parameters.ToArray());
        Assert.Equal(all.Parameters.ToArray(), serving.Model.Weights.Parameters.ToArray());
        Assert.Contains("'fans', expected one of detection.model_groups: pumps", (await Assert.ThrowsAsync<ModelRefusedException>(() => versions.RollbackAsync("fans", "ann", Cancellation))).Message, StringComparison.Ordinal);

        // As snapshots and a cluster's topic hold them.
        BaseModel read = ModelBytes.Read(ModelBytes.Of(serving.Model));
        Assert.Equal((5, 4, 5), (read.Version, read.Since, read.Of("pumps").Since));
        Assert.Equal(first.Parameters.ToArray(), read.Of("pumps").Weights.Parameters.ToArray());
        byte[] cut = ModelBytes.Of(serving.Model)[..^9];
        Assert.Throws<InvalidDataException>(() => ModelBytes.Read(cut));
    }

    [Fact]
    public async Task The_ledger_knows_which_windows_of_which_streams_trained_what()
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        ServingModel serving = new(BaseModel.Pretrained, null);
        using ModelVersions versions = Versions(storage, () => serving, (model, swap) => serving = new ServingModel(model, swap));
        IReadOnlyList<TrainingWindow> windows = Windows();
        TrainingResult result = BaseTraining.Train(BaseModel.Untrained(1).Weights, windows, seed: 3, epochsMax: 1, cancellationToken: Cancellation) with { Verdict = TrainingVerdict.Promoted };

        Assert.True(await versions.ReplaceAsync(versions.Newest, null, result, Cancellation));

        KeptModel kept = versions.Find("1")!;
        IReadOnlyList<TrainingSource> sources = versions.Sources(kept);
        Assert.Equal(windows.Count, sources.Count);
        Assert.Equal(kept.HeldOutWindows, sources.Count(source => source.IsHeldOut));
        Assert.All(sources, source => Assert.Equal(("boiler", TimeSpan.FromMinutes(TrainingWindow.Rows - 1)), (source.Stream, source.To - source.From)));
        Assert.Equal(sources.Count, sources.Select(source => source.From).Distinct().Count());
        Assert.InRange(kept.CandidateSeparation!.Value, 0.5, 1);
    }

    [Theory]
    [InlineData(true, "promoted")]
    [InlineData(false, "worse_beside")]
    public async Task Better_weights_serve_once_what_comes_meanwhile_says_the_same(bool agrees, string expected)
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        ServingModel serving = new(BaseModel.Untrained(1), null);
        using ModelVersions versions = Versions(storage, () => serving, (model, swap) => serving = new ServingModel(model, swap));
        IReadOnlyList<TrainingWindow> recent = Windows();
        TrainingResult known = BaseTraining.Train(BaseModel.Untrained(1).Weights, recent, seed: 1, cancellationToken: Cancellation);

        // What came meanwhile: more of the same, or what the weights in service know and those trained on the day's curve do not.
        TrainingWindow[] since = agrees ? [.. recent.Select(window => window with { Stream = "other" })] : [.. recent.Select(window => Foretold(window, BaseModel.Untrained(1).Weights, known.Candidate))];
        int asked = 0;
        using var metrics = new DaemonMetrics(new Ledger());
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch);
        var retrainer = new Retrainer(
            _ => Task.FromResult<IReadOnlyList<TrainingWindow>?>(asked++ == 0 ? recent : [.. recent, .. since]), versions, [],
            new RetrainOptions { WindowsMin = 2, Shadow = TimeSpan.FromMinutes(2), TimeMax = TimeSpan.FromMinutes(10) }, 1, metrics, clock, NullLogger<Retrainer>.Instance);
        Task training = retrainer.TrainAsync(Cancellation);

        while (!training.IsCompleted)
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(5, Cancellation);
        }

        await training;
        Assert.Equal(expected, retrainer.Last?.Result);
        Assert.Equal(agrees ? 1 : 0, serving.Model.Version);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task Each_group_is_trained_on_the_windows_of_its_streams_alone()
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        ServingModel serving = new(BaseModel.Untrained(1), null);
        List<ModelSwap> swaps = [];
        using ModelVersions versions = Versions(storage, () => serving, (model, swap) =>
        {
            serving = new ServingModel(model, swap);
            swaps.Add(swap);
        });
        TrainingWindow[] windows = [.. Windows(), .. Windows().Select(window => window with { Stream = "plant/pump7" })];
        using var metrics = new DaemonMetrics(new Ledger());
        var retrainer = new Retrainer(
            _ => Task.FromResult<IReadOnlyList<TrainingWindow>?>(windows), versions, [new ModelGroup("pumps", "plant/pump*")],
            new RetrainOptions { WindowsMin = 2, Shadow = TimeSpan.Zero, TimeMax = TimeSpan.FromMinutes(10) }, 1, metrics, TimeProvider.System, NullLogger<Retrainer>.Instance);

        // A group without weights of its own is served, and so trained, with all others.
        await retrainer.TrainAsync(Cancellation);
        Assert.Equal(["boiler", "plant/pump7"], Streams(1));
        Assert.Equal(("pumps", windows.Length / 2 - windows.Length / 10), (retrainer.Last!.Group, retrainer.Last.Windows));

        // Weights that know nothing, of both: each is trained anew on its own.
        await versions.PromoteAsync((await versions.ImportAsync(Bytes(BaseModel.Untrained(8).Weights), "ann", Cancellation)).Sha256, "pumps", "ann", Cancellation);
        await versions.PromoteAsync("0", null, "ann", Cancellation);
        await retrainer.TrainAsync(Cancellation);
        Assert.Equal([(4L, null), (5, "pumps")], swaps[3..].Select(swap => (swap.Version, swap.Group)));
        Assert.Equal(["boiler"], Streams(4));
        Assert.Equal(["plant/pump7"], Streams(5));

        IEnumerable<string> Streams(long version) => versions.Sources(versions.Find($"{version}")!).Select(source => source.Stream).Distinct();
    }

    [Fact]
    public void Of_many_files_the_last_are_kept_and_those_that_may_not_go()
    {
        using StorageDirectory storage = StorageDirectory.Open(new StorageOptions { Directory = _directory });
        var files = new ModelFiles(storage);
        KeptModel first = Keep(0, None), second = Keep(1, None);

        for (int seed = 2; seed < 12; seed++)
        {
            Keep(seed, [first.Sha256]);
        }

        Assert.True(files.Has(first.Sha256));
        Assert.False(files.Has(second.Sha256));
        Assert.Equal(ModelFiles.FilesMax + 1, files.All().Count);
        Assert.All(files.All(), one => Assert.Equal("ann", one.By));

        KeptModel Keep(int seed, HashSet<string> pinned) => files.Keep(
            BaseModel.Untrained(seed), new KeptModel("", ModelOrigin.Imported, DateTimeOffset.UnixEpoch, "ann", null), pinned, []);
    }

    [Fact]
    public void A_swap_is_written_down_with_who_wanted_it_and_one_of_before_reads_as_the_retrainers()
    {
        var swap = new ModelSwap(4, DateTimeOffset.UnixEpoch, 2, 1.5, 80, "ab", SwapReason.RolledBack, "ann");
        byte[] bytes = EntryCodec.Write(new SwapEntry(swap));
        int added = 1 + 1 + Encoding.UTF8.GetByteCount("ann");

        Assert.Equal(new SwapEntry(swap), EntryCodec.Read(bytes));
        Assert.Equal(new SwapEntry(swap with { Reason = SwapReason.Trained, By = "retrainer" }), EntryCodec.Read(bytes.AsMemory(..^added)));
        ModelSwap ofGroup = swap with { Group = "pumps" };
        Assert.Equal(new SwapEntry(ofGroup), EntryCodec.Read(EntryCodec.Write(new SwapEntry(ofGroup))));
        ModelSwap unknown = swap with { ChampionLoss = null, CandidateLoss = null };
        Assert.Equal(new SwapEntry(unknown), EntryCodec.Read(EntryCodec.Write(new SwapEntry(unknown))));
        Assert.DoesNotContain("NaN", EventJson.Swap(unknown), StringComparison.Ordinal);
    }

    private static ModelVersions Versions(StorageDirectory storage, Func<ServingModel> serving, Action<BaseModel, ModelSwap> swap)
    {
        List<ModelSwap> swaps = [];
        return new ModelVersions(
            new Swapper(serving, _ => Task.CompletedTask, () => null, (model, what, _) =>
            {
                swap(model, what);
                swaps.Add(what);
                return Task.CompletedTask;
            }),
            new ModelFiles(storage), () => swaps, ["pumps"], TimeProvider.System);
    }

    private static TrainingResult Trained(ForecastWeights weights)
    {
        TrainingWindow nothing = new([], [], []);
        return new TrainingResult(TrainingVerdict.Promoted, weights, 2, 1, [nothing, nothing], [nothing], 5) { ChampionSeparation = 0.9, CandidateSeparation = 0.95 };
    }

    /// <summary>The window with targets that some weights find likelier than others do.</summary>
    private static TrainingWindow Foretold(TrainingWindow window, ForecastWeights by, ForecastWeights than)
    {
        ForecastShape shape = BaseModel.Shape;
        int[] targets = [.. window.Targets];
        float[] state = new float[shape.Network.StateSize], other = new float[shape.Network.StateSize];
        float[] logits = new float[shape.Network.OutputSize], others = new float[shape.Network.OutputSize];
        var scratch = new LstmScratch(shape.Network);
        int size = shape.Network.InputSize, anchors = shape.HorizonCount * shape.AnchorCount;

        for (int row = 0; row < TrainingWindow.Rows; row++)
        {
            ReadOnlySpan<float> input = window.Inputs.AsSpan(row * size, size);
            ReadOnlySpan<int> bins = window.Anchors.AsSpan(row * anchors, anchors);
            StreamLstm.Model.Heads.ForecastHead.Step(by, input, state, bins, logits, scratch);
            StreamLstm.Model.Heads.ForecastHead.Step(than, input, other, bins, others, scratch);

            for (int horizon = 0; horizon < shape.HorizonCount; horizon++)
            {
                int first = horizon * shape.BinCount;
                targets[row * shape.HorizonCount + horizon] = Enumerable.Range(0, shape.BinCount).MaxBy(bin => logits[first + bin] - others[first + bin]);
            }
        }

        return window with { Targets = targets };
    }

    /// <summary>Clean windows of a stream that goes by the day.</summary>
    private static IReadOnlyList<TrainingWindow> Windows()
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(1, 0), 0, 1, new DetectionScratch());
        var output = new ShardOutput();

        foreach ((int row, double value) in DailySeries.Clean(1, 1_500).Index())
        {
            output.Clear();
            DateTimeOffset at = DateTimeOffset.UnixEpoch.AddMinutes(row);
            shard.Apply([new Observation("boiler", at, value)], at, BaseModel.Pretrained, output);
        }

        return shard.TrainingWindows;
    }

    private static byte[] Bytes(ForecastWeights weights)
    {
        using var file = new MemoryStream();
        WeightsFile.Write(file, weights, new Dictionary<string, string>());
        return file.ToArray();
    }

    private static async Task<JsonElement> GetAsync(HostedDaemon daemon, string path) =>
        await daemon.Http.GetFromJsonAsync<JsonElement>(path, Cancellation);

    private static async Task<JsonElement> SentAsync(HostedDaemon daemon, HttpStatusCode expected, string path, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return await AnswerAsync(await daemon.Http.PostAsync(path, content, Cancellation), expected);
    }

    private static async Task<JsonElement> SaidAsync(HostedDaemon daemon, HttpStatusCode expected, string path, string by) =>
        await AnswerAsync(await daemon.Http.PostAsJsonAsync(path, new { by }, Cancellation), expected);

    private static async Task<string> ErrorAsync(HostedDaemon daemon, HttpStatusCode expected, string path, string by) =>
        (await SaidAsync(daemon, expected, path, by)).GetProperty("error").GetString()!;

    private static async Task<JsonElement> AnswerAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        string text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.StatusCode == expected, $"{answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Sends an observation, and waits until it is scored by that version.</summary>
    private static async Task ScoredByAsync(HostedDaemon daemon, int minute, long version)
    {
        await daemon.Http.PostAsJsonAsync(
            "/api/v1/observations", new { stream = "s", timestamp = new DateTimeOffset(2026, 1, 1, 0, minute, 0, TimeSpan.Zero), value = 1 }, Cancellation);
        await UntilAsync(async () =>
        {
            using HttpResponseMessage answer = await daemon.Http.GetAsync("/api/v1/streams/s", Cancellation);
            return answer.IsSuccessStatusCode
                && (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("state").GetProperty("model_version").GetInt64() == version;
        });
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            await Task.Delay(20, Cancellation);
        }
    }
}
