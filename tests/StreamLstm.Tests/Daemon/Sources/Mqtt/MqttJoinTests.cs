using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources.Mqtt;

/// <summary>A field is acknowledged before its record is whole, so what is open outlives connection, refusal and program.</summary>
public sealed class MqttJoinTests : IDisposable
{
    private readonly ScriptedBroker _broker = new();
    private readonly Channel<Handed> _handed = Channel.CreateBounded<Handed>(4);
    private readonly SourcePositions _positions = new();
    private readonly Ledger _ledger = new();
    private readonly DaemonMetrics _metrics;

    public MqttJoinTests() => _metrics = new DaemonMetrics(_ledger);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_field_that_was_acknowledged_before_a_kill_is_in_the_record_that_the_next_life_makes()
    {
        await using (Life first = await LiveAsync(isSessionPresent: false))
        {
            await first.Session.PublishAsync(1, "plant/pump/flow", "1.5");
            Assert.Empty(Records(await OnDiskAsync()));
            Assert.Equal<int[]>([1], await first.Session.AcknowledgedAsync(1));
        }

        await using Life second = await LiveAsync(isSessionPresent: true);
        await second.Session.PublishAsync(2, "plant/pump/pressure", "2.5");
        Handed whole = await OnDiskAsync();
        Assert.Equal(["plant/pump: flow 1.5, pressure 2.5"], Records(whole));
        await second.Session.PublishAsync(2, "plant/pump/pressure", "2.5", dup: true);
        Assert.Empty(Records(await OnDiskAsync()));
        Assert.DoesNotContain(_positions.Under("mqtt:"), position => position.Of.Contains(":open:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_field_whose_entry_was_not_on_the_disk_yet_is_taken_when_it_comes_again()
    {
        await using (Life first = await LiveAsync(isSessionPresent: false))
        {
            await first.Session.PublishAsync(1, "plant/pump/flow", "1.5");
            (await NextAsync()).OnDisk!.SetException(new NotTakenException("disk full", new IOException()));
            Assert.False(await first.Session.AcknowledgesAnythingAsync());
        }

        await using Life second = await LiveAsync(isSessionPresent: true);
        await second.Session.PublishAsync(1, "plant/pump/flow", "1.5", dup: true);
        Assert.Empty(Records(await OnDiskAsync()));
        await second.Session.PublishAsync(2, "plant/pump/pressure", "2.5");
        Assert.Equal(["plant/pump: flow 1.5, pressure 2.5"], Records(await OnDiskAsync()));
    }

    [Fact]
    public async Task A_record_whose_time_is_over_is_handed_in_though_nothing_else_comes()
    {
        await using Life life = await LiveAsync(isSessionPresent: false, window: TimeSpan.FromMilliseconds(50));
        await life.Session.PublishAsync(1, "plant/pump/flow", "1.5");
        string[] records = Records(await OnDiskAsync());

        // The clock may have been over it already.
        records = records.Length > 0 ? records : Records(await OnDiskAsync());

        Assert.Equal(["plant/pump: flow 1.5, pressure NaN"], records);
        Assert.Equal((LeftOutReason.NotJoined, 1), (Assert.Single(_ledger.LeftOut()).Reason, (int)_ledger.LeftOut()[0].Count));
    }

    public void Dispose()
    {
        _broker.Dispose();
        _metrics.Dispose();
    }

    private async Task<Life> LiveAsync(bool isSessionPresent, TimeSpan? window = null)
    {
        var options = new MqttSourceOptions
        {
            Url = _broker.Url,
            Topics = ["plant/#"],
            Templates =
            [
                new TopicTemplateOptions
                {
                    Topic = "plant/{device}/{field}",
                    Join = new JoinOptions { Fields = ["flow", "pressure"], Window = window ?? TimeSpan.FromHours(1) },
                },
            ],
        };
        var source = new MqttSource(
            options, 0, "0badcafe", RecordRules.None, batchMax: 64, _metrics, TimeProvider.System, NullLogger<MqttSource>.Instance);
        var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task running = source.RunAsync(new ObservationIntake(_handed.Writer, _ledger, new CaughtLetters(), _positions, new Receipts()), stopping.Token);
        Task<ScriptedBroker.Session> welcome = _broker.WelcomeAsync(isSessionPresent);

        if (!isSessionPresent)
        {
            // What is subscribed to is noted first.
            await OnDiskAsync();
        }

        return new Life(await welcome, stopping, running);
    }

    private async Task<Handed> NextAsync() => await _handed.Reader.ReadAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(30), Cancellation);

    /// <summary>The next entry, which reaches the disk.</summary>
    private async Task<Handed> OnDiskAsync()
    {
        Handed one = await NextAsync();

        if (((ObservationsEntry)one.Entry).Batch.Position is { } position)
        {
            _positions.Set(position);
        }

        one.OnDisk!.SetResult(1);
        return one;
    }

    private static string[] Records(Handed one) =>
    [
        .. ((ObservationsEntry)one.Entry).Batch.Observations.ToArray().Select(observation =>
            $"{observation.Stream}: {string.Join(", ", observation.Record!.Columns.Zip(observation.Record.Values.ToArray(), (column, value) => FormattableString.Invariant($"{column} {value}")))}"),
    ];

    /// <summary>One life of the source, until it is disposed.</summary>
    private sealed class Life(ScriptedBroker.Session session, CancellationTokenSource stopping, Task running) : IAsyncDisposable
    {
        public ScriptedBroker.Session Session => session;

        public async ValueTask DisposeAsync()
        {
            await stopping.CancelAsync();
            await running;
            session.Dispose();
            stopping.Dispose();
        }
    }
}
