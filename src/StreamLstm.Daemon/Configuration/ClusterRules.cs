using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What must hold where several daemons share a topic: all that scores must be able to go over to another daemon.</summary>
internal static class ClusterRules
{
    private static readonly TimeSpan SessionMin = TimeSpan.FromSeconds(6), SessionMax = TimeSpan.FromMinutes(5);

    /// <param name="options">All options.</param>
    /// <param name="wrong">Takes the key of what is wrong, and what was expected instead.</param>
    public static void Check(DaemonOptions options, Action<string, string> wrong)
    {
        ClusterOptions cluster = options.Cluster;

        if (cluster.Mode == ClusterMode.None)
        {
            return;
        }

        Name("group", cluster.Group);
        Name("state_topic", cluster.StateTopicName());

        if (cluster.Instance.Length > 0)
        {
            Name("instance", cluster.Instance);
        }

        if (cluster.Protocol == ClusterProtocol.Classic && (cluster.SessionTimeout < SessionMin || cluster.SessionTimeout > SessionMax))
        {
            wrong("cluster.session_timeout", $"'{cluster.SessionTimeout.TotalSeconds:0}s', expected 6s to 5m");
        }

        if (cluster.Advertise.Length > 0 && (!Uri.TryCreate(cluster.Advertise, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0 || url.Query.Length > 0))
        {
            wrong("cluster.advertise", $"'{cluster.Advertise}', expected where the others reach this daemon, such as http://node-1:8080");
        }

        Off("sources.host", options.Sources.Host.Enabled);
        Off("sources.http", options.Sources.Http.Enabled);
        Off("sources.mqtt_embedded", options.Sources.MqttEmbedded.Enabled);
        Off("sources.stdin", options.Sources.Stdin.Enabled);
        None("sources.mqtt", options.Sources.Mqtt.Count);
        None("sources.files", options.Sources.Files.Count);
        None("sources.sound", options.Sources.Sound.Count);
        None("sources.video", options.Sources.Video.Count);
        Off("sinks.jsonl", options.Sinks.Jsonl.Enabled, "this daemon has a part of the streams only, and another part tomorrow: sinks.kafka has all of them");
        Off("sinks.history", options.Sinks.History.Enabled, "this daemon has a part of the streams only, and another part tomorrow: sinks.kafka has all of them");
        Off("sinks.webhook", options.Sinks.Webhook.Enabled, "it has no place in the brokers' transactions");
        None("sinks.notify", options.Sinks.Notify.Count, "they have no place in the brokers' transactions");
        None("sinks.mqtt", options.Sinks.Mqtt.Count, "they have no place in the brokers' transactions");

        if (options.Sources.Kafka.Count != 1)
        {
            wrong("sources.kafka", $"{options.Sources.Kafka.Count} sources, expected one with cluster.mode: kafka");
        }
        else
        {
            Source(options.Sources.Kafka[0], cluster, wrong);
        }

        if (options.Sinks.Kafka.Count > 1)
        {
            wrong("sinks.kafka", $"{options.Sinks.Kafka.Count} sinks, expected one at most with cluster.mode: kafka");
        }
        else if (options.Sinks.Kafka.Count == 1 && options.Sources.Kafka.Count == 1)
        {
            Sink(options.Sinks.Kafka[0], options.Sources.Kafka[0], wrong);
        }

        void Name(string option, string value)
        {
            if (KafkaTopics.IsPattern(value) || KafkaRules.WrongTopic(value) is not null)
            {
                wrong($"cluster.{option}", $"'{value}', expected letters, digits, . _ -");
            }
        }

        void Off(string section, bool enabled, string why = "only partitions of a topic can go over to another daemon")
        {
            if (enabled)
            {
                wrong($"{section}.enabled", $"true, expected false with cluster.mode: kafka: {why}");
            }
        }

        void None(string section, int count, string why = "only partitions of a topic can go over to another daemon")
        {
            if (count > 0)
            {
                wrong(section, $"{count}, expected none with cluster.mode: kafka: {why}");
            }
        }
    }

    private static void Source(KafkaSourceOptions source, ClusterOptions cluster, Action<string, string> wrong)
    {
        if (source.Topics.Count != 1 || KafkaTopics.IsPattern(source.Topics[0]))
        {
            wrong("sources.kafka.0.topics", $"'{string.Join(", ", source.Topics)}', expected one topic's name with cluster.mode: kafka: its partitions are what daemons share");
        }
        else if (source.Topics[0] == cluster.StateTopicName())
        {
            wrong("cluster.state_topic", $"'{cluster.StateTopicName()}', expected another topic than the one that is read");
        }

        if (source.Start == "latest")
        {
            wrong("sources.kafka.0.start", "'latest', expected earliest or a time with cluster.mode: kafka: a partition that is added later would begin behind its first records");
        }

        if (source.Group.Length > 0)
        {
            wrong("sources.kafka.0.group", $"'{source.Group}', expected none with cluster.mode: kafka: cluster.group is told how far it is");
        }
    }

    private static void Sink(KafkaSinkOptions sink, KafkaSourceOptions source, Action<string, string> wrong)
    {
        if (sink.Brokers != source.Brokers)
        {
            wrong("sinks.kafka.0.brokers", $"'{sink.Brokers}', expected those of sources.kafka.0 with cluster.mode: kafka ('{source.Brokers}'): incidents are written in one transaction with what was read, over its connection");
        }

        if (sink.TransactionalId.Length + sink.CursorTopic.Length > 0)
        {
            wrong("sinks.kafka.0.transactional_id", "set, expected neither it nor cursor_topic with cluster.mode: kafka: each partition has its own transactions");
        }
    }
}
