using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace StreamLstm.Daemon.Mqtt;

/// <summary>Opens the stream of bytes to a broker: TCP, TLS, WebSocket.</summary>
/// <param name="options">Where, and whom to trust.</param>
/// <param name="key">The options' place in the configuration, for messages.</param>
internal sealed class MqttTransport(MqttBrokerOptions options, string key)
{
    private readonly MqttAddress _address = MqttAddress.TryParse(options.Url, out MqttAddress? address)
        ? address
        : throw new ArgumentException($"'{options.Url}', expected {MqttAddress.Expectation}", nameof(options));

    public MqttAddress Address => _address;

    /// <exception cref="MqttTroubleException">It cannot be opened; the message names the setting.</exception>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        SslPolicyErrors refused = SslPolicyErrors.None;
        string why = "";

        try
        {
            return _address.WebSocket is { } uri ? await OpenWebSocketAsync(uri) : await OpenTcpAsync();
        }
        catch (SocketException unreachable)
        {
            throw new MqttTroubleException($"{key}.url: {_address} cannot be reached ({unreachable.Message})", unreachable);
        }
        catch (Exception failed) when (refused != SslPolicyErrors.None && failed is AuthenticationException or WebSocketException)
        {
            throw refused.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
                ? new MqttTroubleException($"{key}.tls.server_name: the certificate of {_address} is for another name than {ServerName}", failed)
                : new MqttTroubleException(
                    $"{key}.tls.ca_file: the certificate of {_address} is signed by nobody in {(options.Tls.CaFile.Length > 0 ? options.Tls.CaFile : "the system's list")}, or not valid now ({why})", failed);
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException)
        {
            throw new MqttTroubleException($"{key}.tls: {_address} ends the TLS session ({Innermost(failed)})", failed);
        }
        catch (WebSocketException failed)
        {
            throw new MqttTroubleException($"{key}.url: {_address} does not open a WebSocket ({Innermost(failed)})", failed);
        }

        async Task<Stream> OpenTcpAsync()
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

            try
            {
                await socket.ConnectAsync(_address.Host, _address.Port, cancellationToken);
                Stream stream = new NetworkStream(socket, ownsSocket: true);

                if (_address.UsesTls)
                {
                    var tls = new SslStream(stream);
                    stream = tls;
                    await tls.AuthenticateAsClientAsync(Tls(), cancellationToken);
                }

                return stream;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        async Task<Stream> OpenWebSocketAsync(Uri uri)
        {
            var socket = new ClientWebSocket();

            try
            {
                socket.Options.AddSubProtocol("mqtt");


                // By a handler of its own: the socket's options take no certificates of authorities between.
                using var handler = new SocketsHttpHandler();
                handler.SslOptions = _address.UsesTls ? Tls() : handler.SslOptions;
                using var invoker = new HttpMessageInvoker(handler);
                await socket.ConnectAsync(uri, invoker, cancellationToken);
                return WebSocketStream.Create(socket, WebSocketMessageType.Binary, ownsWebSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        SslClientAuthenticationOptions Tls() => new()
        {
            TargetHost = ServerName,
            ClientCertificateContext = Certificate(),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = Validate(Authorities()),
        };

        RemoteCertificateValidationCallback Validate(X509Certificate2Collection? authorities) => (_, certificate, presented, errors) =>
        {
            if (_address.WebSocket is not null && options.Tls.ServerName.Length > 0 && certificate is X509Certificate2 shown)
            {
                // A WebSocket knows the name in its address only.
                errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
                errors |= shown.MatchesHostname(ServerName) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateNameMismatch;
            }

            if (authorities is not null && certificate is X509Certificate2 toCheck)
            {
                using var chain = new X509Chain();
                chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
                chain.ChainPolicy.ExtraStore.AddRange(presented?.ChainPolicy.ExtraStore ?? []);
                errors &= ~SslPolicyErrors.RemoteCertificateChainErrors;

                if (!chain.Build(toCheck))
                {
                    errors |= SslPolicyErrors.RemoteCertificateChainErrors;
                    why = string.Join(", ", chain.ChainStatus.Select(status => status.Status));
                }
            }

            refused = errors;
            return errors == SslPolicyErrors.None;
        };
    }

    private string ServerName => options.Tls.ServerName.Length > 0 ? options.Tls.ServerName : _address.Host;

    private X509Certificate2Collection? Authorities()
    {
        if (options.Tls.CaFile.Length == 0)
        {
            return null;
        }

        var authorities = new X509Certificate2Collection();
        Read("ca_file", options.Tls.CaFile, () => authorities.ImportFromPemFile(options.Tls.CaFile));
        return authorities.Count > 0
            ? authorities
            : throw new MqttTroubleException($"{key}.tls.ca_file: {options.Tls.CaFile} holds no certificate, expected PEM");
    }

    /// <summary>What is shown to the broker: the certificate, and those between it and whom the broker trusts.</summary>
    private SslStreamCertificateContext? Certificate()
    {
        if (options.Tls.CertificateFile.Length == 0)
        {
            return null;
        }

        X509Certificate2? certificate = null;
        Read("certificate_file", options.Tls.CertificateFile, () => certificate = X509Certificate2.CreateFromPemFile(
            options.Tls.CertificateFile, options.Tls.KeyFile.Length > 0 ? options.Tls.KeyFile : options.Tls.CertificateFile));
        var between = new X509Certificate2Collection();
        between.ImportFromPemFile(options.Tls.CertificateFile);
        return SslStreamCertificateContext.Create(certificate!, between, offline: true);
    }

    private void Read(string option, string file, Action read)
    {
        try
        {
            read();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new MqttTroubleException($"{key}.tls.{option}: {file} cannot be read ({unreadable.Message})", unreadable);
        }
    }

    private static string Innermost(Exception failed) => failed.GetBaseException().Message;
}

/// <summary>A broker cannot be used, for a reason that may pass or that its user can mend; the message names the setting and holds no secret.</summary>
internal sealed class MqttTroubleException(string message, Exception? inner = null) : Exception(message, inner);
