namespace StreamLstm.Kafka;

/// <summary>Settings of librdkafka that a user may set: those that change speed, memory and time, none that changes what is promised, loads code or lets anyone in.</summary>
internal static class KafkaSettings
{
    private static readonly HashSet<string> Allowed =
    [
        "api.version.request.timeout.ms", "batch.size", "broker.address.family", "broker.address.ttl", "client.dns.lookup", "client.rack",
        "compression.level", "compression.type", "connections.max.idle.ms", "fetch.error.backoff.ms", "fetch.max.bytes",
        "fetch.message.max.bytes", "fetch.min.bytes", "fetch.queue.backoff.ms", "fetch.wait.max.ms", "linger.ms", "message.max.bytes",
        "metadata.max.age.ms", "metadata.recovery.rebootstrap.trigger.ms", "metadata.recovery.strategy", "queue.buffering.max.kbytes",
        "queue.buffering.max.messages", "queued.max.messages.kbytes", "queued.min.messages", "receive.message.max.bytes",
        "reconnect.backoff.max.ms", "reconnect.backoff.ms", "request.timeout.ms", "retry.backoff.max.ms", "retry.backoff.ms",
        "socket.connection.setup.timeout.ms", "socket.keepalive.enable", "socket.nagle.disable", "socket.receive.buffer.bytes",
        "socket.send.buffer.bytes", "socket.timeout.ms", "ssl.cipher.suites", "ssl.crl.location", "ssl.curves.list", "ssl.sigalgs.list",
        "topic.metadata.refresh.interval.ms", "transaction.timeout.ms",
    ];

    /// <summary>Names of settings, in their order.</summary>
    public static IEnumerable<string> Names => Allowed.Order(StringComparer.Ordinal);

    public static bool MayBeSet(string name) => Allowed.Contains(name);

    /// <summary>What is wrong with NAME=VALUE: null, or what was expected.</summary>
    public static string? Wrong(string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        return equals <= 0 ? "expected NAME=VALUE such as fetch.min.bytes=1"
            : MayBeSet(setting[..equals]) ? null
            : $"expected one of {string.Join(", ", Names)}";
    }

    internal static (string Name, string Value) Split(string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        return (setting[..equals], setting[(equals + 1)..]);
    }
}
