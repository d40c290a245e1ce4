using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Avro;
using Avro.Generic;
using Avro.Util;
using Confluent.Kafka;
using Confluent.SchemaRegistry;
using Confluent.SchemaRegistry.Serdes;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>Records as the serializers of a Schema Registry write them are read; what cannot be is told, and stops nothing that can.</summary>
[Collection(KafkaTests.Name)]
public sealed class SchemaRegistryTests(KafkaTests kafka)
{
    private const string Secret = "hunter2";

    private static readonly DateTime Start = new(2026, 11, 1, 0, 0, 0, DateTimeKind.Utc);

    private static readonly RecordSchema First = (RecordSchema)Avro.Schema.Parse(
        """
        {"type":"record","name":"Reading","namespace":"plant","fields":[
          {"name":"time","type":{"type":"long","logicalType":"timestamp-micros"}},
          {"name":"flow","type":["null","double"]},
          {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
          {"name":"valve","type":{"type":"enum","name":"Valve","symbols":["OPEN","CLOSED"]}},
          {"name":"motor","type":{"type":"record","name":"Motor","fields":[{"name":"rpm","type":"int"},{"name":"name","type":"string"}]}},
          {"name":"phases","type":{"type":"array","items":"float"}}]}
        """);

    private static readonly RecordSchema Second = (RecordSchema)Avro.Schema.Parse(
        """
        {"type":"record","name":"Reading","namespace":"plant","fields":[
          {"name":"flow","type":["null","double"]},
          {"name":"limits","type":{"type":"map","values":"long"}},
          {"name":"time","type":{"type":"long","logicalType":"timestamp-millis"}}]}
        """);

    private static readonly RecordSchema Key = (RecordSchema)Avro.Schema.Parse(
        """{"type":"record","name":"Key","namespace":"plant","fields":[{"name":"line","type":"int"},{"name":"machine","type":"string"}]}""");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Avro_by_confluents_serializer_is_read_with_the_schema_each_record_names()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync();
        string topic = KafkaDaemon.NewTopic("avro");
        await broker.CreateTopicAsync(topic);
        using IProducer<byte[], byte[]> producer = Producer(broker);

        for (int row = 0; row < 20; row++)
        {
            await SendAsync(registry, producer, topic, row < 10 ? FirstOf(row) : SecondOf(row));
        }

        await using DaemonProcess daemon = await StartAsync(directory, broker, topic, "avro", registry);
        await KafkaDaemon.UntilTotalAsync(daemon, (10 * 6) - 2 + (10 * 3) - 2);
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, double[]> scored = Scored.In(Path.Combine(directory.Path, "state"));
        Assert.Equal(
            ["3/mill/flow", "3/mill/limits/high", "3/mill/limits/low", "3/mill/motor/rpm", "3/mill/phases/0", "3/mill/phases/1", "3/mill/price", "3/mill/valve"],
            scored.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([.. Enumerable.Range(0, 20).Where(row => row % 5 != 0).Select(row => row + 0.5)], scored["3/mill/flow"]);
        Assert.Equal([.. Enumerable.Range(0, 10).Select(row => row - 2.25)], scored["3/mill/price"]);
        Assert.Equal([.. Enumerable.Range(0, 10).Select(row => row % 2 == 0 ? 1.0 : 0.0)], scored["3/mill/valve"]);
        Assert.Equal([.. Enumerable.Range(0, 10).Select(row => 1000.0 + row)], scored["3/mill/motor/rpm"]);
        Assert.Equal([.. Enumerable.Range(10, 10).Select(row => -(double)row)], scored["3/mill/limits/low"]);
        string first = File.ReadLines(Path.Combine(directory.Path, "state", "events.jsonl")).First(line => line.Contains("\"stream\":\"3/mill/price\"", StringComparison.Ordinal));
        Assert.Contains("2026-11-01T00:00:00", first, StringComparison.Ordinal);

        // Each of the three schemas once, whatever comes.
        Assert.Equal(3, registry.Questions);
    }

    [Fact]
    public async Task What_names_no_schema_or_an_unknown_one_is_a_dead_letter_and_stops_nothing()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync();
        string topic = KafkaDaemon.NewTopic("poison");
        await broker.CreateTopicAsync(topic);
        using IProducer<byte[], byte[]> producer = Producer(broker);
        await SendAsync(registry, producer, topic, FirstOf(1));
        byte[] whole = await ValueOf(registry, topic, FirstOf(2));
        int json = registry.Register("other", "JSON", "{}"), broken = registry.Register("broken", "AVRO", "{\"type\":\"recor");
        byte[][] poison =
        [
            "{\"flow\":1}"u8.ToArray(), [0, 0], Named(999_999, whole.AsSpan(5)), Named(json, "{}"u8), Named(broken, "x"u8), whole[..^3], [.. whole, 1],
            Named(BinaryPrimitives.ReadInt32BigEndian(whole.AsSpan(1)), Enumerable.Repeat((byte)0xFE, 60).ToArray()),
        ];

        foreach (byte[] value in poison)
        {
            await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "3/mill"u8.ToArray(), Value = value }, Cancellation);
        }

        await SendAsync(registry, producer, topic, FirstOf(3));
        await using DaemonProcess daemon = await StartAsync(directory, broker, topic, "avro", registry);
        await KafkaDaemon.UntilTotalAsync(daemon, 2 * 6);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal([1.5, 3.5], Scored.In(Path.Combine(directory.Path, "state"))["3/mill/flow"]);
        string[] letters = LettersOf(directory);
        Assert.Equal(poison.Length, letters.Length);
        string[] told =
        [
            "first byte 123, expected 0 before a schema", "2 bytes, expected a byte 0", "schema 999999: the registry has no schema of that id",
            $"schema {json}: it is of type JSON, expected AVRO", $"schema {broken}: no schema of Avro", "field phases: ", "1 bytes behind the record", "field time: ",
        ];
        Assert.All(told.Index(), one => Assert.Contains($"offset {one.Index + 1}: ", letters[one.Index], StringComparison.Ordinal));
        Assert.All(told.Index(), one => Assert.Contains(one.Item, letters[one.Index].Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_the_registry_does_not_answer_its_source_waits_and_says_so_and_others_go_on()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync();
        string topic = KafkaDaemon.NewTopic("away"), plain = KafkaDaemon.NewTopic("plain");
        await broker.CreateTopicAsync(topic);
        await broker.CreateTopicAsync(plain);
        using IProducer<byte[], byte[]> producer = Producer(broker);

        for (int row = 1; row < 5; row++)
        {
            await SendAsync(registry, producer, topic, FirstOf(row));
        }

        await registry.StopAsync();
        await using DaemonProcess daemon = await StartAsync(
            directory, broker, topic, "avro", registry,
            "sources.kafka.1.name=plain", $"sources.kafka.1.brokers={broker.Bootstrap}", $"sources.kafka.1.topics.0={plain}", "sources.kafka.1.start=earliest");
        await KafkaDaemon.UntilReadySaysAsync(daemon, "sources.kafka.0.schema_registry.url: ");
        using IProducer<string?, string> texts = broker.Producer();
        await KafkaDaemon.SendAsync(texts, plain, "a", 0, 10);
        await KafkaDaemon.UntilTotalAsync(daemon, 10);
        await Task.Delay(TimeSpan.FromSeconds(4), Cancellation);
        Assert.Equal(10, await KafkaDaemon.TotalAsync(daemon));
        Assert.Contains("cannot be reached", await KafkaDaemon.ReadyAsync(daemon), StringComparison.Ordinal);
        Assert.Single(daemon.Output.Split('\n'), line => line.Contains("\"EventId\":102", StringComparison.Ordinal));
        await registry.StartAsync();
        await KafkaDaemon.UntilTotalAsync(daemon, 10 + (4 * 6));
        Assert.DoesNotContain("schema_registry", await KafkaDaemon.ReadyAsync(daemon), StringComparison.Ordinal);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal([1.5, 2.5, 3.5, 4.5], Scored.In(Path.Combine(directory.Path, "state"))["3/mill/flow"]);
        Assert.Empty(LettersOf(directory));
    }

    [Theory]
    [InlineData("password", "sources.kafka.0.schema_registry.password: ")]
    [InlineData("token", "sources.kafka.0.schema_registry.token_file: ")]
    [InlineData("authority", "sources.kafka.0.schema_registry.tls.ca_file: ")]
    [InlineData("path", "sources.kafka.0.schema_registry.url: ")]
    public async Task What_is_wrong_with_the_registry_is_told_by_its_setting_and_without_a_secret(string wrong, string told)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        KeyFolder keys = KeyFolder.Create(Path.Combine(directory.Path, "keys"));
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync("alice:secret", keys);
        string topic = KafkaDaemon.NewTopic("refused");
        await broker.CreateTopicAsync(topic);
        using IProducer<byte[], byte[]> producer = Producer(broker);
        int id = registry.Register(topic, "AVRO", "\"double\"");
        await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "a"u8.ToArray(), Value = Named(id, BitConverter.GetBytes(4.5)) }, Cancellation);
        string token = Path.Combine(directory.Path, "token");
        File.WriteAllText(token, Secret);
        string[] user = wrong == "token"
            ? [$"sources.kafka.0.schema_registry.token_file={token}"]
            : ["sources.kafka.0.schema_registry.username=alice", $"sources.kafka.0.schema_registry.password={(wrong == "password" ? Secret : "secret")}"];
        string[] settings =
        [
            .. user, Tls("ca_file", wrong == "authority" ? keys.OtherAuthority : keys.Authority), Tls("certificate_file", keys.Client), Tls("key_file", keys.ClientKey),
            .. wrong == "path" ? [$"sources.kafka.0.schema_registry.url={registry.Url}/elsewhere"] : Array.Empty<string>(),
        ];

        await using (DaemonProcess daemon = await StartAsync(directory, broker, topic, "avro", registry, settings))
        {
            await KafkaDaemon.UntilReadySaysAsync(daemon, told);
            await daemon.UntilAsync(() => Task.FromResult(daemon.Output.Contains("\"EventId\":102", StringComparison.Ordinal)), "told it");
            Assert.Equal(0, await daemon.TerminateAsync());
            Assert.DoesNotContain(Secret, daemon.Output, StringComparison.Ordinal);
            Assert.Single(daemon.Output.Split('\n'), line => line.Contains("\"EventId\":102", StringComparison.Ordinal));
        }

        // Nothing of it was passed over: with what is right it is read.
        File.WriteAllText(token, "alice:secret");
        string[] right =
        [
            .. wrong == "token" ? user : [user[0], "sources.kafka.0.schema_registry.password=secret"],
            Tls("ca_file", keys.Authority), Tls("certificate_file", keys.Client), Tls("key_file", keys.ClientKey),
        ];
        await using DaemonProcess mended = await StartAsync(directory, broker, topic, "avro", registry, right);
        await KafkaDaemon.UntilTotalAsync(mended, 1);
        Assert.Equal(0, await mended.TerminateAsync());
        Assert.Equal([4.5], Scored.In(Path.Combine(directory.Path, "state"))["a"]);

        static string Tls(string option, string file) => $"sources.kafka.0.schema_registry.tls.{option}={file}";
    }

    [Fact]
    public async Task Json_by_confluents_serializer_is_read_without_its_schema()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync();
        string topic = KafkaDaemon.NewTopic("json");
        await broker.CreateTopicAsync(topic);
        using CachedSchemaRegistryClient client = Client(registry);
        var serializer = new JsonSerializer<Measured>(client);
        using IProducer<byte[], byte[]> producer = Producer(broker);

        for (int row = 0; row < 10; row++)
        {
            byte[] value = await serializer.SerializeAsync(new Measured { Timestamp = Start.AddSeconds(row), Flow = row }, new SerializationContext(MessageComponentType.Value, topic));
            await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "mill"u8.ToArray(), Value = value }, Cancellation);
        }

        await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "mill"u8.ToArray(), Value = "{\"Flow\":1}"u8.ToArray() }, Cancellation);
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic, "sources.kafka.0.format=json_schema");
        await KafkaDaemon.UntilTotalAsync(daemon, 10);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.Equal(KafkaDaemon.Rows(0, 10), Scored.In(Path.Combine(directory.Path, "state"))["mill/Flow"]);
        Assert.Contains("first byte 123, expected 0", Assert.Single(LettersOf(directory)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Protobuf_by_protoc_is_read_by_the_text_of_its_schema_and_of_what_that_imports()
    {
        string protoc = Parts.Require("protoc", "protobuf-compiler");
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync();
        string topic = KafkaDaemon.NewTopic("protobuf"), folder = directory.Path;
        await broker.CreateTopicAsync(topic);
        const string Common = "syntax = \"proto3\"; package plant; enum Valve { CLOSED = 0; OPEN = 1; } message Motor { sint32 rpm = 1; string name = 2; }";
        const string Reading =
            """
            syntax = "proto3"; package plant;
            import "common.proto"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
            message Other { string text = 1; }
            message Outer { message Reading {
              google.protobuf.Timestamp time = 1; double flow = 2; Valve valve = 3; Motor motor = 4; repeated float phases = 5; map<string, int64> limits = 6;
              optional uint32 count = 7; google.protobuf.DoubleValue level = 8; fixed64 ticks = 9; oneof kind { int32 hot = 10; int32 cold = 11; }
            } }
            """;
        File.WriteAllText(Path.Combine(folder, "common.proto"), Common);
        File.WriteAllText(Path.Combine(folder, "reading.proto"), Reading);
        registry.Register("common", "PROTOBUF", Common);
        int id = registry.Register(topic, "PROTOBUF", Reading, ("common.proto", "common"));
        using IProducer<byte[], byte[]> producer = Producer(broker);

        for (int row = 0; row < 10; row++)
        {
            byte[] message = await EncodeAsync(
                protoc, folder, "plant.Outer.Reading",
                $"time {{ seconds: {1_793_491_200 + row} nanos: 5000000 }} flow: {row} valve: {(row % 2 == 0 ? "OPEN" : "CLOSED")} motor {{ rpm: {-row} name: \"m\" }} "
                + $"phases: 0.5 phases: {row} limits {{ key: \"low\" value: {row} }} {(row % 2 == 0 ? $"count: {row} level {{ value: 0 }}" : "")} ticks: {row} hot: {row}");

            // The second message of the schema, and within it the first.
            await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "mill"u8.ToArray(), Value = Named(id, [4, 2, 0, .. message]) }, Cancellation);
        }

        // No numbers stand for the first message, and one of them is not there.
        await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "mill"u8.ToArray(), Value = Named(id, [0]) }, Cancellation);
        await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "mill"u8.ToArray(), Value = Named(id, [2, 4]) }, Cancellation);
        await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = "mill"u8.ToArray(), Value = Named(id, [4, 2, 0, 0x12, 0x01, 0x41]) }, Cancellation);
        await using DaemonProcess daemon = await StartAsync(directory, broker, topic, "protobuf", registry);
        await KafkaDaemon.UntilTotalAsync(daemon, (10 * 8) + (5 * 2));
        await daemon.UntilAsync(() => Task.FromResult(LettersOf(directory).Length == 3), "rejected three");
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, double[]> scored = Scored.In(Path.Combine(folder, "state"));
        Assert.Equal(KafkaDaemon.Rows(0, 10), scored["mill/flow"]);
        Assert.Equal([.. Enumerable.Range(0, 10).Select(row => row % 2 == 0 ? 1.0 : 0.0)], scored["mill/valve"]);
        Assert.Equal([.. Enumerable.Range(0, 10).Select(row => 0.0 - row)], scored["mill/motor/rpm"]);
        Assert.Equal(KafkaDaemon.Rows(0, 10), scored["mill/phases/1"]);
        Assert.Equal(KafkaDaemon.Rows(0, 10), scored["mill/limits/low"]);
        Assert.Equal([0, 2, 4, 6, 8], scored["mill/count"]);
        Assert.Equal([0, 0, 0, 0, 0], scored["mill/level"]);
        Assert.Equal(KafkaDaemon.Rows(0, 10), scored["mill/ticks"]);
        Assert.Equal(KafkaDaemon.Rows(0, 10), scored["mill/hot"]);
        Assert.DoesNotContain("mill/cold", scored.Keys);
        string[] letters = LettersOf(directory);
        Assert.Contains("no field holds a number", letters[0], StringComparison.Ordinal);
        Assert.Contains("message 2 of the schema, which has 2", letters[1], StringComparison.Ordinal);
        Assert.Contains("field flow: wire type 2, expected 1", letters[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_member_of_a_cluster_waits_for_the_registry_and_goes_on()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        await using SchemaRegistryServer registry = await SchemaRegistryServer.StartAsync();
        string topic = KafkaDaemon.NewTopic("shared");
        await broker.CreateTopicAsync(topic, partitions: 2);
        using IProducer<byte[], byte[]> producer = Producer(broker);

        for (int row = 1; row < 5; row++)
        {
            await SendAsync(registry, producer, topic, FirstOf(row));
        }

        await registry.StopAsync();
        await using var nodes = new ClusterNodes(broker, topic, directory.Path, "avro", "classic");
        await nodes.CreateTopicsAsync();
        await nodes.StartAsync(1, "sources.kafka.0.format=avro", $"sources.kafka.0.schema_registry.url={registry.Url}");
        await KafkaDaemon.UntilReadySaysAsync(nodes.Running.Single(), "sources.kafka.0.schema_registry.url: ");
        await registry.StartAsync();
        await nodes.UntilReadAsync(4);
        await nodes.StopAsync();
        Assert.Equal(
            ["1.5", "2.5", "3.5", "4.5"],
            nodes.Read("scores").Where(record => record.Message.Key == "3/mill/flow")
                .Select(record => System.Text.Json.JsonDocument.Parse(record.Message.Value).RootElement.GetProperty("value").GetRawText()));
    }

    private static GenericRecord FirstOf(int row)
    {
        var motor = new GenericRecord((RecordSchema)First["motor"].Schema);
        motor.Add("rpm", 1000 + row);
        motor.Add("name", "m1");
        var record = new GenericRecord(First);
        record.Add("time", Start.AddSeconds(row));
        record.Add("flow", row % 5 == 0 ? null : row + 0.5);
        record.Add("price", new AvroDecimal(row - 2.25m));
        record.Add("valve", new GenericEnum((EnumSchema)First["valve"].Schema, row % 2 == 0 ? "OPEN" : "CLOSED"));
        record.Add("motor", motor);
        record.Add("phases", new[] { row * 0.5f, 0.1f });
        return record;
    }

    private static GenericRecord SecondOf(int row)
    {
        var record = new GenericRecord(Second);
        record.Add("flow", row % 5 == 0 ? null : row + 0.5);
        record.Add("limits", new Dictionary<string, object> { ["low"] = -(long)row, ["high"] = (long)row });
        record.Add("time", Start.AddSeconds(row));
        return record;
    }

    private static CachedSchemaRegistryClient Client(SchemaRegistryServer registry) => new(new SchemaRegistryConfig { Url = registry.Url });

    private static async Task<byte[]> ValueOf(SchemaRegistryServer registry, string topic, GenericRecord record)
    {
        using CachedSchemaRegistryClient client = Client(registry);
        return await new AvroSerializer<GenericRecord>(client).SerializeAsync(record, new SerializationContext(MessageComponentType.Value, topic));
    }

    private static async Task SendAsync(SchemaRegistryServer registry, IProducer<byte[], byte[]> producer, string topic, GenericRecord record)
    {
        using CachedSchemaRegistryClient client = Client(registry);
        var machine = new GenericRecord(Key);
        machine.Add("line", 3);
        machine.Add("machine", "mill");
        byte[] key = await new AvroSerializer<GenericRecord>(client).SerializeAsync(machine, new SerializationContext(MessageComponentType.Key, topic));
        await producer.ProduceAsync(topic, new Message<byte[], byte[]> { Key = key, Value = await ValueOf(registry, topic, record) }, Cancellation);
    }

    /// <summary>Records that were rejected: what was left out of others stands in the file too, once of each.</summary>
    private static string[] LettersOf(TemporaryDirectory directory)
    {
        string file = Path.Combine(directory.Path, "state", "dead-letters.ndjson");
        return File.Exists(file) ? [.. File.ReadAllLines(file).Where(line => !line.Contains("\"reason\":\"left_out", StringComparison.Ordinal))] : [];
    }

    private static IProducer<byte[], byte[]> Producer(KafkaBroker broker) => new ProducerBuilder<byte[], byte[]>(
        new ProducerConfig { BootstrapServers = broker.Bootstrap, EnableIdempotence = true, LingerMs = 0 }).SetErrorHandler((_, _) => { }).SetLogHandler((_, _) => { }).Build();

    private static Task<DaemonProcess> StartAsync(
        TemporaryDirectory directory, KafkaBroker broker, string topic, string format, SchemaRegistryServer registry, params string[] settings) => KafkaDaemon.StartAsync(
        directory.Path, broker.Bootstrap, topic, [$"sources.kafka.0.format={format}", $"sources.kafka.0.schema_registry.url={registry.Url}", .. settings]);

    private static byte[] Named(int id, ReadOnlySpan<byte> record)
    {
        byte[] value = new byte[5 + record.Length];
        BinaryPrimitives.WriteInt32BigEndian(value.AsSpan(1), id);
        record.CopyTo(value.AsSpan(5));
        return value;
    }

    private static async Task<byte[]> EncodeAsync(string protoc, string folder, string message, string text)
    {
        using Process process = Process.Start(new ProcessStartInfo(protoc, [$"-I{folder}", "-I/usr/include", $"--encode={message}", "reading.proto"])
        {
            WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(text);
        process.StandardInput.Close();
        using var encoded = new MemoryStream();
        Task<string> said = process.StandardError.ReadToEndAsync(Cancellation);
        await process.StandardOutput.BaseStream.CopyToAsync(encoded, Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, await said);
        return encoded.ToArray();
    }

    private sealed class Measured
    {
        public DateTime Timestamp { get; set; }

        public double Flow { get; set; }
    }
}
