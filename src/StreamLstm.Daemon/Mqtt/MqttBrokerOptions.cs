using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Mqtt;

/// <summary>Which protocol is spoken to a broker.</summary>
internal enum MqttVersion
{
    /// <summary>MQTT 5; MQTT 3.1.1 where the broker does not speak that.</summary>
    Auto,

    /// <summary>MQTT 5 only.</summary>
    V5,

    /// <summary>MQTT 3.1.1 only.</summary>
    V311,
}

/// <summary>How a broker is reached.</summary>
internal class MqttBrokerOptions
{
    /// <summary>mqtt://HOST:1883, mqtts://HOST:8883, ws://HOST:PORT/PATH or wss://HOST/PATH.</summary>
    public string Url { get; init; } = "";

    /// <summary>auto, v5 or v311.</summary>
    public MqttVersion Version { get; init; } = MqttVersion.Auto;

    /// <summary>The client's name, the same at every start: the broker keeps the session under it. Empty = made once and kept in the storage directory.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Whom to connect as; empty = nobody.</summary>
    public string Username { get; init; } = "";

    /// <summary>The user's password.</summary>
    [Secret]
    public string Password { get; init; } = "";

    /// <summary>A file with a token (a JWT, say) that is sent as the password; read again for each connection.</summary>
    public string TokenFile { get; init; } = "";

    /// <summary>Time without a packet after which the broker is asked whether it is there.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For mqtts and wss.</summary>
    public MqttTlsOptions Tls { get; init; } = new();
}

/// <summary>Whom to trust, and what to show.</summary>
internal sealed class MqttTlsOptions
{
    /// <summary>PEM file with the certificates of the authorities to trust; empty = the system's.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>PEM file with this client's certificate, and those of authorities between; empty = none.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>PEM file with this client's key.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>The name that the broker's certificate must be for; empty = the host in url.</summary>
    public string ServerName { get; init; } = "";
}
