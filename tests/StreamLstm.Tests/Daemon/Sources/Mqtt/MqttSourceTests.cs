using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Tests.Daemon.Support;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Sources.Mqtt;

/// <summary>What is acknowledged is on the disk, once; a scripted broker plays what may come between.</summary>
[Collection(nameof(Alone))]
public sealed class MqttSourceTests : IDisposable
{
    private readonly ScriptedBroker _broker = new();
    private readonly Channel<Handed> _handed = Channel.CreateBounded<Handed>(4);
    private readonly SourcePositions _positions = new();
    private readonly CaughtLetters _letters = new();
    private readonly Ledger _ledger = new();
    private readonly DaemonMetrics _metrics;
    private readonly CancellationTokenSource _stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public MqttSourceTests() => _metrics = new DaemonMetrics(_ledger);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_is_acknowledged_before_it_is_on_the_disk_and_then_in_the_order_in_which_it_came()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options());
        await session.PublishAsync(7, "plant/a", "1");
        Handed first = await NextAsync();
        await session.PublishAsync(3, "plant/a", "2");
        Handed second = await NextAsync();

        // The later one is on the disk first.
        second.OnDisk!.SetResult(2);
        first.OnDisk!.SetResult(1);

        Assert.Equal<int[]>([7, 3], await session.AcknowledgedAsync(2));
        Assert.Equal([("plant/a", 1d), ("plant/a", 2d)], Of(first).Concat(Of(second)));
        await StopAsync(running);
    }

    [Fact]
    public async Task What_is_here_already_is_one_batch_and_a_whole_window_is_under_way_at_once()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options());
        await session.PublishAsync(1, "plant/a", "1");
        Handed first = await NextAsync();

        for (int i = 2; i <= 200; i++)
        {
            await session.PublishAsync(i, "plant/a", $"{i}");
        }

        int taken = 1, batches = 1;
        first.OnDisk!.SetResult(1);

        while (taken < 200)
        {
            Handed next = await NextAsync();
            taken += Of(next).Length;
            batches++;
            next.OnDisk!.SetResult(batches);
        }

        Assert.Equal<int[]>([.. Enumerable.Range(1, 200)], await session.AcknowledgedAsync(200));
        Assert.InRange(batches, 2, 60);
        await StopAsync(running);
    }

    [Fact]
    public async Task What_reached_the_disk_after_its_connection_was_lost_is_acknowledged_only_when_it_comes_again_and_is_not_taken_twice()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options());
        await session.PublishAsync(9, "plant/a", "1");
        Handed taken = await NextAsync();
        session.Reset();
        taken.OnDisk!.SetResult(1);
        Noted(taken);

        using ScriptedBroker.Session again = await _broker.WelcomeAsync(isSessionPresent: true);
        await again.ReceiveAsync<MqttSubscribePacket>();

        // The same identifier stands for another message now: an old acknowledgement would confirm it.
        await again.PublishAsync(9, "plant/a", "2");
        Handed other = await NextAsync();
        await again.PublishAsync(10, "plant/a", "3");
        Handed behind = await NextAsync();
        other.OnDisk!.SetResult(2);
        behind.OnDisk!.SetResult(3);
        Assert.Equal<int[]>([9, 10], await again.AcknowledgedAsync(2));
        Assert.Equal([("plant/a", 2d)], Of(other));

        await again.PublishAsync(10, "plant/a", "3", dup: true);
        Handed repeated = await NextAsync();
        repeated.OnDisk!.SetResult(4);
        Assert.Empty(Of(repeated));
        Assert.Equal<int[]>([10], await again.AcknowledgedAsync(1));
        await StopAsync(running);
    }

    [Fact]
    public async Task After_a_kill_between_disk_and_acknowledgement_what_comes_again_is_known()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options());
        await session.PublishAsync(5, "plant/a", "1");
        Handed taken = await NextAsync();

        // On the disk, and the daemon dies: the next life reads positions from the journal.
        Noted(taken);
        taken.OnDisk!.SetResult(1);
        await StopAsync(running);
        session.Dispose();

        using var secondLife = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task again = Source(Options()).RunAsync(Intake(), secondLife.Token);
        using ScriptedBroker.Session resumed = await _broker.WelcomeAsync(isSessionPresent: true);
        await resumed.PublishAsync(5, "plant/a", "1", dup: true);
        Handed repeated = await NextAsync();
        repeated.OnDisk!.SetResult(2);
        Assert.Empty(Of(repeated));
        Assert.Equal<int[]>([5], await resumed.AcknowledgedAsync(1));
        await secondLife.CancelAsync();
        await again;
    }

    [Fact]
    public async Task However_many_acknowledgements_a_broker_has_not_read_what_comes_again_is_known_after_a_kill()
    {
        MqttSourceOptions few = Options(receiveMaximum: 10);
        (Task running, ScriptedBroker.Session session) = await StartAsync(few);
        Assert.Equal(300, await TakenAsync(session, 1, 300, isAgain: false));
        await StopAsync(running);
        session.Dispose();

        using var secondLife = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task again = Source(few).RunAsync(Intake(), secondLife.Token);
        using ScriptedBroker.Session resumed = await _broker.WelcomeAsync(isSessionPresent: true);

        // It answers pings before it is asked: that says nothing of what it has yet to send again.
        await resumed.SendAsync(MqttPingRespPacket.Instance);
        await resumed.SendAsync(MqttPingRespPacket.Instance);

        for (int from = 1; from <= 300; from += 50)
        {
            Assert.Equal(0, await TakenAsync(resumed, from, 50, isAgain: true));
        }

        Assert.Equal(20, await TakenAsync(resumed, 301, 20, isAgain: false));
        await secondLife.CancelAsync();
        await again;
    }

    [Fact]
    public async Task A_batch_the_disk_refuses_ends_the_connection_unacknowledged_and_is_taken_when_it_comes_again()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options());
        await session.PublishAsync(1, "plant/a", "1");
        Handed refused = await NextAsync();
        await session.PublishAsync(2, "plant/a", "2");
        Handed behind = await NextAsync();
        refused.OnDisk!.SetException(new NotTakenException("nothing can be taken in: disk full", new IOException()));
        behind.OnDisk!.SetResult(1);
        Assert.False(await session.AcknowledgesAnythingAsync());

        using ScriptedBroker.Session again = await _broker.WelcomeAsync(isSessionPresent: true);
        await again.PublishAsync(1, "plant/a", "1", dup: true);
        Handed taken = await NextAsync();
        taken.OnDisk!.SetResult(2);
        Assert.Equal([("plant/a", 1d)], Of(taken));
        await again.PublishAsync(2, "plant/a", "2", dup: true);
        Handed known = await NextAsync();
        known.OnDisk!.SetResult(3);
        Assert.Empty(Of(known));
        Assert.Equal<int[]>([1, 2], await again.AcknowledgedAsync(2));
        await StopAsync(running);
    }

    [Fact]
    public async Task Behind_a_disk_that_takes_nothing_reading_stops_at_the_budget()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options(unwrittenMaxMib: 1));
        string payload = $"{{\"value\":1,\"pad\":\"{new string('x', 100_000)}\"}}";
        int sent = 0;

        // The network's buffers take some; then sending waits for a reader that does not read.
        while (true)
        {
            Task sending = session.PublishAsync(0, "plant/a", payload, qos: 0);

            if (await Task.WhenAny(sending, Task.Delay(2_000, Cancellation)) != sending)
            {
                break;
            }

            await sending;
            Assert.True(++sent < 2_000, $"{sent} payloads of 100 kB were sent; {_letters.Letters.FirstOrDefault()}, {_handed.Reader.Count} batches");
        }

        int waiting = 0;

        while (_handed.Reader.TryRead(out Handed? one))
        {
            waiting += Of(one).Length;
        }

        Assert.InRange(waiting, 1, 12);
        session.Dispose();
        await _stopping.CancelAsync();
        _ = running;
    }

    [Fact]
    public async Task A_broker_without_mqtt_5_is_spoken_to_in_3_1_1()
    {
        Task running = Source(Options()).RunAsync(Intake(), _stopping.Token);

        using (ScriptedBroker.Session former = await _broker.AcceptAsync())
        {
            await former.ReceiveAsync<MqttConnectPacket>();

            // CONNACK of 3.1.1, return code 1: unacceptable protocol version.
            await former.SendBytesAsync(0x20, 2, 0, 1);
        }

        Task<ScriptedBroker.Session> welcome = _broker.WelcomeAsync();
        (await NextAsync()).OnDisk!.SetResult(0);
        using ScriptedBroker.Session session = await welcome;
        Assert.False(session.Connect.CleanSession);
        await session.ReceiveAsync<MqttSubscribePacket>();
        await session.PublishAsync(4, "plant/a", "5");
        Handed taken = await NextAsync();
        taken.OnDisk!.SetResult(1);
        Assert.Equal<int[]>([4], await session.AcknowledgedAsync(1));
        await StopAsync(running);
    }

    [Fact]
    public async Task The_session_is_asked_to_last_under_a_name_that_stays_and_retained_messages_are_taken_the_first_time()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options());
        Assert.Equal(("streamlstm-0badcafe-mqtt", false, 86_400u, 1_000), (session.Connect.ClientId, session.Connect.CleanSession, session.Connect.SessionExpiryInterval, session.Connect.ReceiveMaximum));
        await session.PublishAsync(1, "plant/a", "1", retain: true);
        Handed first = await NextAsync();
        first.OnDisk!.SetResult(1);
        Assert.Equal([("plant/a", 1d)], Of(first));
        session.Reset();

        using ScriptedBroker.Session again = await _broker.WelcomeAsync(isSessionPresent: true);
        MqttSubscribePacket subscribed = await again.ReceiveAsync<MqttSubscribePacket>();
        Assert.Equal(MqttRetainHandling.SendAtSubscribeIfNewSubscriptionOnly, Assert.Single(subscribed.TopicFilters).RetainHandling);

        // A broker of 3.1.1 sends it all the same.
        await again.PublishAsync(2, "plant/a", "1", retain: true);
        Handed second = await NextAsync();
        second.OnDisk!.SetResult(2);
        Assert.Empty(Of(second));
        Assert.Equal<int[]>([2], await again.AcknowledgedAsync(1));
        await StopAsync(running);
    }

    [Fact]
    public async Task Topics_gone_from_the_configuration_are_unsubscribed_from()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options(topics: ["plant/#", "old/+"]));
        await StopAsync(running);
        session.Dispose();

        using var secondLife = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task again = Source(Options(topics: ["plant/#", "new"])).RunAsync(Intake(), secondLife.Token);
        Task<ScriptedBroker.Session> welcome = _broker.WelcomeAsync(isSessionPresent: true);
        Handed noted = await NextAsync();
        Noted(noted);
        noted.OnDisk!.SetResult(1);
        using ScriptedBroker.Session resumed = await welcome;
        Assert.Equal(["old/+"], (await resumed.ReceiveAsync<MqttUnsubscribePacket>()).TopicFilters);
        Assert.Equal(["plant/#", "new"], (await resumed.ReceiveAsync<MqttSubscribePacket>()).TopicFilters.Select(filter => filter.Topic));
        await resumed.SendAsync(new MqttUnsubAckPacket { PacketIdentifier = 2, ReasonCodes = [MqttUnsubscribeReasonCode.Success] });
        noted = await NextAsync();
        Noted(noted);
        noted.OnDisk!.SetResult(2);
        Assert.Equal("plant/#\nnew", noted.Entry is ObservationsEntry { Batch.Position: { } position } ? position.At : "");
        await secondLife.CancelAsync();
        await again;
    }

    [Fact]
    public async Task A_topic_the_broker_refuses_is_told_and_the_others_go_on()
    {
        MqttSource source = Source(Options(topics: ["plant/#", "secret/#"]));
        Task running = source.RunAsync(Intake(), _stopping.Token);
        Task<ScriptedBroker.Session> welcome = _broker.WelcomeAsync();
        (await NextAsync()).OnDisk!.SetResult(1);
        using ScriptedBroker.Session session = await welcome;
        MqttSubscribePacket asked = await session.ReceiveAsync<MqttSubscribePacket>();
        await session.SendAsync(new MqttSubAckPacket
        {
            PacketIdentifier = asked.PacketIdentifier,
            ReasonCodes = [MqttSubscribeReasonCode.GrantedQoS1, MqttSubscribeReasonCode.NotAuthorized],
        });
        await session.PublishAsync(1, "plant/a", "1");
        Handed taken = await NextAsync();
        taken.OnDisk!.SetResult(1);
        Assert.Equal<int[]>([1], await session.AcknowledgedAsync(1));
        Assert.Equal($"sources.mqtt.0.topics: {_broker.Url} refuses 'secret/#' (NotAuthorized)", source.Trouble);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_refused_password_is_told_with_its_key_and_without_itself()
    {
        MqttSource source = Source(Options(password: "hunter2"));
        Task running = source.RunAsync(Intake(), _stopping.Token);

        using (ScriptedBroker.Session session = await _broker.AcceptAsync())
        {
            await session.ReceiveAsync<MqttConnectPacket>();
            await session.SendAsync(new MqttConnAckPacket { ReasonCode = MqttConnectReasonCode.BadUserNameOrPassword });
            await Assert.ThrowsAnyAsync<Exception>(session.ReceiveAsync<MqttSubscribePacket>);
        }

        // Connecting again means that the first failure was dealt with.
        using ScriptedBroker.Session next = await _broker.AcceptAsync();
        Assert.Equal($"sources.mqtt.0.password: {_broker.Url} refuses user 'me' (BadUserNameOrPassword)", source.Trouble);
        await StopAsync(running);
    }

    [Fact]
    public async Task Qos_2_is_taken_once_and_released()
    {
        (Task running, ScriptedBroker.Session session) = await StartAsync(Options(qos: 2));
        await session.PublishAsync(6, "plant/a", "1", qos: 2);
        Handed taken = await NextAsync();
        taken.OnDisk!.SetResult(1);
        Assert.Equal(6, (await session.ReceiveAsync<MqttPubRecPacket>()).PacketIdentifier);
        await session.SendAsync(new MqttPubRelPacket { PacketIdentifier = 6 });
        Assert.Equal(6, (await session.ReceiveAsync<MqttPubCompPacket>()).PacketIdentifier);
        Assert.Equal([("plant/a", 1d)], Of(taken));
        await StopAsync(running);
    }

    [Fact]
    public async Task A_packet_that_claims_256_megabytes_ends_the_connection_before_it_is_made_room_for()
    {
        MqttSource source = Source(Options());
        Task running = source.RunAsync(Intake(), _stopping.Token);
        Task<ScriptedBroker.Session> welcome = _broker.WelcomeAsync();
        (await NextAsync()).OnDisk!.SetResult(1);
        using ScriptedBroker.Session session = await welcome;
        await session.ReceiveAsync<MqttSubscribePacket>();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        await session.SendBytesAsync(0x32, 0xFF, 0xFF, 0xFF, 0x7F);
        await Assert.ThrowsAnyAsync<Exception>(session.ReceiveAsync<MqttPubAckPacket>);
        using ScriptedBroker.Session next = await _broker.AcceptAsync();
        Assert.Equal("sources.mqtt.0.packet_max_bytes: a packet of 268435455 bytes, expected at most 262144", source.Trouble);
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 64L << 20);
        await StopAsync(running);
    }

    public void Dispose()
    {
        _broker.Dispose();
        _metrics.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Publishes a row for each identifier, lets all reach the disk and be acknowledged, and counts those that were taken.</summary>
    private async Task<int> TakenAsync(ScriptedBroker.Session session, int from, int count, bool isAgain)
    {
        Task publishing = PublishAsync();
        Task<int[]> acknowledged = session.AcknowledgedAsync(count);
        int taken = 0;

        while (!acknowledged.IsCompleted)
        {
            if (!_handed.Reader.TryRead(out Handed? one))
            {
                await Task.Delay(1, Cancellation);
                continue;
            }

            Noted(one);
            one.OnDisk!.SetResult(1);
            taken += Of(one).Length;
        }

        await publishing;
        Assert.Equal(Enumerable.Range(from, count), await acknowledged);
        return taken;

        async Task PublishAsync()
        {
            for (int identifier = from; identifier < from + count; identifier++)
            {
                await session.PublishAsync(identifier, "plant/a", $"{identifier}", dup: isAgain);
            }
        }
    }

    private MqttSourceOptions Options(int unwrittenMaxMib = 32, string[]? topics = null, string password = "", int qos = 1, int receiveMaximum = 1_000) => new()
    {
        ReceiveMaximum = receiveMaximum,
        Url = _broker.Url,
        Topics = topics ?? ["plant/#"],
        UnwrittenMaxMib = unwrittenMaxMib,
        Username = password.Length > 0 ? "me" : "",
        Password = password,
        Qos = qos,
    };

    private MqttSource Source(MqttSourceOptions options) =>
        new(options, 0, "0badcafe", RecordRules.None, batchMax: 64, _metrics, TimeProvider.System, NullLogger<MqttSource>.Instance);

    private ObservationIntake Intake() => new(_handed.Writer, _ledger, _letters, _positions, new Receipts());

    private async Task<(Task Running, ScriptedBroker.Session Session)> StartAsync(MqttSourceOptions options)
    {
        Task running = Source(options).RunAsync(Intake(), _stopping.Token);
        Task<ScriptedBroker.Session> welcome = _broker.WelcomeAsync();

        // What is subscribed to is noted first.
        Handed noted = await NextAsync();
        Noted(noted);
        noted.OnDisk!.SetResult(0);
        ScriptedBroker.Session session = await welcome;
        await session.ReceiveAsync<MqttSubscribePacket>();
        return (running, session);
    }

    private async Task StopAsync(Task running)
    {
        await _stopping.CancelAsync();
        await running;
    }

    private async Task<Handed> NextAsync() => await _handed.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

    /// <summary>What the journal does once a batch is on the disk.</summary>
    private void Noted(Handed one)
    {
        if (((ObservationsEntry)one.Entry).Batch.Position is { } position)
        {
            _positions.Set(position);
        }
    }

    private static (string Stream, double Value)[] Of(Handed one) =>
        [.. ((ObservationsEntry)one.Entry).Batch.Observations.ToArray().Select(observation => (observation.Stream, observation.Value))];
}
