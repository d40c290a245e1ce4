using System.Buffers;
using System.Diagnostics;
using System.Threading.Channels;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sources.Mqtt;

/// <summary>Takes in what comes over one connection: publication → decode → journal → acknowledge, in order.</summary>
/// <remarks><code>
///   connection ──▶ decode, join, gather ──▶ intake (journal, fsync) ··▶ on the disk
///        ▲              └──▶ [unwritten] ──▶ answers in order ────────┘
///        └─────────── PUBACK, PUBREC ◀──────────┘
/// </code>
/// What is here already is gathered into one batch, and the next one is read while the disk has the one before: many
/// publications a sync. Bounded by the receive maximum, by [unwritten] and by bytes; beyond it nothing is read, and the broker
/// keeps what it has. Answers go out over the connection that the publication came by, or never: this object has
/// no other one. After a batch that was not taken nothing is acknowledged any more.
/// </remarks>
internal sealed class MqttIntake
{
    private const int UnwrittenMax = 64;
    private const int BatchBytesMax = 1 << 20;

    /// <summary>Acknowledgements behind which the broker is asked whether it has read them.</summary>
    private const int ConfirmEvery = 200;

    private readonly string _name;
    private readonly string _session;
    private readonly MqttSourceOptions _options;
    private readonly RedeliveryFilter _filter;
    private readonly MqttConnection _connection;
    private readonly bool _goesOn;
    private readonly int _batchMax;
    private readonly ObservationIntake _intake;
    private readonly DaemonMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly PayloadDecoder _decoder;
    private readonly Decoded _decoded;
    private readonly RecordJoin _join;
    private readonly RebirthRequests _rebirths;
    private readonly Channel<Unwritten> _unwritten = Channel.CreateBounded<Unwritten>(
        new BoundedChannelOptions(UnwrittenMax) { SingleReader = true, SingleWriter = true });

    private readonly ByteBudget _budget;
    private readonly List<PublicationKey> _refused = [];
    private List<PacketAnswer> _answers = [];
    private List<PublicationKey> _taken = [];
    private List<PublicationKey> _new = [];
    private int _bytes;
    private Ping? _ping;   // the one that has not been answered
    private bool _isPastOld;

    public MqttIntake(
        string name, string session, MqttSourceOptions options, RedeliveryFilter filter, MqttConnection connection, bool goesOn, PayloadDecoder decoder, RecordRules rules,
        IngestStamp stamp, int batchMax, ObservationIntake intake, DaemonMetrics metrics, TimeProvider time)
    {
        (_name, _session, _options, _filter, _connection, _goesOn) = (name, session, options, filter, connection, goesOn);
        (_batchMax, _intake, _metrics, _time) = (batchMax, intake, metrics, time);
        _decoder = decoder;
        _decoded = new Decoded(stamp, rules);
        _budget = new ByteBudget(options.UnwrittenMaxMib * 1024L * 1024L);
        _rebirths = new RebirthRequests(time);

        // From what is on the disk: fields that were taken in and refused come again.
        _join = new RecordJoin(rules);
        intake.PositionsUnder(OpenRecordsOf(session)).ToList().ForEach(open => _join.Restore(open.Of, open.At, Now));
    }

    /// <summary>Whether a publication came over this connection.</summary>
    public bool HasTaken { get; private set; }

    /// <summary>Hears what the broker says to the subscription.</summary>
    public required Action<MqttSubAckPacket> Subscribed { get; init; }

    /// <summary>Hears that topics were unsubscribed from.</summary>
    public required Func<Task> Unsubscribed { get; init; }

    /// <summary>Where what Sparkplug's births told is noted, each node behind it.</summary>
    public static string BirthsOf(string session) => $"{session}:births:";

    /// <summary>Where records that wait for fields are noted, each stream behind it.</summary>
    public static string OpenRecordsOf(string session) => $"{session}:open:";

    /// <summary>One clock for all connections: what waits for its turn outlives them.</summary>
    private TimeSpan Now => _time.GetElapsedTime(0);

    private TimeSpan? NextDue => (_join.NextDue, _decoder.Sparkplug.NextDue) switch
    {
        ({ } record, { } message) => record < message ? record : message,
        var (record, message) => record ?? message,
    };

    /// <summary>Runs until the connection ends or it is time to stop; by then everything handed in is on the disk, or was refused.</summary>
    /// <exception cref="NotTakenException">Something could not be written down: nothing behind it was acknowledged.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        Task answering = AnswerAsync();

        try
        {
            await ReadAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was read and not handed in was not acknowledged: it comes again.
        }
        finally
        {
            _unwritten.Writer.TryComplete();
            await answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // What was read and not handed in, and what was refused, is taken when it comes again.
            _refused.Concat(_new).ToList().ForEach(_filter.Remove);
        }

        if (stopping.IsCancellationRequested)
        {
            await _connection.DisconnectAsync();
        }

        await answering;
    }

    private async Task ReadAsync(CancellationToken stopping)
    {
        while (true)
        {
            if (HasSomething && (!_connection.HasPacket || _decoded.Observations.Count >= _batchMax || _bytes >= BatchBytesMax))
            {
                await HandInAsync(stopping);
            }

            switch (await ReceiveAsync(stopping))
            {
                case null:
                    return;
                case MqttPublishPacket publication:
                    Take(publication);
                    await AskForBirthsAsync(stopping);
                    break;
                case MqttPubRelPacket release:
                    // The second half of QoS 2: the publication itself has been taken by now, in this life or a former one.
                    _answers.Add(new PacketAnswer(AnswerKind.PubComp, release.PacketIdentifier));
                    break;
                case MqttSubAckPacket answer:
                    Subscribed(answer);
                    break;
                case MqttUnsubAckPacket:
                    await Unsubscribed();
                    break;
            }
        }
    }

    /// <summary>The next packet; until it is here, records and messages whose time is over are handed in.</summary>
    private ValueTask<MqttPacket?> ReceiveAsync(CancellationToken stopping) =>
        NextDue is null || _connection.HasPacket ? _connection.ReceiveAsync(stopping) : new ValueTask<MqttPacket?>(ReceiveInTimeAsync(stopping));

    private async Task<MqttPacket?> ReceiveInTimeAsync(CancellationToken stopping)
    {
        Task<MqttPacket?> receiving = _connection.ReceiveAsync(stopping).AsTask();

        while (NextDue is { } due && !receiving.IsCompleted)
        {
            using var received = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            TimeSpan wait = due - Now;

            if (wait > TimeSpan.Zero && await Task.WhenAny(receiving, Task.Delay(wait, _time, received.Token)) == receiving)
            {
                await received.CancelAsync();
                break;
            }

            await HandInAsync(stopping);
            await AskForBirthsAsync(stopping);
        }

        return await receiving;
    }

    private async Task AskForBirthsAsync(CancellationToken stopping)
    {
        foreach ((string topic, byte[] payload) in _rebirths.Take(_decoder.Sparkplug))
        {
            await _connection.SendAsync(new MqttPublishPacket { Topic = topic, PayloadSegment = payload }, stopping);
            _metrics.RebirthAsked(_name);
        }
    }

    private bool HasSomething => _decoded.Observations.Count > 0 || _answers.Count > 0 || _join.HasNotes;

    private void Take(MqttPublishPacket publication)
    {
        HasTaken = true;
        ReadOnlyMemory<byte> payload = publication.Payload.IsSingleSegment ? publication.Payload.First : publication.Payload.ToArray();
        bool isAnswered = publication.QualityOfServiceLevel != MqttQualityOfServiceLevel.AtMostOnce;

        if (isAnswered)
        {
            _answers.Add(new PacketAnswer(
                publication.QualityOfServiceLevel == MqttQualityOfServiceLevel.AtLeastOnce ? AnswerKind.PubAck : AnswerKind.PubRec, publication.PacketIdentifier));
            var key = new PublicationKey(publication.PacketIdentifier, RedeliveryFilter.HashOf(publication.Topic, payload.Span));
            bool isKnown = publication.Dup && _filter.Knows(key);

            // What comes again comes first and in order (MQTT 5, 4.6): before the first new one, any that is known may still be on its way.
            _isPastOld |= !publication.Dup;
            _taken.Add(key);
            _filter.Add(key);

            if (isKnown)
            {
                _metrics.Redelivered(_name);
                return;
            }

            _new.Add(key);
        }

        if (payload.IsEmpty || (publication.Retain && _options.Retained != RetainedMessages.Always && (_goesOn || _options.Retained == RetainedMessages.Never)))
        {
            // The removal of a retained message; an old value that was taken when it came.
            return;
        }

        _bytes += payload.Length;
        int from = _decoded.Observations.Count;

        // What is acknowledged may not wait in memory.
        Join(_decoder.Decode(publication.Topic, _options.Prefix, payload, _decoded, isAnswered ? null : Now), from);

        if (!_decoded.LeftOut.IsEmpty)
        {
            _intake.LeaveOut(_name, _decoded.LeftOut, $"topic {publication.Topic}", payload.Span);
        }

        foreach (DecodeError error in _decoded.Errors)
        {
            _intake.Reject(_name, error.Reason, $"topic {publication.Topic}: {error.Detail}", error.Payload);
        }

        _decoded.Errors.Clear();
    }

    private void Join(IReadOnlyList<JoinedTopic> records, int from)
    {
        foreach (JoinedTopic record in records)
        {
            _join.Take(record.Stream, record.Rule, _decoded, from, Now);
        }
    }

    /// <summary>One batch of whole publications: what they brought and what they are known by are on the disk together or not at all.</summary>
    private async Task HandInAsync(CancellationToken stopping)
    {
        int from = _decoded.Observations.Count;
        Join(_decoder.Expire(Now, _decoded), from);
        _join.Expire(Now, _decoded);
        _intake.LeaveOut(_name, _decoded.LeftOut);
        Observation[] observations = [.. _decoded.Observations];
        int bytes = _bytes + (64 * observations.Length);
        await _budget.TakeAsync(bytes, stopping);
        Confirm();
        var batch = new Unwritten(_answers, _new, _isPastOld ? _filter.Number : 0, bytes);
        List<PublicationKey> taken = _taken;
        _decoded.Observations.Clear();
        (_answers, _taken, _new, _bytes) = ([], [], [], 0);

        try
        {
            SourcePosition[] positions =
            [
                .. _decoder.Sparkplug.TakeNotes().Select(birth => new SourcePosition(BirthsOf(_session) + birth.Node, birth.Told)),
                .. _decoder.Sparkplug.TakeUnits().Select(units => StreamUnits.PositionOf(_session, units.Of, units.Told)),
                .. _join.TakeNotes().Select(open => new SourcePosition(OpenRecordsOf(_session) + open.Stream, open.Told)),
                .. taken.Count > 0 ? [new SourcePosition(_session, _filter.Write(taken))] : Array.Empty<SourcePosition>(),
            ];

            if (observations.Length > 0 || positions.Length > 0)
            {
                using Activity? span = DaemonActivitySource.Source.StartActivity("ingest mqtt");
                batch.OnDisk = await _intake.AcceptAsync(
                    new ObservationBatch(_name, observations, _time.GetUtcNow(), span?.Context ?? default) { Position = SourcePosition.Together(positions) }, stopping);
            }
        }
        catch (Exception refused)
        {
            batch.OnDisk = Task.FromException(refused);
            throw;
        }
        finally
        {
            await _unwritten.Writer.WriteAsync(batch, CancellationToken.None);
        }
    }

    /// <summary>What was acknowledged before a ping that was answered does not come again.</summary>
    private void Confirm()
    {
        if (Volatile.Read(ref _ping) is { } ping && _connection.PingsAnswered >= ping.Sent)
        {
            _filter.Confirm(ping.Acknowledged);
            Volatile.Write(ref _ping, null);
        }
    }

    /// <summary>Answers what is on the disk, in the order in which it came.</summary>
    private async Task AnswerAsync()
    {
        Exception? refused = null;
        bool isConnected = true;
        List<PacketAnswer> answers = [];
        long acknowledged = 0, pinged = 0;

        await foreach (Unwritten first in _unwritten.Reader.ReadAllAsync())
        {
            Unwritten? next = first;
            answers.Clear();

            do
            {
                try
                {
                    await next.OnDisk;
                }
#pragma warning disable CA1031 // kept: nothing behind it is acknowledged, and the connection ends with it
                catch (Exception notTaken)
#pragma warning restore CA1031
                {
                    refused ??= notTaken;
                    _refused.AddRange(next.New);
                    _connection.Abort();
                }

                _budget.Return(next.Bytes);

                if (refused is null)
                {
                    answers.AddRange(next.Answers);
                    acknowledged = next.Last;
                }
            }
            while (_unwritten.Reader.TryPeek(out next) && next.OnDisk.IsCompleted && _unwritten.Reader.TryRead(out next));

            if (answers.Count > 0 && isConnected)
            {
                try
                {
                    await _connection.AnswerAsync(answers, CancellationToken.None);

                    if (acknowledged - pinged >= ConfirmEvery && Volatile.Read(ref _ping) is null)
                    {
                        Volatile.Write(ref _ping, new Ping(await _connection.PingAsync(CancellationToken.None), acknowledged));
                        pinged = acknowledged;
                    }
                }
                catch (Exception lost) when (MqttConnection.IsLoss(lost))
                {
                    // Whoever reads hears it too. Those behind are waited for and not acknowledged: they are known when they come again.
                    isConnected = false;
                }
            }
        }

        if (refused is not null and not OperationCanceledException)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(refused);
        }
    }

    /// <summary>Publications on their way to the disk.</summary>
    /// <param name="Answers">Sent once they are there.</param>
    /// <param name="New">Those that had not been taken in before.</param>
    /// <param name="Last">The number of the last of them, by the filter; 0 while older ones may come again behind it.</param>
    /// <param name="Bytes">What they hold of the budget.</param>
    private sealed record Unwritten(List<PacketAnswer> Answers, List<PublicationKey> New, long Last, int Bytes)
    {
        public Task OnDisk { get; set; } = Task.CompletedTask;
    }

    /// <summary>A ping behind acknowledgements.</summary>
    /// <param name="Sent">Pings that were sent up to it.</param>
    /// <param name="Acknowledged">The number of the last publication acknowledged before it.</param>
    private sealed record Ping(long Sent, long Acknowledged);
}
