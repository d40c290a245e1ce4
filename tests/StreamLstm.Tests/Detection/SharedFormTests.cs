using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Values.Shared;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

/// <summary>Streams in two kilobytes: they find what is far out, their scores are theirs alone, and they become larger and smaller without forgetting.</summary>
public sealed class SharedFormTests
{
    private const int Streams = 70;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_spike_is_told_the_first_time_and_again()
    {
        double[] series = DailySeries.Clean(1, 4_000);
        int[] spikes = [2_000, 2_700, 3_500];

        foreach (int spike in spikes)
        {
            series[spike] += 60;
        }

        List<ScoredObservation> scored = Feed(NewShard(StreamForm.Shared), "boiler", series, 0, series.Length);

        Assert.All(spikes, spike => Assert.InRange(scored.FindIndex(spike, s => s.IsAlert), spike, spike + 1));
        Assert.InRange(scored.Count(s => s.IsAlert), spikes.Length, spikes.Length + 1);
        Assert.All(scored.Skip(600).Take(1_400), s => Assert.True(s.Lower <= s.Upper, $"{s.Lower} to {s.Upper}"));
    }

    [Fact]
    public void An_alert_is_explained_by_figures_that_hold_when_another_stream_was_judged_since()
    {
        double[] series = DailySeries.Clean(1, 2_001);
        series[2_000] += 60;
        DetectionShard shard = NewShard(StreamForm.Shared);
        Feed(shard, "boiler", series, 0, series.Length);
        Explanation before = shard.Explain("boiler", null, out _)!;
        Feed(shard, "pump", DailySeries.Clean(2, 700), 0, 700);

        Explanation after = shard.Explain("boiler", null, out _)!;

        Assert.True(before.IsAlert);
        Assert.Equal(before.Sentence, after.Sentence);
        Assert.Equal(before.Evidence, after.Evidence);
        Assert.Contains(before.Indicators, indication => indication.Name == "step");
    }

    [Fact]
    public void No_score_depends_on_how_batches_are_cut()
    {
        double[][] series = [.. Enumerable.Range(0, Streams).Select(stream => DailySeries.Clean(stream + 1, 700))];
        var rows = new List<Observation>();

        for (int row = 0; row < 700; row++)
        {
            for (int stream = 0; stream < Streams; stream++)
            {
                rows.Add(new Observation($"s{stream}", Start.AddMinutes(row), series[stream][row]));
            }
        }

        Dictionary<string, List<ScoredObservation>> one = Cut(rows, _ => 1), whole = Cut(rows, _ => rows.Count);
        var random = new Random(5);

        // Streams one after the other, in batches of any size: another order between streams, the same within each.
        Dictionary<string, List<ScoredObservation>> other = Cut([.. rows.OrderBy(row => row.Stream, StringComparer.Ordinal)], _ => random.Next(1, 300));

        foreach ((string stream, List<ScoredObservation> scored) in one)
        {
            Assert.Equal(scored, whole[stream]);
            Assert.Equal(scored, other[stream]);
        }
    }

    [Fact]
    public void Many_streams_write_down_windows_to_train_their_weights_on_and_none_with_an_incident_in_it()
    {
        const int Rows = 1_100, First = 7 * TrainingWindow.Rows;
        string[] names = [.. Enumerable.Range(0, 10_000).Select(i => $"plant/{i}").Where(name => WindowUnderWay.At(name, First) is not null).Take(24)];
        DetectionShard shard = NewShard(StreamForm.Shared);

        foreach ((int i, string name) in names.Index())
        {
            double[] series = DailySeries.Clean(i + 1, Rows);
            series[First + 40] += i % 2 == 0 ? 0 : 60;
            Feed(shard, name, series, 0, Rows);
        }

        Assert.Equal(names.Where((_, i) => i % 2 == 0).Order(), shard.TrainingWindows.Select(window => window.Stream).Order());
        Assert.All(shard.TrainingWindows, window =>
        {
            Assert.Equal(TimeSpan.FromMinutes(TrainingWindow.Rows - 1), window.To - window.From);

            // What came six rows on is what came one row on five rows later.
            for (int row = 0; row < TrainingWindow.Rows - 6; row++)
            {
                Assert.Equal(window.Targets[(row + 5) * 3], window.Targets[row * 3 + 1]);
            }

            Assert.Equal(-1, window.Targets[^3]);
        });
        TrainingResult trained = BaseTraining.Train(BaseModel.Untrained(1).Weights, shard.TrainingWindows, seed: 3, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(TrainingVerdict.Promoted, trained.Verdict);
        Assert.InRange(trained.CandidateLoss, 0, 0.9 * trained.ChampionLoss);
    }

    [Fact]
    public void A_restored_stream_goes_on_as_it_would_have()
    {
        double[] series = DailySeries.WithFaults(1);
        DetectionShard whole = NewShard(StreamForm.Shared), restored = NewShard(StreamForm.Full);
        Feed(whole, "boiler", series, 0, 1_900);

        restored.Load(new BinaryReader(new MemoryStream(Saved(whole))), BaseModel.Pretrained);

        Assert.Equal(StreamForm.Shared, Assert.Single(restored.Rows).Form);
        Assert.Equal(Feed(whole, "boiler", series, 1_900, 2_600), Feed(restored, "boiler", series, 1_900, 2_600));
    }

    [Fact]
    public void After_a_swap_the_network_is_warm_at_once()
    {
        double[] series = DailySeries.Clean(1, 1_500);
        DetectionShard shard = NewShard(StreamForm.Shared);
        Feed(shard, "boiler", series, 0, 1_000);
        BaseModel swapped = BaseModel.Untrained(3) with { Version = 7 };

        List<ScoredObservation> scored = Feed(shard, "boiler", series, 1_000, 1_001, swapped);

        Assert.Equal(7, Assert.Single(scored).ModelVersion);
        Assert.NotNull(scored[0].Expected);
        Assert.DoesNotContain(Feed(shard, "boiler", series, 1_001, 1_500, swapped), s => s.IsAlert);
    }

    [Theory]
    [InlineData(StreamForm.Shared, StreamForm.Full)]
    [InlineData(StreamForm.Shared, StreamForm.Lean)]
    [InlineData(StreamForm.Lean, StreamForm.Shared)]
    [InlineData(StreamForm.Full, StreamForm.Shared)]
    public void A_stream_that_is_resized_is_quiet_while_it_is_clean_and_tells_the_next_fault_as_one_that_came_before(StreamForm from, StreamForm to)
    {
        double[] series = DailySeries.Clean(1, 4_000);
        (series[1_900], series[2_100], series[3_000]) = (series[1_900] + 60, series[2_100] + 60, series[3_000] + 60);
        DetectionShard shard = NewShard(from);
        var output = new ShardOutput();
        Feed(shard, "boiler", series, 0, 2_000, output: output);

        Assert.True(shard.Resize("boiler", to, BaseModel.Pretrained));
        List<ScoredObservation> meanwhile = Feed(shard, "boiler", series, 2_000, 2_900, output: output);
        DetectionShard restored = NewShard(from);
        restored.Load(new BinaryReader(new MemoryStream(Saved(shard))), BaseModel.Pretrained);
        List<ScoredObservation> after = Feed(restored, "boiler", series, 2_900, 4_000, output: output);

        // It is never blind, nor loud because it is judged by another judge.
        Assert.InRange(meanwhile.FindIndex(s => s.IsAlert), 100, 101);
        Assert.Single(meanwhile, s => s.IsAlert);
        Assert.InRange(after.FindIndex(s => s.IsAlert), 100, 101);
        Assert.Equal(to, Assert.Single(restored.Rows).Form);
        Assert.Equal(4_000, Assert.Single(restored.Rows).Rows);
        Assert.Equal([1, 2, 3], output.Incidents.Where(incident => incident.State == IncidentState.Opened).Select(incident => incident.Occurrence));
        string first = output.Incidents[0].IncidentId;
        Assert.Equal("boiler", restored.StreamOf(first));
        Assert.Equal(LabelOutcome.Applied, restored.Label("boiler", first, IncidentLabel.Real, Start, output));
    }

    [Fact]
    public void A_stream_that_grows_is_saved_as_it_grows()
    {
        double[] series = DailySeries.Clean(1, 2_500);
        DetectionShard shard = NewShard(StreamForm.Shared), restored = NewShard(StreamForm.Shared);
        Feed(shard, "boiler", series, 0, 1_000);
        shard.Resize("boiler", StreamForm.Lean, BaseModel.Pretrained);
        Feed(shard, "boiler", series, 1_000, 1_200);

        restored.Load(new BinaryReader(new MemoryStream(Saved(shard))), BaseModel.Pretrained);

        Assert.Equal(StreamForm.Shared, Assert.Single(restored.Rows).Form);
        Assert.Equal(Feed(shard, "boiler", series, 1_200, 2_500), Feed(restored, "boiler", series, 1_200, 2_500));
        Assert.Equal(StreamForm.Lean, Assert.Single(restored.Rows).Form);
        Assert.Equal(Saved(shard), Saved(restored));
    }

    private static Dictionary<string, List<ScoredObservation>> Cut(List<Observation> rows, Func<int, int> size)
    {
        DetectionShard shard = NewShard(StreamForm.Shared);
        var output = new ShardOutput();
        var scored = new Dictionary<string, List<ScoredObservation>>();

        for (int row = 0; row < rows.Count;)
        {
            Observation[] batch = [.. rows.Skip(row).Take(size(row))];
            output.Clear();
            shard.Apply(batch, Start.AddYears(1), BaseModel.Pretrained, output);
            row += batch.Length;

            foreach (ScoredObservation one in output.Scored)
            {
                (scored.TryGetValue(one.Stream, out List<ScoredObservation>? of) ? of : scored[one.Stream] = []).Add(one);
            }
        }

        return scored;
    }

    private static List<ScoredObservation> Feed(
        DetectionShard shard, string stream, double[] series, int from, int to, BaseModel? model = null, ShardOutput? output = null)
    {
        output ??= new ShardOutput();
        output.Scored.Clear();

        for (int row = from; row < to; row++)
        {
            DateTimeOffset time = Start.AddMinutes(row);
            shard.Apply([new Observation(stream, time, series[row])], time, model ?? BaseModel.Pretrained, output);
        }

        return [.. output.Scored];
    }

    private static byte[] Saved(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        return file.ToArray();
    }

    private static DetectionShard NewShard(StreamForm form) =>
        new(new DetectionOptions { Form = form, PerStreamMax = 0 }, new StreamQuota(1_000, 0), 0, 1, new DetectionScratch());
}
