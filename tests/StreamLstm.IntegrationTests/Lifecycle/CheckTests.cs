using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary><c>streamlstm check</c> against a real broker and a real cluster, beside a daemon that runs on both.</summary>
[Collection(KafkaTests.Name)]
public sealed class CheckTests(KafkaTests kafka)
{
    [Fact]
    public async Task Brokers_and_clusters_are_asked_what_the_daemon_will_ask_them_and_the_daemon_there_is_not_disturbed()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto mosquitto = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"), $"allow_anonymous false\npassword_file {await PasswordsAsync(directory.Path)}");
        KafkaBroker broker = await kafka.BrokerAsync();
        string topic = $"check-{Guid.NewGuid():N}";
        await broker.CreateTopicAsync(topic, 3);
        await broker.CreateTopicAsync($"{topic}-out");
        string[] settings =
        [
            $"sources.mqtt.0.url={mosquitto.Url}", "sources.mqtt.0.topics.0=plant/#", "sources.mqtt.0.username=plant", "sources.mqtt.0.password=right-7f3a", $"sources.kafka.0.brokers={broker.Bootstrap}",
            $"sources.kafka.0.topics.0={topic}", "sources.kafka.0.start=earliest", $"sinks.kafka.0.brokers={broker.Bootstrap}", $"sinks.kafka.0.topic={topic}-out",
        ];
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(Path.Combine(directory.Path, "state"), settings);

        (int code, string said) = await CheckAsync(daemon, directory.Path, settings);
        Assert.True(code == 0, said);
        Assert.Contains($"ok      sources.mqtt.0: {mosquitto.Url} lets in (MQTT 5), and lets subscribe to plant/#", said, StringComparison.Ordinal);
        Assert.Contains($"ok      sources.kafka.0: {broker.Bootstrap} has {topic} (3 partitions)", said, StringComparison.Ordinal);
        Assert.Contains("is taken, by a daemon that runs", said, StringComparison.Ordinal);
        Assert.Contains("a daemon runs on it", said, StringComparison.Ordinal);

        (code, said) = await CheckAsync(
            daemon, directory.Path, [.. settings, "sources.mqtt.0.password=wrong-7f3a", "sinks.kafka.0.topic=nowhere", $"sources.mqtt.1.url=mqtt://127.0.0.1:{DaemonProcess.FreePort()}", "sources.mqtt.1.topics.0=#"]);
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("failed  sources.mqtt.0: sources.mqtt.0.password:", said, StringComparison.Ordinal);
        Assert.Contains("failed  sources.mqtt.1: sources.mqtt.1.url:", said, StringComparison.Ordinal);
        Assert.DoesNotContain("7f3a", said, StringComparison.Ordinal);
        Assert.Contains("failed  sinks.kafka.0: sinks.kafka.0.topic", said, StringComparison.Ordinal);

        // It was neither thrown out nor given anything.
        Assert.DoesNotContain("client_id", daemon.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("received").GetInt64());
        Assert.Empty(broker.Read(topic, 3));
        Assert.Empty(broker.Read($"{topic}-out"));
    }

    private static Task<(int Code, string Said)> CheckAsync(DaemonProcess daemon, string directory, string[] settings) => Command.RunAsync(
        "dotnet",
        [
            typeof(CommandLine).Assembly.Location, "check",
            .. settings.Prepend("sources.mqtt_embedded.enabled=false").Prepend($"http.port={daemon.HttpPort}").Prepend($"storage.directory={Path.Combine(directory, "state")}")
                .SelectMany(setting => new[] { "--set", setting }),
        ]);

    private static async Task<string> PasswordsAsync(string directory)
    {
        string file = Path.Combine(directory, "passwords");
        (int code, string said) = await Command.RunAsync("mosquitto_passwd", "-b", "-c", file, "plant", "right-7f3a");
        Assert.True(code == 0, said);
        return file;
    }
}
