namespace StreamLstm.Daemon.Cluster;

/// <summary>With whom this daemon shares its work.</summary>
internal enum ClusterMode
{
    /// <summary>With nobody.</summary>
    None,

    /// <summary>With the other members of a group of an Apache Kafka cluster.</summary>
    Kafka,
}

/// <summary>Who shares a topic's partitions out.</summary>
internal enum ClusterProtocol
{
    /// <summary>A member of the group (cooperative-sticky).</summary>
    Classic,

    /// <summary>The brokers (KIP-848).</summary>
    Consumer,
}

/// <summary>Several daemons that share the partitions of one topic.</summary>
internal sealed class ClusterOptions
{
    /// <summary>none, or kafka: daemons with the same group share the partitions of the one topic of sources.kafka.</summary>
    public ClusterMode Mode { get; init; } = ClusterMode.None;

    /// <summary>The group: all daemons that name it share the topic.</summary>
    public string Group { get; init; } = "streamlstm";

    /// <summary>This daemon's name in the group, the same at every start and no other's; empty = made once and kept in the storage directory.</summary>
    public string Instance { get; init; } = "";

    /// <summary>Where the others of the group reach this daemon's HTTP port, such as http://node-1:8080: labels, accepts and questions are passed on to whoever has the stream. Empty = by http.address and http.port.</summary>
    public string Advertise { get; init; } = "";

    /// <summary>The compacted topic that holds the streams' state, created where that is allowed; empty = GROUP.state.</summary>
    public string StateTopic { get; init; } = "";

    /// <summary>classic, or consumer: the brokers share the partitions out (Kafka 4.0 or newer), and their group.consumer.session.timeout.ms counts instead of session_timeout.</summary>
    public ClusterProtocol Protocol { get; init; } = ClusterProtocol.Classic;

    /// <summary>How long a daemon may be away before its partitions go to others.</summary>
    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two transactions with incidents and scores: so late they may be seen.</summary>
    public TimeSpan CommitInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time between two writings of what has changed of a partition's streams: so much a new owner reads again, and the shorter, the more is written.</summary>
    public TimeSpan StateInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The compacted topic in which the daemons say what they have, for the page of any of them; created where that is allowed.</summary>
    public string FleetTopicName() => $"{Group}.fleet";

    /// <summary>The topic of the streams' state.</summary>
    public string StateTopicName() => StateTopic.Length > 0 ? StateTopic : $"{Group}.state";
}
