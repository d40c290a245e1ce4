using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Tests.Daemon.Support;
using StreamLstm.Tests.Simulation;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Pipeline;

/// <summary>Weights exchanged a thousand times while observations come.</summary>
public sealed class HotSwapTests : IDisposable
{
    private const int Swaps = 1_000;
    private const int Streams = 12;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly ForecastWeights[] Weights = [WeightInitializer.Create(BaseModel.Shape, 8), WeightInitializer.Create(BaseModel.Shape, 9)];

    private readonly Ledger _ledger = new();
    private readonly DaemonMetrics _metrics;

    public HotSwapTests() => _metrics = new DaemonMetrics(_ledger);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task A_thousand_swaps_under_load_lose_nothing_and_tear_nothing()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        var disk = new SimulatedDisk();
        var told = new CatchingSink();
        using var row = new SemaphoreSlim(0);
        using var swapped = new SemaphoreSlim(3);   // rows may be so many swaps ahead

        using (Journal journal = Journal.Open(disk, null, 1))
        {
            DetectionPipeline pipeline = Pipeline(journal, [new ListSource(Batches())], told, workers: 3);
            Task swapping = Task.Run(
                async () =>
                {
                    for (int version = 1; version <= Swaps; version++)
                    {
                        await row.WaitAsync(cancellation);
                        await pipeline.Decisions.SwapAsync(Model(version), new ModelSwap(version, Start, 2, 1, 10, $"{version}"), cancellation);
                        swapped.Release();
                    }
                },
                cancellation);
            await pipeline.RunAsync(cancellation);
            await swapping;
        }

        Assert.Equal(Streams * Swaps, told.Scored.Count());
        Assert.Equal(0, _ledger.Cut().Queued);
        Assert.Equal(Enumerable.Range(1, Swaps).Select(version => (long)version), told.Batches.SelectMany(batch => batch.Swaps).Select(swap => swap.Version));
        Assert.True(told.Scored.Select(scored => scored.ModelVersion).Distinct().Count() > Swaps / 2, "swaps came between observations");
        Assert.All(told.Scored.GroupBy(scored => scored.Stream), stream => Assert.Equal(stream.Select(scored => scored.ModelVersion).Order(), stream.Select(scored => scored.ModelVersion)));

        // Weights that were half exchanged anywhere would score otherwise where nothing comes beside: another life reads the same from the journal, with other workers.
        var again = new CatchingSink();
        using Journal same = Journal.Open(disk, 0, 1);
        await Pipeline(same, [], again, workers: 1).RunAsync(cancellation);
        Assert.Equal(told.Batches.SelectMany(batch => batch.Observations), again.Batches.SelectMany(batch => batch.Observations));

        IEnumerable<Observation[]> Batches()
        {
            double[][] series = [.. Enumerable.Range(0, Streams).Select(stream => DailySeries.Clean(stream, Swaps))];

            for (int i = 0; i < Swaps; i++)
            {
                swapped.Wait(cancellation);
                row.Release();
                yield return [.. series.Select((values, stream) => new Observation($"s{stream}", Start.AddMinutes(i), values[i]))];
            }

            for (int ahead = 0; ahead < 3; ahead++)
            {
                swapped.Wait(cancellation);
            }
        }
    }

    private static BaseModel Model(long version) => new(version, Weights[version % 2]);

    private DetectionPipeline Pipeline(Journal journal, IReadOnlyList<ListSource> sources, CatchingSink sink, int workers) => new(
        new PipelineOptions { Workers = workers, ChannelCapacity = 8 }, new DetectionOptions(), new LiveModel(BaseModel.Untrained(1)),
        journal, RestoredState.Nothing(1), swap => Model(swap.Version), sources, [sink], _ledger, new CaughtLetters(), _metrics, TimeProvider.System, NullLoggerFactory.Instance);
}
