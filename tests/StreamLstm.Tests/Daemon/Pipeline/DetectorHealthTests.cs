using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Daemon.Support;
using StreamLstm.Tests.Simulation;

namespace StreamLstm.Tests.Daemon.Pipeline;

public sealed class DetectorHealthTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CaughtLog _log = new();

    [Theory]
    [InlineData(false, 1, null)]
    [InlineData(true, 0, "the detector is blind: the last planted fault, a spike, was not found")]
    public async Task The_gauge_is_absent_until_a_fault_was_due_and_then_says_whether_it_was_found(bool isUnreachable, int expected, string? degraded)
    {
        var ledger = new Ledger();
        using var metrics = new DaemonMetrics(ledger);
        var sink = new CatchingSink();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        DetectionOptions options = isUnreachable ? new DetectionOptions { WarmUpRows = 64, LearningRows = 100_000 } : new DetectionOptions();
        using Journal journal = Journal.Open(new SimulatedDisk(), null, 1);
        using var pipeline = new DetectionPipeline(
            new PipelineOptions { Workers = 1 }, options, new LiveModel(BaseModel.Pretrained), journal, RestoredState.Nothing(1), _ => BaseModel.Pretrained,
            [new ListSource([], waits: true)], [sink], ledger, new CaughtLetters(), metrics, _time, NullLoggerFactory.Instance);
        Task running = pipeline.RunAsync(stopping.Token);
        Assert.Empty(Alive());

        for (int tick = 0; tick < 5_000 && pipeline.Detectors.Worst().State == CanaryState.Unknown; tick++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, stopping.Token);
        }

        Assert.Equal([("0", expected)], Alive());
        Assert.Equal(degraded, pipeline.Detectors.Degraded());

        // A canary is nobody's stream.
        await stopping.CancelAsync();
        await running;
        Assert.Equal((0L, 0L), (ledger.Cut().Received, ledger.Cut().Scored));
        Assert.Empty(sink.Batches);
    }

    [Fact]
    public void The_worst_worker_speaks_for_all()
    {
        var health = new DetectorHealth(workers: 3, _time, _log);
        Assert.Equal(CanaryState.Unknown, health.Worst().State);
        Assert.Null(health.Degraded());

        health.Tell(0, Report(CanaryState.Alive));
        health.Tell(1, Report(CanaryState.Crying));
        Assert.Equal("the detector is crying: worker 1: for a reason", health.Degraded());

        health.Tell(2, Report(CanaryState.Blind));
        Assert.Equal("the detector is blind: worker 2: for a reason", health.Degraded());

        health.Tell(1, Report(CanaryState.Alive));
        health.Tell(2, Report(CanaryState.Alive));
        Assert.Null(health.Degraded());
        Assert.Equal(CanaryState.Alive, health.Worst().State);
    }

    [Fact]
    public void A_change_is_logged_once_and_what_is_not_alive_as_an_error()
    {
        var health = new DetectorHealth(workers: 1, _time, _log);

        foreach (CanaryState state in new[] { CanaryState.Unknown, CanaryState.Alive, CanaryState.Alive, CanaryState.Blind, CanaryState.Blind, CanaryState.Alive })
        {
            health.Tell(0, Report(state));
        }

        Assert.Equal(
            [
                (LogLevel.Information, "The detector of worker 0 is alive: for a reason"),
                (LogLevel.Error, "The detector of worker 0 is blind: for a reason"),
                (LogLevel.Information, "The detector of worker 0 is alive: for a reason"),
            ],
            _log.Said);
    }

    [Fact]
    public void A_worker_that_stands_still_is_blind_whatever_its_canary_said_last()
    {
        var health = new DetectorHealth(workers: 1, _time, _log);
        health.Tell(0, Report(CanaryState.Alive));

        _time.Advance(TimeSpan.FromSeconds(119));
        Assert.Null(health.Degraded());
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("the detector is blind: it has stood still for 3 minutes", health.Degraded());

        health.Tell(0, Report(CanaryState.Alive));
        Assert.Null(health.Degraded());
    }

    [Theory]
    [InlineData(HealthStatus.Healthy, true, false)]
    [InlineData(HealthStatus.Degraded, true, true)]
    [InlineData(HealthStatus.Unhealthy, false, false)]
    public async Task Readiness_says_degraded_with_the_reason_and_is_ready_all_the_same(HealthStatus status, bool ready, bool degraded)
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        var entry = new HealthReportEntry(status, "for a reason", TimeSpan.Zero, exception: null, data: null);

        await Readiness.WriteAsync(context, new HealthReport(new Dictionary<string, HealthReportEntry> { ["pipeline"] = entry }, TimeSpan.Zero), withReasons: true);

        JsonElement said = JsonDocument.Parse(body.ToArray()).RootElement;
        Assert.Equal((ready, degraded), (said.GetProperty("ready").GetBoolean(), said.GetProperty("degraded").GetBoolean()));
        Assert.Equal("for a reason", Assert.Single(said.GetProperty("reasons").EnumerateArray()).GetString());
    }

    private static CanaryReport Report(CanaryState state) => new(state, "for a reason", Planted: 1, Found: 1, FalseAlarms: 0);

    /// <summary>One scrape of the gauge: workers and what it says of them. Pipelines of other tests do not live until a fault is due.</summary>
    private static List<(string Worker, int Alive)> Alive()
    {
        List<(string, int)> scraped = [];
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Name == "streamlstm.detector.alive")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, tags, _) => scraped.Add(((string)tags[0].Value!, value)));
        listener.Start();
        listener.RecordObservableInstruments();
        return scraped;
    }

    private sealed class CaughtLog : ILogger
    {
        public List<(LogLevel Level, string Text)> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Said.Add((logLevel, formatter(state, exception)));
    }
}
