using System.Text;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Mqtt;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Sinks.Mqtt;

/// <summary>Publishes messages in order with QoS 1, again after a lost connection until each is acknowledged.</summary>
/// <remarks>The caller adds at one end, the loop takes from the other once the broker has said that it has it. TOPIC/status says online; the will says offline.</remarks>
internal sealed class MqttPublisher : IAsyncDisposable
{
    private const int UnderWayMax = 100;
    private const int AnswerBytesMax = 65_536;

    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan GoodbyeMax = TimeSpan.FromSeconds(2);

    private readonly MqttBrokerOptions _options;
    private readonly string _key;
    private readonly string _name;
    private readonly string _clientId;
    private readonly string _statusTopic;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OncePerMinute _told;
    private readonly Lock _lock = new();
    private readonly LinkedList<MqttMessage> _waiting;
    private readonly SemaphoreSlim _more = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private MqttConnection? _connection;
    private string? _trouble;

    public MqttPublisher(
        MqttBrokerOptions options, string key, string name, string clientId, string statusTopic, IEnumerable<MqttMessage> waiting, TimeProvider time, ILogger logger)
    {
        (_options, _key, _name, _clientId, _statusTopic, _time, _logger) = (options, key, name, clientId, statusTopic, time, logger);
        _told = new OncePerMinute(time);
        _waiting = new LinkedList<MqttMessage>(waiting);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Why nothing is published at present; null where it is.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>Messages that the broker has not acknowledged.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    public IReadOnlyList<MqttMessage> Unacknowledged()
    {
        lock (_lock)
        {
            return [.. _waiting];
        }
    }

    public void Publish(MqttMessage message)
    {
        lock (_lock)
        {
            _waiting.AddLast(message);
        }

        Wake();
    }

    /// <summary>Publishes with QoS 0 and without waiting; not at all where that cannot be done at once.</summary>
    public void PublishIfConnected(MqttMessage message)
    {
        if (Volatile.Read(ref _connection) is { } connection)
        {
            _ = SendAsync();

            async Task SendAsync()
            {
                try
                {
                    await connection.SendAsync(Packet(message, 0), _stopping.Token);
                }
                catch (Exception lost) when (MqttConnection.IsLoss(lost) || lost is OperationCanceledException)
                {
                    // A score is nothing that is kept.
                }
            }
        }
    }

    /// <summary>Publishes what waits, as far as that is quickly done, and says goodbye.</summary>
    public async ValueTask DisposeAsync()
    {
        for (long began = _time.GetTimestamp(); _trouble is null && Waiting > 0 && _time.GetElapsedTime(began) < GoodbyeMax;)
        {
            await Task.Delay(20);
        }

        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
        _more.Dispose();
    }

    private void Wake()
    {
        lock (_lock)
        {
            if (_more.CurrentCount == 0)
            {
                _more.Release();
            }
        }
    }

    private async Task RunAsync()
    {
        TimeSpan wait = FirstWait;

        while (!_stopping.IsCancellationRequested)
        {
            long began = _time.GetTimestamp();

            try
            {
                await ConnectAndPublishAsync();
                return;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (MqttConnection.IsLoss(lost) || lost is OperationCanceledException)
            {
                string words = lost is MqttTroubleException ? lost.Message : $"{_key}.url: the connection to {_options.Url} is lost ({lost.GetBaseException().Message})";
                Volatile.Write(ref _trouble, words);

                if (_told.Tell(words, out int times))
                {
                    LogMessages.SinkTrouble(_logger, _name, times > 1 ? $"{words} ({times} times)" : words);
                }
            }

            wait = _time.GetElapsedTime(began) > LongestWait ? FirstWait : wait;

            try
            {
                await Task.Delay(wait * (0.5 + (Random.Shared.NextDouble() / 2)), _time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private async Task ConnectAndPublishAsync()
    {
        await using MqttConnection connection = await MqttConnection.OpenAsync(
            _options, _key, AnswerBytesMax,
            connect =>
            {
                connect.ClientId = _clientId;
                connect.CleanSession = true;
                (connect.WillFlag, connect.WillTopic, connect.WillMessage, connect.WillRetain) = (true, _statusTopic, "offline"u8.ToArray(), true);
                connect.WillQoS = MqttQualityOfServiceLevel.AtLeastOnce;
            },
            _time, _stopping.Token);
        var underWay = new Dictionary<ushort, LinkedListNode<MqttMessage>>();
        using var room = new SemaphoreSlim(UnderWayMax);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        Task receiving = ReceiveAsync();
        Volatile.Write(ref _connection, connection);

        try
        {
            await connection.SendAsync(Packet(new MqttMessage(_statusTopic, "online", IsRetained: true), 0), ended.Token);
            Volatile.Write(ref _trouble, null);
            await SendAsync();
        }
        catch (OperationCanceledException) when (receiving.IsCompleted && !_stopping.IsCancellationRequested)
        {
            // What ended the receiving says why.
            await receiving;
        }
        finally
        {
            Volatile.Write(ref _connection, null);

            if (_stopping.IsCancellationRequested)
            {
                await SayGoodbyeAsync(connection);
            }

            await ended.CancelAsync();
            connection.Abort();
            await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task SendAsync()
        {
            ushort identifier = 0;
            LinkedListNode<MqttMessage>? last = null;

            while (true)
            {
                LinkedListNode<MqttMessage>? next;

                lock (_lock)
                {
                    // What is acknowledged goes from the front: behind the last one sent, or at the front where nothing is under way.
                    next = last?.List is null ? underWay.Count == 0 ? _waiting.First : After(underWay.Values) : last.Next;
                }

                if (next is null)
                {
                    await _more.WaitAsync(ended.Token);
                    continue;
                }

                await room.WaitAsync(ended.Token);
                identifier = identifier == ushort.MaxValue ? (ushort)1 : (ushort)(identifier + 1);

                lock (_lock)
                {
                    underWay[identifier] = next;
                }

                await connection.SendAsync(Packet(next.Value, identifier), ended.Token);
                last = next;
            }
        }

        async Task ReceiveAsync()
        {
            try
            {
                while (await connection.ReceiveAsync(ended.Token) is { } packet)
                {
                    if (packet is not MqttPubAckPacket acknowledged)
                    {
                        continue;
                    }

                    if ((int)acknowledged.ReasonCode >= 128)
                    {
                        throw new MqttTroubleException($"{_key}.topic: {_options.Url} refuses what is published ({acknowledged.ReasonCode})");
                    }

                    lock (_lock)
                    {
                        if (underWay.Remove(acknowledged.PacketIdentifier, out LinkedListNode<MqttMessage>? node))
                        {
                            _waiting.Remove(node);
                            room.Release();
                        }
                    }
                }

                throw new MqttTroubleException($"{_key}.url: {_options.Url} ends the connection");
            }
            finally
            {
                await ended.CancelAsync();
            }
        }
    }

    /// <summary>The first message behind all that are under way.</summary>
    private static LinkedListNode<MqttMessage>? After(IEnumerable<LinkedListNode<MqttMessage>> underWay)
    {
        var sent = underWay.ToHashSet();
        LinkedListNode<MqttMessage>? node = sent.First().List!.First;

        while (node is not null && sent.Contains(node))
        {
            node = node.Next;
        }

        return node;
    }

    private async Task SayGoodbyeAsync(MqttConnection connection)
    {
        using var soon = new CancellationTokenSource(GoodbyeMax);

        try
        {
            // DISCONNECT takes the will back, so what it would say is said.
            await connection.SendAsync(Packet(new MqttMessage(_statusTopic, "offline", IsRetained: true), 0), soon.Token);
            await connection.DisconnectAsync();
        }
        catch (Exception gone) when (MqttConnection.IsLoss(gone) || gone is OperationCanceledException)
        {
            // The will says it.
        }
    }

    /// <param name="message">The message.</param>
    /// <param name="identifier">Its number; 0 for QoS 0.</param>
    private static MqttPublishPacket Packet(MqttMessage message, ushort identifier) => new()
    {
        Topic = message.Topic,
        PayloadSegment = Encoding.UTF8.GetBytes(message.Payload),
        Retain = message.IsRetained,
        PacketIdentifier = identifier,
        QualityOfServiceLevel = identifier == 0 ? MqttQualityOfServiceLevel.AtMostOnce : MqttQualityOfServiceLevel.AtLeastOnce,
    };
}
