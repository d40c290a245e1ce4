using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>How a user shows who it is.</summary>
internal enum KafkaMechanism
{
    /// <summary>Not at all, or by its certificate.</summary>
    None,

    /// <summary>Name and password, readable to whoever reads the connection.</summary>
    Plain,

    /// <summary>SCRAM-SHA-256.</summary>
    ScramSha256,

    /// <summary>SCRAM-SHA-512.</summary>
    ScramSha512,

    /// <summary>A token of an OpenID Connect provider, which librdkafka fetches by itself.</summary>
    Oauthbearer,
}

/// <summary>How a cluster is reached, and as whom.</summary>
/// <param name="Brokers">HOST:PORT of some of its brokers, separated by commas.</param>
/// <param name="ClientId">What the brokers' logs and quotas call this client.</param>
internal sealed record KafkaAccess(string Brokers, string ClientId)
{
    public bool UsesTls { get; init; }

    /// <summary>PEM file of the authorities to trust; empty = the system's.</summary>
    public string CaFile { get; init; } = "";

    public string CertificateFile { get; init; } = "";

    public string KeyFile { get; init; } = "";

    public string KeyPassword { get; init; } = "";

    public KafkaMechanism Mechanism { get; init; }

    public string Username { get; init; } = "";

    public string Password { get; init; } = "";

    /// <summary>Where tokens are fetched; with a client's id and secret.</summary>
    public string TokenUrl { get; init; } = "";

    public string TokenClientId { get; init; } = "";

    public string TokenClientSecret { get; init; } = "";

    public string TokenScope { get; init; } = "";

    /// <summary>PEM file with the authorities that tokens' provider is trusted by; empty = the system's.</summary>
    public string TokenCaFile { get; init; } = "";

    /// <summary>Further settings of librdkafka, NAME=VALUE each, of those in <see cref="KafkaSettings"/>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>All of it as librdkafka reads it.</summary>
    /// <param name="settings">What the reader or writer sets itself, and no setting of the user changes.</param>
    internal ClientConfig Configuration(IReadOnlyDictionary<string, string> settings)
    {
        var configuration = new ClientConfig();

        foreach (string setting in Settings)
        {
            (string name, string value) = KafkaSettings.Split(setting);
            configuration.Set(name, value);
        }

        foreach ((string name, string value) in settings)
        {
            if (configuration.Get(name) is null || !KafkaSettings.MayBeSet(name))
            {
                configuration.Set(name, value);
            }
        }

        configuration.BootstrapServers = Brokers;
        configuration.ClientId = ClientId;
        configuration.SecurityProtocol = (UsesTls, Mechanism) switch
        {
            (false, KafkaMechanism.None) => SecurityProtocol.Plaintext,
            (true, KafkaMechanism.None) => SecurityProtocol.Ssl,
            (false, _) => SecurityProtocol.SaslPlaintext,
            _ => SecurityProtocol.SaslSsl,
        };

        if (UsesTls)
        {
            Set("ssl.ca.location", CaFile);
            Set("ssl.certificate.location", CertificateFile);
            Set("ssl.key.location", KeyFile);
            Set("ssl.key.password", KeyPassword);
            Set("ssl.endpoint.identification.algorithm", "https");
        }

        if (Mechanism != KafkaMechanism.None)
        {
            Set("sasl.mechanism", Mechanism switch
            {
                KafkaMechanism.Plain => "PLAIN",
                KafkaMechanism.ScramSha256 => "SCRAM-SHA-256",
                KafkaMechanism.ScramSha512 => "SCRAM-SHA-512",
                _ => "OAUTHBEARER",
            });
        }

        if (Mechanism == KafkaMechanism.Oauthbearer)
        {
            Set("sasl.oauthbearer.method", "oidc");
            Set("sasl.oauthbearer.token.endpoint.url", TokenUrl);
            Set("sasl.oauthbearer.client.id", TokenClientId);
            Set("sasl.oauthbearer.client.secret", TokenClientSecret);
            Set("sasl.oauthbearer.scope", TokenScope);
            Set("https.ca.location", TokenCaFile.Length > 0 ? TokenCaFile : SystemAuthorities.File);
        }
        else
        {
            Set("sasl.username", Username);
            Set("sasl.password", Password);
        }

        return configuration;

        void Set(string name, string value)
        {
            if (value.Length > 0)
            {
                configuration.Set(name, value);
            }
        }
    }
}
