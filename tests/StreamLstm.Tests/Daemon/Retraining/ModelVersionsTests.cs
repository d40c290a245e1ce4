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
            new ModelFiles(storage), () => swaps, TimeProvider.System);
        BaseModel champion = versions.Newest;
        var result = new TrainingResult(TrainingVerdict.Promoted, BaseModel.Untrained(3).Weights, 2, 1, 80, 20, 5);
        KeptModel brought = await versions.ImportAsync(Bytes(BaseModel.Untrained(7).Weights), "ann", Cancellation);
        await versions.PromoteAsync(brought.Sha256, "ann", Cancellation);

        Assert.False(await versions.ReplaceAsync(champion, result, Cancellation));
        Assert.True(await versions.ReplaceAsync(versions.Newest, result, Cancellation));

        Assert.Equal([(1L, SwapReason.Promoted, "ann"), (2L, SwapReason.Trained, "retrainer")], swaps.Select(swap => (swap.Version, swap.Reason, swap.By)));
        Assert.Equal((2.0, 1.0, 80), (swaps[1].ChampionLoss, swaps[1].CandidateLoss, swaps[1].TrainingWindows));
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
            new ModelFiles(storage), () => swaps, TimeProvider.System);
        ForecastWeights worse = BaseModel.Untrained(3).Weights;

        if (isTrained)
        {
            Assert.True(await versions.ReplaceAsync(versions.Newest, new TrainingResult(TrainingVerdict.Promoted, worse, 2, 1, 80, 20, 5), Cancellation));
        }
        else
        {
            await versions.PromoteAsync((await versions.ImportAsync(Bytes(worse), "ann", Cancellation)).Sha256, "ann", Cancellation);
        }

        using var metrics = new DaemonMetrics(new Ledger());
        IReadOnlyList<TrainingWindow> windows = Windows();

        // No time to train: what comes of a training is that it is not better.
        var retrainer = new Retrainer(
            _ => Task.FromResult<IReadOnlyList<TrainingWindow>?>(windows), versions, new RetrainOptions { WindowsMin = 2, TimeMax = TimeSpan.FromTicks(1) }, 1, metrics,
            TimeProvider.System, NullLogger<Retrainer>.Instance);
        await retrainer.TrainAsync(Cancellation);

        Assert.Equal(result, retrainer.Last?.Result);
        Assert.Equal(isTrained ? BaseModel.Pretrained.Weights.Parameters.ToArray() : worse.Parameters.ToArray(), versions.Newest.Weights.Parameters.ToArray());

        // Whoever chose others meanwhile is not overruled.
        Assert.False(await versions.TakeBackAsync(new BaseModel(versions.Newest.Version - 1, worse), Cancellation));

        // Not back and forth: those that are back were not trained.
        await retrainer.TrainAsync(Cancellation);
        Assert.Equal("not_better", retrainer.Last?.Result);
        Assert.Equal(isTrained ? 2 : 1, swaps.Count);
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
            BaseModel.Untrained(seed), new KeptModel("", ModelOrigin.Imported, DateTimeOffset.UnixEpoch, "ann", null), pinned);
    }

    [Fact]
    public void A_swap_is_written_down_with_who_wanted_it_and_one_of_before_reads_as_the_retrainers()
    {
        var swap = new ModelSwap(4, DateTimeOffset.UnixEpoch, 2, 1.5, 80, "ab", SwapReason.RolledBack, "ann");
        byte[] bytes = EntryCodec.Write(new SwapEntry(swap));
        int added = 1 + 1 + Encoding.UTF8.GetByteCount("ann");

        Assert.Equal(new SwapEntry(swap), EntryCodec.Read(bytes));
        Assert.Equal(new SwapEntry(swap with { Reason = SwapReason.Trained, By = "retrainer" }), EntryCodec.Read(bytes.AsMemory(..^added)));
        ModelSwap unknown = swap with { ChampionLoss = null, CandidateLoss = null };
        Assert.Equal(new SwapEntry(unknown), EntryCodec.Read(EntryCodec.Write(new SwapEntry(unknown))));
        Assert.DoesNotContain("NaN", EventJson.Swap(unknown), StringComparison.Ordinal);
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
