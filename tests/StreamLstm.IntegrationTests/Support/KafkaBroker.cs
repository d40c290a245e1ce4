using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A real Apache Kafka, of one node or several that are broker and controller each, with every listener that tests need.</summary>
/// <remarks>
/// Found, in this order: KAFKA_BOOTSTRAP, a cluster that runs already (tests that stop a broker, or need its TLS, skip); a folder kafka
/// beside the repository's own in ../shared; KAFKA_HOME, an unpacked Apache Kafka, 4.0 or newer. The last two need Java 17 or newer.
/// </remarks>
internal sealed class KafkaBroker : IAsyncDisposable
{
    private readonly string _directory;
    private readonly string _libraries;
    private readonly Process?[] _processes;   // node 1 first

    private KafkaBroker(string directory, string libraries, string bootstrap, int saslPort, int certificatePort, int nodes = 1)
    {
        (_directory, _libraries, Bootstrap, SaslPort, CertificatePort) = (directory, libraries, bootstrap, saslPort, certificatePort);
        _processes = new Process?[nodes];
    }

    /// <summary>Without TLS and as nobody, who may do everything.</summary>
    public string Bootstrap { get; }

    /// <summary>TLS and SASL: alice with "secret" may do everything, bob with "pw" nothing; whom a token of <see cref="TokenServer"/> names is believed.</summary>
    public string Sasl => $"localhost:{SaslPort}";

    /// <summary>TLS, and whoever connects shows a certificate.</summary>
    public string Certificate => $"localhost:{CertificatePort}";

    /// <summary>What belongs to <see cref="Sasl"/> and <see cref="Certificate"/>.</summary>
    public string KeyFolder => Path.Combine(_directory, "keys");

    /// <summary>Where the broker says that it is, to who comes over <see cref="BehindProxyPort"/>: nobody is there before a test is.</summary>
    public int ProxyPort { get; private init; }

    /// <summary>Where it listens for that.</summary>
    public int BehindProxyPort { get; private init; }

    private int SaslPort { get; }

    private int CertificatePort { get; }

    /// <summary>Where Apache Kafka's libraries are; null where there are none, and a cluster that runs already is not told either.</summary>
    public static string? Libraries() =>
        new[] { Path.Combine(Parts.Repository(), "..", "shared", "kafka", "libs"), Path.Combine(Environment.GetEnvironmentVariable("KAFKA_HOME") ?? "/nowhere", "libs") }
            .FirstOrDefault(Directory.Exists);

    /// <summary>Starts one in an empty directory, or takes the one that KAFKA_BOOTSTRAP names.</summary>
    /// <param name="directory">Where its data stand.</param>
    /// <param name="nodes">How many; each topic has a copy on every node, and what is written must be on two of three.</param>
    public static async Task<KafkaBroker> StartAsync(string directory, int nodes = 1)
    {
        if (nodes == 1 && Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP") is { Length: > 0 } running)
        {
            return new KafkaBroker(directory, "", running, 0, 0);
        }

        (int Plain, int Controller, int Sasl, int Certificate, int Behind, int Proxy)[] ports =
        [
            .. Enumerable.Range(0, nodes).Select(_ => (
                DaemonProcess.FreePort(), DaemonProcess.FreePort(), DaemonProcess.FreePort(), DaemonProcess.FreePort(), DaemonProcess.FreePort(), DaemonProcess.FreePort())),
        ];
        var broker = new KafkaBroker(
            directory, Libraries()!, string.Join(',', ports.Select(port => $"127.0.0.1:{port.Plain}")), ports[0].Sasl, ports[0].Certificate, nodes)
        {
            ProxyPort = ports[0].Proxy, BehindProxyPort = ports[0].Behind,
        };
        KeyFolder keys = Support.KeyFolder.Create(broker.KeyFolder);
        string tokens = new Uri(TokenServer.CreateKey(broker.KeyFolder)).AbsoluteUri;

        // One that begins with a hyphen would be taken for an option.
        string cluster = Convert.ToBase64String([0, .. Guid.NewGuid().ToByteArray()[1..]]).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        string voters = string.Join(',', ports.Select((port, node) => $"{node + 1}@127.0.0.1:{port.Controller}"));

        for (int node = 1; node <= nodes; node++)
        {
            (int plain, int controller, int sasl, int certificate, int behind, int proxy) = ports[node - 1];
            File.WriteAllText(
                broker.SettingsOf(node),
                $"""
                process.roles=broker,controller
                node.id={node}
                controller.quorum.voters={voters}
                listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://127.0.0.1:{sasl},SSL://127.0.0.1:{certificate},PROXIED://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}
                advertised.listeners=PLAINTEXT://127.0.0.1:{plain},SASL_SSL://localhost:{sasl},SSL://localhost:{certificate},PROXIED://127.0.0.1:{proxy}
                listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,PROXIED:PLAINTEXT
                inter.broker.listener.name=PLAINTEXT
                controller.listener.names=CONTROLLER
                log.dirs={Path.Combine(directory, $"data-{node}")}
                default.replication.factor={nodes}
                min.insync.replicas={(nodes + 1) / 2}
                offsets.topic.replication.factor={nodes}
                offsets.topic.num.partitions=1
                transaction.state.log.replication.factor={nodes}
                transaction.state.log.min.isr={(nodes + 1) / 2}
                transaction.state.log.num.partitions=2
                group.initial.rebalance.delay.ms=0
                group.consumer.min.session.timeout.ms=6000
                group.consumer.session.timeout.ms=6000
                group.consumer.min.heartbeat.interval.ms=500
                group.consumer.heartbeat.interval.ms=500
                auto.create.topics.enable=false
                num.network.threads=2
                num.io.threads=2
                log.cleaner.dedupe.buffer.size=16777216
                log.retention.check.interval.ms=500
                log.segment.delete.delay.ms=100
                transaction.abort.timed.out.transaction.cleanup.interval.ms=500
                broker.session.timeout.ms=5000
                broker.heartbeat.interval.ms=1000
                sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER
                listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
                listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
                listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="secret" user_bob="pw";
                listener.name.sasl_ssl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
                listener.name.sasl_ssl.oauthbearer.sasl.server.callback.handler.class=org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler
                listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.jwks.endpoint.url={tokens}
                listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.issuer={TokenServer.Issuer}
                listener.name.sasl_ssl.oauthbearer.sasl.oauthbearer.expected.audience={TokenServer.Audience}
                listener.name.ssl.ssl.client.auth=required
                ssl.keystore.type=PEM
                ssl.keystore.location={keys.Server}
                ssl.truststore.type=PEM
                ssl.truststore.location={keys.Authority}
                authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
                super.users=User:alice;User:ANONYMOUS;User:CN=client
                """);
            (int code, string said) = await broker.RunAsync(
                "kafka.tools.StorageTool", "format", "-t", cluster, "-c", broker.SettingsOf(node),
                "--add-scram", "SCRAM-SHA-256=[name=alice,password=secret]", "--add-scram", "SCRAM-SHA-512=[name=alice,password=secret]");
            Assert.True(code == 0, $"Kafka's directory could not be formatted:\n{said}");
        }

        await Task.WhenAll(Enumerable.Range(1, nodes).Select(node => broker.StartAsync(node)));
        return broker;
    }

    /// <summary>Skips a test that stops the broker, or needs its TLS, where the broker is not this one's own.</summary>
    public void RequireOwn() => Assert.SkipWhen(_libraries.Length == 0, "the cluster that KAFKA_BOOTSTRAP names is not this test's to stop or to configure");

    /// <summary>Starts a node, again too.</summary>
    public async Task StartAsync(int node = 1)
    {
        Process process = Process.Start(Java("kafka.Kafka", [SettingsOf(node)], "-Xms128m", _processes.Length == 1 ? "-Xmx384m" : "-Xmx256m"))!;
        _processes[node - 1] = process;
        var log = new StringBuilder();
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap }).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();

        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                if (admin.GetMetadata(TimeSpan.FromSeconds(1)).Brokers.Any(broker => broker.BrokerId == node))
                {
                    return;
                }
            }
            catch (KafkaException)
            {
                // As long as it is not there.
            }

            Assert.False(process.HasExited, $"Kafka does not start:\n{log}");
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(120), $"Kafka does not answer:\n{log}");

            await Task.Delay(100);
        }

        void Keep(object sender, DataReceivedEventArgs line)
        {
            lock (log)
            {
                log.AppendLine(line.Data);
            }
        }
    }

    /// <summary>Ends a node, with SIGKILL or SIGTERM.</summary>
    public async Task StopAsync(bool kill, int node = 1)
    {
        RequireOwn();
        Process process = _processes[node - 1]!;

        if (kill)
        {
            process.Kill();
        }
        else
        {
            using Process signal = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await signal.WaitForExitAsync();
        }

        await process.WaitForExitAsync();
        process.Dispose();
        _processes[node - 1] = null;
    }

    /// <summary>The node that leads a partition.</summary>
    public int LeaderOf(string topic, int partition = 0)
    {
        using IAdminClient admin = Admin();
        return admin.GetMetadata(topic, TimeSpan.FromSeconds(10)).Topics[0].Partitions.First(one => one.PartitionId == partition).Leader;
    }

    public async Task CreateTopicAsync(string topic, int partitions = 1, params (string Name, string Value)[] settings)
    {
        using IAdminClient admin = Admin();
        await admin.CreateTopicsAsync([
            new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = -1, Configs = settings.ToDictionary(one => one.Name, one => one.Value) },
        ]);
    }

    public IAdminClient Admin() => new AdminClientBuilder(new AdminClientConfig { BootstrapServers = Bootstrap }).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();

    /// <summary>Sees what a group has committed, and is no member of it.</summary>
    /// <remarks>
    /// Not by an admin client: where the group's coordinator has to be looked for, librdkafka (2.16) tells the client's own group of it, and one that has
    /// none dies in a thread that blocks all signals: exit code 139 and no word (confluentinc/librdkafka#5315).
    /// </remarks>
    public IConsumer<Ignore, Ignore> Onlooker(string group) => new ConsumerBuilder<Ignore, Ignore>(
            new ConsumerConfig { BootstrapServers = Bootstrap, GroupId = group, EnableAutoCommit = false, EnableAutoOffsetStore = false })
        .SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();

    /// <summary>What a group has committed of partitions, added up; nothing where the coordinator does not answer at present.</summary>
    public static Task<long> CommittedAsync(IConsumer<Ignore, Ignore> onlooker, IEnumerable<TopicPartition> partitions) => Task.Run(() =>
    {
        try
        {
            return onlooker.Committed(partitions, TimeSpan.FromSeconds(10)).Sum(partition => Math.Max(0, partition.Offset.Value));
        }
        catch (KafkaException)
        {
            return 0;
        }
    });

    /// <summary>A producer whose records the broker has on its disk, each once and in order.</summary>
    /// <param name="transactionalId">Under which it writes in transactions; null for none.</param>
    public IProducer<string?, string> Producer(string? transactionalId = null) => new ProducerBuilder<string?, string>(
            new ProducerConfig { BootstrapServers = Bootstrap, EnableIdempotence = true, TransactionalId = transactionalId, LingerMs = 2, MessageTimeoutMs = transactionalId is null ? 120_000 : 30_000 })
        .SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();

    /// <summary>All that was committed, in the partitions' order.</summary>
    public List<ConsumeResult<string, string>> Read(string topic, int partitions = 1)
    {
        using IConsumer<string, string> consumer = new ConsumerBuilder<string, string>(new ConsumerConfig
        {
            BootstrapServers = Bootstrap, GroupId = "reader", IsolationLevel = IsolationLevel.ReadCommitted, EnablePartitionEof = true, EnableAutoCommit = false,
        }).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();
        consumer.Assign(Enumerable.Range(0, partitions).Select(number => new TopicPartitionOffset(topic, number, Offset.Beginning)));
        List<ConsumeResult<string, string>> read = [];

        for (int ended = 0; ended < partitions;)
        {
            ConsumeResult<string, string> result = consumer.Consume(TestContext.Current.CancellationToken);

            if (result.IsPartitionEOF)
            {
                ended++;
            }
            else
            {
                read.Add(result);
            }
        }

        return read;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Process process in _processes.OfType<Process>())
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    private string SettingsOf(int node) => Path.Combine(_directory, $"server-{node}.properties");

    private async Task<(int Code, string Said)> RunAsync(string tool, params string[] arguments)
    {
        using Process process = Process.Start(Java(tool, arguments, "-Xmx128m"))!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    private ProcessStartInfo Java(string program, string[] arguments, params string[] machine) => new(
        Parts.Require("java", "default-jre-headless"),
        [.. machine, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", $"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={new Uri(Path.Combine(KeyFolder, "jwks.json")).AbsoluteUri}", "-Djava.awt.headless=true", "-cp", Path.Combine(_libraries, "*"), program, .. arguments])
    {
        WorkingDirectory = _directory,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}

/// <summary>One broker for all tests that need Kafka: they run one after another, each with topics of its own.</summary>
[CollectionDefinition(Name)]
public sealed class KafkaTests : ICollectionFixture<KafkaTests>, IAsyncLifetime
{
    public const string Name = "Kafka";

    private readonly TemporaryDirectory _directory = new();
    private KafkaBroker? _broker;

    /// <summary>Three of them, of the test's own; it skips where there is none, and fails under CI=true where one could be had.</summary>
    internal static Task<KafkaBroker> ThreeAsync(string directory)
    {
        RequireLibraries();
        return KafkaBroker.StartAsync(directory, nodes: 3);
    }

    /// <summary>The broker; the test skips where there is none, and fails under CI=true where one could be had.</summary>
    internal async Task<KafkaBroker> BrokerAsync()
    {
        if (_broker is null && Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP") is null or "")
        {
            RequireLibraries();
        }

        return _broker ??= await KafkaBroker.StartAsync(_directory.Path);
    }

    private static void RequireLibraries()
    {
        Assert.SkipWhen(KafkaBroker.Libraries() is null, "Apache Kafka is missing: unpack https://kafka.apache.org/downloads (4.0 or newer) and set KAFKA_HOME to it, or KAFKA_BOOTSTRAP to a cluster that runs");
        Parts.Require("java", "default-jre-headless");
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        await (_broker?.DisposeAsync() ?? default);
        _directory.Dispose();
    }
}
