using StreamLstm.Daemon.Kafka;

namespace StreamLstm.Daemon.Sinks.Kafka;

/// <summary>Incidents as records of an Apache Kafka cluster.</summary>
internal sealed class KafkaSinkOptions : KafkaBrokerOptions
{
    /// <summary>Its name in metrics and logs, under which it is also remembered how far it is; empty = kafka, kafka.1 and so on, by its place in the list.</summary>
    public string Name { get; init; } = "";

    /// <summary>The topic of incidents: key = the stream, headers id, type and schema_version. It must be there.</summary>
    public string Topic { get; init; } = "";

    /// <summary>A topic for every scored observation; empty = none.</summary>
    public string ScoresTopic { get; init; } = "";

    /// <summary>Whether whoever reads what is committed (isolation.level=read_committed) sees each event once, also after a kill: written in transactions. Otherwise an event may come again, with the same id.</summary>
    public bool ExactlyOnce { get; init; }

    /// <summary>With exactly_once: under which the transactions are written, the same at every start and no other daemon's; empty = made once and kept in the storage directory.</summary>
    public string TransactionalId { get; init; } = "";

    /// <summary>With exactly_once: the compacted topic that says how far it is, created where it may be; empty = TOPIC.cursor.</summary>
    public string CursorTopic { get; init; } = "";
}
