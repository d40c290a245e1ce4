using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Benchmarks.Events;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Tests.Daemon.Support;
using StreamLstm.Tests.Simulation;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Pipeline;

public sealed class DetectionPipelineTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Ledger _ledger = new();
    private readonly LiveModel _model = new(BaseModel.Untrained(1));
    private readonly DaemonMetrics _metrics;

    public DetectionPipelineTests() => _metrics = new DaemonMetrics(_ledger);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Every_observation_reaches_every_sink_and_the_books_balance()
    {
        var first = new CatchingSink();
        var second = new CatchingSink();

        await Pipeline([new ListSource(Batches(streams: 20, rows: 100))], [first, second]).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2000, first.Scored.Count());
        Assert.Equal(2000, second.Scored.Count());
        LedgerCut cut = _ledger.Cut();
        Assert.True(cut.Balances);
        Assert.Equal((2000, 2000, 0, 0), (cut.Received, cut.Scored, cut.Rejected, cut.Queued));
    }

    [Fact]
    public async Task Observations_of_one_stream_keep_their_order()
    {
        var sink = new CatchingSink();

        await Pipeline([new ListSource(Batches(streams: 7, rows: 200))], [sink], workers: 4).RunAsync(TestContext.Current.CancellationToken);

        Assert.All(sink.Scored.GroupBy(scored => scored.Stream), stream =>
            Assert.Equal(stream.OrderBy(scored => scored.Time), stream));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task The_number_of_workers_never_changes_a_score(int workers)
    {
        var alone = new CatchingSink();
        var together = new CatchingSink();

        await Pipeline([new ListSource(Batches(streams: 9, rows: 150))], [alone], workers: 1).RunAsync(TestContext.Current.CancellationToken);
        await Pipeline([new ListSource(Batches(streams: 9, rows: 150))], [together], workers).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(InOrder(alone), InOrder(together));

        static IEnumerable<ScoredObservation> InOrder(CatchingSink sink) =>
            sink.Scored.OrderBy(scored => scored.Stream, StringComparer.Ordinal).ThenBy(scored => scored.Time);
    }

    [Fact]
    public async Task Forms_by_need_are_the_same_whatever_the_number_of_workers_and_outlive_a_restart()
    {
        // More than fits as it begins, and others that come later: streams become smaller in the batch they begin with, and in later ones.
        var limits = new StreamLimits(1_000, 10, 1 << 20, TimeSpan.Zero) { IsFormByNeed = true };
        Observation[][] batches =
        [
            .. Batches(streams: 100, rows: 120).Select((batch, row) => row < 60 ? batch : [.. batch, new Observation($"late{row}", Start.AddMinutes(row), row)]),
        ];
        (CatchingSink alone, int[] formsAlone) = await LivesAsync(1, 1);
        (CatchingSink together, int[] formsTogether) = await LivesAsync(3, 2);

        Assert.Equal(InOrder(alone), InOrder(together));
        Assert.Equal(formsAlone, formsTogether);
        Assert.True(formsAlone is [_, > 0, > 0]);
        Assert.Equal(160, formsAlone.Sum());
        Assert.Contains(alone.Scored.GroupBy(scored => scored.Stream), stream => stream.Select(scored => scored.Form).Distinct().Count() > 1);
        Assert.Equal(batches.Sum(batch => batch.Length), alone.Scored.Count());

        async Task<(CatchingSink Sink, int[] Forms)> LivesAsync(int first, int second)
        {
            var sink = new CatchingSink();
            DetectionPipeline before = Pipeline([new ListSource(batches[..90])], [sink], first, time: new FakeTimeProvider(Start), limits: limits);
            await before.RunAsync(TestContext.Current.CancellationToken);
            DetectionPipeline after = Pipeline([new ListSource(batches[90..])], [sink], second, restored: State(before), time: new FakeTimeProvider(Start), limits: limits);
            await after.RunAsync(TestContext.Current.CancellationToken);
            return (sink, [.. after.StreamsByForm]);
        }

        static IEnumerable<ScoredObservation> InOrder(CatchingSink sink) =>
            sink.Scored.OrderBy(scored => scored.Stream, StringComparer.Ordinal).ThenBy(scored => scored.Time);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Records_are_scored_the_same_by_any_number_of_workers_and_the_books_balance(int workers)
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(100, 100), 0, 1, new DetectionScratch());
        var alone = new ShardOutput();
        var sink = new CatchingSink();
        Observation[][] batches = [.. Records(streams: 6, rows: 500)];

        foreach (Observation[] batch in batches)
        {
            shard.Apply(batch, batch[^1].Time, _model.Serving.Model, alone);
        }

        await Pipeline([new ListSource(batches)], [sink], workers).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(InOrder(alone.Scored), InOrder(sink.Scored));
        LedgerCut cut = _ledger.Cut();
        Assert.True(cut.Balances);
        Assert.Equal((3001, 3000, 1, 0), (cut.Received, cut.Scored, cut.Rejected, cut.Queued));

        static IEnumerable<string> InOrder(IEnumerable<ScoredObservation> scored) => scored
            .OrderBy(one => one.Stream, StringComparer.Ordinal).ThenBy(one => one.Time)
            .Select(one => FormattableString.Invariant($"{one.Stream} {one.Time:O} {one.AnomalyScore:R} {string.Join(' ', one.Columns!)}"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Streams_of_a_group_share_one_budget_whatever_the_number_of_workers(int workers)
    {
        var rule = new AlertRule { Streams = "s*", Budget = 1, Group = "all" };
        CatchingSink free = new(), shared = new();
        Observation[][] batches = [.. Batches(streams: 6, rows: 750).Select((batch, row) =>
            batch.Select((one, stream) => row == 700 ? one with { Value = one.Value + 300.0 / (stream + 1) } : one).ToArray())];

        await Pipeline([new ListSource(batches)], [free], workers).RunAsync(TestContext.Current.CancellationToken);
        await Pipeline([new ListSource(batches)], [shared], workers, rules: [rule]).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(6, free.Scored.Count(scored => scored.IsAlert));
        Assert.Equal("s0", Assert.Single(shared.Scored, scored => scored.IsAlert).Stream);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Incidents_that_begin_together_in_streams_of_all_workers_are_one_group_also_after_a_restart(int workers)
    {
        Observation[][] batches = [.. Batches(streams: 6, rows: 850).Select((batch, row) =>
            batch.Select(one => one with { Stream = $"plant/{one.Stream}", Value = row == 700 ? one.Value + 300 : one.Value }).ToArray())];
        CatchingSink before = new(), after = new();
        DetectionPipeline first = Pipeline([new ListSource(batches[..710])], [before], workers);
        await first.RunAsync(TestContext.Current.CancellationToken);
        RestoredState restored = State(first);

        await Pipeline([new ListSource(batches[710..])], [after], workers, restored: restored).RunAsync(TestContext.Current.CancellationToken);

        IncidentEvent[] opened = [.. before.Batches.SelectMany(batch => batch.Incidents).Where(one => one.State == IncidentState.Opened)];
        Assert.Equal(6, opened.Length);
        Assert.Equal(opened[0].IncidentId, Assert.Single(opened.Select(one => one.GroupId).Distinct()));
        Assert.Equal([true, false, false, false, false, false], opened.Select(one => one.OpensGroup));
        GroupEvent[] ended = [.. after.Batches.SelectMany(batch => batch.Groups)];
        Assert.Equal((GroupState.Closed, opened[0].IncidentId, 6, 0), (ended[^1].State, ended[^1].Id, ended[^1].Size, ended[^1].OpenSize));
        Assert.Equal(6, ended.Length);
    }

    [Fact]
    public async Task A_group_that_is_new_in_the_configuration_takes_its_streams_along()
    {
        Observation[][] batches = [.. Batches(streams: 6, rows: 650)];
        DetectionPipeline before = Pipeline([new ListSource(batches[..600])], [new CatchingSink()]);
        await before.RunAsync(TestContext.Current.CancellationToken);
        RestoredState restored = State(before);
        var after = new CatchingSink();

        await Pipeline(
            [new ListSource(batches[600..])], [after], restored: restored, rules: [new AlertRule { Budget = 1, Group = "all" }])
            .RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(300, after.Scored.Count());
        Assert.All(after.Scored, scored => Assert.Equal(Lifecycle.Active, scored.Lifecycle));
    }

    [Fact]
    public async Task The_number_of_workers_never_changes_what_is_said_of_logs()
    {
        Observation[][] batches =
        [
            .. Enumerable.Range(1, 5).SelectMany(seed => new ServiceLog(seed).Lines(1_000).Select(line =>
                Observation.Of($"log{seed}", line.Time, new TextEvent(line.Text, line.Request)))).Chunk(250),
        ];
        var alone = new CatchingSink();
        var together = new CatchingSink();

        await Pipeline([new ListSource(batches)], [alone], workers: 1).RunAsync(TestContext.Current.CancellationToken);
        await Pipeline([new ListSource(batches)], [together], workers: 3).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(5_000, alone.Scored.Count());
        Assert.Equal(InOrder(alone), InOrder(together));
        Assert.Equal((10_000, 10_000), (_ledger.Cut().Received, _ledger.Cut().Scored));

        static IEnumerable<ScoredObservation> InOrder(CatchingSink sink) => sink.Scored.OrderBy(scored => scored.Stream, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_sink_that_throws_ends_the_pipeline_with_its_own_exception()
    {
        var sink = new CatchingSink(_ => throw new InvalidOperationException("the disk is gone"));

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => Pipeline([new ListSource(Batches(streams: 5, rows: 2000), waits: true)], [sink], capacity: 2).RunAsync(TestContext.Current.CancellationToken));

        Assert.Equal("the disk is gone", failure.Message);
    }

    [Fact]
    public async Task A_source_that_cannot_start_ends_the_pipeline_with_its_own_words()
    {
        var broken = new FileSource(
            new FileSourceOptions { Path = "/nowhere/x.csv" }, 0, RecordRules.None, 10, TimeProvider.System, NullLogger<FileSource>.Instance);

        var refused = await Assert.ThrowsAsync<SourceException>(
            () => Pipeline([new ListSource([], waits: true), broken], []).RunAsync(TestContext.Current.CancellationToken));

        Assert.Contains("sources.files.0.path: /nowhere/x.csv is not there", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sink_that_stands_still_slows_the_source_down_and_the_books_show_what_waits()
    {
        var released = new TaskCompletionSource();
        var sink = new CatchingSink(_ => released.Task);
        var source = new ListSource(Batches(streams: 1, rows: 500), waits: false);
        Task running = Pipeline([source], [sink], workers: 1, capacity: 4).RunAsync(TestContext.Current.CancellationToken);

        while (sink.Batches.Count == 0 || source.HandedIn == 0)
        {
            await Task.Yield();
        }

        // Channels of four: what can be under way between source and sink is bounded, so the source is held.
        int held = source.HandedIn;
        LedgerCut whileHeld = _ledger.Cut();
        Assert.True(whileHeld.Balances);
        Assert.InRange(held, 1, 40);

        released.SetResult();
        await running;
        Assert.Equal(500, sink.Scored.Count());
        Assert.Equal(0, _ledger.Cut().Queued);
    }

    [Fact]
    public async Task Stopping_drains_what_was_taken_in()
    {
        using var stopping = new CancellationTokenSource();
        var sink = new CatchingSink();
        var source = new ListSource(Batches(streams: 3, rows: 100), waits: true);
        Task running = Pipeline([source], [sink]).RunAsync(stopping.Token);

        while (source.HandedIn < 300)
        {
            await Task.Yield();
        }

        await stopping.CancelAsync();
        await running;

        Assert.Equal(300, sink.Scored.Count());
        Assert.Equal(0, _ledger.Cut().Queued);
    }

    [Fact]
    public async Task A_swap_is_announced_before_the_first_score_that_carries_it_and_loses_nothing()
    {
        var sink = new CatchingSink();
        Observation[][] batches = [.. Batches(streams: 2, rows: 100)];
        DetectionPipeline? pipeline = null;
        pipeline = Pipeline([new ListSource(Swapping())], [sink]);

        await pipeline.RunAsync(TestContext.Current.CancellationToken);

        int announced = sink.Batches.FindIndex(batch => batch.Swaps.Count > 0);
        Assert.Equal(1, Assert.Single(sink.Batches[announced].Swaps).Version);
        Assert.Equal(200, sink.Scored.Count());
        Assert.All(sink.Batches[..announced].SelectMany(batch => batch.Observations), scored => Assert.Equal(0, scored.ModelVersion));
        Assert.Equal(100, sink.Scored.Count(scored => scored.ModelVersion == 1));

        IEnumerable<Observation[]> Swapping()
        {
            for (int i = 0; i < batches.Length; i++)
            {
                if (i == 50)
                {
                    pipeline!.Decisions.SwapAsync(Swapped, Swap, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                }

                yield return batches[i];
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task From_a_snapshot_taken_while_it_runs_and_the_journal_behind_it_follows_the_same_to_the_last_bit(int workers)
    {
        Observation[][] batches = [.. Batches(streams: 12, rows: 800).Select((batch, row) => row is 735
            ? batch.Select((one, stream) => stream % 3 == 0 ? one with { Value = one.Value + 300 } : one).ToArray() : batch)];
        var disk = new SimulatedDisk();
        var whole = new CatchingSink();
        RestoredState? cut = null;
        DetectionPipeline? first = null;

        using (Journal journal = Journal.Open(disk, null, 100, segmentBytes: 1 << 14))
        {
            first = Pipeline([new ListSource(Cutting())], [whole], workers, journal: journal);
            await first.RunAsync(TestContext.Current.CancellationToken);
        }

        // Another life: from the cut, with another number of workers, told all again that came behind it.
        _model.Swap(BaseModel.Untrained(1), Swap);
        var again = new CatchingSink();
        using Journal same = Journal.Open(disk, cut!.ReplayAfter, 100);
        DetectionPipeline second = Pipeline([], [again], workers + 1, restored: cut, journal: same);
        await second.RunAsync(TestContext.Current.CancellationToken);

        Assert.True(cut.Cuts.Distinct().Count() > 1 && cut.Cuts.Min() < cut.End, "shards were cut at places of their own");
        string[] expected = [.. whole.Batches.Where(batch => batch.Sequence > cut.End).Select(Told)];
        Assert.Equal(expected, again.Batches.Select(Told));
        Assert.Contains(whole.Batches, batch => batch.Sequence > cut.End && batch.Groups.Count > 0);
        Assert.Contains(again.Batches, batch => batch.Swaps.Count > 0);
        RestoredState a = State(first), b = State(second);
        Assert.All(Enumerable.Range(0, StreamRouter.ShardCount), shard => Assert.Equal(a.Shard(shard), b.Shard(shard)));
        Assert.Equal(a.Groups, b.Groups);
        Assert.Equal(a.Router, b.Router);
        Assert.Equal(a.Books.Write(), b.Books.Write());

        // Batches come between the cuts: shards are cut at places of their own.
        IEnumerable<Observation[]> Cutting()
        {
            Task<RestoredState>? snapshot = null;
            int taken = 0, asked = -1;

            for (int i = 0; i < batches.Length; i++)
            {
                // In step with the snapshot, however late that begins: a batch comes when the shards before it are cut.
                while (i > 690 && i < 740 && Volatile.Read(ref asked) < Math.Min(2 * (i - 691), StreamRouter.ShardCount - 1) && !snapshot!.IsCompleted)
                {
                    Thread.Sleep(1);
                }

                // By what was taken in, not by what was told of it: that may lag behind by a queue.
                Volatile.Write(ref taken, i);

                if (i == 690)
                {
                    snapshot = Task.Run(() => SnapshotAsync(first!, isMore: shard =>
                    {
                        Volatile.Write(ref asked, shard);
                        return Volatile.Read(ref taken) > 690 + shard / 2;
                    }));
                }

                if (i == 740)
                {
                    cut = snapshot!.GetAwaiter().GetResult();
                    first!.Decisions.SwapAsync(Swapped, Swap, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
                }

                yield return batches[i];
            }
        }

        static string Told(ScoredBatch batch) =>
            $"{batch.Sequence} {string.Join('|', batch.Observations)} {string.Join('|', batch.Incidents)} {string.Join('|', batch.Groups)} {string.Join('|', batch.Swaps)}";
    }

    [Fact]
    public async Task Decisions_are_journalled_and_a_later_life_makes_them_again_at_their_places()
    {
        Observation[][] batches = [.. Batches(streams: 1, rows: 900).Select((batch, row) => row is >= 700 and < 760 ? [batch[0] with { Value = batch[0].Value + 300 }] : batch)];
        var disk = new SimulatedDisk();
        CatchingSink whole = new(), again = new();
        RestoredState start;
        DetectionPipeline? first = null;

        using (Journal journal = Journal.Open(disk, null, 100))
        {
            start = RestoredState.Nothing(100);
            first = Pipeline([new ListSource(Deciding())], [whole], journal: journal);
            await first.RunAsync(TestContext.Current.CancellationToken);
        }

        using Journal same = Journal.Open(disk, null, 100);
        DetectionPipeline second = Pipeline([], [again], restored: start, journal: same);
        await second.RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal(IncidentLabel.FalseAlarm, Assert.Single(again.Batches, batch => batch.Label is not null).Label!.Label);
        Assert.Equal(whole.Scored, again.Scored);
        RestoredState a = State(first), b = State(second);
        Assert.All(Enumerable.Range(0, StreamRouter.ShardCount), shard => Assert.Equal(a.Shard(shard), b.Shard(shard)));
        Assert.Equal(a.Router, b.Router);

        IEnumerable<Observation[]> Deciding()
        {
            CancellationToken cancellation = TestContext.Current.CancellationToken;

            for (int i = 0; i < batches.Length; i++)
            {
                if (i == 720)
                {
                    while (!whole.Batches.ToArray().Any(batch => batch.Incidents.Count > 0))
                    {
                        Thread.Yield();
                    }

                    string id = whole.Batches.ToArray().First(batch => batch.Incidents.Count > 0).Incidents[0].IncidentId;
                    Assert.Equal(LabelOutcome.Applied, first!.Decisions.LabelAsync("s0", id, IncidentLabel.FalseAlarm, "", Start, cancellation).GetAwaiter().GetResult().Outcome);
                    first.Decisions.MaintainAsync([new MaintenanceWindow { Id = "m", Streams = "*", From = Start.AddMinutes(800), To = Start.AddMinutes(850) }], cancellation).GetAwaiter().GetResult();
                    first.Decisions.AcceptAsync("s0", cancellation).GetAwaiter().GetResult();
                }

                yield return batches[i];
            }
        }
    }

    [Fact]
    public async Task Who_comes_first_gets_the_place_whatever_the_number_of_workers_and_again_after_a_restart()
    {
        Observation[][] batches = [.. Enumerable.Range(0, 40).Select(row => Enumerable.Range(0, 30)
            .Where(stream => stream <= row).Select(stream => new Observation($"s{stream}", Start.AddMinutes(row), stream)).ToArray())];
        List<string> found = [];

        foreach (int workers in (int[])[1, 4])
        {
            var disk = new SimulatedDisk();
            var sink = new CatchingSink();
            using (Journal journal = Journal.Open(disk, null, 100))
            {
                await Pipeline([new ListSource(batches)], [sink], workers, journal: journal, streamsMax: 9).RunAsync(TestContext.Current.CancellationToken);
            }

            found.Add(Streams(sink));
            var again = new CatchingSink();
            using Journal same = Journal.Open(disk, null, 100);
            await Pipeline([], [again], workers, restored: RestoredState.Nothing(100), journal: same, streamsMax: 9).RunAsync(TestContext.Current.CancellationToken);
            found.Add(Streams(again));
        }

        Assert.Equal("s0 s1 s2 s3 s4 s5 s6 s7 s8", Assert.Single(found.Distinct()));

        static string Streams(CatchingSink sink) => string.Join(' ', sink.Scored.Select(scored => scored.Stream).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task R1_where_the_disk_fails_nothing_is_acknowledged_the_books_balance_and_it_goes_on_when_it_can()
    {
        var disk = new SimulatedDisk();
        using Journal journal = Journal.Open(disk, null, 100);
        var sink = new CatchingSink();
        int refused = 0;
        int syncs = 0;
        disk.Fault = what => _ = what.StartsWith("sync", StringComparison.Ordinal) && ++syncs % 7 == 3 ? throw new IOException("no space left on device") : 0;
        var source = new RetryingSource([.. Batches(streams: 2, rows: 200)], () => refused++);

        await Pipeline([source], [sink], journal: journal).RunAsync(TestContext.Current.CancellationToken);

        Assert.True(refused > 10, $"{refused}");
        Assert.Equal(400, sink.Scored.Count());
        LedgerCut cut = _ledger.Cut();
        Assert.True(cut.Balances);
        Assert.Equal((400, 400, 0), (cut.Received, cut.Scored, cut.Queued));
        disk.Fault = null;
        disk.Crash(new Random(1));
        using Journal after = Journal.Open(disk, null, 100);
        Assert.True(after.NextSequence >= journal.NextSequence);
    }

    [Fact]
    public async Task A_source_that_fails_is_started_again_and_the_others_go_on()
    {
        var time = new FakeTimeProvider(Start.AddYears(1));
        var sink = new CatchingSink();
        int starts = 0;
        var failing = new FailingSource(() => starts++ < 2);
        DetectionPipeline pipeline = Pipeline([new ListSource(Batches(streams: 1, rows: 50)), failing], [sink], time: time);
        Task running = pipeline.RunAsync(TestContext.Current.CancellationToken);

        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await running;
        Assert.Equal(3, starts);
        Assert.Equal(50, sink.Scored.Count());
    }

    [Fact]
    public async Task A_sink_with_a_promise_is_tried_again_until_it_takes_and_misses_nothing()
    {
        var time = new FakeTimeProvider(Start.AddYears(1));
        int writes = 0;
        var sink = new CatchingJournalSink(() => writes++ % 3 == 0 ? throw new IOException("locked") : 0);
        DetectionPipeline pipeline = Pipeline([new ListSource(Batches(streams: 1, rows: 60))], [sink], time: time);
        Task running = pipeline.RunAsync(TestContext.Current.CancellationToken);

        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        await running;
        Assert.Equal(Enumerable.Range(0, 60).Select(row => Start.AddMinutes(row)), sink.Batches.SelectMany(batch => batch.Observations).Select(scored => scored.Time));
    }

    [Fact]
    public async Task The_training_windows_can_be_taken_while_it_runs()
    {
        using var stopping = new CancellationTokenSource();
        var source = new ListSource(Batches(streams: 2, rows: 400), waits: true);
        DetectionPipeline pipeline = Pipeline([source], []);
        Task running = pipeline.RunAsync(stopping.Token);

        while (_ledger.Cut().Scored < 800)
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        IReadOnlyList<TrainingWindow> windows = await pipeline.CollectWindowsAsync(TestContext.Current.CancellationToken);
        await stopping.CancelAsync();
        await running;

        Assert.Equal(6, windows.Count);
    }

    [Fact]
    public async Task A_sampled_batch_is_traced_from_ingest_to_sink()
    {
        var spans = new System.Collections.Concurrent.ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DaemonActivitySource.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        ActivityTraceId trace = ActivityTraceId.CreateRandom();
        var ingest = new ActivityContext(trace, ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);

        await Pipeline([new ListSource(Batches(streams: 1, rows: 1)) { Trace = ingest }], [new CatchingSink()])
            .RunAsync(TestContext.Current.CancellationToken);

        Activity[] own = [.. spans.Where(span => span.TraceId == trace)];
        Activity score = Assert.Single(own, span => span.OperationName == "score");
        Activity sink = Assert.Single(own, span => span.OperationName == "sink catching");
        Assert.Equal((ingest.SpanId, score.SpanId), (score.ParentSpanId, sink.ParentSpanId));
    }

    private static readonly BaseModel Swapped = new(1, WeightInitializer.Create(BaseModel.Shape, 9));
    private static long s_round;

    private static readonly ModelSwap Swap = new(1, Start, 2, 1, 10, "abc");

    private DetectionPipeline Pipeline(
        IReadOnlyList<IObservationSource> sources, IReadOnlyList<IScoreSink> sinks, int workers = 2, int capacity = 64,
        RestoredState? restored = null, IReadOnlyList<AlertRule>? rules = null, Journal? journal = null, int streamsMax = 1000, TimeProvider? time = null, StreamLimits? limits = null)
    {
        journal ??= Journal.Open(new SimulatedDisk(), null, restored is null ? 100 : restored.End + 1);
        return new DetectionPipeline(
            new PipelineOptions { Workers = workers, ChannelCapacity = capacity }, new DetectionOptions { AlertRules = rules ?? [], StreamsMax = streamsMax }, _model,
            journal, restored ?? RestoredState.Nothing(journal.NextSequence), _ => Swapped,
            sources, sinks, _ledger, new CaughtLetters(), _metrics, time ?? TimeProvider.System, NullLoggerFactory.Instance, limits);
    }

    /// <summary>What a pipeline that has ended leaves.</summary>
    private static RestoredState State(DetectionPipeline pipeline)
    {
        (byte[] State, long At)[] shards = [.. Enumerable.Range(0, StreamRouter.ShardCount).Select(shard => Whole(pipeline.FinalCut(shard, long.MaxValue, carriedFrom: 0)))];
        RouterPart router = pipeline.FinalRouterPart();
        return Restored(router, shards, pipeline.FinalEndPart());
    }

    /// <summary>What one that runs leaves: one part after the other, each at its place.</summary>
    private static async Task<RestoredState> SnapshotAsync(DetectionPipeline pipeline, Func<int, bool> isMore)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        RouterPart router = await pipeline.RouterPartAsync(cancellation);
        var shards = new (byte[] State, long At)[StreamRouter.ShardCount];

        for (int shard = 0; shard < shards.Length; shard++)
        {
            shards[shard] = Whole(await pipeline.CutAsync(shard, ++s_round, carriedFrom: 0, cancellation));

            while (!isMore(shard))
            {
                await Task.Delay(1, cancellation);
            }
        }

        return Restored(router, shards, await pipeline.EndPartAsync(cancellation));
    }

    private static (byte[] State, long At) Whole(ShardState state) => (state.Whole(), state.At);

    private static RestoredState Restored(RouterPart router, (byte[] State, long At)[] shards, EndPart end) => new()
    {
        RouterAt = router.At,
        Cuts = [.. shards.Select(shard => shard.At)],
        End = end.At,
        Shard = shard => shards[shard].State,
        Router = [.. router.State.SelectMany(piece => piece.ToArray())],
        Groups = end.Groups,
        Books = end.Books,
        Model = router.Model,
    };

    /// <summary>Hands a batch in until it is taken.</summary>
    private sealed class RetryingSource(Observation[][] batches, Action refused) : IObservationSource
    {
        public string Name => "retrying";

        public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
        {
            for (int i = 0; i < batches.Length;)
            {
                try
                {
                    await await intake.AcceptAsync(new ObservationBatch(Name, batches[i], batches[i][^1].Time), stopping);
                    i++;
                }
                catch (NotTakenException)
                {
                    refused();
                }
            }
        }
    }

    private sealed class FailingSource(Func<bool> fails) : IObservationSource
    {
        public string Name => "failing";

        public Task RunAsync(ObservationIntake intake, CancellationToken stopping) =>
            fails() ? throw new InvalidOperationException("a bug") : Task.CompletedTask;
    }

    /// <summary>Records of several streams, the last one twice.</summary>
    private static IEnumerable<Observation[]> Records(int streams, int rows)
    {
        List<double[]>[] plants = [.. Enumerable.Range(0, streams).Select(stream => Plant.Rows(stream, 3, rows))];
        Observation[][] batches =
        [
            .. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, streams)
                .Select(stream => Observation.Of($"s{stream}", Start.AddSeconds(row), new ObservedRecord(Plant.Names(3), plants[stream][row]))).ToArray()),
        ];
        return batches.Append([batches[^1][^1]]);
    }

    private static IEnumerable<Observation[]> Batches(int streams, int rows)
    {
        double[][] series = [.. Enumerable.Range(0, streams).Select(stream => DailySeries.Clean(stream, rows))];
        return Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, streams)
            .Select(stream => new Observation($"s{stream}", Start.AddMinutes(row), series[stream][row])).ToArray());
    }
}
