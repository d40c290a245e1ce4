using StreamLstm.Daemon.Messages;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Kafka;

/// <summary>How a Kafka cluster is reached.</summary>
internal class KafkaBrokerOptions
{
    /// <summary>Some of its brokers: HOST:9092,HOST:9092.</summary>
    public string Brokers { get; init; } = "";

    /// <summary>What the brokers' logs and quotas call this client; empty = made once and kept in the storage directory.</summary>
    public string ClientId { get; init; } = "";

    /// <summary>As whom.</summary>
    public KafkaSaslOptions Sasl { get; init; } = new();

    /// <summary>Whether the connection is encrypted, whom to trust, and what to show.</summary>
    public KafkaTlsOptions Tls { get; init; } = new();

    /// <summary>Further settings of librdkafka: fetch.min.bytes=1 and the like, of a list of those that change no promise.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <param name="clientId">Where none is given.</param>
    public KafkaAccess Access(string clientId) => new(Brokers, ClientId.Length > 0 ? ClientId : clientId)
    {
        UsesTls = Tls.Enabled,
        CaFile = Tls.CaFile,
        CertificateFile = Tls.CertificateFile,
        KeyFile = Tls.KeyFile,
        KeyPassword = Tls.KeyPassword,
        Mechanism = Sasl.Mechanism,
        Username = Sasl.Username,
        Password = Sasl.Password,
        TokenUrl = Sasl.TokenUrl,
        TokenClientId = Sasl.TokenClientId,
        TokenClientSecret = Sasl.TokenClientSecret,
        TokenScope = Sasl.TokenScope,
        TokenCaFile = Sasl.TokenCaFile,
        Settings = Settings,
    };

    /// <summary>A trouble as the key of the setting it is about, and words.</summary>
    /// <param name="key">The key of these options.</param>
    /// <param name="trouble">What is wrong.</param>
    public string Words(string key, KafkaTrouble trouble) => trouble.Concern switch
    {
        KafkaConcern.Sasl when Sasl.Mechanism == KafkaMechanism.Oauthbearer => $"{key}.sasl.{TokenWords(trouble.Detail)}",
        KafkaConcern.Sasl => $"{key}.sasl.{(Sasl.Mechanism == KafkaMechanism.None ? "mechanism" : "password")}: {Brokers} refuses it: {trouble.Detail}",
        KafkaConcern.Tls => $"{key}.tls.{(trouble.Detail.Contains("verif", StringComparison.OrdinalIgnoreCase) || CertificateIsShown ? "ca_file" : "certificate_file")}: {trouble.Detail}",
        KafkaConcern.Topics => $"{key}.topics: {trouble.Detail}",
        KafkaConcern.Group => $"{key}.group: {trouble.Detail}",
        KafkaConcern.Transaction => $"{key}.transactional_id: {trouble.Detail}",
        _ => $"{key}.brokers: {Brokers} cannot be reached: {trouble.Detail}",
    };

    /// <summary>Whether the provider gives no token, does not know the client, or gives one that the brokers do not believe.</summary>
    private string TokenWords(string detail) =>
        !detail.Contains("Failed to acquire", StringComparison.Ordinal) ? $"token_url: {Brokers} refuses the token: {detail}"
        : detail.Contains("invalid_client", StringComparison.Ordinal) || detail.Contains("unauthorized", StringComparison.OrdinalIgnoreCase) ? $"token_client_secret: {Sasl.TokenUrl} refuses it: {detail}"
        : detail.Contains("certificate", StringComparison.OrdinalIgnoreCase) ? $"token_ca_file: {Sasl.TokenUrl} is not trusted: {detail}"
        : $"token_url: {Sasl.TokenUrl} gives no token: {detail}";

    private bool CertificateIsShown => Tls.CertificateFile.Length > 0;
}

/// <summary>As whom a cluster is reached.</summary>
internal sealed class KafkaSaslOptions
{
    /// <summary>none, plain (needs tls), scram_sha256, scram_sha512 or oauthbearer.</summary>
    public KafkaMechanism Mechanism { get; init; }

    /// <summary>The user.</summary>
    public string Username { get; init; } = "";

    /// <summary>The user's password.</summary>
    [Secret]
    public string Password { get; init; } = "";

    /// <summary>For oauthbearer: where the OpenID Connect provider gives tokens.</summary>
    public string TokenUrl { get; init; } = "";

    /// <summary>For oauthbearer: the client's id.</summary>
    public string TokenClientId { get; init; } = "";

    /// <summary>For oauthbearer: the client's secret.</summary>
    [Secret]
    public string TokenClientSecret { get; init; } = "";

    /// <summary>For oauthbearer: what the token is asked for; empty = what the provider gives.</summary>
    public string TokenScope { get; init; } = "";

    /// <summary>For oauthbearer: PEM file with the authorities to trust for an https token_url; empty = the system's.</summary>
    public string TokenCaFile { get; init; } = "";
}

/// <summary>Whom to trust, and what to show.</summary>
internal sealed class KafkaTlsOptions
{
    /// <summary>Whether the connection is encrypted; the broker's certificate must then be for the host in brokers.</summary>
    public bool Enabled { get; init; }

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
