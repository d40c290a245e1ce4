using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Simulation;

/// <summary>The core as the daemon puts it together, on a simulated disk, clock and sink; the same for every life of a history.</summary>
internal static class SimulatedProgram
{
    public const long FirstSequence = 1_000;

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Few rows until a stream is judged, and fewer places than streams, so that who gets one is part of the history.</summary>
    private static readonly DetectionOptions Detection = new()
    {
        StreamsMax = 3, PerStreamMax = 0, Form = StreamForm.Lean, LearningRows = 6, WarmUpRows = 12, TrainingWindowsMax = 64,
    };

    /// <summary>One history in eight has a stream with weights of its own: its training is most of the work.</summary>
    private static readonly DetectionOptions Learning = Detection with { PerStreamMax = 1 };

    private static readonly BaseModel Untrained = BaseModel.Untrained(1);
    private static readonly BaseModel[] Models = [.. Enumerable.Range(2, 5).Select(BaseModel.Untrained)];

    /// <summary>The weights of a swap, which are durable under their hash before the swap is written down.</summary>
    public static BaseModel ModelOf(ModelSwap swap) => Models[(int)(swap.Version % Models.Length)] with { Version = swap.Version };

    public static DetectionPipeline Compose(
        Journal journal, RestoredState restored, IReadOnlyList<IObservationSource> sources, IJournalSink sink,
        Ledger ledger, DaemonMetrics metrics, TimeProvider time, int workers, bool learns, out LiveModel live)
    {
        live = new LiveModel(restored.Model ?? Untrained);
        return new DetectionPipeline(
            new PipelineOptions { Workers = workers, ChannelCapacity = 4 }, learns ? Learning : Detection, live, journal, restored, ModelOf, sources, [sink], ledger,
            new CaughtLetters(), metrics, time, NullLoggerFactory.Instance);
    }

    /// <summary>What an uninterrupted life makes of entries: what it tells, its shards' bytes and its books.</summary>
    public static (IReadOnlyList<(long Sequence, string What)> Told, byte[][] Shards, string Books) Uninterrupted(IReadOnlyCollection<byte[]> entries, bool learns)
    {
        using var journal = Journal.Open(new SimulatedDisk(), null, FirstSequence);
        journal.Append([.. entries.Select(entry => (ReadOnlyMemory<byte>)entry)]);
        var sink = new SimulatedSink();
        var ledger = new Ledger();
        using var metrics = new DaemonMetrics(ledger);
        using DetectionPipeline pipeline = Compose(
            journal, RestoredState.Nothing(journal.FirstSequence), [], sink.Open(null, () => false), ledger, metrics, new FakeTimeProvider(Start), workers: 1, learns, out _);
        new SeededContext(new Random(0)).Run(() => pipeline.RunAsync(CancellationToken.None));
        return (sink.Told, ShardsOf(pipeline), BooksOf(pipeline));
    }

    public static byte[][] ShardsOf(DetectionPipeline pipeline) => [.. Enumerable.Range(0, StreamRouter.ShardCount).Select(shard => pipeline.FinalCut(shard, long.MaxValue, carriedFrom: 0).Whole())];

    /// <summary>Without positions: an uninterrupted life has no source.</summary>
    public static string BooksOf(DetectionPipeline pipeline) => string.Create(CultureInfo.InvariantCulture,
        $"scored {pipeline.TotalBooks.Scored}, received {string.Join(' ', pipeline.TotalBooks.ReceivedBySource)}, rejected {string.Join(' ', pipeline.TotalBooks.RejectedByReason)}");

    public static IReadOnlyList<MaintenanceWindow> Windows(int kind) => kind == 0
        ? []
        : [new MaintenanceWindow { Id = $"m{kind}", Streams = kind == 1 ? "*" : "a*", MuteAlerts = kind == 1, FreezeLearning = kind == 2 }];

    public static AlertTerms Terms(int kind) => kind == 0
        ? Detection.Terms()
        : Detection.Terms() with { Rules = [kind == 1 ? new AlertRule { Budget = 1 } : new AlertRule { Streams = "a*", SeverityMin = IncidentSeverity.Critical }] };
}
