using System.Diagnostics;
using System.Globalization;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.Daemon.SelfTest;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>kill -9 at random moments while the fields of records come in messages of their own; then all that was said is held against a daemon that nobody killed.</summary>
/// <remarks>STREAMLSTM_TEST_KILLS sets how many kills there are, STREAMLSTM_TEST_SEED where they fall.</remarks>
public sealed class JoinKillTests : IDisposable
{
    private static readonly string[] Devices = ["pump1", "pump2", "pump3"];
    private static readonly string[] Fields = ["flow", "pressure", "temperature"];

    /// <summary>A text becomes no observation, and is counted as left out.</summary>
    private static readonly Message Nothing = new("plant/first", """{"a":"b"}""");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Spacing = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = new();
    private readonly int _kills = Number("STREAMLSTM_TEST_KILLS", 12);
    private readonly Random _random = new(Number("STREAMLSTM_TEST_SEED", 1));
    private readonly Message[] _messages;
    private readonly int _rounds;
    private TimeSpan _startTime = TimeSpan.FromSeconds(2);

    public JoinKillTests()
    {
        _rounds = KillTrial.RowsMin + (20 * _kills);
        _messages = [.. Messages(_rounds, DateTimeOffset.UtcNow.Date - ((_rounds + 1) * Spacing))];
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_fields_that_come_one_by_one_every_record_is_scored_once_and_to_the_same_bits_however_often_the_daemon_is_killed()
    {
        string killed = Path.Combine(_directory.Path, "killed"), whole = Path.Combine(_directory.Path, "whole");
        (int atStart, int sent) = await KillingAsync(killed);
        await using (Mosquitto broker = await BrokerAsync("second"))
        await using (ChildDaemon daemon = await SubscribedAsync(whole, broker))
        {
            await PublishAsync(broker, _messages, pause: TimeSpan.Zero);
            await EndAsync(daemon, broker);
        }

        KillFindings found = ToldEvents.Compare(ToldEvents.Of(whole), ToldEvents.Of(killed)) with { Kills = _kills, AtStart = atStart, Acknowledged = sent };
        TestContext.Current.TestOutputHelper?.WriteLine($"{_rounds * Devices.Length} records of {_messages.Length} fields; {found}");
        Assert.True(found.IsClean, found.ToString());

        // Not only alike: each device's records are all there.
        Assert.Equal(
            Devices.Select(device => ($"plant/{device}", _rounds)),
            Scored.In(killed).OrderBy(stream => stream.Key, StringComparer.Ordinal).Select(stream => (stream.Key, stream.Value.Length)));
        Assert.Contains(File.ReadLines(Path.Combine(killed, "events.jsonl")), line => line.Contains("\"type\":\"incident\"", StringComparison.Ordinal));
    }

    public void Dispose() => _directory.Dispose();

    private async Task<(int AtStart, int Sent)> KillingAsync(string state)
    {
        await using Mosquitto broker = await BrokerAsync("first");
        await using (ChildDaemon first = await SubscribedAsync(state, broker))
        {
            Assert.Equal(0, await first.TerminateAsync(Cancellation));
        }

        int sent = 0, atStart = 0;

        for (int kill = 0; kill < _kills; kill++)
        {
            int count = (_messages.Length - sent) / (_kills - kill + 1);
            Task publishing = PublishAsync(broker, _messages[sent..(sent + count)], TimeSpan.FromMilliseconds(1));
            await using ChildDaemon daemon = Start(state, broker);

            if (_random.Next(4) == 0)
            {
                atStart++;
                await Task.Delay(_startTime * (1.1 * _random.NextDouble()), Cancellation);
            }
            else
            {
                var starting = Stopwatch.StartNew();
                Assert.True(await daemon.ReadyAsync(Cancellation), daemon.Output);
                _startTime = starting.Elapsed;
                await Task.Delay(_random.Next(500), Cancellation);
            }

            await daemon.KillAsync();
            await publishing;
            sent += count;
        }

        await using ChildDaemon last = Start(state, broker);
        await PublishAsync(broker, _messages[sent..], TimeSpan.Zero);
        await EndAsync(last, broker);
        return (atStart, _messages.Length);
    }

    private Task<Mosquitto> BrokerAsync(string name) => Mosquitto.StartAsync(Path.Combine(_directory.Path, name), isKept: false);

    /// <summary>A window that no pause of the machine outlasts: what makes a record is in the messages alone.</summary>
    private static ChildDaemon Start(string state, Mosquitto broker) => ChildDaemon.Start(
        state,
        [
            "sources.host.enabled=false", "sinks.console.enabled=false", "sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false",
            "storage.snapshot_interval=100ms", "storage.snapshot_kib_per_second=1048576", "sources.mqtt_embedded.enabled=false",
            $"sources.mqtt.0.url={broker.Url}", "sources.mqtt.0.topics.0=plant/#", "sources.mqtt.0.templates.0.topic=plant/{device}/{field}",
            .. Fields.Index().Select(field => $"sources.mqtt.0.templates.0.join.fields.{field.Index}={field.Item}"), "sources.mqtt.0.templates.0.join.window=50s",
        ]);

    /// <summary>The broker keeps for it what comes from now on.</summary>
    private static async Task<ChildDaemon> SubscribedAsync(string state, Mosquitto broker)
    {
        ChildDaemon daemon = Start(state, broker);
        Assert.True(await daemon.ReadyAsync(Cancellation), daemon.Output);

        while ((await daemon.GetAsync("/api/v1/status", Cancellation)).GetProperty("left_out").GetArrayLength() == 0)
        {
            await PublishAsync(broker, [Nothing], TimeSpan.FromMilliseconds(20));
        }

        return daemon;
    }

    private async Task EndAsync(ChildDaemon daemon, Mosquitto broker)
    {
        Assert.True(await daemon.ReadyAsync(Cancellation), daemon.Output);
        var waited = Stopwatch.StartNew();

        while ((await daemon.GetAsync("/api/v1/status", Cancellation)).GetProperty("total").GetProperty("scored").GetInt64() is var scored && scored < _rounds * Devices.Length)
        {
            Assert.True(waited.Elapsed < Patience, $"{scored} of {_rounds * Devices.Length} records scored in {Patience}");

            // mosquitto 2.0.11 may keep the end of a session that it went on with until something else is published to it.
            await PublishAsync(broker, [Nothing], TimeSpan.FromMilliseconds(200));
        }

        Assert.Equal(0, await daemon.TerminateAsync(Cancellation));
    }

    private static async Task PublishAsync(Mosquitto broker, IEnumerable<Message> parts, TimeSpan pause)
    {
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).Build(), Cancellation);

        foreach (Message part in parts)
        {
            await client.PublishStringAsync(part.Topic, part.Payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);

            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, Cancellation);
            }
        }

        await client.DisconnectAsync(cancellationToken: Cancellation);
    }

    /// <summary>The devices' fields round by round, those of a round in any order; now and then one is missing, and for 25 rounds a field of each device goes its own way.</summary>
    private static IEnumerable<Message> Messages(int rounds, DateTimeOffset start)
    {
        var random = new Random(7);

        for (int round = 0; round < rounds; round++)
        {
            var parts = new List<Message>();

            for (int device = 0; device < Devices.Length; device++)
            {
                double load = Math.Sin(2 * Math.PI * (round + (20 * device)) / 144);

                for (int field = 0; field < Fields.Length; field++)
                {
                    bool isOdd = field == 0 && round - 700 - (40 * device) is >= 0 and < 25;
                    double value = (10 * (field + 1)) + ((field + 2) * load) + (0.2 * random.NextDouble()) + (isOdd ? 40 : 0);
                    DateTimeOffset time = start + (round * Spacing) + TimeSpan.FromMilliseconds(random.Next(1_000));

                    if (round == rounds - 1 || random.Next(150) > 0)
                    {
                        parts.Add(new Message(
                            $"plant/{Devices[device]}/{Fields[field]}", string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{time:O}\",\"value\":{value:R}}}")));
                    }
                }
            }

            Message[] shuffled = [.. parts];
            random.Shuffle(shuffled);

            foreach (Message part in shuffled)
            {
                yield return part;
            }
        }
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int number) ? number : otherwise;

    /// <summary>A field, as its device sends it.</summary>
    private readonly record struct Message(string Topic, string Payload);
}
