using System.Globalization;
using System.Text;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Kafka;

namespace StreamLstm.Tests.Daemon.Cluster;

/// <summary>A partition's state goes over to another owner at any record, and what comes of the next ones is the same.</summary>
public sealed class PartitionStateTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, long.MaxValue)]
    [InlineData(97, long.MaxValue)]
    [InlineData(701, long.MaxValue)]
    [InlineData(97, 600L << 10)]
    public void Who_takes_a_partition_over_tells_what_its_former_owner_would_have_told(int every, long bytes)
    {
        KafkaRecord[] records = [.. Records(1_100)];
        string[] expected = Told(New(new StateRecords(), bytes: bytes), records), told;
        var topic = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        List<string> all = [];
        int from = every == 1 ? 1_080 * 3 : 0;   // each record is dear: the last ones only
        PartitionState owner = New(new StateRecords(), bytes: bytes);
        all.AddRange(Told(owner, records[..from]));

        for (; from < records.Length; from += every)
        {
            Write(topic, owner.TakeChanges());
            owner = New(Read(topic), bytes: bytes);
            Assert.Equal(from == 0 ? 0 : records[from - 1].Offset + 1, owner.At!.Offset);
            all.AddRange(Told(owner, records[from..Math.Min(records.Length, from + every)]));
        }

        told = [.. all];
        Assert.Equal(expected, told);
        Assert.Contains(told, line => line.Contains("\"kind\":\"silence\"", StringComparison.Ordinal));
        Assert.Contains(told, line => line.Contains("\"type\":\"incident\"", StringComparison.Ordinal) && line.Contains("\"state\":\"closed\"", StringComparison.Ordinal));
        Assert.Equal(records.Length, owner.Received);
        Assert.Equal(owner.Received, owner.Scored + owner.Rejected);

        // Where there is little room, streams that grew have become smaller.
        Assert.Equal(bytes < long.MaxValue, owner.Streams.Any(row => row.Form != StreamForm.Full));
    }

    [Fact]
    public void Only_what_has_changed_is_written()
    {
        PartitionState owner = New(new StateRecords());
        Told(owner, [.. Records(50)]);
        Assert.Equal(
            ["stream:0:a", "stream:0:b", "stream:0:c", "weights", "partition"],
            owner.TakeChanges().Select(change => change.Key));
        Assert.False(owner.HasChanged);
        Told(owner, [Record(1_000, "b", 50, "1")]);
        Assert.Equal(["stream:0:b", "partition"], owner.TakeChanges().Select(change => change.Key));
    }

    [Fact]
    public void A_partition_keeps_the_weights_it_began_with()
    {
        PartitionState first = New(new StateRecords(), BaseModel.Untrained(7));
        Told(first, [.. Records(3)]);
        var topic = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        Write(topic, first.TakeChanges());
        PartitionState second = New(Read(topic));
        Assert.Equal(first.Model.Weights.Parameters.ToArray(), second.Model.Weights.Parameters.ToArray());
    }

    [Theory]
    [InlineData(StreamForm.Full)]
    [InlineData(StreamForm.Lean)]
    public void Newer_weights_serve_from_where_they_came_whoever_owns_the_partition_then(StreamForm form)
    {
        KafkaRecord[] records = [.. Records(900)];
        var newer = new BaseModel(1, BaseModel.Untrained(7).Weights);
        PartitionState owner = New(new StateRecords(), form: form);
        var topic = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        Told(owner, records[..2_000]);
        Write(topic, owner.TakeChanges());
        Assert.True(owner.Serve(newer));
        Assert.False(owner.Serve(newer));
        Assert.Equal(["weights", "partition"], Written(owner.TakeChanges()));
        PartitionState next = New(Read(topic), form: form);
        Assert.Equal(1, next.Model.Version);
        Assert.Equal(newer.Weights.Parameters.ToArray(), next.Model.Weights.Parameters.ToArray());
        string[] told = Told(owner, records[2_000..]);
        Assert.Equal(told, Told(next, records[2_000..]));
        Assert.All(told.Where(line => line.Contains("\"type\":\"score\"", StringComparison.Ordinal)), line => Assert.Contains("\"version\":1", line.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.NotEmpty(owner.TrainingWindows);

        // And they count.
        PartitionState without = New(new StateRecords(), form: form);
        Told(without, records[..2_000]);
        Assert.NotEqual(told, Told(without, records[2_000..]));

        IEnumerable<string> Written(List<StateRecord> changes)
        {
            Write(topic, changes);
            return changes.Select(change => change.Key);
        }
    }

    [Fact]
    public void A_stream_of_many_bytes_is_in_pieces_and_one_that_is_missing_is_noticed()
    {
        var writer = new StateRecords();
        byte[] large = [.. Enumerable.Range(0, 2_000_000).Select(i => (byte)i)];
        var topic = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        Write(topic, [.. writer.OfStream("a:b", large, 5)]);
        Assert.Equal(["stream:0:a:b", "stream:1:a:b", "stream:2:a:b"], topic.Keys.Order(StringComparer.Ordinal));
        (string name, byte[] bytes) = Assert.Single(Read(topic).TakeStreams());
        Assert.Equal("a:b", name);
        Assert.Equal(large, bytes);

        // Smaller now: what is left of it is deleted.
        StateRecord[] smaller = [.. writer.OfStream("a:b", large.AsMemory(0, 10), 6)];
        Assert.Equal(["stream:1:a:b", "stream:2:a:b"], smaller.Where(change => change.Value is null).Select(change => change.Key));
        Write(topic, smaller);
        Assert.Equal(10, Assert.Single(Read(topic).TakeStreams()).Bytes.Length);

        Write(topic, [.. new StateRecords().OfStream("a:b", large, 7)]);
        topic.Remove("stream:1:a:b");
        string said = Assert.Throws<InvalidDataException>(() => Read(topic).TakeStreams().ToArray()).Message;
        Assert.Contains("piece 1 of 3 of stream 'a:b' as of offset 7", said, StringComparison.Ordinal);
    }

    [Fact]
    public void State_of_another_layout_is_refused_and_not_read_as_something_else()
    {
        PartitionState owner = New(new StateRecords());
        Told(owner, [.. Records(3)]);
        var topic = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        Write(topic, owner.TakeChanges());
        topic["partition"][4]++;
        Assert.Contains("another version wrote it", Assert.Throws<InvalidDataException>(() => New(Read(topic))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_persons_word_is_in_the_state_that_the_next_owner_goes_on_from()
    {
        KafkaRecord[] records = [.. Records(1_300)];
        PartitionState owner = New(new StateRecords());
        var topic = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        int at = 0;
        string? incident = null;

        for (; incident is null; at++)
        {
            incident = owner.Take(records[at]).Batch.Incidents.FirstOrDefault(one => one.Stream == "a")?.IncidentId;
        }

        Write(topic, owner.TakeChanges());
        Assert.Null(owner.Label("nowhere", IncidentLabel.Real, Start));
        Assert.Equal("a", owner.Label(incident, IncidentLabel.FalseAlarm, Start));
        string[] said = [.. owner.TakeSaid().Batch.Incidents.Select(one => $"{one.Stream} {one.State}")];
        Assert.Equal(["a Closed"], said);
        Assert.Equal(AcceptOutcome.UnknownStream, owner.Accept("nowhere"));
        Assert.True(owner.Forget("c"));
        Assert.False(owner.Forget("c"));

        // Of the streams only those that were spoken of are written.
        StateRecord[] changes = [.. owner.TakeChanges()];
        Assert.Equal(["stream:0:a", "stream:0:c"], changes.Select(change => change.Key).Where(key => key.StartsWith("stream", StringComparison.Ordinal)));
        Write(topic, changes);
        PartitionState next = New(Read(topic));
        Assert.Equal(["a", "b"], next.Streams.Select(row => row.Stream).Order());
        KafkaRecord[] rest = records[at..];
        string[] told = Told(owner, rest);
        Assert.Equal(told, Told(next, rest));

        // And it counts: without it more is told.
        PartitionState without = New(new StateRecords());
        Told(without, records[..at]);
        Assert.True(Opened(Told(without, rest)) > Opened(told), "the label changes nothing");

        static int Opened(string[] told) => told.Count(line => line.Contains("\"stream\":\"a\"", StringComparison.Ordinal) && line.Contains("\"state\":\"opened\"", StringComparison.Ordinal));
    }

    private static PartitionState New(StateRecords records, BaseModel? model = null, StreamForm form = StreamForm.Full, long bytes = long.MaxValue)
    {
        var state = new PartitionState(
            new PartitionRules(
                new KafkaSourceOptions { Topics = ["t"], Format = KafkaFormat.Json }, new RecordRules([]), new DetectionOptions { Form = form },
                new StreamLimits(100, 100, bytes, TimeSpan.FromDays(30)) { IsFormByNeed = bytes < long.MaxValue }),
            partition: 3, records, model ?? BaseModel.Pretrained);

        if (state.At is null)
        {
            state.Begin(new KafkaPosition("id", 0, -1, 0, 0));
        }

        return state;
    }

    private static string[] Told(PartitionState state, IEnumerable<KafkaRecord> records) =>
    [
        .. records.SelectMany(record =>
        {
            ScoredBatch batch = state.Take(record).Batch;
            return batch.Observations.Select(scored => EventJson.Score(scored)).Concat(batch.Incidents.Select(EventJson.Incident)).Concat(batch.Groups.Select(EventJson.Group)).ToArray();
        }),
    ];

    /// <summary>Three streams: a wave with spikes, one that falls silent, and one that steps.</summary>
    private static IEnumerable<KafkaRecord> Records(int rows)
    {
        long offset = 0;

        for (int row = 0; row < rows; row++)
        {
            double wave = 20 + (5 * Math.Sin(row / 6.0)) + (row * 7_919 % 100 / 200.0);
            yield return Record(offset++, "a", row, (row > 800 && row % 90 == 0 ? 60 : wave).ToString("R", CultureInfo.InvariantCulture));

            // As many records as the others have: what cannot be read is one too.
            yield return row is > 900 and < 1_000
                ? Record(offset++, "b", row, "{")
                : Record(offset++, "b", row, (wave * 2).ToString("R", CultureInfo.InvariantCulture));
            yield return Record(offset++, "c", row, (wave + (row > 1_000 ? 30 : 0)).ToString("R", CultureInfo.InvariantCulture));
        }
    }

    private static KafkaRecord Record(long offset, string stream, int row, string value) =>
        new(KafkaReadKind.Record, new KafkaPartition("t", 3), offset)
        {
            Key = Encoding.UTF8.GetBytes(stream),
            Value = Encoding.UTF8.GetBytes(value),
            Timestamp = Start.AddSeconds(row).ToUnixTimeMilliseconds(),
        };

    private static void Write(Dictionary<string, byte[]> topic, IEnumerable<StateRecord> changes)
    {
        foreach (StateRecord change in changes)
        {
            if (change.Value is { } value)
            {
                topic[change.Key] = value;
            }
            else
            {
                topic.Remove(change.Key);
            }
        }
    }

    private static StateRecords Read(Dictionary<string, byte[]> topic)
    {
        var records = new StateRecords();

        foreach ((string key, byte[] value) in topic)
        {
            records.Take(Encoding.UTF8.GetBytes(key), [.. value]);
        }

        return records;
    }
}
