using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>Daemons of one group that share a topic, each a process with a directory of its own.</summary>
internal sealed class ClusterNodes(KafkaBroker broker, string topic, string directory, string name, string protocol) : IAsyncDisposable
{
    private readonly DaemonProcess?[] _nodes = new DaemonProcess?[8];
    private readonly string _group = $"{topic}.{name}";
    private IConsumer<Ignore, Ignore>? _onlooker;
    private int _partitions;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public IEnumerable<DaemonProcess> Running => _nodes.OfType<DaemonProcess>();

    /// <summary>One that runs.</summary>
    public DaemonProcess Node(int node) => _nodes[node]!;

    public async Task CreateTopicsAsync()
    {
        using IAdminClient admin = broker.Admin();
        _partitions = admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions.Count;
        await broker.CreateTopicAsync($"{_group}.incidents", _partitions);
        await broker.CreateTopicAsync($"{_group}.scores", _partitions);
    }

    /// <summary>Starts nodes 0 to count - 1, and waits until every partition is one's.</summary>
    public async Task StartAsync(int count, params string[] settings)
    {
        _nodes.AsSpan(0, count).Clear();
        DaemonProcess[] started = await Task.WhenAll(Enumerable.Range(0, count).Select(node => StartOneAsync(node, settings)));
        started.CopyTo(_nodes, 0);
        await UntilAllOwnedAsync();
    }

    /// <summary>Starts one again.</summary>
    public async Task RestartAsync(int node, params string[] settings) => _nodes[node] = await StartOneAsync(node, settings);

    public async Task KillAsync(int node)
    {
        DaemonProcess victim = _nodes[node]!;
        _nodes[node] = null;
        await victim.KillAsync();
        await victim.DisposeAsync();
    }

    /// <summary>Stands still, for longer than the others wait for it: what it had is theirs when it goes on and knows nothing of that.</summary>
    /// <returns>Seconds until all partitions were those of others.</returns>
    public async Task<double> StallAsync(int node)
    {
        DaemonProcess victim = _nodes[node]!;
        await victim.SignalAsync("STOP");
        _nodes[node] = null;
        double seconds = await UntilAllOwnedAsync();
        _nodes[node] = victim;
        await victim.SignalAsync("CONT");
        return seconds;
    }

    /// <summary>SIGTERM to each.</summary>
    public async Task StopAsync()
    {
        foreach (DaemonProcess node in Running)
        {
            Assert.True(await node.TerminateAsync() == 0, node.Output);
        }

        await DisposeAsync();
    }

    /// <summary>Waits until each partition is read by one of those that run.</summary>
    /// <returns>Seconds it took.</returns>
    public async Task<double> UntilAllOwnedAsync()
    {
        var waited = Stopwatch.StartNew();
        await UntilAsync(
            async () =>
            {
                HashSet<string> owned = [];

                foreach (DaemonProcess node in Running)
                {
                    owned.UnionWith((await OwnedAsync(node)).Where(one => one.TryGetProperty("offset", out JsonElement at) && at.ValueKind == JsonValueKind.Number)
                        .Select(one => one.GetProperty("partition").GetString()!));
                }

                return owned.Count == _partitions;
            },
            "owned all");
        return waited.Elapsed.TotalSeconds;
    }

    /// <summary>Waits until each of those that run reads as many partitions as the others: what is asked then is not asked of one that is about to give its partitions away.</summary>
    public async Task UntilSharedOutAsync()
    {
        await UntilAsync(
            async () => (await Task.WhenAll(Running.Select(OwnedAsync))).All(owned => owned.Length * Running.Count() == _partitions),
            "shared the partitions out");
        await UntilAllOwnedAsync();
    }

    /// <summary>A consumer of another program joins the group, gets partitions, and leaves.</summary>
    /// <param name="meanwhile">Done while it has some.</param>
    public async Task VisitAsync(Func<Task>? meanwhile = null)
    {
        bool hasSome = false;
        using IConsumer<Ignore, Ignore> visitor = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig
        {
            BootstrapServers = broker.Bootstrap, GroupId = _group, PartitionAssignmentStrategy = PartitionAssignmentStrategy.CooperativeSticky, EnableAutoCommit = false,
            SessionTimeoutMs = 6_000,
        }).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).SetPartitionsAssignedHandler((_, partitions) => { hasSome |= partitions.Count > 0; }).Build();
        visitor.Subscribe(topic);
        await UntilAsync(
            () =>
            {
                visitor.Consume(TimeSpan.FromMilliseconds(50));
                return Task.FromResult(hasSome);
            },
            "shared partitions with a visitor");

        if (meanwhile is not null)
        {
            await meanwhile();
        }

        visitor.Close();
    }

    /// <summary>Waits until the group has committed all of so many records.</summary>
    public Task UntilReadAsync(long records) => UntilAsync(async () => await CommittedAsync() >= records, $"read {records}");

    /// <summary>Scored, and state written, by those that run.</summary>
    public async Task<string> BooksAsync()
    {
        long bytes = 0, scored = 0;

        foreach (DaemonProcess node in Running)
        {
            JsonElement status = await node.GetAsync("/api/v1/status"), books = status.GetProperty("books");
            Assert.True(books.GetProperty("balances").GetBoolean(), books.ToString());
            bytes += status.GetProperty("partitions").EnumerateArray().Sum(one => one.GetProperty("state_bytes").GetInt64());
            scored += books.GetProperty("scored").GetInt64();
        }

        return string.Create(CultureInfo.InvariantCulture, $"{(double)bytes / Math.Max(1, scored):0} bytes of state an observation ({bytes} for {scored} by those that run at the end)");
    }

    /// <summary>What was committed to one of the group's topics.</summary>
    public List<ConsumeResult<string, string>> Read(string what) => broker.Read($"{_group}.{what}", _partitions);

    public Task<long> CommittedAsync() => KafkaBroker.CommittedAsync(
        _onlooker ??= broker.Onlooker(_group), Enumerable.Range(0, _partitions).Select(number => new TopicPartition(topic, number)));

    public async ValueTask DisposeAsync()
    {
        _onlooker?.Dispose();
        _onlooker = null;

        foreach (DaemonProcess node in Running)
        {
            await node.DisposeAsync();
        }

        Array.Clear(_nodes);
    }

    private Task<DaemonProcess> StartOneAsync(int node, string[] settings) => DaemonProcess.StartAsync(
        Path.Combine(directory, $"{name}-{node}"),
        [
            "cluster.mode=kafka", $"cluster.group={_group}", $"cluster.instance=node-{node}", $"cluster.protocol={protocol}", "cluster.session_timeout=6s",
            "cluster.commit_interval=200ms", "cluster.state_interval=2s", "sources.mqtt_embedded.enabled=false", "sources.http.enabled=false",
            "sinks.history.enabled=false", "retrain.enabled=false", "pipeline.workers=1", $"sources.kafka.0.brokers={broker.Bootstrap}", $"sources.kafka.0.topics.0={topic}",
            "sources.kafka.0.start=earliest", "sources.kafka.0.refresh=1s", $"sinks.kafka.0.brokers={broker.Bootstrap}", $"sinks.kafka.0.topic={_group}.incidents",
            $"sinks.kafka.0.scores_topic={_group}.scores", .. settings,
        ]);

    private static async Task<JsonElement[]> OwnedAsync(DaemonProcess node)
    {
        try
        {
            return [.. (await node.GetAsync("/api/v1/status")).GetProperty("partitions").EnumerateArray()];
        }
        catch (HttpRequestException)
        {
            return [];
        }
    }

    public async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var waited = Stopwatch.StartNew(); !await HoldsAsync(condition);)
        {
            if (waited.Elapsed > TimeSpan.FromMinutes(3))
            {
                string[] said = await Task.WhenAll(Running.Select(SaidAsync));
                Assert.Fail($"never {what}; the daemons said last:\n{string.Join("\n---\n", said)}");
            }

            await Task.Delay(100, Cancellation);
        }
    }

    /// <summary>Asks; a daemon that is not there any more has said why.</summary>
    private async Task<bool> HoldsAsync(Func<Task<bool>> condition)
    {
        try
        {
            return await condition();
        }
        catch (HttpRequestException gone)
        {
            Assert.Fail($"{gone.Message}; the daemons said last:\n{string.Join("\n---\n", Running.Select(node => string.Join('\n', node.Output.Split('\n').TakeLast(20))))}");
            return false;
        }
    }

    private static async Task<string> SaidAsync(DaemonProcess node) =>
        $"{string.Join('\n', (await OwnedAsync(node)).Select(owned => owned.ToString()))}\n{string.Join('\n', node.Output.Split('\n').TakeLast(20))}";
}
