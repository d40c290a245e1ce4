using StreamLstm.Daemon.Doors;

namespace StreamLstm.Daemon.Configuration;

/// <summary>The page, the API and the metrics.</summary>
internal sealed class HttpOptions
{
    /// <summary>Address to listen on. Another one than loopback needs tokens.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port to listen on; 0 = any free one, written to the log.</summary>
    [Range(0, 65_535)]
    public int Port { get; init; } = 8080;

    /// <summary>Names under which the page is reached beside localhost and addresses, as of a proxy: monitor.example, monitor.example:8443.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>Path below which a proxy shows the page, as /streamlstm, whether it takes it away or passes it on; empty for none.</summary>
    public string PathPrefix { get; init; } = "";

    /// <summary>Secrets that open the API, sent as "Authorization: Bearer TOKEN"; none: whoever reaches the port may do everything.</summary>
    public IReadOnlyList<AccessTokenOptions> Tokens { get; init; } = [];

    /// <summary>HTTPS in place of HTTP.</summary>
    public ServerTlsOptions Tls { get; init; } = new();

    /// <summary>Clients that may watch the live page at once.</summary>
    [Range(1, 1_000)]
    public int LiveClientsMax { get; init; } = 32;
}
