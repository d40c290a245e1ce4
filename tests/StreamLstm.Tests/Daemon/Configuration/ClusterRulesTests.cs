using StreamLstm.Daemon.Configuration;

namespace StreamLstm.Tests.Daemon.Configuration;

/// <summary>What cannot go over to another daemon is told before a cluster begins.</summary>
public sealed class ClusterRulesTests
{
    private static readonly string[] Good =
    [
        "cluster.mode=kafka", "sources.host.enabled=false", "sources.http.enabled=false", "sources.mqtt_embedded.enabled=false", "sinks.history.enabled=false",
        "sources.kafka.0.brokers=a:9092", "sources.kafka.0.topics.0=plant", "sources.kafka.0.start=earliest", "sinks.kafka.0.brokers=a:9092", "sinks.kafka.0.topic=anomalies",
    ];

    [Fact]
    public void What_the_sample_says_is_right()
    {
        DaemonOptions options = ConfigurationLoader.Load([], Good, new Dictionary<string, string>());
        Assert.Equal("streamlstm.state", options.Cluster.StateTopicName());
    }

    [Theory]
    [InlineData("sources.host.enabled=true", "sources.host.enabled: true, expected false with cluster.mode: kafka")]
    [InlineData("sources.http.enabled=true", "sources.http.enabled: true, expected false")]
    [InlineData("sources.files.0.path=/x", "sources.files: 1, expected none")]
    [InlineData("sinks.history.enabled=true", "sinks.history.enabled: true, expected false")]
    [InlineData("sinks.jsonl.enabled=true", "sinks.jsonl.enabled: true, expected false")]
    [InlineData("sources.kafka.0.start=latest", "sources.kafka.0.start: 'latest', expected earliest or a time")]
    [InlineData("sources.kafka.0.topics.1=other", "sources.kafka.0.topics: 'plant, other', expected one topic's name")]
    [InlineData("sources.kafka.0.topics.0=^pl.*", "sources.kafka.0.topics: '^pl.*', expected one topic's name")]
    [InlineData("sources.kafka.0.group=g", "sources.kafka.0.group: 'g', expected none")]
    [InlineData("sinks.kafka.0.brokers=b:9092", "sinks.kafka.0.brokers: 'b:9092', expected those of sources.kafka.0")]
    [InlineData("cluster.group=a b", "cluster.group: 'a b', expected letters")]
    [InlineData("cluster.state_topic=plant", "cluster.state_topic: 'plant', expected another topic than the one that is read")]
    [InlineData("cluster.advertise=node-1:8080", "cluster.advertise: 'node-1:8080', expected where the others reach this daemon")]
    [InlineData("cluster.session_timeout=1s", "cluster.session_timeout: '1s', expected 6s to 5m")]
    public void What_cannot_be_shared_is_told_with_what_was_expected(string setting, string message)
    {
        string said = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([], [.. Good, setting], new Dictionary<string, string>())).Message;
        Assert.Contains(message, said, StringComparison.Ordinal);
    }
}
