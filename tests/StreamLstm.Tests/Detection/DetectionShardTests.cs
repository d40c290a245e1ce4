using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class DetectionShardTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_restored_shard_scores_on_as_if_it_had_never_stopped()
    {
        double[] a = DailySeries.WithFaults(1), b = DailySeries.WithFaults(2);
        DetectionShard uninterrupted = NewShard(), first = NewShard(), second = NewShard();
        BaseModel model = BaseModel.Untrained(1);

        List<ScoredObservation> expected = Feed(uninterrupted, a, b, 0, 2900, model);
        Feed(first, a, b, 0, 2210, model);
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            first.Save(writer);
        }

        file.Position = 0;
        second.Load(new BinaryReader(file), model);
        List<ScoredObservation> resumed = Feed(second, a, b, 2210, 2900, model);

        Assert.Equal(file.Length, file.Position);
        Assert.Equal(expected[(2 * 2210)..], resumed);
    }

    [Fact]
    public void A_batch_scores_the_same_as_its_observations_one_by_one()
    {
        double[] a = DailySeries.Clean(3, 700), b = DailySeries.Clean(4, 700);
        BaseModel model = BaseModel.Untrained(1);
        DetectionShard whole = NewShard(), single = NewShard();
        Observation[] all = [.. Enumerable.Range(0, 1400).Select(i => At(i % 2 == 0 ? "a" : "b", i / 2, i % 2 == 0 ? a[i / 2] : b[i / 2]))];
        var output = new ShardOutput();

        whole.Apply(all, Start.AddYears(1), model, output);

        Assert.Equal(Feed(single, a, b, 0, 700, model), output.Scored);
    }

    [Fact]
    public void A_swap_changes_the_version_of_later_scores_only_and_loses_none()
    {
        double[] series = DailySeries.Clean(5, 1000);
        DetectionShard shard = NewShard();
        var trained = new BaseModel(1, WeightInitializer.Create(BaseModel.Shape, 77));

        List<ScoredObservation> scored = [.. Feed(shard, series, 0, 600, BaseModel.Untrained(1)), .. Feed(shard, series, 600, 1000, trained)];

        Assert.Equal(1000, scored.Count);
        Assert.All(scored[..600], s => Assert.Equal(0, s.ModelVersion));
        Assert.All(scored[600..], s => Assert.Equal(1, s.ModelVersion));
    }

    [Fact]
    public void A_stream_keeps_its_own_weights_when_the_new_base_is_worse()
    {
        double[] series = DailySeries.Clean(6, 1300);
        var worse = new ForecastWeights(BaseModel.Shape);
        worse.Parameters.Fill(0.05f);
        DetectionShard swapped = NewShard(), left = NewShard();
        BaseModel start = BaseModel.Untrained(1);
        Feed(swapped, series, 0, 1200, start);
        Feed(left, series, 0, 1200, start);

        double[] afterSwap = [.. Feed(swapped, series, 1200, 1300, new BaseModel(1, worse)).Select(s => s.Evidence!.Value)];
        double[] without = [.. Feed(left, series, 1200, 1300, start).Select(s => s.Evidence!.Value)];

        Assert.Equal(without, afterSwap);
    }

    [Fact]
    public void Streams_with_weights_of_their_own_take_notice_of_a_swap_one_after_the_other_and_all_within_32_rows()
    {
        const int Streams = 10, Young = 300, Rows = 64;
        double[] series = DailySeries.Clean(6, Young + Rows);
        BaseModel start = BaseModel.Pretrained, swapped = new(1, BaseModel.Untrained(3).Weights);
        DetectionShard shard = NewShard();
        var output = new ShardOutput();
        List<int> known = [];

        for (int row = 0; row < Young + Rows; row++)
        {
            shard.Apply([.. Enumerable.Range(0, Streams).Select(stream => At($"s{stream}", row, series[row]))], Start.AddYears(1), row < Young ? start : swapped, output);
            known.Add(shard.Rows.Count(one => one.NoticedVersion == 1));
        }

        Assert.Equal(0, known[Young - 1]);
        Assert.Equal(Streams, known[Young + 31]);
        Assert.InRange(known[Young..].Zip(known[(Young - 1)..], (now, before) => now - before).Max(), 1, Streams / 2);
        Assert.All(shard.Rows, one => Assert.Equal(1, one.ModelVersion));
    }

    [Fact]
    public void With_shared_weights_a_swap_rewarms_every_stream_and_scores_go_on()
    {
        double[] series = DailySeries.Clean(7, 1300);
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, perStreamMax: 0), 0, 1, new DetectionScratch());
        Feed(shard, series, 0, 1200, BaseModel.Untrained(1));

        List<ScoredObservation> scored = Feed(
            shard, series, 1200, 1300, new BaseModel(1, WeightInitializer.Create(BaseModel.Shape, 5)));

        Assert.All(scored, s => Assert.NotNull(s.Expected));
        Assert.All(shard.Rows, row => Assert.False(row.HasOwnWeights));
    }

    [Fact]
    public void Training_base_weights_on_collected_windows_beats_the_untrained_start_and_is_reproducible()
    {
        DetectionShard shard = NewShard();
        Feed(shard, DailySeries.Clean(8, 4000), DailySeries.Clean(9, 4000), 0, 4000, BaseModel.Untrained(1));
        ForecastWeights champion = BaseModel.Untrained(1).Weights;

        TrainingResult result = BaseTraining.Train(champion, shard.TrainingWindows, seed: 3, cancellationToken: TestContext.Current.CancellationToken);
        TrainingResult again = BaseTraining.Train(champion, shard.TrainingWindows, seed: 3, cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(TrainingVerdict.Promoted, result.Verdict);
        Assert.InRange(result.CandidateLoss, 0, 0.9 * result.ChampionLoss);
        Assert.True(result.Candidate.Parameters.SequenceEqual(again.Candidate.Parameters));
        Assert.True(champion.Parameters.SequenceEqual(BaseModel.Untrained(1).Weights.Parameters));
    }

    [Fact]
    public void A_champion_that_cannot_be_beaten_stays()
    {
        DetectionShard shard = NewShard();
        Feed(shard, DailySeries.Clean(8, 3000), 0, 3000, BaseModel.Untrained(1));
        TrainingResult first = BaseTraining.Train(
            BaseModel.Untrained(1).Weights, shard.TrainingWindows, seed: 3, cancellationToken: TestContext.Current.CancellationToken);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        TrainingResult second = BaseTraining.Train(first.Candidate, shard.TrainingWindows, seed: 4, cancellationToken: cancelled.Token);

        Assert.Equal(TrainingVerdict.NotBetter, second.Verdict);
        Assert.True(second.Candidate.Parameters.SequenceEqual(first.Candidate.Parameters));
    }

    [Fact]
    public void A_lean_stream_costs_a_fraction_of_a_full_one_and_still_finds_the_spike()
    {
        double[] series = DailySeries.WithFaults(1);
        var lean = new DetectionShard(new DetectionOptions { Form = StreamForm.Lean }, new StreamQuota(10, 0), 0, 1, new DetectionScratch());
        DetectionShard full = NewShard();
        Feed(full, series, 0, 2300, BaseModel.Untrained(1));

        List<ScoredObservation> scored = Feed(lean, series, 0, 2300, BaseModel.Untrained(1));

        Assert.InRange(scored.FindIndex(s => s.IsAlert), DailySeries.Spike, DailySeries.Spike + 2);
        Assert.InRange(Saved(lean).Length, 1, Saved(full).Length / 3);
    }

    [Fact]
    public void A_restored_stream_keeps_the_form_it_began_with()
    {
        double[] series = DailySeries.Clean(1, 2000);
        DetectionShard full = NewShard();
        Feed(full, series, 0, 1990, BaseModel.Untrained(1));
        var lean = new DetectionShard(new DetectionOptions { Form = StreamForm.Lean }, new StreamQuota(10, 0), 0, 1, new DetectionScratch());

        lean.Load(new BinaryReader(new MemoryStream(Saved(full))), BaseModel.Untrained(1));

        Assert.Equal(StreamForm.Full, Assert.Single(lean.Rows).Form);
        Assert.Equal(Feed(full, series, 1990, 2000, BaseModel.Untrained(1)), Feed(lean, series, 1990, 2000, BaseModel.Untrained(1)));
    }

    private static byte[] Saved(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        return file.ToArray();
    }

    private static DetectionShard NewShard() => new(new DetectionOptions(), new StreamQuota(10, 10), number: 0, shardCount: 1, new DetectionScratch());

    private static Observation At(string stream, int row, double value) => new(stream, Start.AddMinutes(row), value);

    private static List<ScoredObservation> Feed(DetectionShard shard, double[] series, int from, int to, BaseModel model)
    {
        var output = new ShardOutput();

        for (int row = from; row < to; row++)
        {
            shard.Apply([At("a", row, series[row])], Start.AddYears(1), model, output);
        }

        return output.Scored;
    }

    private static List<ScoredObservation> Feed(DetectionShard shard, double[] a, double[] b, int from, int to, BaseModel model)
    {
        var output = new ShardOutput();

        for (int row = from; row < to; row++)
        {
            shard.Apply([At("a", row, a[row])], Start.AddYears(1), model, output);
            shard.Apply([At("b", row, b[row])], Start.AddYears(1), model, output);
        }

        return output.Scored;
    }
}
