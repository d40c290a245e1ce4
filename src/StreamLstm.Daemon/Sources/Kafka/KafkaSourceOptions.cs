using System.Globalization;
using StreamLstm.Daemon.Kafka;
using StreamLstm.Daemon.Sources.Mqtt;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>How a record's value is laid out.</summary>
internal enum KafkaFormat
{
    /// <summary>By key and value: Sparkplug B, a known family of devices, JSON, a bare number or state.</summary>
    Auto,

    /// <summary>JSON, or a bare number or state, without what is known of families of devices.</summary>
    Json,

    /// <summary>Lines of JSON, each naming its stream.</summary>
    Ndjson,

    /// <summary>CSV: a header and rows, or rows of the columns told.</summary>
    Csv,

    /// <summary>InfluxDB line protocol.</summary>
    Influx,

    /// <summary>Sparkplug B.</summary>
    SparkplugB,

    /// <summary>Lines of a log.</summary>
    Log,

    /// <summary>Text: every line is judged by its characters.</summary>
    Text,

    /// <summary>Text: every line is judged by its words.</summary>
    Words,

    /// <summary>Avro, with the id of its schema in a Schema Registry.</summary>
    Avro,

    /// <summary>JSON behind the id of its schema.</summary>
    JsonSchema,

    /// <summary>Protobuf, with the id of its schema in a Schema Registry and which of its messages.</summary>
    Protobuf,
}

/// <summary>What becomes of a partition whose next record is not there any more.</summary>
internal enum KafkaGap
{
    /// <summary>It is not read any further until a person has said what to do.</summary>
    Stop,

    /// <summary>It goes on with what is there, counted.</summary>
    Reset,
}

/// <summary>Topics of an Apache Kafka cluster.</summary>
internal sealed class KafkaSourceOptions : KafkaBrokerOptions
{
    /// <summary>Its name in metrics and logs, under which it is also remembered how far each partition was read; empty = kafka, kafka.1 and so on, by its place in the list.</summary>
    public string Name { get; init; } = "";

    /// <summary>Topics; one that begins with ^ is a regular expression of their names.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Where a topic begins that was never read: earliest, latest, or a time such as 2026-05-01T00:00:00Z. A partition or a matching topic that comes later is read from its beginning.</summary>
    public string Start { get; init; } = "";

    /// <summary>stop or reset: what becomes of a partition whose next record was deleted before it was read, or whose topic is another one of the same name.</summary>
    public KafkaGap Gap { get; init; } = KafkaGap.Stop;

    /// <summary>What names the stream: key, topic, header:NAME, or json:FIELD.FIELD of the value; where a record has none, its topic.</summary>
    public string Stream { get; init; } = "key";

    /// <summary>Streams are named PREFIX/stream; empty = the stream.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>auto, json, ndjson, csv, influx, sparkplug_b or log; or avro, json_schema, protobuf, as a Schema Registry's serializers write them.</summary>
    public KafkaFormat Format { get; init; } = KafkaFormat.Auto;

    /// <summary>For avro and protobuf: where their schemas are.</summary>
    public SchemaRegistryOptions SchemaRegistry { get; init; } = new();

    /// <summary>For a log: a regular expression that finds what lines of one session have in common, see sources.files.key; empty = no sessions.</summary>
    [KeyExpression]
    public string Session { get; init; } = "";

    /// <summary>Of CSV without a header: the columns.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>Whether "21.5 °C" is 21.5: a number may have a unit behind a blank.</summary>
    public bool Units { get; init; }

    /// <summary>Fields that name the objects of an array, such as id; without one they are numbered from 0.</summary>
    public IReadOnlyList<string> ArrayKeys { get; init; } = [];

    /// <summary>Of times that say no offset, such as Europe/Berlin.</summary>
    [TimeZoneName]
    public string TimeZone { get; init; } = "UTC";

    /// <summary>A consumer group for which offsets are committed once they are on the disk, for whoever looks how far behind the daemon is; nothing is read from there. Empty = none.</summary>
    public string Group { get; init; } = "";

    /// <summary>A topic of the same cluster for records that could not be read: as they came, with headers that say why; empty = none, as dead-letters.ndjson has their beginning.</summary>
    public string DeadLetters { get; init; } = "";

    /// <summary>Largest value of a record, in bytes; larger ones are rejected (reason oversize).</summary>
    [Range(1, 268_435_455)]
    public int RecordMaxBytes { get; init; } = 1_048_576;

    /// <summary>Records that may wait to be taken in, in MiB; as many again are fetched ahead. Beyond it nothing is fetched.</summary>
    [Range(1, 1_024)]
    public int HeldMaxMib { get; init; } = 32;

    /// <summary>Time after which it is looked for new partitions and topics.</summary>
    public TimeSpan Refresh { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>What is said of a start that is none; null where it is one.</summary>
    public static string? WrongStart(string start) =>
        start is "earliest" or "latest" || TryStart(start, out _) ? null : "expected earliest, latest, or a time such as 2026-05-01T00:00:00Z";

    /// <summary>A start that is a time.</summary>
    public static bool TryStart(string start, out DateTimeOffset time) => DateTimeOffset.TryParse(
        start, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}
