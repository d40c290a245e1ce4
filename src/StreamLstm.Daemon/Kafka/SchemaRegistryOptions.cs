using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Kafka;

/// <summary>A Schema Registry: where the schemas of records in Avro and Protobuf are.</summary>
internal sealed class SchemaRegistryOptions
{
    /// <summary>Where it is, with its path where it has one: http://registry:8081; several of one registry separated by commas.</summary>
    public string Url { get; init; } = "";

    /// <summary>As whom; empty = nobody.</summary>
    public string Username { get; init; } = "";

    /// <summary>The user's password.</summary>
    [Secret]
    public string Password { get; init; } = "";

    /// <summary>A file with a bearer token, instead of a user; read again for each request.</summary>
    public string TokenFile { get; init; } = "";

    /// <summary>For https.</summary>
    public SchemaRegistryTlsOptions Tls { get; init; } = new();
}

/// <summary>Whom to trust, and what to show.</summary>
internal sealed class SchemaRegistryTlsOptions
{
    /// <summary>PEM file with the certificates of the authorities to trust; empty = the system's.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>PEM file with this client's certificate; empty = none.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>PEM file with this client's key.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>What the key is encrypted with; empty = it is not.</summary>
    [Secret]
    public string KeyPassword { get; init; } = "";
}
