using System.Globalization;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>What several daemons share: some streams in each partition, with spikes, steps, one that falls silent, and records that cannot be read.</summary>
internal sealed class SharedTopic(KafkaBroker broker, string topic, int partitions, int streamsPerPartition = 3, int rows = 1_500, bool fallsSilent = true)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Nothing of it is deleted for its age: its records' own time is long ago.</summary>
    public static Task CreateAsync(KafkaBroker broker, string topic, int partitions) => broker.CreateTopicAsync(topic, partitions, ("retention.ms", "-1"));

    /// <summary>Records sent so far.</summary>
    public long Sent { get; private set; }

    /// <summary>Observations in them.</summary>
    public long Observations { get; private set; }

    public int Streams => partitions * streamsPerPartition;

    /// <summary>Sends all of it, evenly over a time: row by row, each a second of the records' own time behind the one before.</summary>
    public async Task SendAsync(TimeSpan over)
    {
        using IProducer<string?, string> producer = broker.Producer();
        var began = System.Diagnostics.Stopwatch.StartNew();

        for (int row = 0; row < rows; row++)
        {
            DateTimeOffset time = Start.AddSeconds(row);

            for (int stream = 0; stream < Streams; stream++)
            {
                // One of each partition's falls silent for a while.
                if (fallsSilent && stream % streamsPerPartition == 1 && row is > 1_000 and < 1_200)
                {
                    continue;
                }

                Send(producer, stream, time, string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{time:O}\",\"value\":{Value(stream, row):R}}}"));
                Observations++;
            }

            if (row % 100 == 50)
            {
                Send(producer, row % Streams, time, "{\"value\":");
            }

            TimeSpan ahead = (over * row / rows) - began.Elapsed;

            if (ahead > TimeSpan.FromMilliseconds(20))
            {
                await Task.Delay(ahead, TestContext.Current.CancellationToken);
            }
        }

        producer.Flush(TestContext.Current.CancellationToken);
    }

    private void Send(IProducer<string?, string> producer, int stream, DateTimeOffset time, string value)
    {
        producer.Produce(
            new TopicPartition(topic, stream / streamsPerPartition),
            new Message<string?, string> { Key = $"machine-{stream}", Value = value, Timestamp = new Timestamp(time.UtcDateTime) });
        Sent++;
    }

    /// <summary>A wave with noise of the stream's own; from row 1,000 on something happens now and then.</summary>
    private static double Value(int stream, int row)
    {
        double noise = (((row * 7_919L) + (stream * 104_729L)) % 1_000) / 1_000.0;
        double value = 20 + stream + (4 * Math.Sin((row + (stream * 5)) * 2 * Math.PI / (40 + stream))) + (0.4 * noise);
        return value + (row > 1_000 && (row + (stream * 37)) % 230 == 0 ? 40 : 0) + (stream % 5 == 0 && row > 1_300 ? 15 : 0);
    }
}
