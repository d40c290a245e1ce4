using System.Security.Authentication;
using System.Text;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace StreamLstm.Daemon.Mqtt;

/// <summary>One connection to a broker, from CONNECT to its end. The next one is another object, so nothing of this one is ever sent on it.</summary>
internal sealed class MqttConnection : IAsyncDisposable
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    private readonly MqttWire _wire;
    private readonly string _key;
    private readonly TimeProvider _time;
    private readonly TimeSpan _keepAlive;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _keepingAlive;
    private long _waitsSince;
    private long _pingsSent;
    private long _pingsAnswered;

    private MqttConnection(MqttWire wire, string key, MqttProtocolVersion version, MqttConnAckPacket answer, TimeSpan keepAlive, TimeProvider time)
    {
        (_wire, _key, Version, Answer, _time) = (wire, key, version, answer, time);
        _keepAlive = answer.ServerKeepAlive > 0 ? TimeSpan.FromSeconds(answer.ServerKeepAlive) : keepAlive;
        _keepingAlive = KeepAliveAsync();
    }

    public MqttProtocolVersion Version { get; }

    /// <summary>What the broker said to CONNECT.</summary>
    public MqttConnAckPacket Answer { get; }

    /// <summary>Whether the next packet is here already.</summary>
    public bool HasPacket => _wire.HasPacket;

    /// <summary>How many pings the broker has answered.</summary>
    public long PingsAnswered => Interlocked.Read(ref _pingsAnswered);

    /// <summary>Bytes that are kept of what the broker sends.</summary>
    public int BufferBytes => _wire.BufferBytes;

    /// <summary>Connects; with MQTT 3.1.1 where that may be and the broker does not speak MQTT 5.</summary>
    /// <param name="options">Where, and as whom.</param>
    /// <param name="key">The options' place in the configuration, for messages.</param>
    /// <param name="packetMaxBytes">Largest packet to take.</param>
    /// <param name="complete">Puts into CONNECT what is particular: the client's name, session, limits, a will.</param>
    /// <param name="time">For keeping the connection alive.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="MqttTroubleException">It did not come about; the message names the setting.</exception>
    public static async Task<MqttConnection> OpenAsync(
        MqttBrokerOptions options, string key, int packetMaxBytes, Action<MqttConnectPacket> complete, TimeProvider time, CancellationToken cancellationToken)
    {
        var transport = new MqttTransport(options, key);
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        attempt.CancelAfter(AnswerMax);

        try
        {
            if (options.Version != MqttVersion.V311)
            {
                try
                {
                    return await OpenAsync(MqttProtocolVersion.V500);
                }
                catch (OtherVersionException) when (options.Version == MqttVersion.Auto)
                {
                    // It speaks 3.1.1, or nothing.
                }
            }

            return await OpenAsync(MqttProtocolVersion.V311);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MqttTroubleException($"{key}.url: {transport.Address} does not answer within {AnswerMax.TotalSeconds:0} s");
        }
        catch (OtherVersionException other)
        {
            // A broker says of a client's certificate what it thinks once the session is open.
            throw other.InnerException is IOException && transport.Address.UsesTls
                ? new MqttTroubleException(
                    $"{key}.tls.certificate_file: {transport.Address} ends the TLS session; it may {(options.Tls.CertificateFile.Length == 0 ? "ask for a client's certificate" : $"not accept {options.Tls.CertificateFile}")} ({other.InnerException.GetBaseException().Message})", other)
                : new MqttTroubleException($"{key}.{(options.Version == MqttVersion.V5 ? "version" : "url")}: {transport.Address} {other.Message}", other);
        }

        async Task<MqttConnection> OpenAsync(MqttProtocolVersion version)
        {
            var wire = new MqttWire(await transport.OpenAsync(attempt.Token), packetMaxBytes, version);

            try
            {
                var connect = new MqttConnectPacket
                {
                    KeepAlivePeriod = (ushort)Math.Clamp(options.KeepAlive.TotalSeconds, 1, ushort.MaxValue),
                    RequestProblemInformation = true,
                };
                Credentials(connect, options, key);
                complete(connect);
                MqttConnAckPacket answer = await AnswerAsync(wire, connect, version, attempt.Token);
                Check(answer, version, options, key, transport.Address);
                return new MqttConnection(wire, key, version, answer, TimeSpan.FromSeconds(connect.KeepAlivePeriod), time);
            }
            catch
            {
                wire.Dispose();
                throw;
            }
        }
    }

    /// <summary>The next packet but for answers to pings; null where the broker has ended the connection.</summary>
    public async ValueTask<MqttPacket?> ReceiveAsync(CancellationToken cancellationToken)
    {
        MqttPacket? packet;

        while (true)
        {
            Volatile.Write(ref _waitsSince, _time.GetTimestamp());
            packet = await _wire.ReceivePacketAsync(cancellationToken);
            Volatile.Write(ref _waitsSince, 0);

            if (packet is not MqttPingRespPacket)
            {
                break;
            }

            Interlocked.Increment(ref _pingsAnswered);
        }

        return packet is not MqttDisconnectPacket goodbye ? packet
            : throw new MqttTroubleException(goodbye.ReasonCode == MqttDisconnectReasonCode.SessionTakenOver
                ? $"{_key}.client_id: another client has connected under this one's name; give each a name of its own"
                : $"{_key}.url: the broker ends the connection ({Words(goodbye.ReasonCode, goodbye.ReasonString)})");
    }

    public Task SendAsync(MqttPacket packet, CancellationToken cancellationToken) => _wire.SendPacketAsync(packet, cancellationToken);

    /// <summary>Sends answers of the kind given, one for each packet identifier, at once: their four bytes are the same in 3.1.1 and 5.</summary>
    public async Task AnswerAsync(IReadOnlyList<PacketAnswer> answers, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[4 * answers.Count];

        for (int i = 0; i < answers.Count; i++)
        {
            bytes[4 * i] = (byte)answers[i].Kind;
            bytes[(4 * i) + 1] = 2;
            bytes[(4 * i) + 2] = (byte)(answers[i].PacketIdentifier >> 8);
            bytes[(4 * i) + 3] = (byte)answers[i].PacketIdentifier;
        }

        await _wire.SendAsync(bytes, cancellationToken);
    }

    /// <summary>Asks the broker for a sign: it has read all that was sent before once <see cref="PingsAnswered"/> comes to what this returns.</summary>
    public async Task<long> PingAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _pingsSent);
        await _wire.SendPacketAsync(MqttPingReqPacket.Instance, cancellationToken);

        // Not before: another one may have gone out first.
        return Interlocked.Read(ref _pingsSent);
    }

    /// <summary>Says goodbye, so that no will is published; the session stays.</summary>
    public async Task DisconnectAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));

        try
        {
            await _wire.SendPacketAsync(new MqttDisconnectPacket { ReasonCode = MqttDisconnectReasonCode.NormalDisconnection }, soon.Token);
        }
        catch (Exception gone) when (IsLoss(gone) || gone is OperationCanceledException)
        {
            // It hears nothing any more.
        }
    }

    /// <summary>Ends the connection at once; whoever waits for it hears of that.</summary>
    public void Abort() => _wire.Dispose();

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _wire.Dispose();
        await _keepingAlive;
        _ended.Dispose();
    }

    /// <summary>Whether an exception says no more than that the connection is lost, or that what came over it was no MQTT.</summary>
    public static bool IsLoss(Exception exception) =>
        exception is IOException or ObjectDisposedException or System.Net.Sockets.SocketException or System.Net.WebSockets.WebSocketException
            or MqttTroubleException or OversizePacketException or MqttProtocolViolationException or MqttCommunicationException or AuthenticationException
            or ArgumentException or IndexOutOfRangeException or NotSupportedException or InvalidOperationException;

    private static async Task<MqttConnAckPacket> AnswerAsync(MqttWire wire, MqttConnectPacket connect, MqttProtocolVersion version, CancellationToken cancellationToken)
    {
        try
        {
            // A broker that ends the connection at once may be gone before this is out.
            await wire.SendPacketAsync(connect, cancellationToken);
            return await wire.ReceivePacketAsync(cancellationToken) switch
            {
                MqttConnAckPacket answer => answer,
                null => throw new OtherVersionException("ends the connection instead of answering", new EndOfStreamException("end of stream")),
                MqttPacket other => throw new OtherVersionException($"answers CONNECT with {other.GetType().Name}"),
            };
        }
        catch (Exception garbled) when (IsLoss(garbled) && garbled is not OtherVersionException)
        {
            // Brokers that do not know MQTT 5 answer with four bytes that are none of it, or just go.
            throw new OtherVersionException(version == MqttProtocolVersion.V500 ? "does not answer in MQTT 5" : "does not answer in MQTT 3.1.1", garbled);
        }
    }

    private static void Check(MqttConnAckPacket answer, MqttProtocolVersion version, MqttBrokerOptions options, string key, MqttAddress address)
    {
        (MqttConnectReasonCode reason, string words) = version == MqttProtocolVersion.V500
            ? (answer.ReasonCode, Words(answer.ReasonCode, answer.ReasonString))
            : answer.ReturnCode switch
            {
                MqttConnectReturnCode.ConnectionAccepted => (MqttConnectReasonCode.Success, ""),
                MqttConnectReturnCode.ConnectionRefusedUnacceptableProtocolVersion => (MqttConnectReasonCode.UnsupportedProtocolVersion, "another version"),
                MqttConnectReturnCode.ConnectionRefusedIdentifierRejected => (MqttConnectReasonCode.ClientIdentifierNotValid, "identifier rejected"),
                MqttConnectReturnCode.ConnectionRefusedServerUnavailable => (MqttConnectReasonCode.ServerUnavailable, "not available"),
                MqttConnectReturnCode.ConnectionRefusedBadUsernameOrPassword => (MqttConnectReasonCode.BadUserNameOrPassword, "bad user name or password"),
                _ => (MqttConnectReasonCode.NotAuthorized, "not authorised"),
            };

        switch (reason)
        {
            case MqttConnectReasonCode.Success:
                return;
            case MqttConnectReasonCode.UnsupportedProtocolVersion:
                throw new OtherVersionException(version == MqttProtocolVersion.V500 ? "does not speak MQTT 5" : "speaks neither MQTT 5 nor 3.1.1");
            case MqttConnectReasonCode.BadUserNameOrPassword or MqttConnectReasonCode.NotAuthorized or MqttConnectReasonCode.Banned or MqttConnectReasonCode.BadAuthenticationMethod:
                string setting = options.TokenFile.Length > 0 ? "token_file" : options.Username.Length > 0 ? "password" : "username";
                throw new MqttTroubleException($"{key}.{setting}: {address} refuses {(options.Username.Length > 0 ? $"user '{options.Username}'" : "a client without username")} ({words})");
            case MqttConnectReasonCode.ClientIdentifierNotValid:
                throw new MqttTroubleException($"{key}.client_id: {address} refuses it ({words})");
            default:
                throw new MqttTroubleException($"{key}.url: {address} refuses the connection ({words})");
        }
    }

    private static void Credentials(MqttConnectPacket connect, MqttBrokerOptions options, string key)
    {
        if (options.TokenFile.Length > 0)
        {
            try
            {
                // Brokers that take tokens want some user name; most look at nothing of it.
                connect.Username = options.Username;
                connect.Password = Encoding.UTF8.GetBytes(File.ReadAllText(options.TokenFile).Trim());
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                throw new MqttTroubleException($"{key}.token_file: {options.TokenFile} cannot be read ({unreadable.Message})", unreadable);
            }
        }
        else if (options.Username.Length > 0)
        {
            connect.Username = options.Username;
            connect.Password = Encoding.UTF8.GetBytes(options.Password);
        }
    }

    private static string Words<T>(T code, string? reason)
        where T : struct, Enum => string.IsNullOrEmpty(reason) ? code.ToString() : $"{code}: {reason}";

    /// <summary>Asks after half the time; a broker that has said nothing for one and a half while it was listened to is gone.</summary>
    private async Task KeepAliveAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(_keepAlive / 2, _time, _ended.Token);
                long since = Volatile.Read(ref _waitsSince);

                // While what came is not taken any further nothing is listened to: that is no silence of the broker's.
                if (since != 0 && _time.GetElapsedTime(since) > 1.5 * _keepAlive)
                {
                    _wire.Dispose();
                    return;
                }

                await PingAsync(_ended.Token);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException || IsLoss(ended))
        {
            // Whoever receives hears it too.
        }
    }

    /// <summary>The broker does not speak the version asked for, or the answer was none.</summary>
    private sealed class OtherVersionException(string message, Exception? inner = null) : Exception(message, inner);
}

/// <summary>What a publication is answered with: the first byte of the packet.</summary>
internal enum AnswerKind : byte
{
    /// <summary>Of QoS 1.</summary>
    PubAck = 0x40,

    /// <summary>Of QoS 2, the first.</summary>
    PubRec = 0x50,

    /// <summary>Of QoS 2, the second.</summary>
    PubComp = 0x70,
}

/// <summary>An answer to a publication.</summary>
internal readonly record struct PacketAnswer(AnswerKind Kind, ushort PacketIdentifier);
