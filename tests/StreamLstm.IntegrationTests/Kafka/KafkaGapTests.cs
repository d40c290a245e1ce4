using Confluent.Kafka;
using Confluent.Kafka.Admin;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>What is not there any more is told, counted, and passed over only where the configuration says so; what is no gap is none.</summary>
[Collection(KafkaTests.Name)]
public sealed class KafkaGapTests(KafkaTests kafka)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_deleted_before_they_were_read_stop_their_partition_until_it_may_pass_over_them()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("gap");
        await broker.CreateTopicAsync(topic, partitions: 2);
        using IProducer<string?, string> producer = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 100, partition: 0);
        await KafkaDaemon.SendAsync(producer, topic, "b", 0, 100, partition: 1);

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 200);
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        await KafkaDaemon.SendAsync(producer, topic, "a", 100, 100, partition: 0);
        await KafkaDaemon.SendAsync(producer, topic, "b", 100, 100, partition: 1);
        using IAdminClient admin = broker.Admin();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, 150)]);

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic))
        {
            await KafkaDaemon.UntilReadySaysAsync(daemon, $"50 records of {topic}/0 from offset 100 on were deleted before they were read; set sources.kafka.0.gap: reset");
            await KafkaDaemon.UntilTotalAsync(daemon, 300);
            Assert.Equal(1, await KafkaDaemon.MetricAsync(daemon, "streamlstm_source_gaps_total"));
            Assert.Equal(50, await KafkaDaemon.MetricAsync(daemon, "streamlstm_source_gap_records_total"));
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, "sources.kafka.0.gap=reset"))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 350);
            Assert.Equal(50, await KafkaDaemon.MetricAsync(daemon, "streamlstm_source_gap_records_total"));
            Assert.Contains("watching", await KafkaDaemon.ReadyAsync(daemon), StringComparison.Ordinal);
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal([.. KafkaDaemon.Rows(0, 100), .. KafkaDaemon.Rows(150, 50)], scored["a"]);
        Assert.Equal(KafkaDaemon.Rows(0, 200), scored["b"]);
    }

    /// <summary>While it runs this is noticed when it next looks at its topics, so nothing is written before.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_topic_that_was_made_anew_is_another_one_whether_the_daemon_runs_or_not(bool runs)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("anew");
        await broker.CreateTopicAsync(topic);
        using IProducer<string?, string> producer = broker.Producer(), second = broker.Producer();
        await KafkaDaemon.SendAsync(producer, topic, "a", 0, 50);

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 50);

            if (runs)
            {
                await AnewAsync(broker, topic);
                await KafkaDaemon.UntilReadySaysAsync(daemon, "was deleted and created anew");
            }

            Assert.Equal(0, await daemon.TerminateAsync());
        }

        if (!runs)
        {
            await AnewAsync(broker, topic);
        }

        // More than was read of the one before: by its offsets alone nobody could tell.
        await KafkaDaemon.SendAsync(second, topic, "b", 0, 80);

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic))
        {
            await KafkaDaemon.UntilReadySaysAsync(daemon, "was deleted and created anew");
            Assert.Equal(50, await KafkaDaemon.TotalAsync(daemon));
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, "sources.kafka.0.gap=reset"))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, 130);
            Assert.Equal(1, await KafkaDaemon.MetricAsync(daemon, "streamlstm_source_gaps_total"));
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal(KafkaDaemon.Rows(0, 50), scored["a"]);
        Assert.Equal(KafkaDaemon.Rows(0, 80), scored["b"]);
    }

    [Fact]
    public async Task What_a_transaction_took_back_and_its_marks_are_no_gap_also_where_they_are_all_that_was_deleted()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("aborted");
        await broker.CreateTopicAsync(topic);
        using IProducer<string?, string> producer = broker.Producer(transactionalId: topic);
        producer.InitTransactions(TimeSpan.FromSeconds(30));
        int row = 0;

        for (int transaction = 0; transaction < 60; transaction++)
        {
            producer.BeginTransaction();
            bool isTakenBack = transaction % 3 != 0;
            await KafkaDaemon.SendAsync(producer, topic, isTakenBack ? "never" : "a", isTakenBack ? 0 : row, 5);

            if (isTakenBack)
            {
                producer.AbortTransaction();
            }
            else
            {
                producer.CommitTransaction();
                row += 5;
            }
        }

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, row);
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        // As retention does where nothing comes any more: all of it, what stands behind the last committed record too.
        using IAdminClient admin = broker.Admin();
        await admin.DeleteRecordsAsync([new TopicPartitionOffset(topic, 0, Offset.End)]);
        producer.BeginTransaction();
        await KafkaDaemon.SendAsync(producer, topic, "a", row, 5);
        producer.CommitTransaction();

        await using (DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic))
        {
            await KafkaDaemon.UntilTotalAsync(daemon, row + 5);
            Assert.Equal(0, await KafkaDaemon.MetricAsync(daemon, "streamlstm_source_gaps_total"));
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal(["a"], scored.Keys);
        Assert.Equal(KafkaDaemon.Rows(0, row + 5), scored["a"]);
    }

    /// <summary>STREAMLSTM_TEST_ABORTED sets how many.</summary>
    [Fact]
    public async Task Thousands_of_transactions_that_were_taken_back_hide_nothing_of_what_was_committed_among_them()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("taken-back");
        await broker.CreateTopicAsync(topic);
        int transactions = int.Parse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_ABORTED") ?? "300", System.Globalization.CultureInfo.InvariantCulture), row = 0;
        using IProducer<string?, string> producer = broker.Producer(transactionalId: topic);
        producer.InitTransactions(TimeSpan.FromSeconds(30));

        for (int transaction = 0; transaction < transactions; transaction++)
        {
            producer.BeginTransaction();
            bool isTakenBack = transaction % 100 != 0;
            await KafkaDaemon.SendAsync(producer, topic, "a", isTakenBack ? 1_000_000 : row++, 1);

            if (isTakenBack)
            {
                producer.AbortTransaction();
            }
            else
            {
                producer.CommitTransaction();
            }
        }

        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic);
        await KafkaDaemon.UntilTotalAsync(daemon, row);
        Assert.Equal(0, await KafkaDaemon.MetricAsync(daemon, "streamlstm_source_gaps_total"));
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal(KafkaDaemon.Rows(0, row), Scored.In(Path.Combine(directory.Path, "state"))["a"]);
    }

    /// <summary>Deletes a topic and makes another one of its name.</summary>
    internal static async Task AnewAsync(KafkaBroker broker, string topic, int partitions = 1)
    {
        using IAdminClient admin = broker.Admin();
        await admin.DeleteTopicsAsync([topic]);

        while (true)
        {
            try
            {
                await broker.CreateTopicAsync(topic, partitions);
                return;
            }
            catch (CreateTopicsException notYet) when (notYet.Results.All(result => result.Error.Code == ErrorCode.TopicAlreadyExists))
            {
                await Task.Delay(100, Cancellation);
            }
        }
    }
}
