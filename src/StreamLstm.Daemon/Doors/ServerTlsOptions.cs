namespace StreamLstm.Daemon.Doors;

/// <summary>TLS of something that listens.</summary>
internal sealed class ServerTlsOptions
{
    /// <summary>PEM: the certificate, and behind it those between it and its authority; empty = no TLS. Read again when it changes.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>PEM: its key.</summary>
    public string KeyFile { get; init; } = "";
}
