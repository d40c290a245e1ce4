using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Pipeline;

/// <summary>A sink that takes nothing is tried again until it does, and says so once a minute.</summary>
public sealed class SinkLaneTests
{
    [Fact]
    public async Task A_sink_that_takes_nothing_says_so_once_a_minute_and_in_the_end_has_all()
    {
        const int Refusals = 40;
        var time = new FakeTimeProvider();
        var log = new CaughtLog();
        int tries = 0;
        var sink = new CatchingJournalSink(() => ++tries <= Refusals ? throw new IOException("sinks.kafka.0.topic: 'anomalies': it is not there") : 0);
        using var metrics = new DaemonMetrics(new Ledger());
        var lane = new SinkLane(sink, 4, metrics, time, log);
        Task running = lane.RunAsync(TestContext.Current.CancellationToken);
        await lane.OfferAsync(new ScoredBatch([], [], [], time.GetUtcNow()) { Sequence = 7 }, TestContext.Current.CancellationToken);
        lane.Complete();
        TimeSpan passed = TimeSpan.Zero;

        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            passed += TimeSpan.FromSeconds(1);
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await running;
        string[] said = [.. log.Lines.Where(line => line.Contains("takes nothing", StringComparison.Ordinal))];
        Assert.InRange(said.Length, 2, 1 + (int)passed.TotalMinutes);
        Assert.Contains(said, line => line.Contains(" times)", StringComparison.Ordinal));
        Assert.Single(log.Lines, line => line.Contains("takes again", StringComparison.Ordinal));
        Assert.Equal(7, Assert.Single(sink.Batches).Sequence);
        Assert.Null(lane.Trouble);
    }

    [Fact]
    public async Task A_sink_takes_more_while_its_mark_is_made_and_a_mark_that_fails_is_made_again()
    {
        var sink = new SlowMark();
        using var metrics = new DaemonMetrics(new Ledger());
        using var lane = new SinkLane(sink, 4, metrics, TimeProvider.System, new CaughtLog());
        Task running = lane.RunAsync(TestContext.Current.CancellationToken);
        Task<string> mark = (await lane.AskForMarkAsync(TestContext.Current.CancellationToken))!;

        for (int i = 0; i < 10; i++)
        {
            await lane.OfferAsync(new ScoredBatch([], [], [], DateTimeOffset.UnixEpoch) { Sequence = i }, TestContext.Current.CancellationToken);
        }

        await sink.TenTaken.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(mark.IsCompleted);
        sink.First.SetException(new IOException("no space left"));
        Assert.Equal("made the second time", await mark);
        lane.Complete();
        await running;
        Assert.Null(lane.Trouble);
    }

    [Fact]
    public async Task A_mark_that_a_sink_cannot_make_is_made_by_the_one_that_takes_its_place()
    {
        var failing = new SlowMark();
        failing.First.SetException(new IOException("no space left"));
        var next = new SlowMark();
        next.First.SetResult("made by the next");
        var time = new FakeTimeProvider();
        using var metrics = new DaemonMetrics(new Ledger());
        using var lane = new SinkLane(failing, 4, metrics, time, new CaughtLog());
        Task running = lane.RunAsync(TestContext.Current.CancellationToken);
        Task<string> first = (await lane.AskForMarkAsync(TestContext.Current.CancellationToken))!;
        Task<string> second = (await lane.AskForMarkAsync(TestContext.Current.CancellationToken))!;
        Task replaced = lane.ReplaceAsync(_ => next, _ => failing);

        while (!first.IsCompleted || !second.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await replaced;
        lane.Complete();
        await running;
        Assert.Equal(["made by the next", "made the second time"], [await first, await second]);
    }

    private sealed class SlowMark : IJournalSink
    {
        private int _taken, _marks;

        public string Name => "slow";

        public bool TakesWhileMarking => true;

        public TaskCompletionSource<string> First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource TenTaken { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
        {
            if (++_taken == 10)
            {
                TenTaken.SetResult();
            }

            return default;
        }

        public ValueTask<string> MarkAsync(CancellationToken cancellationToken) => ++_marks == 1 ? new(First.Task) : ValueTask.FromResult("made the second time");

        public ValueTask DisposeAsync() => default;
    }

    private sealed class CaughtLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
