using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
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

    private sealed class CaughtLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));
    }
}
