using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>TLS, certificates and users of a real Kafka; what is wrong is told once, by its setting, and without a secret.</summary>
[Collection(KafkaTests.Name)]
public sealed class KafkaAccessTests(KafkaTests kafka)
{
    private const string Secret = "hunter2";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("scram_sha256")]
    [InlineData("scram_sha512")]
    [InlineData("plain")]
    [InlineData("certificate")]
    public async Task A_cluster_is_read_over_tls_as_a_user_or_with_a_certificate(string way)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        string topic = await FilledAsync(broker, 20);
        await using DaemonProcess daemon = way == "certificate"
            ? await KafkaDaemon.StartAsync(
                directory.Path, broker.Certificate, topic, "sources.kafka.0.tls.enabled=true", Key(broker, "ca_file", "ca.pem"), Key(broker, "certificate_file", "client.pem"), Key(broker, "key_file", "client.key"))
            : await KafkaDaemon.StartAsync(directory.Path, broker.Sasl, topic, [.. As("alice", "secret", way), Key(broker, "ca_file", "ca.pem")]);
        await KafkaDaemon.UntilTotalAsync(daemon, 20);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal(KafkaDaemon.Rows(0, 20), Scored.In(Path.Combine(directory.Path, "state"))["a"]);
    }

    [Theory]
    [InlineData("password", "sources.kafka.0.sasl.password")]
    [InlineData("authority", "sources.kafka.0.tls.ca_file")]
    [InlineData("broker", "sources.kafka.0.brokers")]
    [InlineData("topic", "sources.kafka.0.topics: 'nowhere'")]
    [InlineData("rights", "an ACL is missing")]
    public async Task What_is_wrong_is_told_once_with_its_setting_and_other_sources_go_on(string wrong, string told)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        string topic = wrong == "topic" ? "nowhere" : await FilledAsync(broker, 1);
        string[] user = wrong == "rights" ? As("bob", "pw", "plain") : As("alice", wrong == "password" ? Secret : "secret", "scram_sha256");
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(
            directory.Path, wrong == "broker" ? $"127.0.0.1:{DaemonProcess.FreePort()}" : broker.Sasl, topic,
            [.. user, Key(broker, "ca_file", wrong == "authority" ? "other-ca.pem" : "ca.pem")]);
        await KafkaDaemon.UntilReadySaysAsync(daemon, told);
        await daemon.PostAsync("other", [1, 2, 3], DateTimeOffset.UtcNow.AddMinutes(-1));
        await daemon.UntilScoredAsync(3);

        // Long enough for what would repeat itself.
        await Task.Delay(TimeSpan.FromSeconds(5), Cancellation);
        Assert.Contains(told, await KafkaDaemon.ReadyAsync(daemon), StringComparison.Ordinal);
        Assert.Equal(0, await daemon.TerminateAsync());

        // The log is JSON, which escapes quotes; and a broker that is slow at first may be told of by another setting before, as rights on a group beside those on a topic are.
        string[] said = [.. daemon.Output.Split('\n').Where(line => line.Contains("\"EventId\":102", StringComparison.Ordinal) && line.Contains(told.Split('\'')[0], StringComparison.Ordinal))];
        Assert.NotEmpty(said);
        Assert.Equal(said.Distinct(), said);
        Assert.DoesNotContain(Secret, daemon.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_is_read_with_tokens_of_a_provider_that_are_fetched_anew_before_they_end()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        await using TokenServer provider = await TokenServer.StartAsync(broker.KeyFolder, "alice", TimeSpan.FromSeconds(6));
        string topic = await FilledAsync(broker, 20);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Sasl, topic, WithTokens(broker, provider.Url, TokenServer.Secret));
        await KafkaDaemon.UntilTotalAsync(daemon, 20);
        int given = provider.Given;
        await daemon.UntilAsync(() => Task.FromResult(provider.Given > given), "fetched another token");
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 20, 10);
        await KafkaDaemon.UntilTotalAsync(daemon, 30);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.DoesNotContain(TokenServer.Secret, daemon.Output, StringComparison.Ordinal);
        Assert.Equal(KafkaDaemon.Rows(0, 30), Scored.In(Path.Combine(directory.Path, "state"))["a"]);
    }

    [Fact]
    public async Task A_provider_whose_authority_is_ones_own_is_trusted_where_it_is_named_and_told_of_where_not()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        using var authority = Authority.Create(directory.Path, "house");
        await using TokenServer provider = await TokenServer.StartAsync(broker.KeyFolder, "alice", TimeSpan.FromMinutes(5), authority.Issue("login", ["127.0.0.1"]));
        string topic = await FilledAsync(broker, 20);
        string[] with = WithTokens(broker, provider.Url, TokenServer.Secret);

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Sasl, topic, with))
        {
            await KafkaDaemon.UntilReadySaysAsync(daemon, "sources.kafka.0.sasl.token_ca_file: ");
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Sasl, topic, [.. with, $"sources.kafka.0.sasl.token_ca_file={authority.CaFile}"]))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 20);
            Assert.Equal(0, await daemon.TerminateAsync());
        }
    }

    [Theory]
    [InlineData("secret", "sources.kafka.0.sasl.token_client_secret: ")]
    [InlineData("address", "sources.kafka.0.sasl.token_url: ")]
    [InlineData("rights", "an ACL is missing")]
    public async Task What_is_wrong_with_tokens_is_told_by_its_setting_and_without_a_secret(string wrong, string told)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        broker.RequireOwn();
        using var directory = new TemporaryDirectory();
        await using TokenServer provider = await TokenServer.StartAsync(broker.KeyFolder, wrong == "rights" ? "bob" : "alice", TimeSpan.FromMinutes(5));
        string topic = await FilledAsync(broker, 1);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(
            directory.Path, broker.Sasl, topic,
            WithTokens(broker, wrong == "address" ? $"http://127.0.0.1:{DaemonProcess.FreePort()}/token" : provider.Url, wrong == "secret" ? Secret : TokenServer.Secret));
        await KafkaDaemon.UntilReadySaysAsync(daemon, told);
        await daemon.PostAsync("other", [1, 2, 3], DateTimeOffset.UtcNow.AddMinutes(-1));
        await daemon.UntilScoredAsync(3);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.DoesNotContain(wrong == "secret" ? Secret : TokenServer.Secret, daemon.Output, StringComparison.Ordinal);
    }

    private static string[] WithTokens(KafkaBroker broker, string url, string secret) =>
    [
        "sources.kafka.0.tls.enabled=true", Key(broker, "ca_file", "ca.pem"), "sources.kafka.0.sasl.mechanism=oauthbearer", $"sources.kafka.0.sasl.token_url={url}",
        $"sources.kafka.0.sasl.token_client_id={TokenServer.Client}", $"sources.kafka.0.sasl.token_client_secret={secret}",
    ];

    private static async Task<string> FilledAsync(KafkaBroker broker, int rows)
    {
        string topic = KafkaDaemon.NewTopic("access");
        await broker.CreateTopicAsync(topic);
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, rows);
        return topic;
    }

    private static string[] As(string user, string password, string mechanism) =>
    [
        "sources.kafka.0.tls.enabled=true", $"sources.kafka.0.sasl.mechanism={mechanism}", $"sources.kafka.0.sasl.username={user}", $"sources.kafka.0.sasl.password={password}",
    ];

    private static string Key(KafkaBroker broker, string option, string file) => $"sources.kafka.0.tls.{option}={Path.Combine(broker.KeyFolder, file)}";
}
