using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Packets;
using MQTTnet.Server;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Mqtt;

namespace StreamLstm.Daemon.Sources;

/// <summary>Accepts the clients of the broker inside, each over a <see cref="MqttWire"/> that guards what a packet may claim to hold.</summary>
/// <remarks>
/// Also gives a name to clients that come without one. A client with a clean session may leave its name to the broker
/// (MQTT 3.1.1, 3.1.3.1), and mosquitto_pub does; the broker library does so for MQTT 5 only and refuses the others.
/// </remarks>
/// <param name="certificate">Shown to each client; null: no TLS.</param>
/// <param name="packetMaxBytes">Largest packet; a client that announces a larger one is disconnected.</param>
/// <param name="oversize">Hears of such clients.</param>
internal sealed class EmbeddedBrokerListener(ServerCertificate? certificate, int packetMaxBytes, Action<EndPoint?, OversizePacketException> oversize) : IMqttServerAdapter
{
    private static readonly TimeSpan HandshakeMax = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stopping = new();
    private Socket? _listening;

    public Func<IMqttChannelAdapter, Task>? ClientHandler { get; set; }

    /// <summary>Opens the port, or the first free one of the nine behind it.</summary>
    /// <returns>The port that listens.</returns>
    /// <exception cref="SocketException">None of them can be opened.</exception>
    public int Open(IPAddress address, int port)
    {
        for (int tried = port; ; tried++)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

            try
            {
                socket.Bind(new IPEndPoint(address, tried));
                socket.Listen();
                _listening = socket;
                return ((IPEndPoint)socket.LocalEndPoint!).Port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && tried < Math.Min(port + 9, IPEndPoint.MaxPort))
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    public Task StartAsync(MqttServerOptions options, IMqttNetLogger logger)
    {
        _ = AcceptAsync(_listening ?? throw new InvalidOperationException("not open yet"));
        return Task.CompletedTask;
    }

    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        _listening?.Dispose();
    }

    public void Dispose()
    {
        _listening?.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Socket listening)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Socket client = await listening.AcceptAsync(_stopping.Token);
                client.NoDelay = true;
                _ = ServeAsync(client);
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // Too many open files, say: a moment later there may be room again.
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        // On another thread: the broker begins to read before it gives this one back.
        await Task.Yield();

        try
        {
            using var wire = new MqttWire(await StreamAsync(client), packetMaxBytes, version: null, client.LocalEndPoint, client.RemoteEndPoint);
            await ClientHandler!(new Guarded(wire, oversize, isSecure: certificate is not null));
        }
        catch (Exception lost) when (MqttConnection.IsLoss(lost) || lost is OperationCanceledException or AuthenticationException)
        {
            // The client is gone, or was no MQTT client.
        }
    }

    /// <summary>What is read and written: the socket's bytes, or TLS over them.</summary>
    private async Task<Stream> StreamAsync(Socket client)
    {
        var stream = new NetworkStream(client, ownsSocket: true);

        if (certificate is null)
        {
            return stream;
        }

        var tls = new SslStream(stream);

        try
        {
            using var tooLong = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            tooLong.CancelAfter(HandshakeMax);
            await tls.AuthenticateAsServerAsync(certificate.Options([]), tooLong.Token);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private sealed class Guarded(MqttWire wire, Action<EndPoint?, OversizePacketException> oversize, bool isSecure) : IMqttChannelAdapter
    {
        public long BytesReceived => wire.BytesReceived;

        public long BytesSent => wire.BytesSent;

        public System.Security.Cryptography.X509Certificates.X509Certificate2? ClientCertificate => null;

        public EndPoint? LocalEndPoint => wire.LocalEndPoint;

        public EndPoint? RemoteEndPoint => wire.RemoteEndPoint;

        public bool IsSecureConnection => isSecure;

        public MQTTnet.Formatter.MqttPacketFormatterAdapter PacketFormatterAdapter => wire.PacketFormatterAdapter;

        public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task DisconnectAsync(CancellationToken cancellationToken) => wire.DisconnectAsync(cancellationToken);

        /// <summary>The next packet; null, which the broker takes for the client's end, where there is none that may be read.</summary>
        public async Task<MqttPacket?> ReceivePacketAsync(CancellationToken cancellationToken)
        {
            try
            {
                MqttPacket? packet = await wire.ReceivePacketAsync(cancellationToken);

                if (packet is MqttConnectPacket { CleanSession: true } connect && string.IsNullOrEmpty(connect.ClientId))
                {
                    connect.ClientId = $"nameless-{Guid.NewGuid():N}";
                }

                return packet;
            }
            catch (OversizePacketException larger)
            {
                oversize(wire.RemoteEndPoint, larger);
                wire.Dispose();
                return null;
            }
            catch (Exception gone) when (gone is IOException or ObjectDisposedException or OperationCanceledException)
            {
                return null;
            }
        }

        public void ResetStatistics() => wire.ResetStatistics();

        public Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken) => wire.SendPacketAsync(packet, cancellationToken);

        public void Dispose() => wire.Dispose();
    }
}
