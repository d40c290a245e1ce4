using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Simulation;

/// <summary>Lives of the whole core on a disk that loses what a disk may lose: power goes at a random write, sync or rename, again and again.</summary>
/// <remarks>STREAMLSTM_TEST_HISTORIES sets how many seeds are tried. A failure names its seed, which is all that is needed to see it again.</remarks>
public sealed class CrashHistoryTests
{
    private const int Batches = 40;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly int Histories =
        int.TryParse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_HISTORIES"), CultureInfo.InvariantCulture, out int count) ? count : 40;

    private static readonly Lazy<Task<string[]>> Expected = new(Whole);

    [Fact]
    public async Task Whatever_the_crashes_nothing_acknowledged_is_lost_and_the_same_is_told_in_the_same_order()
    {
        for (int seed = 0; seed < Histories; seed++)
        {
            Assert.Null(await ViolationAsync(seed, Mutant.None));
        }
    }

    [Theory]
    [InlineData(Mutant.R1AcknowledgesBeforeTheSync)]
    [InlineData(Mutant.R1ForgetsTheFilesName)]
    [InlineData(Mutant.R2ShardsSaidToBeFurtherThanTheyAre)]
    public async Task Each_rule_that_is_broken_is_seen_in_some_history(Mutant mutant)
    {
        for (int seed = 0; seed < 300; seed++)
        {
            if (await ViolationAsync(seed, mutant) is not null)
            {
                return;
            }
        }

        Assert.Fail($"{mutant} was never seen");
    }

    private static async Task<string[]> Whole()
    {
        var life = new Life(new SimulatedDisk(), new Random(0), Mutant.None, new CatchingJournalSink(() => 0));
        await life.RunAsync(until: int.MaxValue);
        return life.Told;
    }

    /// <summary>What was broken in a history; null for nothing.</summary>
    private static async Task<string?> ViolationAsync(int seed, Mutant mutant)
    {
        var random = new Random(seed);
        var disk = new SimulatedDisk
        {
            LosesSyncs = mutant == Mutant.R1AcknowledgesBeforeTheSync,
            LosesFolderSyncs = mutant == Mutant.R1ForgetsTheFilesName,
        };
        var told = new SortedDictionary<long, string>();
        int acknowledged = 0;

        bool hasCrashed = true;

        for (int number = 0; hasCrashed || acknowledged < Batches; number++)
        {
            var life = new Life(disk, random, mutant, new CatchingJournalSink(() => 0));

            try
            {
                hasCrashed = true;
                await life.RunAsync(number < 12 ? random.Next(2, 90) : int.MaxValue);
                hasCrashed = false;
            }
            catch (CrashException)
            {
                // The power went.
            }
            catch (StorageException refused)
            {
                return $"seed {seed}, life {number}: {refused.Message}";
            }

            if (life.Begun < acknowledged)
            {
                return $"seed {seed}, life {number}: it begins at batch {life.Begun}, and {acknowledged} were acknowledged";
            }

            foreach ((long sequence, string what) in life.ToldAt)
            {
                if (told.TryGetValue(sequence, out string? before) && before != what && life.IsReplayed(sequence))
                {
                    return $"seed {seed}, life {number}: entry {sequence} was told otherwise";
                }

                told[sequence] = what;
            }

            acknowledged = Math.Max(acknowledged, life.Acknowledged);
            disk.Fault = null;
            disk.Crash(random);
        }

        return told.Values.SequenceEqual(await Expected.Value) ? null : $"seed {seed}: not the same was told";
    }

    public enum Mutant
    {
        None,
        R1AcknowledgesBeforeTheSync,
        R1ForgetsTheFilesName,
        R2ShardsSaidToBeFurtherThanTheyAre,
    }

    /// <summary>One life of the program: from what the disk holds to the next crash.</summary>
    private sealed class Life(SimulatedDisk disk, Random random, Mutant mutant, CatchingJournalSink sink) : IObservationSource
    {
        private readonly int[] _snapshotsAt = [random.Next(5, Batches), random.Next(5, Batches)];
        private Snapshots? _snapshots;
        private Task _taking = Task.CompletedTask;
        private CancellationToken _ended;

        public string Name => "simulated";

        /// <summary>The batch it began with.</summary>
        public int Begun { get; private set; } = int.MaxValue;

        public int Acknowledged { get; private set; }

        public string[] Told => [.. ToldAt.Select(told => told.What)];

        public IEnumerable<(long Sequence, string What)> ToldAt => sink.Batches.Select(batch => (batch.Sequence, string.Join('|', batch.Observations)));

        public bool IsReplayed(long sequence) => sink.Batches.First(batch => batch.Sequence == sequence).IsReplayed;

        public async Task RunAsync(int until)
        {
            bool isDead = false;
            disk.Fault = _ =>
            {
                if (isDead || Interlocked.Decrement(ref until) < 0)
                {
                    isDead = true;
                    throw new CrashException();
                }
            };
            var ledger = new Ledger();
            using var metrics = new DaemonMetrics(ledger);
            var generations = new Generations(disk, NullLogger.Instance);
            Generation? generation = generations.Newest();
            using Journal journal = Journal.Open(disk, generation?.Manifest.ReplayAfter, 1_000, segmentBytes: 600);
            RestoredState restored = generation is null ? RestoredState.Nothing(journal.FirstSequence) : RestoredState.Of(generation);

            if (mutant == Mutant.R2ShardsSaidToBeFurtherThanTheyAre)
            {
                restored = restored with { Cuts = [.. restored.Cuts.Select(cut => cut + 3)] };
            }

            using var pipeline = new DetectionPipeline(
                new PipelineOptions { Workers = 1 + random.Next(3), ChannelCapacity = 4 }, new DetectionOptions { StreamsMax = 7 },
                new LiveModel(restored.Model ?? BaseModel.Untrained(1)), journal, restored, _ => throw new InvalidOperationException("no swaps"),
                [this], [sink], ledger, new CaughtLetters(), metrics, new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Start), NullLoggerFactory.Instance);
            _snapshots = new Snapshots(
                pipeline, journal, generations, new StorageOptions(), ledger, metrics, () => { }, TimeProvider.System, NullLogger<Snapshots>.Instance);

            using var ended = new CancellationTokenSource();
            _ended = ended.Token;

            try
            {
                await pipeline.RunAsync(TestContext.Current.CancellationToken);
            }
            finally
            {
                await ended.CancelAsync();
                await _taking.WaitAsync(TestContext.Current.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            Assert.True(ledger.Cut().Balances && ledger.Cut().Queued == 0, "the books balance");
        }

        /// <summary>Hands in the batches behind its position, each once the one before is acknowledged; snapshots are taken beside.</summary>
        async Task IObservationSource.RunAsync(ObservationIntake intake, CancellationToken stopping)
        {
            Begun = Acknowledged = int.Parse(intake.PositionOf(Name) ?? "0", CultureInfo.InvariantCulture);

            for (int i = Begun; i < Batches; i++)
            {
                if (_snapshotsAt.Contains(i) && _taking.IsCompleted)
                {
                    _taking = Task.Run(TakeAsync, stopping);
                }

                // Two streams more than there are places for: who comes first gets one.
                Observation[] batch = [.. Enumerable.Range(0, 9).Where(stream => stream <= i).Select(stream => new Observation($"s{stream}", Start.AddSeconds(i), i * stream))];
                await await intake.AcceptAsync(
                    new ObservationBatch(Name, batch, Start.AddSeconds(i)) { Position = new SourcePosition(Name, (i + 1).ToString(CultureInfo.InvariantCulture)) }, stopping);
                Acknowledged = i + 1;
            }
        }

        private Task<bool> TakeAsync() => _snapshots!.TakeAsync(_ended);
    }

    private sealed class CrashException : Exception;
}
