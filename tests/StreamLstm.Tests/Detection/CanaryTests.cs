using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class CanaryTests
{
    private const int FirstFault = 812;   // the warm-up, and five seasons

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void It_is_unknown_until_its_first_fault_was_due_and_alive_when_that_was_found()
    {
        DetectionShard shard = NewShard();

        CanaryReport before = Advance(shard, FirstFault), after = Advance(shard, 75);

        Assert.Equal((CanaryState.Unknown, 0), (before.State, before.Planted));
        Assert.Equal((CanaryState.Alive, 1, 1), (after.State, after.Planted, after.Found));
        Assert.Equal("the last planted fault, a spike, was found", after.Reason);
    }

    [Fact]
    public void For_a_day_every_planted_fault_is_found_and_none_is_taken_for_one_that_comes_regularly()
    {
        DetectionShard shard = NewShard();
        HashSet<CanaryState> states = [];

        for (int second = 0; second < 86_400; second++)
        {
            states.Add(shard.AdvanceCanary(Second, BaseModel.Pretrained).State);
        }

        CanaryReport report = shard.AdvanceCanary(Second, BaseModel.Pretrained);
        Assert.Equal([CanaryState.Unknown, CanaryState.Alive], states);
        Assert.InRange(report.Planted, 21, 25);
        Assert.Equal(report.Planted, report.Found);
    }

    [Fact]
    public void With_a_judge_that_says_nothing_it_is_blind_and_says_which_fault_was_not_found()
    {
        Canary canary = Scripted(new DetectionOptions { WarmUpRows = 10 }, (_, _) => 0);

        Advance(canary, 10 + 300 + 1 + 15);
        Assert.Equal(CanaryState.Unknown, canary.Report.State);
        Advance(canary, 1);

        Assert.Equal((CanaryState.Blind, 1, 0), (canary.Report.State, canary.Report.Planted, canary.Report.Found));
        Assert.Equal("the last planted fault, a spike, was not found", canary.Report.Reason);
    }

    [Fact]
    public void With_a_judge_that_is_not_reached_by_what_is_learnt_it_is_blind()
    {
        CanaryReport report = Advance(NewShard(new DetectionOptions { WarmUpRows = 64, LearningRows = 100_000 }), 500);

        Assert.Equal(CanaryState.Blind, report.State);
    }

    [Fact]
    public void With_a_judge_that_finds_the_fault_and_cries_besides_it_is_crying_until_that_is_six_hours_ago()
    {
        // The fault at row 310, then one and another where nothing is wrong.
        Canary canary = Scripted(new DetectionOptions { WarmUpRows = 10 }, (row, value) => row is 312 or 700 or 900 || value is 0 or > 80 ? 9 : 0);

        Advance(canary, 900);
        Assert.Equal((CanaryState.Alive, 1), (canary.Report.State, canary.Report.FalseAlarms));
        Advance(canary, 1);
        Assert.Equal((CanaryState.Crying, 2), (canary.Report.State, canary.Report.FalseAlarms));
        Assert.Equal("2 incidents in six hours where no fault was planted", canary.Report.Reason);

        Advance(canary, 1_500);
        Assert.Equal(CanaryState.Crying, canary.Report.State);
    }

    [Fact]
    public void What_opens_in_the_wake_of_a_fault_is_not_held_against_the_detector()
    {
        Canary canary = Scripted(new DetectionOptions { WarmUpRows = 10 }, (row, _) => row is 312 or 400 or 600 ? 9 : 0);

        Advance(canary, 800);

        Assert.Equal((CanaryState.Alive, 0), (canary.Report.State, canary.Report.FalseAlarms));
    }

    [Fact]
    public void A_judge_that_fails_is_told_and_the_shard_goes_on()
    {
        Canary canary = Scripted(new DetectionOptions { WarmUpRows = 10 }, (row, _) => row == 40 ? throw new InvalidOperationException("out of range") : 0);

        Advance(canary, 41);

        Assert.Equal((CanaryState.Blind, "judging failed: out of range"), (canary.Report.State, canary.Report.Reason));
    }

    [Fact]
    public void It_is_none_of_the_streams_takes_no_place_and_is_in_no_snapshot()
    {
        var quota = new StreamQuota(1, 1);
        var shard = new DetectionShard(new DetectionOptions(), quota, 0, 1, new DetectionScratch());
        byte[] before = Saved(shard);

        Advance(shard, 1_000);

        Assert.Empty(shard.Rows);
        Assert.Empty(shard.TrainingWindows);
        Assert.True(quota.TryTake("first", takesWeights: true, out bool ownWeights) && ownWeights);
        Assert.Equal(before, Saved(shard));
        Assert.Null(shard.Explain("canary", at: null, out _));
    }

    [Fact]
    public void Streams_are_scored_the_same_with_a_canary_beside_them()
    {
        DetectionShard alone = NewShard(), beside = NewShard();
        double[] values = DailySeries.WithFaults(1)[..900];
        ShardOutput without = new(), with = new();

        for (int row = 0; row < values.Length; row++)
        {
            Observation[] one = [new Observation("s", DateTimeOffset.UnixEpoch.AddMinutes(row), values[row])];
            alone.Apply(one, one[0].Time, BaseModel.Pretrained, without);
            beside.Apply(one, one[0].Time, BaseModel.Pretrained, with);
            beside.AdvanceCanary(Second, BaseModel.Pretrained);
        }

        Assert.Equal(without.Scored, with.Scored);
        Assert.Equal(without.Incidents.Select(incident => incident.Id), with.Incidents.Select(incident => incident.Id));
    }

    [Fact]
    public void A_rule_and_a_maintenance_window_for_all_streams_do_not_keep_it_quiet()
    {
        var options = new DetectionOptions
        {
            AlertRules = [new AlertRule { Streams = "*", Direction = AlertDirection.Up, MinDeviation = 1e9, Rows = 5, RowsOf = 5 }],
            Maintenance = [new MaintenanceWindow { Id = "m", Streams = "*", MuteAlerts = true, FreezeLearning = true }],
        };

        Assert.Equal(CanaryState.Alive, Advance(NewShard(options), FirstFault + 75).State);
    }

    [Fact]
    public void The_same_seed_gives_the_same_reports_at_the_same_seconds()
    {
        DetectionShard one = NewShard(), other = NewShard();

        for (int second = 0; second < 5_000; second++)
        {
            Assert.Equal(one.AdvanceCanary(Second, BaseModel.Pretrained), other.AdvanceCanary(Second, BaseModel.Pretrained));
        }
    }

    [Fact]
    public void A_late_tick_is_made_up_for_and_an_hour_is_not()
    {
        DetectionShard late = NewShard(), prompt = NewShard();

        for (int second = 0; second < 660; second += 3)
        {
            late.AdvanceCanary(TimeSpan.FromSeconds(3), BaseModel.Pretrained);
        }

        Assert.Equal(Advance(prompt, 660), late.AdvanceCanary(TimeSpan.Zero, BaseModel.Pretrained));
        Assert.Equal(CanaryState.Unknown, NewShard().AdvanceCanary(TimeSpan.FromHours(1), BaseModel.Pretrained).State);
    }

    private static DetectionShard NewShard(DetectionOptions? options = null) =>
        new(options ?? new DetectionOptions(), new StreamQuota(10, 10), 0, 1, new DetectionScratch());

    private static Canary Scripted(DetectionOptions options, Func<long, double, double> evidenceOf) => new(
        () => new StreamRow(
            Canary.Stream, StreamKind.Values, StreamForm.Lean, new ScriptedJudge { EvidenceOf = evidenceOf }, options, new AlertPolicy(options).NewGate(Canary.Stream), BaseModel.Pretrained),
        options,
        seed: 1,
        new DetectionScratch());

    private static CanaryReport Advance(DetectionShard shard, int seconds)
    {
        for (int second = 1; second < seconds; second++)
        {
            shard.AdvanceCanary(Second, BaseModel.Pretrained);
        }

        return shard.AdvanceCanary(Second, BaseModel.Pretrained);
    }

    private static void Advance(Canary canary, int seconds)
    {
        for (int second = 0; second < seconds; second++)
        {
            canary.Advance(Second, BaseModel.Pretrained);
        }
    }

    private static byte[] Saved(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        writer.Flush();
        return file.ToArray();
    }
}
