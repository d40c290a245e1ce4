using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sinks.Mqtt;
using StreamLstm.Daemon.Sinks.Notify;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Where verdicts go. The live page needs no entry: it is always there.</summary>
internal sealed class SinksOptions
{
    /// <summary>Incidents as lines on standard output.</summary>
    public ConsoleSinkOptions Console { get; init; } = new();

    /// <summary>Verdicts as JSON lines in a file.</summary>
    public JsonlSinkOptions Jsonl { get; init; } = new();

    /// <summary>Incidents as messages of MQTT brokers, and for Home Assistant.</summary>
    public IReadOnlyList<MqttSinkOptions> Mqtt { get; init; } = [];

    /// <summary>Incidents as records of Apache Kafka clusters.</summary>
    public IReadOnlyList<KafkaSinkOptions> Kafka { get; init; } = [];

    /// <summary>Values in roll-ups and whole incidents in SQLite, for the page and for people.</summary>
    public HistorySinkOptions History { get; init; } = new();

    /// <summary>Whom incidents are told, and by which way.</summary>
    public IReadOnlyList<NotifyOptions> Notify { get; init; } = [];

    /// <summary>Incidents as POST requests.</summary>
    public WebhookSinkOptions Webhook { get; init; } = new();
}

/// <summary>What becomes of incidents where a sink's queue is full.</summary>
internal enum WhenFull
{
    /// <summary>All waits, sources too: nothing is lost.</summary>
    Block,

    /// <summary>They are dropped, and counted.</summary>
    Drop,
}


/// <summary>Incidents as POST requests, each event at least once.</summary>
internal sealed class WebhookSinkOptions
{
    /// <summary>Whether to send.</summary>
    public bool Enabled { get; init; }

    /// <summary>Where to: http or https. Often a secret by itself, and kept out of logs and echo.</summary>
    [Secret]
    public string Url { get; init; } = "";

    /// <summary>The Authorization header, as "Bearer ${file:/run/secrets/token}"; empty for none.</summary>
    [Secret]
    public string Authorization { get; init; } = "";

    /// <summary>Time for one answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>block: where its queue is full all waits; drop: incidents are dropped, and counted.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.Block;
}

/// <summary>Incidents as lines on standard output.</summary>
internal sealed class ConsoleSinkOptions
{
    /// <summary>Whether to print.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Also print every scored observation.</summary>
    public bool Scores { get; init; }
}

/// <summary>Verdicts as JSON lines in a file.</summary>
internal sealed class JsonlSinkOptions
{
    /// <summary>Whether to write.</summary>
    public bool Enabled { get; init; }

    /// <summary>File to append to; relative paths are below the storage directory.</summary>
    public string Path { get; init; } = "events.jsonl";

    /// <summary>Also write every scored observation.</summary>
    public bool Scores { get; init; }
}

/// <summary>Values in roll-ups and whole incidents in SQLite.</summary>
internal sealed class HistorySinkOptions
{
    /// <summary>Whether to keep a history.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Database file; relative paths are below the storage directory.</summary>
    public string Path { get; init; } = "history.db";

    /// <summary>
    /// MiB for values: of each stream the lowest, mean and highest of 10 seconds, 5 minutes and 2 hours, with what was expected and the highest score.
    /// Beyond it the oldest go, of 10 seconds first.
    /// </summary>
    [Range(1, 1_048_576)]
    public int ValuesMib { get; init; } = 512;

    /// <summary>Incidents older than this are deleted.</summary>
    public TimeSpan IncidentRetention { get; init; } = TimeSpan.FromDays(365);
}
