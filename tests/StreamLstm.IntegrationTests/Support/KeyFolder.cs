using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>PEM files: an authority, a server's and a client's certificates by it, and another authority that nobody trusts.</summary>
internal sealed record KeyFolder(string Authority, string Server, string Client, string ClientKey, string OtherAuthority)
{
    public static KeyFolder Create(string folder)
    {
        Directory.CreateDirectory(folder);
        using X509Certificate2 authority = SelfSigned("CN=authority"), other = SelfSigned("CN=other");
        var keys = new KeyFolder(
            Path.Combine(folder, "ca.pem"), Path.Combine(folder, "server.pem"), Path.Combine(folder, "client.pem"), Path.Combine(folder, "client.key"), Path.Combine(folder, "other-ca.pem"));
        File.WriteAllText(keys.Authority, authority.ExportCertificatePem() + "\n");
        File.WriteAllText(keys.OtherAuthority, other.ExportCertificatePem() + "\n");
        (string certificate, string key) = Signed("CN=localhost", authority);
        File.WriteAllText(keys.Server, $"{key}\n{certificate}\n");
        (certificate, key) = Signed("CN=client", authority);
        File.WriteAllText(keys.Client, certificate + "\n");
        File.WriteAllText(keys.ClientKey, key + "\n");
        return keys;
    }

    private static X509Certificate2 SelfSigned(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    private static (string Certificate, string Key) Signed(string name, X509Certificate2 authority)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
        return (signed.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }
}
