namespace StreamLstm.Daemon.Api;

/// <summary>The page, the API and the metrics.</summary>
internal sealed class HttpOptions
{
    /// <summary>Address to listen on. Another one than loopback is refused until authentication exists.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port to listen on; 0 = any free one, written to the log.</summary>
    [Range(0, 65_535)]
    public int Port { get; init; } = 8080;

    /// <summary>Clients that may watch the live page at once.</summary>
    [Range(1, 1_000)]
    public int LiveClientsMax { get; init; } = 32;
}
