using System.Net;
using System.Net.Sockets;
using System.Text;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Mqtt;

namespace StreamLstm.Tests.Daemon.Support;

/// <summary>A broker's side of the wire that does what a test says: what no real broker does when it is asked to.</summary>
internal sealed class ScriptedBroker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ScriptedBroker() => _listener.Start();

    public string Url => $"mqtt://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Accepts a client without a word.</summary>
    public async Task<Session> AcceptAsync(MqttProtocolVersion? version = null)
    {
        Socket socket = await _listener.AcceptSocketAsync(Cancellation);
        return new Session(socket, new MqttWire(new NetworkStream(socket, ownsSocket: true), 1 << 20, version));
    }

    /// <summary>Accepts a client, takes its CONNECT and says yes.</summary>
    public async Task<Session> WelcomeAsync(bool isSessionPresent = false)
    {
        Session session = await AcceptAsync();
        session.Connect = await session.ReceiveAsync<MqttConnectPacket>();
        await session.SendAsync(new MqttConnAckPacket { IsSessionPresent = isSessionPresent });
        return session;
    }

    public void Dispose() => _listener.Dispose();

    internal sealed class Session(Socket socket, MqttWire wire) : IDisposable
    {
        public MqttConnectPacket Connect { get; set; } = new();

        /// <summary>The next packet of a kind; those of other kinds are passed over.</summary>
        public async Task<T> ReceiveAsync<T>()
            where T : MqttPacket
        {
            while (true)
            {
                MqttPacket packet = await wire.ReceivePacketAsync(Cancellation) ?? throw new EndOfStreamException($"the client left before {typeof(T).Name}");

                if (packet is T wanted)
                {
                    return wanted;
                }
            }
        }

        /// <summary>Identifiers of the next acknowledgements.</summary>
        public async Task<int[]> AcknowledgedAsync(int count)
        {
            int[] identifiers = new int[count];

            for (int i = 0; i < count; i++)
            {
                identifiers[i] = (await ReceiveAsync<MqttPubAckPacket>()).PacketIdentifier;
            }

            return identifiers;
        }

        /// <summary>Whether the client sends an acknowledgement before it leaves.</summary>
        public async Task<bool> AcknowledgesAnythingAsync()
        {
            try
            {
                await ReceiveAsync<MqttPubAckPacket>();
                return true;
            }
            catch (Exception left) when (left is EndOfStreamException or IOException)
            {
                return false;
            }
        }

        public Task SendAsync(MqttPacket packet) => wire.SendPacketAsync(packet, Cancellation);

        public Task SendBytesAsync(params byte[] bytes) => wire.SendAsync(bytes, Cancellation);

        public Task PublishAsync(int identifier, string topic, string payload, int qos = 1, bool dup = false, bool retain = false) => SendAsync(new MqttPublishPacket
        {
            PacketIdentifier = (ushort)identifier,
            Topic = topic,
            PayloadSegment = Encoding.UTF8.GetBytes(payload),
            QualityOfServiceLevel = (MqttQualityOfServiceLevel)qos,
            Dup = dup,
            Retain = retain,
        });

        /// <summary>Cuts the connection with a reset.</summary>
        public void Reset()
        {
            socket.LingerState = new LingerOption(true, 0);
            wire.Dispose();
        }

        public void Dispose() => wire.Dispose();
    }
}
