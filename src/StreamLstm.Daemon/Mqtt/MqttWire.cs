using System.Net;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Adapter;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Packets;

namespace StreamLstm.Daemon.Mqtt;

/// <summary>The packets of one MQTT connection, over any stream.</summary>
/// <remarks>
/// The library's own channel allocates what a packet's header claims, 268 MB for five bytes, and reads two bytes at a time.
/// This one looks at the header first, refuses what is larger than allowed, and grows its buffer as bytes come. It serves both
/// sides: the clients of the sources and sinks, and the broker inside. What a packet means stays the library's to say.
/// </remarks>
/// <param name="stream">Bytes both ways; disposed of with this.</param>
/// <param name="packetMaxBytes">Most bytes behind a packet's fixed header.</param>
/// <param name="version">The protocol spoken; null where the first packet says so.</param>
/// <param name="local">This end, where it is known.</param>
/// <param name="remote">The other end, where it is known.</param>
internal sealed class MqttWire(Stream stream, int packetMaxBytes, MqttProtocolVersion? version, EndPoint? local = null, EndPoint? remote = null)
    : IMqttChannelAdapter
{
    private const int FirstBufferBytes = 8_192;
    private const int ReadAheadBytes = 65_536;

    private readonly MqttPacketFormatterAdapter _formatter = version is { } known
        ? new MqttPacketFormatterAdapter(known, new MqttBufferWriter(4_096, 65_536))
        : new MqttPacketFormatterAdapter(new MqttBufferWriter(4_096, 65_536));

    private readonly SemaphoreSlim _writing = new(1);
    private byte[] _buffer = new byte[FirstBufferBytes];
    private int _start;
    private int _end;
    private long _received;
    private long _sent;

    public long BytesReceived => Interlocked.Read(ref _received);

    public long BytesSent => Interlocked.Read(ref _sent);

    /// <summary>Bytes that the buffer holds: its bound is the largest packet, or what is read ahead.</summary>
    public int BufferBytes => _buffer.Length;

    public X509Certificate2? ClientCertificate => null;

    public EndPoint? RemoteEndPoint => remote;

    public EndPoint? LocalEndPoint => local;

    public bool IsSecureConnection => stream is System.Net.Security.SslStream;

    public MqttPacketFormatterAdapter PacketFormatterAdapter => _formatter;

    /// <summary>Whether the next packet is here already, so that reading it waits for nothing.</summary>
    public bool HasPacket => TryHeader(out int headerBytes, out int bodyBytes) && _end - _start >= headerBytes + bodyBytes;

    public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task DisconnectAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    /// <summary>The next packet; null where the other side has ended the connection.</summary>
    /// <exception cref="OversizePacketException">It is larger than allowed; nothing of it was read.</exception>
    /// <exception cref="MqttProtocolViolationException">It is no MQTT.</exception>
    public async Task<MqttPacket?> ReceivePacketAsync(CancellationToken cancellationToken)
    {
        int headerBytes, bodyBytes;

        while (!TryHeader(out headerBytes, out bodyBytes))
        {
            if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }

        if (bodyBytes > packetMaxBytes)
        {
            throw new OversizePacketException(bodyBytes, packetMaxBytes);
        }

        while (_end - _start < headerBytes + bodyBytes)
        {
            if (!await FillAsync(cancellationToken))
            {
                return null;
            }
        }

        var received = new ReceivedMqttPacket(
            _buffer[_start], new ArraySegment<byte>(_buffer, _start + headerBytes, bodyBytes), headerBytes + bodyBytes);
        _start += headerBytes + bodyBytes;

        if (_formatter.ProtocolVersion == MqttProtocolVersion.Unknown)
        {
            _formatter.DetectProtocolVersion(received);
        }

        // What it holds is copied out of the buffer.
        return _formatter.Decode(received) ?? throw new MqttProtocolViolationException("malformed packet");
    }

    public async Task SendPacketAsync(MqttPacket packet, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);

        try
        {
            await WriteAsync(_formatter.Encode(packet).Join(), cancellationToken);
        }
        finally
        {
            _formatter.Cleanup();
            _writing.Release();
        }
    }

    /// <summary>Sends packets that are bytes already, all at once.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> packets, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);

        try
        {
            await WriteAsync(packets, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }

    public void ResetStatistics() => (_received, _sent) = (0, 0);

    /// <summary>Ends the connection: whoever reads or writes hears of it.</summary>
    public void Dispose() => stream.Dispose();

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(bytes, cancellationToken);
        await stream.FlushAsync(cancellationToken);
        Interlocked.Add(ref _sent, bytes.Length);
    }

    /// <summary>The fixed header (MQTT 5, 2.1): type and flags, and a length of one to four bytes.</summary>
    private bool TryHeader(out int headerBytes, out int bodyBytes)
    {
        ReadOnlySpan<byte> here = _buffer.AsSpan(_start, _end - _start);
        bodyBytes = 0;

        for (headerBytes = 1; headerBytes < here.Length;)
        {
            byte length = here[headerBytes];
            bodyBytes |= (length & 127) << (7 * (headerBytes - 1));
            headerBytes++;

            if ((length & 128) == 0)
            {
                return true;
            }

            if (headerBytes == 5)
            {
                throw new MqttProtocolViolationException("the length of a packet has more than four bytes");
            }
        }

        return false;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _buffer.Length && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            // By what has come, not by what a header claims.
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        Interlocked.Add(ref _received, read);

        if (read > 0 && _end == _buffer.Length && _buffer.Length < ReadAheadBytes)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        return read > 0;
    }
}

/// <summary>A packet is larger than allowed.</summary>
internal sealed class OversizePacketException(int bytes, int maxBytes)
    : Exception($"a packet of {bytes} bytes, expected at most {maxBytes}");
