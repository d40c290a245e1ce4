using System.Net;
using System.Net.Sockets;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sinks.Mqtt;
using StreamLstm.Daemon.Sinks.Notify;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Sources.Senses;

namespace StreamLstm.Daemon.Checks;

/// <summary>What can be asked of all that a configuration names.</summary>
internal static class ConfiguredChecks
{
    /// <param name="options">The configuration.</param>
    /// <param name="time">For messages.</param>
    public static IReadOnlyList<PartCheck> Of(DaemonOptions options, TimeProvider time) => [.. All(options, time)];

    private static IEnumerable<PartCheck> All(DaemonOptions options, TimeProvider time)
    {
        yield return new PartCheck("storage.directory", _ => Task.FromResult(DirectoryCheck.Storage(options.Storage)));
        yield return new PartCheck("http.port", _ => Task.FromResult(Port(options.Http.Address, options.Http.Port)));

        if (options.Sources.Host.Enabled)
        {
            string stat = Path.Combine(options.Sources.Host.ProcPath, "stat");
            yield return new PartCheck("sources.host", _ => Task.FromResult($"{stat} says {File.ReadLines(stat).First().Split(' ')[0]} and more"));
        }

        foreach ((int i, MqttSourceOptions mqtt) in options.Sources.Mqtt.Index())
        {
            yield return new PartCheck($"sources.mqtt.{i}", cancellation => MqttCheck.SubscribesAsync(mqtt, $"sources.mqtt.{i}", time, cancellation));
        }

        foreach ((int i, KafkaSourceOptions kafka) in options.Sources.Kafka.Index())
        {
            yield return new PartCheck($"sources.kafka.{i}", _ => KafkaCheck.TopicsAsync(kafka, $"sources.kafka.{i}", kafka.Topics));

            foreach (string registry in kafka.SchemaRegistry.Url.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                yield return new PartCheck($"sources.kafka.{i}.schema_registry", cancellation => WebAddress.ReachAsync(new Uri(registry), cancellation));
            }
        }

        if (options.Sources.MqttEmbedded.Enabled)
        {
            yield return new PartCheck("sources.mqtt_embedded", _ => Task.FromResult(Port(options.Sources.MqttEmbedded.Address, options.Sources.MqttEmbedded.Port)));
        }

        foreach ((int i, FileSourceOptions file) in options.Sources.Files.Index())
        {
            yield return new PartCheck($"sources.files.{i}", _ => Task.FromResult(DirectoryCheck.Readable(file.Path, file.Follow)));
        }

        (string Key, string Path)[] senses =
        [
            .. options.Sources.Sound.Select((sound, i) => ($"sources.sound.{i}", sound.Path)),
            .. options.Sources.Video.Select((video, i) => ($"sources.video.{i}", video.Path)),
        ];

        foreach ((string key, string path) in senses.Where(sense => sense.Path != BytesSource.StandardInput))
        {
            yield return new PartCheck(key, _ => Task.FromResult(DirectoryCheck.Readable(path, isFollowed: false)));
        }

        foreach ((int i, MqttSinkOptions mqtt) in options.Sinks.Mqtt.Index())
        {
            yield return new PartCheck($"sinks.mqtt.{i}", cancellation => MqttCheck.ConnectsAsync(mqtt, $"sinks.mqtt.{i}", time, cancellation));
        }

        foreach ((int i, KafkaSinkOptions kafka) in options.Sinks.Kafka.Index())
        {
            string[] topics = [.. new[] { kafka.Topic, kafka.ScoresTopic }.Where(topic => topic.Length > 0)];
            yield return new PartCheck($"sinks.kafka.{i}", _ => KafkaCheck.TopicsAsync(kafka, $"sinks.kafka.{i}", topics));
        }

        if (options.Sinks.Webhook.Enabled)
        {
            yield return new PartCheck("sinks.webhook", cancellation => WebAddress.ReachAsync(new Uri(options.Sinks.Webhook.Url), cancellation));
        }

        foreach ((int i, NotifyOptions notify) in options.Sinks.Notify.Index())
        {
            yield return new PartCheck($"sinks.notify.{i}", async cancellation =>
            {
                using IDelivery delivery = NotifySink.Delivery(notify, time);
                return await delivery.ReachAsync(cancellation);
            });
        }

        if (options.Sinks.Jsonl.Enabled)
        {
            string path = Path.Combine(StorageDirectory.Resolve(options.Storage.Directory), options.Sinks.Jsonl.Path);
            yield return new PartCheck("sinks.jsonl", _ => Task.FromResult(DirectoryCheck.Writable(Path.GetDirectoryName(path)!)));
        }

        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 } endpoint)
        {
            yield return new PartCheck("OTEL_EXPORTER_OTLP_ENDPOINT", cancellation => WebAddress.ReachAsync(new Uri(endpoint), cancellation));
        }
    }

    /// <summary>Whether a port may be listened on: where a daemon runs already it is taken by that.</summary>
    private static string Port(string address, int port)
    {
        if (port == 0)
        {
            return "any free port";
        }

        try
        {
            using var probe = new TcpListener(IPAddress.Parse(address), port);
            probe.Start();
            return $"{address}:{port} is free";
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return $"{address}:{port} is taken, by a daemon that runs or by something else";
        }
    }
}
