using System.Globalization;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>A daemon that reads topics of the shared broker, and what tests send there and ask of it.</summary>
internal static class KafkaDaemon
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A name that no other test has.</summary>
    public static string NewTopic(string what) => $"{what}-{Guid.NewGuid():N}";

    public static Task<DaemonProcess> StartAsync(string directory, string brokers, string topic, params string[] settings) => DaemonProcess.StartAsync(
        Path.Combine(directory, "state"),
        [
            "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false",
            $"sources.kafka.0.brokers={brokers}", $"sources.kafka.0.topics.0={topic}", "sources.kafka.0.start=earliest", "sources.kafka.0.refresh=1s", .. settings,
        ]);

    /// <summary>A row of a stream as JSON: its number is its value, a second after the row before.</summary>
    public static string Row(int row) => string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{row}}}");

    /// <summary>Rows of a stream, in the order in which they are numbered; ends once the broker has them.</summary>
    public static async Task SendAsync(IProducer<string?, string> producer, string topic, string stream, int from, int count, int partition = -1)
    {
        Task[] sent =
        [
            .. Enumerable.Range(from, count).Select(row => producer.ProduceAsync(
                new TopicPartition(topic, partition < 0 ? Partition.Any : partition), new Message<string?, string> { Key = stream, Value = Row(row) }, Cancellation)),
        ];
        await Task.WhenAll(sent);
    }

    /// <summary>The rows' values.</summary>
    public static double[] Rows(int from, int count) => [.. Enumerable.Range(from, count).Select(row => (double)row)];

    /// <summary>Observations scored by this daemon and its former lives.</summary>
    public static async Task<long> TotalAsync(DaemonProcess daemon) => (await daemon.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64();

    public static Task UntilTotalAsync(DaemonProcess daemon, long count) => daemon.UntilAsync(async () => await TotalAsync(daemon) >= count, $"scored {count} in all");

    public static Task UntilReadySaysAsync(DaemonProcess daemon, string words) => daemon.UntilAsync(
        async () => (await daemon.Http.GetStringAsync("/health/ready", Cancellation)).Contains(words, StringComparison.Ordinal), $"says {words}");

    public static async Task<string> ReadyAsync(DaemonProcess daemon) => await daemon.Http.GetStringAsync("/health/ready", Cancellation);

    /// <summary>A metric's value; 0 where it is not there.</summary>
    public static async Task<double> MetricAsync(DaemonProcess daemon, string name) =>
        (await daemon.Http.GetStringAsync("/metrics", Cancellation)).Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line[name.Length] is '{' or ' ')
            .Sum(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
}
