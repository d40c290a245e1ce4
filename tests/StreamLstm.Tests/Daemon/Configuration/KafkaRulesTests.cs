using StreamLstm.Daemon.Configuration;
using StreamLstm.Kafka;

namespace StreamLstm.Tests.Daemon.Configuration;

/// <summary>What of a cluster's options cannot be meant is told before anything is read.</summary>
public sealed class KafkaRulesTests
{
    private static readonly string[] Good = ["sources.kafka.0.brokers=a:9092,b:9092", "sources.kafka.0.topics.0=plant", "sources.kafka.0.start=latest"];

    [Theory]
    [InlineData("start=", "sources.kafka.0.start: missing, expected earliest, latest, or a time such as 2026-05-01T00:00:00Z")]
    [InlineData("start=soon", "sources.kafka.0.start: 'soon', expected earliest, latest")]
    [InlineData("brokers=kafka://a:9092", "sources.kafka.0.brokers: 'kafka://a:9092', expected HOST:PORT")]
    [InlineData("brokers=", "sources.kafka.0.brokers: '', expected HOST:PORT")]
    [InlineData("topics.0=pl/ant", "sources.kafka.0.topics.0: 'pl/ant', expected a topic's name")]
    [InlineData("topics.0=^(a", "sources.kafka.0.topics.0: '^(a', expected a regular expression")]
    [InlineData("topics.0=^(?=a)", "sources.kafka.0.topics.0: '^(?=a)', expected a regular expression without look-around")]
    [InlineData("stream=header:", "sources.kafka.0.stream: 'header:', expected key, topic, header:NAME, or json:FIELD.FIELD")]
    [InlineData("stream=json:a..b", "sources.kafka.0.stream: 'json:a..b', expected key")]
    [InlineData("gap=skip", "sources.kafka.0.gap: 'skip', expected one of stop, reset")]
    [InlineData("sasl.mechanism=plain", "sources.kafka.0.sasl.mechanism: plain, but without tls.enabled: true")]
    [InlineData("sasl.mechanism=scram_sha512", "sources.kafka.0.sasl.username: none, expected the user's")]
    [InlineData("sasl.mechanism=oauthbearer", "sources.kafka.0.sasl.token_url: '', expected where the provider gives tokens")]
    [InlineData("sasl.token_ca_file=/ca.pem", "sources.kafka.0.sasl.token_ca_file: '/ca.pem', but token_url is ''; expected https there")]
    [InlineData("sasl.password=hunter2", "sources.kafka.0.sasl.mechanism: none, but a user is set")]
    [InlineData("tls.ca_file=/ca.pem", "sources.kafka.0.tls.enabled: false, but certificates are set")]
    [InlineData("tls.key_file=/key.pem", "sources.kafka.0.tls.certificate_file: none, expected the other half")]
    [InlineData("settings.0=plugin.library.paths=/tmp/x.so", "sources.kafka.0.settings.0: 'plugin.library.paths', expected one of ")]
    [InlineData("settings.0=sasl.password=hunter2", "sources.kafka.0.settings.0: 'sasl.password', expected one of ")]
    [InlineData("dead_letters=plant", "sources.kafka.0.dead_letters: 'plant', expected a topic's name (letters, digits, . _ -) that topics does not read")]
    [InlineData("format=avro", "sources.kafka.0.schema_registry.url: none, expected the registry's address such as http://registry:8081")]
    [InlineData("schema_registry.url=http://r:8081", "sources.kafka.0.schema_registry.url: 'http://r:8081', but format is auto")]
    [InlineData("format=thrift", "sources.kafka.0.format: 'thrift', expected one of")]
    public void A_wrong_option_of_a_source_is_told_with_what_was_expected(string setting, string message)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Load([.. Good, $"sources.kafka.0.{setting}"]));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Message.Replace("--set sources.kafka.0.sasl.password=hunter2", "", StringComparison.Ordinal).Replace("--set sources.kafka.0.settings.0=sasl.password=hunter2", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("url=registry:8081", "url: 'registry:8081', expected the registry's address")]
    [InlineData("url=https://me:hunter2@r", "url: a user in it, expected the registry's address")]
    [InlineData("username=me", "password: none, expected the other half")]
    [InlineData("token_file=/t", "token_file: set, but over http it would go over the network as it is")]
    [InlineData("tls.ca_file=/ca.pem", "url: 'http://r:8081', but certificates are set in tls; expected https")]
    public void A_wrong_option_of_a_schema_registry_is_told_with_what_was_expected(string setting, string message)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Load(
            [.. Good, "sources.kafka.0.format=protobuf", "sources.kafka.0.schema_registry.url=http://r:8081", $"sources.kafka.0.schema_registry.{setting}"]));

        Assert.Contains($"sources.kafka.0.schema_registry.{message}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("topic=", "sinks.kafka.0.topic: missing, expected the topic of incidents")]
    [InlineData("topic=plant", "sources.kafka.0.topics: 'plant' takes in what sinks.kafka writes to the same cluster")]
    [InlineData("cursor_topic=x", "sinks.kafka.0.exactly_once: false, but what it needs is set")]
    [InlineData("scores_topic=^x", "sinks.kafka.0.scores_topic: '^x', expected a topic's name")]
    public void A_wrong_option_of_a_sink_is_told_with_what_was_expected(string setting, string message)
    {
        var refused = Assert.Throws<ConfigurationException>(() => Load([.. Good, "sinks.kafka.0.brokers=a:9092,b:9092", "sinks.kafka.0.topic=anomalies", $"sinks.kafka.0.{setting}"]));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_user_may_set_librdkafka_knows_and_a_secret_is_not_echoed()
    {
        DaemonOptions options = Load([.. Good, "sources.kafka.0.sasl.mechanism=scram_sha256", "sources.kafka.0.sasl.username=me", "sources.kafka.0.sasl.password=hunter2", "sources.kafka.0.settings.0=fetch.min.bytes=1000"]);

        Assert.DoesNotContain("hunter2", OptionsYaml.Write(options), StringComparison.Ordinal);

        foreach (string name in KafkaSettings.Names)
        {
            // A value that no setting of numbers or words can have is refused by its name; one that librdkafka does not know is refused otherwise.
            var refused = Record.Exception(() => new KafkaReader(new KafkaAccess("localhost:1", "test") { Settings = [$"{name}=\u0001"] }, new KafkaReaderOptions()).Dispose());
            Assert.DoesNotContain("No such configuration property", refused?.Message ?? "", StringComparison.Ordinal);
        }
    }

    private static DaemonOptions Load(string[] settings) => ConfigurationLoader.Load([], settings, new Dictionary<string, string>());
}
