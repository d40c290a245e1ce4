namespace StreamLstm.Daemon.Configuration;

/// <summary>The page, the API and the metrics.</summary>
internal sealed class HttpOptions
{
    /// <summary>Address to listen on. Another one than loopback is refused unless allow_non_loopback says so.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Lets the address be another one than loopback. There is no authentication: something else must guard the port.</summary>
    public bool AllowNonLoopback { get; init; }

    /// <summary>Port to listen on; 0 = any free one, written to the log.</summary>
    [Range(0, 65_535)]
    public int Port { get; init; } = 8080;

    /// <summary>Clients that may watch the live page at once.</summary>
    [Range(1, 1_000)]
    public int LiveClientsMax { get; init; } = 32;
}
