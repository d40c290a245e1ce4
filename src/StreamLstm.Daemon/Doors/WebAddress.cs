using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace StreamLstm.Daemon.Doors;

/// <summary>Whether somebody listens at an address, and shows a certificate that is trusted where it is to: nothing is sent.</summary>
internal static class WebAddress
{
    /// <param name="address">http, https, or any scheme with a host and a port.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="IOException">Nobody does; without the address's path, which may be secret.</exception>
    public static async Task<string> ReachAsync(Uri address, CancellationToken cancellationToken)
    {
        string where = $"{address.Scheme}://{address.Host}:{address.Port}";

        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(address.Host, address.Port, cancellationToken);

            if (address.Scheme != "https")
            {
                return $"{where} listens";
            }

            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.Host }, cancellationToken);
            return $"{where} listens ({tls.SslProtocol})";
        }
        catch (Exception failed) when (failed is SocketException or AuthenticationException)
        {
            throw new IOException($"{where}: {failed.Message}", failed);
        }
    }
}
