using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace StreamLstm.Daemon.Doors;

/// <summary>The certificate that a listener shows; one that is renewed counts from the next connection on.</summary>
internal sealed class ServerCertificate
{
    private readonly RereadFiles<SslStreamCertificateContext> _files;

    /// <param name="options">Its files.</param>
    /// <param name="time">For looking at them again.</param>
    /// <param name="changed">Hears of a new one.</param>
    /// <param name="trouble">Hears why a new one cannot be used.</param>
    public ServerCertificate(ServerTlsOptions options, TimeProvider time, Action<string> changed, Action<string> trouble) =>
        _files = new RereadFiles<SslStreamCertificateContext>([options.CertificateFile, options.KeyFile], Parse, time) { Changed = changed, Trouble = trouble };

    /// <summary>What a new connection is told.</summary>
    /// <exception cref="AuthenticationException">The files could not be read since the start.</exception>
    public SslServerAuthenticationOptions Options(IReadOnlyList<SslApplicationProtocol> protocols) => new()
    {
        ServerCertificateContext = _files.Current ?? throw new AuthenticationException("the certificate cannot be read"),
        ApplicationProtocols = protocols.Count > 0 ? [.. protocols] : null,
    };

    /// <summary>What is wrong with the files; null where nothing is.</summary>
    public static string? ProblemOf(ServerTlsOptions options) =>
        RereadFiles<SslStreamCertificateContext>.ProblemOf([options.CertificateFile, options.KeyFile], Parse);

    private static SslStreamCertificateContext Parse(IReadOnlyList<byte[]> files)
    {
        string pem = Encoding.UTF8.GetString(files[0]);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(pem);

        // Without a look at the network for what lies between: that is what the file is for.
        return SslStreamCertificateContext.Create(X509Certificate2.CreateFromPem(pem, Encoding.UTF8.GetString(files[1])), chain, offline: true);
    }
}
