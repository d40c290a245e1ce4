using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>An authority of the test's own, and what it signs, as PEM files.</summary>
internal sealed class Authority : IDisposable
{
    private readonly string _directory;
    private readonly X509Certificate2 _certificate;

    private Authority(string directory, string name, X509Certificate2 certificate)
    {
        (_directory, Name, _certificate) = (directory, name, certificate);
        File.WriteAllText(CaFile, certificate.ExportCertificatePem());
    }

    public string Name { get; }

    /// <summary>Its own certificate: whom to trust.</summary>
    public string CaFile => Path.Combine(_directory, $"{Name}.pem");

    public static Authority Create(string directory, string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new Authority(directory, name, Request(name, key, pathLength: 1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-40), DateTimeOffset.UtcNow.AddDays(40)));
    }

    /// <summary>An authority between: what it signs is trusted by who trusts this one, where it is shown beside.</summary>
    public Authority Between(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 signed = Sign(Request(name, key, pathLength: 0), DateTimeOffset.UtcNow.AddDays(35));
        return new Authority(_directory, name, signed.CopyWithPrivateKey(key));
    }

    /// <summary>Signs a certificate for a server or client.</summary>
    /// <param name="name">Its common name, and the files'.</param>
    /// <param name="hosts">Names and addresses that it is for.</param>
    /// <param name="until">When it ends; null: in a month.</param>
    public (string CertificateFile, string KeyFile) Issue(string name, string[]? hosts = null, DateTimeOffset? until = null)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();

        foreach (string host in hosts ?? [])
        {
            if (IPAddress.TryParse(host, out IPAddress? address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        if (hosts is not null)
        {
            request.CertificateExtensions.Add(names.Build());
        }

        using X509Certificate2 certificate = Sign(request, until ?? DateTimeOffset.UtcNow.AddDays(30));
        string file = Path.Combine(_directory, $"{Name}-{name}.pem"), keyFile = Path.Combine(_directory, $"{Name}-{name}.key");

        // One that is signed by an authority between shows that one's certificate behind its own.
        File.WriteAllText(file, $"{certificate.ExportCertificatePem()}\n{(_certificate.SubjectName.RawData.AsSpan().SequenceEqual(_certificate.IssuerName.RawData) ? "" : _certificate.ExportCertificatePem())}\n");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (file, keyFile);
    }

    public void Dispose() => _certificate.Dispose();

    private static CertificateRequest Request(string name, ECDsa key, int pathLength)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLength, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        return request;
    }

    private X509Certificate2 Sign(CertificateRequest request, DateTimeOffset until) =>
        request.Create(_certificate, DateTimeOffset.UtcNow.AddDays(-30), until, RandomNumberGenerator.GetBytes(16));
}
