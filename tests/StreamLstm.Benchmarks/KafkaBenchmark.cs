using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Benchmarks;

/// <summary>
/// Records of a real Kafka: from its bytes to the synced journal and to scores, beside <c>Consume</c>, <c>JsonSerializer</c> and a
/// dictionary that keeps each stream's last value.
/// </summary>
/// <remarks>KAFKA_BOOTSTRAP names the cluster. Processor time is this process's, librdkafka's own threads included.</remarks>
internal static class KafkaBenchmark
{
    private const int Streams = 200;
    private const int Partitions = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static void Run(BenchmarkRun run) => RunAsync(run).GetAwaiter().GetResult();

    private static async Task RunAsync(BenchmarkRun run)
    {
        if (Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP") is not { Length: > 0 } brokers)
        {
            run.Print("kafka: set KAFKA_BOOTSTRAP to a cluster that runs, such as 127.0.0.1:9092");
            return;
        }

        int records = run.Small ? 4_000 : 200_000;
        string topic = $"streamlstm-benchmark-{Guid.NewGuid():N}", directory = Directory.CreateTempSubdirectory("streamlstm-kafka-").FullName;
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = brokers }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = Partitions, ReplicationFactor = -1 }]);

        try
        {
            await FillAsync(brokers, topic, records);
            List<double> ratios = [];

            for (int round = 0; round < (run.Small ? 1 : 3); round++)
            {
                Figures plain = await TimedAsync(records, done => Task.Run(() => Plain(brokers, topic, records, done)));
                Figures journalled = await TimedAsync(records, done => SourceAsync(brokers, topic, records, directory, form: null, done));
                Figures lean = await TimedAsync(records, done => SourceAsync(brokers, topic, records, directory, StreamForm.Lean, done));
                Figures full = await TimedAsync(records, done => SourceAsync(brokers, topic, records, directory, StreamForm.Full, done));
                ratios.Add(journalled.Microseconds / plain.Microseconds);
                run.Print($"round {round}: {Words("Consume, JsonSerializer, Dictionary", plain)}; {Words("the source, journal synced", journalled)}; {Words("and scored, lean form", lean)}; {Words("full form", full)}");
            }

            run.Print(string.Create(CultureInfo.InvariantCulture, $"processor time of the source, journal synced, of the plain loop's: {ratios.Order().ElementAt(ratios.Count / 2):0.00}"));
        }
        finally
        {
            await admin.DeleteTopicsAsync([topic]);
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Words(string what, Figures figures) => string.Create(
        CultureInfo.InvariantCulture, $"{what} {figures.Rate:0} records/s, {figures.Microseconds:0.0} us of processor time each ({figures.Threads})");

    /// <param name="records">How many there are.</param>
    /// <param name="begin">Begins; says when all are taken, and gives what ends it.</param>
    private static async Task<Figures> TimedAsync(int records, Func<TaskCompletionSource, Task<Func<Task>>> begin)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        Dictionary<string, double> threads = ThreadTimes.Now();
        long started = Stopwatch.GetTimestamp();
        Func<Task> end = await begin(done);
        await done.Task.WaitAsync(Patience);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        string parts = string.Join(", ", ThreadTimes.Between(threads, ThreadTimes.Now()).Take(4)
            .Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Name} {part.Microseconds / records:0.0}")));
        await end();
        return new Figures(records / elapsed.TotalSeconds, cpu.TotalMicroseconds / records, parts);
    }

    private static async Task FillAsync(string brokers, string topic, int records)
    {
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(new ProducerConfig { BootstrapServers = brokers, LingerMs = 20 }).Build();
        DateTimeOffset start = DateTimeOffset.UtcNow.AddDays(-1);

        for (int from = 0; from < records; from += 10_000)
        {
            await Task.WhenAll(Enumerable.Range(from, Math.Min(10_000, records - from)).Select(i => producer.ProduceAsync(
                topic,
                new Message<string, string>
                {
                    Key = $"plant/{i % Streams}",
                    Value = string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{start.AddSeconds(i / Streams):O}\",\"value\":{20 + Math.Sin(i / Streams / 20.0) + (i * 7919 % 97 / 1000.0)}}}"),
                })));
        }
    }

    private static Func<Task> Plain(string brokers, string topic, int records, TaskCompletionSource done)
    {
        using IConsumer<string, byte[]> consumer = new ConsumerBuilder<string, byte[]>(
            new ConsumerConfig { BootstrapServers = brokers, GroupId = "plain", EnableAutoCommit = false, IsolationLevel = IsolationLevel.ReadCommitted, FetchWaitMaxMs = 100 }).Build();
        consumer.Assign(Enumerable.Range(0, Partitions).Select(number => new TopicPartitionOffset(topic, number, Offset.Beginning)));
        var last = new Dictionary<string, double>(StringComparer.Ordinal);

        for (int taken = 0; taken < records; taken++)
        {
            ConsumeResult<string, byte[]> record = consumer.Consume(CancellationToken.None);
            last[record.Message.Key] = JsonSerializer.Deserialize<Reading>(record.Message.Value)!.Value;
        }

        done.TrySetResult();
        return () => Task.CompletedTask;
    }

    /// <param name="brokers">The cluster.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="records">How many it holds.</param>
    /// <param name="directory">For the journal.</param>
    /// <param name="form">What streams remember that are scored behind the journal; null where nothing is scored.</param>
    /// <param name="done">Told when all have got to the end.</param>
    private static Task<Func<Task>> SourceAsync(string brokers, string topic, int records, string directory, StreamForm? form, TaskCompletionSource done)
    {
        string storage = Path.Combine(directory, $"{Guid.NewGuid():N}");
        Directory.CreateDirectory(storage);
        var ledger = new Ledger();
        var metrics = new DaemonMetrics(ledger);
        var positions = new SourcePositions();
        var receipts = new Receipts();
        Channel<Handed> handed = Channel.CreateBounded<Handed>(256);
        Channel<Sequenced> journalled = Channel.CreateBounded<Sequenced>(256);
        Journal journal = Journal.Open(new LocalDisk(storage), after: null, firstEver: 1);
        var stage = new JournalStage(journal, handed, journalled.Writer, ledger, positions, receipts, metrics, NullLogger.Instance);
        var stopping = new CancellationTokenSource();
        Task journalling = stage.RunAsync(0, CancellationToken.None, CancellationToken.None);
        DetectionShard? shard = form is null ? null
            : new DetectionShard(new DetectionOptions { Form = form.Value, TrainingWindowsMax = 1 }, new StreamQuota(Streams, form == StreamForm.Full ? Streams : 0), 0, 1, new DetectionScratch());
        var output = new ShardOutput();
        int taken = 0;
        Task scoring = Task.Run(async () =>
        {
            await foreach (Sequenced one in journalled.Reader.ReadAllAsync())
            {
                if (one.Entry is ObservationsEntry { Batch: var batch })
                {
                    taken += batch.Observations.Length;
                    output.Clear();
                    shard?.Apply(batch.Observations.Span, batch.IngestedAt, BaseModel.Pretrained, output);
                }

                if (taken == records)
                {
                    done.TrySetResult();
                }
            }
        });
        var source = new KafkaSource(
            new KafkaSourceOptions { Brokers = brokers, Topics = [topic], Start = "earliest" }, 0, "benchmark", RecordRules.None, 256, metrics, TimeProvider.System, NullLogger<KafkaSource>.Instance);
        Task running = source.RunAsync(new ObservationIntake(handed.Writer, ledger, new NoLetters(), positions, receipts), stopping.Token);
        return Task.FromResult<Func<Task>>(async () =>
        {
            await stopping.CancelAsync();
            await running;
            handed.Writer.Complete();
            await journalling;
            journalled.Writer.Complete();
            await scoring;
            journal.Dispose();
            metrics.Dispose();
            stopping.Dispose();
        });
    }

    /// <param name="Rate">Records a second, by the wall.</param>
    /// <param name="Microseconds">Processor time of a record, all threads.</param>
    /// <param name="Threads">The same by thread, for people; of those that had not ended.</param>
    private sealed record Figures(double Rate, double Microseconds, string Threads);

    private sealed record Reading([property: System.Text.Json.Serialization.JsonPropertyName("timestamp")] DateTimeOffset Timestamp, [property: System.Text.Json.Serialization.JsonPropertyName("value")] double Value);
}
