using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Mqtt;

/// <summary>Topics of a broker: connects, subscribes, connects again where the connection is lost.</summary>
/// <remarks>
/// Of the pushed kind, with the broker's session as what it is asked again: what was not acknowledged comes again. A connection
/// is an <see cref="MqttIntake"/> of its own; the next one begins once everything of the one before is on the disk or
/// was refused, so that what comes again is either known or was never taken.
/// </remarks>
/// <param name="options">Where, what, and how.</param>
/// <param name="index">Its place in sources.mqtt.</param>
/// <param name="instance">Names this storage directory: the client's name where none is given.</param>
/// <param name="rules">Which records are judged together.</param>
/// <param name="batchMax">Observations in a batch at most.</param>
/// <param name="metrics">Counts what comes again, and whether it is connected.</param>
/// <param name="time">For waiting, and for records without a time.</param>
/// <param name="logger">Where trouble is told, once a minute.</param>
internal sealed class MqttSource(
    MqttSourceOptions options, int index, string instance, RecordRules rules, int batchMax, DaemonMetrics metrics, TimeProvider time, ILogger<MqttSource> logger)
    : IConnectedSource
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly string _key = $"sources.mqtt.{index}";
    private readonly RedeliveryFilter _filter = new(2 * options.ReceiveMaximum);
    private readonly OncePerMinute _told = new(time);
    private readonly IngestStamp _stamp = new(time);
    private readonly PayloadDecoder _decoder = new(
        options.Format,
        new PayloadRules { Units = options.Units, ArrayKeys = options.ArrayKeys, Zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone), ReorderTimeout = options.ReorderTimeout, Sound = options.Sound.Rules() },
        options.Columns,
        options.TopicTemplates());
    private string? _lost;
    private string? _refused;
    private bool _hasTaken;

    public string Name { get; } = options.Name.Length > 0 ? options.Name : index == 0 ? "mqtt" : $"mqtt.{index}";

    public string? Trouble => _lost ?? _refused;

    private string ClientId => options.ClientId.Length > 0 ? options.ClientId : $"streamlstm-{instance}-{Name}";

    /// <summary>The session that positions are of: another broker or name has another one.</summary>
    private string Session => $"mqtt:{options.Url}:{ClientId}";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        _filter.Read(intake.PositionOf(Session));

        foreach ((string of, string told) in intake.PositionsUnder(MqttIntake.BirthsOf(Session)))
        {
            _decoder.Sparkplug.Restore(of, told);
        }

        TimeSpan wait = FirstWait;

        while (!stopping.IsCancellationRequested)
        {
            long began = time.GetTimestamp();

            try
            {
                await ConnectAndTakeInAsync(intake, stopping);

                if (stopping.IsCancellationRequested)
                {
                    break;
                }

                _lost = $"{_key}.url: {options.Url} ends the connection";
            }
            catch (Exception ended) when (ended is System.Threading.Channels.ChannelClosedException || (ended is OperationCanceledException && stopping.IsCancellationRequested))
            {
                // Nothing is taken in any more.
                break;
            }
            catch (Exception lost) when (lost is NotTakenException || MqttConnection.IsLoss(lost))
            {
                _lost = lost is MqttTroubleException or NotTakenException ? lost.Message
                    : lost is OversizePacketException ? $"{_key}.packet_max_bytes: {lost.Message}"
                    : $"{_key}.url: the connection to {options.Url} is lost ({lost.GetBaseException().Message})";
            }

            metrics.Connected(Name, isConnected: false);

            if (_told.Tell(_lost, out int times))
            {
                LogMessages.SourceTrouble(logger, Name, times > 1 ? $"{_lost} ({times} times)" : _lost);
            }

            // One that held for a while, or brought something, begins with short waits again; no two clients in step.
            wait = _hasTaken || time.GetElapsedTime(began) > LongestWait ? FirstWait : wait;
            _hasTaken = false;

            try
            {
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble() / 2), time, stopping);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }

        metrics.Connected(Name, isConnected: false);
    }

    private async Task ConnectAndTakeInAsync(ObservationIntake intake, CancellationToken stopping)
    {
        await using MqttConnection connection = await MqttConnection.OpenAsync(options, _key, options.PacketMaxBytes, Complete, time, stopping);
        bool goesOn = connection.Answer.IsSessionPresent;

        if (!goesOn)
        {
            _filter.Clear();
        }

        string[] before = Subscribed(intake, goesOn);
        LogMessages.SourceStarted(
            logger, Name, $"{options.Url} ({(connection.Version == MqttProtocolVersion.V500 ? "MQTT 5" : "MQTT 3.1.1")}, {(goesOn ? "session goes on" : "new session")}): {string.Join(", ", options.Topics)}");

        if (before.Length > 0 && !goesOn && !options.CleanStart)
        {
            LogMessages.SourceTrouble(logger, Name, $"{options.Url} has forgotten the session: what was published meanwhile is lost");
        }

        // What is subscribed to is on the disk before it is: so it can be unsubscribed from, whenever this ends.
        string[] removed = [.. before.Except(options.Topics, StringComparer.Ordinal)];
        await NoteAsync(intake, [.. options.Topics, .. removed], before, stopping);
        await SubscribeAsync(connection, removed, stopping);
        metrics.Connected(Name, isConnected: true);
        _lost = _refused = null;

        var taking = new MqttIntake(Name, Session, options, _filter, connection, goesOn, _decoder, rules, _stamp, batchMax, intake, metrics, time)
        {
            Subscribed = answer => Refused(answer, connection.Version),
            Unsubscribed = async () => await NoteAsync(intake, [.. options.Topics], [], stopping),
        };

        try
        {
            await taking.RunAsync(stopping);
        }
        finally
        {
            _hasTaken = taking.HasTaken;
        }
    }

    private void Complete(MqttConnectPacket connect)
    {
        connect.ClientId = ClientId;
        connect.CleanSession = options.CleanStart;
        connect.SessionExpiryInterval = options.CleanStart ? 0 : (uint)Math.Min(options.SessionExpiry.TotalSeconds, uint.MaxValue);
        connect.ReceiveMaximum = (ushort)options.ReceiveMaximum;
        connect.MaximumPacketSize = (uint)options.PacketMaxBytes;
    }

    private async Task SubscribeAsync(MqttConnection connection, string[] removed, CancellationToken stopping)
    {
        if (removed.Length > 0)
        {
            await connection.SendAsync(new MqttUnsubscribePacket { PacketIdentifier = 2, TopicFilters = [.. removed] }, stopping);
        }

        // Each by itself: a broker may refuse one, and the others go on.
        await connection.SendAsync(
            new MqttSubscribePacket
            {
                PacketIdentifier = 1,
                TopicFilters =
                [
                    .. options.Topics.Select(topic => new MqttTopicFilter
                    {
                        Topic = topic,
                        QualityOfServiceLevel = (MqttQualityOfServiceLevel)options.Qos,
                        RetainHandling = options.Retained switch
                        {
                            RetainedMessages.Always => MqttRetainHandling.SendAtSubscribe,
                            RetainedMessages.First => MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly,
                            _ => MqttRetainHandling.DoNotSendOnSubscribe,
                        },
                    }),
                ],
            },
            stopping);
    }

    private void Refused(MqttSubAckPacket answer, MqttProtocolVersion version)
    {
        string[] refused =
        [
            .. options.Topics.Zip(answer.ReasonCodes)
                .Where(topic => (int)topic.Second >= 128)
                .Select(topic => version == MqttProtocolVersion.V500 ? $"'{topic.First}' ({topic.Second})" : $"'{topic.First}'"),
        ];
        _refused = refused.Length == 0 ? null : $"{_key}.topics: {options.Url} refuses {string.Join(", ", refused)}";

        if (_refused is not null && _told.Tell(_refused, out _))
        {
            LogMessages.SourceTrouble(logger, Name, _refused);
        }
    }

    /// <summary>What the session was subscribed to, by what was noted.</summary>
    private string[] Subscribed(ObservationIntake intake, bool goesOn) =>
        goesOn || !options.CleanStart ? intake.PositionOf($"{Session}:topics")?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [] : [];

    private async Task NoteAsync(ObservationIntake intake, string[] topics, string[] before, CancellationToken stopping)
    {
        if (!topics.SequenceEqual(before))
        {
            await await intake.AcceptAsync(
                new ObservationBatch(Name, default, time.GetUtcNow()) { Position = new SourcePosition($"{Session}:topics", string.Join('\n', topics)) }, stopping);
        }
    }
}
