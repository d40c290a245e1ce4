using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Sources.Senses;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>Where observations come from.</summary>
internal sealed class SourcesOptions
{
    /// <summary>This computer's own figures.</summary>
    public HostSourceOptions Host { get; init; } = new();

    /// <summary>Topics of MQTT brokers.</summary>
    public IReadOnlyList<MqttSourceOptions> Mqtt { get; init; } = [];

    /// <summary>Topics of Apache Kafka clusters.</summary>
    public IReadOnlyList<KafkaSourceOptions> Kafka { get; init; } = [];

    /// <summary>An MQTT broker inside the daemon.</summary>
    public MqttEmbeddedOptions MqttEmbedded { get; init; } = new();

    /// <summary>What is sent over HTTP.</summary>
    public HttpSourceOptions Http { get; init; } = new();

    /// <summary>Files to read, once or for as long as they grow.</summary>
    public IReadOnlyList<FileSourceOptions> Files { get; init; } = [];

    /// <summary>Standard input.</summary>
    public StdinSourceOptions Stdin { get; init; } = new();

    /// <summary>Sound: WAV files, samples out of pipes and standard input.</summary>
    public IReadOnlyList<SoundSourceOptions> Sound { get; init; } = [];

    /// <summary>Pictures out of pipes and standard input.</summary>
    public IReadOnlyList<VideoSourceOptions> Video { get; init; } = [];

    /// <summary>Templates of all sources.</summary>
    public IReadOnlyList<TopicTemplate> TopicTemplates() => [.. Mqtt.SelectMany(source => source.TopicTemplates()), .. MqttEmbedded.TopicTemplates()];
}

/// <summary>This computer's own figures, from /proc and /sys.</summary>
internal sealed class HostSourceOptions
{
    /// <summary>Whether to watch this computer.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Time between samples.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Streams are named PREFIX/cpu/0/user and so on; empty = host/MACHINE NAME.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>What its streams' names begin with.</summary>
    public string StreamPrefix() => Prefix.Length > 0 ? Prefix : $"host/{Environment.MachineName}";

    /// <summary>Where proc is mounted: another place shows a host from within a container.</summary>
    public string ProcPath { get; init; } = "/proc";

    /// <summary>Where sysfs is mounted.</summary>
    public string SysPath { get; init; } = "/sys";
}

/// <summary>An MQTT broker inside the daemon: a topic is a stream.</summary>
internal sealed class MqttEmbeddedOptions
{
    /// <summary>Whether to listen.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Address to listen on. Another one than loopback needs a password file.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port to listen on; where it is taken the next free one of ten, told in the log; 0 = any free one.</summary>
    [Range(0, 65_535)]
    public int Port { get; init; } = 1883;

    /// <summary>Users and passwords as mosquitto_passwd writes them; empty = whoever reaches the port. Read again when it changes.</summary>
    public string PasswordFile { get; init; } = "";

    /// <summary>TLS on the port.</summary>
    public ServerTlsOptions Tls { get; init; } = new();

    /// <summary>Largest payload, in bytes; larger ones are rejected (reason oversize).</summary>
    [Range(1, 268_435_455)]
    public int PayloadMaxBytes { get; init; } = 262_144;

    /// <summary>Of times that say no offset, as Tasmota's, such as Europe/Berlin.</summary>
    [TimeZoneName]
    public string TimeZone { get; init; } = "UTC";

    /// <summary>What the levels of topics say; the first that a topic fits counts.</summary>
    public IReadOnlyList<TopicTemplateOptions> Templates { get; init; } = [];

    /// <summary>The templates that are right; validation tells of others.</summary>
    public IReadOnlyList<TopicTemplate> TopicTemplates() => TopicTemplateOptions.Parsed(Templates, prefix: "");
}

/// <summary>What is sent over HTTP: /api/v1/observations, and the routes of InfluxDB, Prometheus remote write and OpenTelemetry.</summary>
internal sealed class HttpSourceOptions
{
    /// <summary>Whether to accept observations over HTTP.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Largest request body, unpacked, in bytes; larger ones are answered 413. An OpenTelemetry Collector sends 8,192 points at once.</summary>
    [Range(1, 1_073_741_824)]
    public int BodyMaxBytes { get; init; } = 4_194_304;

    /// <summary>Requests handled at once; further ones are answered 429.</summary>
    [Range(1, 65_536)]
    public int ConcurrentMax { get; init; } = 256;

    /// <summary>
    /// Attributes of OpenTelemetry's resources that name streams, in this order; two resources that differ in none of them are one. Empty =
    /// service.namespace, service.name, service.instance.id, host.name, k8s.namespace.name, k8s.pod.name, k8s.container.name.
    /// </summary>
    public IReadOnlyList<string> OtlpResource { get; init; } = [];
}

/// <summary>A file to read.</summary>
internal sealed class FileSourceOptions
{
    /// <summary>The file.</summary>
    [Required]
    public string Path { get; init; } = "";

    /// <summary>auto, csv, ndjson, influx, log, text or words.</summary>
    public TextFormat Format { get; init; } = TextFormat.Auto;

    /// <summary>Go on reading as the file grows; follows rotation and truncation.</summary>
    public bool Follow { get; init; }

    /// <summary>Streams are named PREFIX/column, that of a log or a text PREFIX; empty = the file's name without its ending.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Of CSV: which columns hold what, where their names do not say it.</summary>
    public CsvColumnsOptions Columns { get; init; } = new();

    /// <summary>Of times that say no offset, such as Europe/Berlin.</summary>
    [TimeZoneName]
    public string TimeZone { get; init; } = "UTC";

    /// <summary>For a log: a regular expression that finds what lines of one session have in common, as its group "key", its first group, or all of it; empty = no sessions.</summary>
    [KeyExpression]
    public string Key { get; init; } = "";
}

/// <summary>Which columns of CSV hold what, where their names do not say it.</summary>
internal sealed class CsvColumnsOptions
{
    /// <summary>The column with the time; empty = by its name.</summary>
    public string Time { get; init; } = "";

    /// <summary>Columns that name a row's stream, joined by slashes; none = by their names.</summary>
    public IReadOnlyList<string> Stream { get; init; } = [];

    /// <summary>The column with a row's value; empty = by its name, or every column of numbers, as STREAM/COLUMN.</summary>
    public string Value { get; init; } = "";

    /// <summary>For the decoders.</summary>
    /// <param name="timeZone">Of times that say no offset.</param>
    public CsvRules Rules(string timeZone) => new(Time, Stream, Value, TimeZoneInfo.FindSystemTimeZoneById(timeZone));
}

/// <summary>Standard input.</summary>
internal sealed class StdinSourceOptions
{
    /// <summary>Whether to read it.</summary>
    public bool Enabled { get; init; }

    /// <summary>auto, csv, ndjson, influx, log, text or words.</summary>
    public TextFormat Format { get; init; } = TextFormat.Auto;

    /// <summary>Streams are named PREFIX/column, that of a log or a text PREFIX.</summary>
    public string Prefix { get; init; } = "stdin";

    /// <summary>Of CSV: which columns hold what, where their names do not say it.</summary>
    public CsvColumnsOptions Columns { get; init; } = new();

    /// <summary>Of times that say no offset, such as Europe/Berlin.</summary>
    [TimeZoneName]
    public string TimeZone { get; init; } = "UTC";

    /// <summary>For a log: finds what lines of one session have in common, see sources.files.key; empty = no sessions.</summary>
    [KeyExpression]
    public string Key { get; init; } = "";
}

/// <summary>The text is a regular expression that takes time proportional to what it reads.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class KeyExpressionAttribute : ValidationAttribute
{
    public override bool IsValid(object? value)
    {
        try
        {
            Decoding.LogLineDecoder.KeyPattern((string?)value ?? "");
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
