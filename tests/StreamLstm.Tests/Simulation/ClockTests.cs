using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Daemon.Sources;

namespace StreamLstm.Tests.Simulation;

public sealed class ClockTests
{
    [Theory]
    [InlineData(24 * 60)]
    [InlineData(-2)]
    public void A_clock_that_is_set_changes_no_score_of_observations_with_times_of_their_own_and_makes_no_stream_silent(int minutes)
    {
        Assert.Equal(Told(0), Told(minutes));
    }

    private static string[] Told(int minutes)
    {
        var time = new FakeTimeProvider(SimulatedProgram.Start);
        var sink = new SimulatedSink();
        var ledger = new Ledger();
        using var metrics = new DaemonMetrics(ledger);
        using var journal = Journal.Open(new SimulatedDisk(), null, SimulatedProgram.FirstSequence);
        using DetectionPipeline pipeline = SimulatedProgram.Compose(
            journal, RestoredState.Nothing(journal.FirstSequence), [new Source(time, minutes)], sink.Open(null, () => false), ledger, metrics, time, workers: 2, learns: false, out _);
        new SeededContext(new Random(0)).Run(() => pipeline.RunAsync(CancellationToken.None));
        Assert.Empty(sink.Incidents);
        return [.. sink.Told.Select(told => told.What).Where(what => what.Contains("Stream", StringComparison.Ordinal))];
    }

    /// <summary>An observation a second, and in the middle the clock is set.</summary>
    private sealed class Source(FakeTimeProvider time, int minutes) : IObservationSource
    {
        public string Name => "clocked";

        public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
        {
            for (int row = 0; row < 40; row++)
            {
                if (row == 20)
                {
                    time.AdjustTime(time.GetUtcNow() + TimeSpan.FromMinutes(minutes));
                }

                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
                Observation[] one = [new("boiler", SimulatedProgram.Start.AddSeconds(row), 20 + row % 5)];
                await await intake.AcceptAsync(new ObservationBatch(Name, one, time.GetUtcNow()), stopping);
            }
        }
    }
}
