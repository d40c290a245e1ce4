namespace StreamLstm.Kafka;

/// <summary>Where this system keeps the certificates of the authorities that it trusts.</summary>
/// <remarks>
/// The HTTP client within librdkafka looks only where the system had them that it was built on, a Red Hat; on a Debian every https
/// address fails without a word from where else to read (seen with 2.16, "probe" included). The places are those of Go's crypto/x509.
/// </remarks>
internal static class SystemAuthorities
{
    private static readonly string[] Places =
    [
        "/etc/ssl/certs/ca-certificates.crt",                  // Debian, Alpine, Arch
        "/etc/pki/tls/certs/ca-bundle.crt",                    // Fedora, RHEL up to 9
        "/etc/ssl/ca-bundle.pem",                              // SUSE
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",   // RHEL
        "/etc/ssl/cert.pem",                                   // Alpine, macOS
    ];

    /// <summary>The PEM file; SSL_CERT_FILE, as everything with OpenSSL in it reads it, comes first. Empty where there is none.</summary>
    public static string File { get; } =
        Places.Prepend(Environment.GetEnvironmentVariable("SSL_CERT_FILE") ?? "").FirstOrDefault(System.IO.File.Exists) ?? "";
}
