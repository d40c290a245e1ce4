using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

/// <summary>What is asked of the alerts of records beyond their evidence.</summary>
public sealed class VectorAlertRuleTests
{
    private const int Fault = 2_000;
    private const int Second = Fault + 2_500;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly BaseModel Model = BaseModel.Untrained(1);
    private static readonly string[] Names = Plant.Names(4);

    [Fact]
    public void A_rule_that_asks_for_nothing_changes_nothing()
    {
        Run without = Run.Of(Shifted(15)), with = Run.Of(Shifted(15), new AlertRule());

        Assert.Equal(without.Told, with.Told);
        Assert.Contains(without.Opened, row => row is >= Fault and < Fault + 30);
    }

    [Fact]
    public void A_direction_and_a_deviation_are_not_asked_of_records()
    {
        Run without = Run.Of(Shifted(15)), with = Run.Of(Shifted(15), new AlertRule { Direction = AlertDirection.Down, MinDeviation = 1e9 });

        Assert.Equal(without.Told, with.Told);
    }

    [Fact]
    public void An_incident_waits_until_as_many_records_have_the_evidence_as_are_asked_for()
    {
        Run free = Run.Of(Shifted(15)), held = Run.Of(Shifted(15), new AlertRule { Rows = 5, RowsOf = 5 });

        Assert.Equal(free.Opened.First(row => row >= Fault) + 4, held.Opened.First(row => row >= Fault));
        Assert.True(held.Suppressed(SuppressedBy.NOfM) > 0);
    }

    [Fact]
    public void A_severity_that_is_not_reached_keeps_an_incident_back()
    {
        Run free = Run.Of(Shifted(6)), held = Run.Of(Shifted(6), new AlertRule { SeverityMin = IncidentSeverity.Critical });

        Assert.Contains(free.Output.Incidents, incident => incident.State == IncidentState.Opened && incident.Severity < IncidentSeverity.Critical);
        Assert.All(held.Output.Incidents, incident => Assert.Equal(IncidentSeverity.Critical, incident.Severity));
        Assert.True(held.Suppressed(SuppressedBy.Severity) > 0);
    }

    [Fact]
    public void Nothing_opens_for_as_long_as_the_cooldown_asks_after_an_incident()
    {
        List<double[]> rows = TwoFaults();
        Run free = Run.Of(rows), cooled = Run.Of(rows, new AlertRule { Cooldown = TimeSpan.FromHours(1) });

        Assert.Contains(free.Opened, row => row >= Second);
        Assert.Contains(cooled.Opened, row => row is >= Fault and < Fault + 30);
        Assert.DoesNotContain(cooled.Opened, row => row >= Second);
        Assert.True(cooled.Suppressed(SuppressedBy.RuleCooldown) > 0);
    }

    [Fact]
    public void A_spent_budget_keeps_back_what_is_weaker_than_what_was_told()
    {
        // The second fault is the smaller one.
        var rule = new AlertRule { Rows = 20, RowsOf = 20 };
        Run free = Run.Of(TwoFaults(again: 2.8), rule), held = Run.Of(TwoFaults(again: 2.8), rule with { Budget = 1, BudgetPer = TimeSpan.FromDays(1) });

        Assert.Contains(free.Opened, row => row >= Second);
        Assert.Contains(held.Opened, row => row is >= Fault and < Fault + 40);
        Assert.DoesNotContain(held.Opened, row => row >= Second);
        Assert.Equal(1, held.Suppressed(SuppressedBy.Budget));
    }

    [Fact]
    public void Records_and_values_of_a_group_share_one_budget_also_where_the_group_has_moved()
    {
        AlertRule[] rules = [new() { Streams = "*", Budget = 1, BudgetPer = TimeSpan.FromDays(1), Group = "g" }];
        List<double[]> rows = Shifted(15);
        var run = new Run(rules);
        run.Feed(rows[..Fault], 0);
        DetectionShard home = Run.NewShard(rules);
        run.Shard.Rehome(_ => home);

        Assert.Empty(run.Shard.Rows);
        run.Shard = home;
        SpendBudget(home, run.Output);
        int before = run.Opened.Length;
        run.Feed(rows[Fault..], Fault);

        Assert.Equal(before, run.Opened.Length);
        Assert.True(run.Suppressed(SuppressedBy.Budget) > 0);
    }

    [Fact]
    public void Nothing_opens_in_a_muted_stretch_and_what_goes_on_opens_after_it()
    {
        Run muted = Run.Maintained(Shifted(15), Between(Fault - 10, Fault + 60, mute: true, freeze: false));

        Assert.DoesNotContain(muted.Opened, row => row is >= Fault - 10 and < Fault + 60);
        Assert.Contains(Fault + 60, muted.Opened);
        Assert.Equal(1, muted.Suppressed(SuppressedBy.Maintenance));
        Assert.Equal(Run.Of(Shifted(15)).Scores[..(Fault + 60)], muted.Scores[..(Fault + 60)]);
    }

    [Fact]
    public void What_is_frozen_still_alerts_and_teaches_nothing()
    {
        // The same fault twice: the second one is no news to a stream that has accepted the first.
        var rule = new AlertRule { AcceptAfter = 2 };
        List<double[]> rows = Plant.Rows(6, 4, Fault + 2_200);

        for (int row = Fault; row < Fault + 600; row++)
        {
            rows[row][2] += 15;
        }

        for (int row = Fault + 1_600; row < Fault + 1_800; row++)
        {
            rows[row][2] += 15;
        }

        Run taught = Run.Of(rows, rule), frozen = Run.Maintained(rows, Between(Fault - 10, Fault + 610, mute: false, freeze: true), rule);

        Assert.Contains(frozen.Opened, row => row is >= Fault and < Fault + 30);
        Assert.DoesNotContain(taught.Opened, row => row is >= Fault + 1_600 and < Fault + 1_800);
        Assert.Contains(frozen.Opened, row => row is >= Fault + 1_600 and < Fault + 1_800);
        Assert.True(
            frozen.Scores.Skip(Fault + 1_600).Take(200).Sum() > 1.5 * taught.Scores.Skip(Fault + 1_600).Take(200).Sum(),
            "the frozen stretch was remembered");
    }

    [Fact]
    public void A_stream_in_its_warm_up_waits_while_nothing_may_be_learnt()
    {
        Run run = Run.Maintained(Plant.Rows(1, 4, 1_000), Between(100, 300, mute: true, freeze: true));

        StreamRow row = Assert.Single(run.Shard.Rows);
        Assert.Equal((800, Lifecycle.Active), (row.Rows, row.Lifecycle));
        Assert.All(run.Output.Scored[100..300], one => Assert.Equal((run.Output.Scored[99].Progress, 0), (one.Progress, one.AnomalyScore)));
        Assert.All(run.Output.Scored[100..300], one => Assert.Null(one.WarmUp!.Value.IntervalSeconds));
        Assert.Equal(4, run.Output.Scored[200].Columns!.Count(column => column.Actual is not null));
        Assert.Equal(0, run.Output.Rejected.Sum());
    }

    [Fact]
    public void A_silence_in_a_muted_stretch_opens_when_it_ends_and_the_stream_is_still_silent()
    {
        var run = new Run();
        run.Shard.Maintain([Between(700, 760, mute: true, freeze: false)]);
        run.Feed(Plant.Rows(1, 4, 700), 0);

        run.TickTo(700, 759);
        Assert.DoesNotContain(run.Opened, row => row >= 700);
        Assert.Equal(1, run.Suppressed(SuppressedBy.Maintenance));

        run.TickTo(760, 765);
        Assert.Equal(IncidentKind.Silence, Assert.Single(run.Output.Incidents, incident => incident.State == IncidentState.Opened && incident.Time >= Start.AddSeconds(700)).Kind);
    }

    [Fact]
    public void An_accepted_state_closes_its_incident_and_opens_no_other_until_it_has_settled()
    {
        List<double[]> rows = Shifted(15);
        var run = new Run();
        run.Feed(rows[..(Fault + 20)], 0);
        int opened = run.Opened.Length;

        AcceptOutcome outcome = run.Shard.Accept("s", run.Output);
        IncidentEvent closed = run.Output.Incidents[^1];
        run.Feed(rows[(Fault + 20)..], Fault + 20);

        Assert.Equal(AcceptOutcome.Applied, outcome);
        Assert.Equal(IncidentState.Closed, closed.State);
        Assert.Contains("; accepted as the new normal since ", closed.Explanation, StringComparison.Ordinal);
        Assert.Equal(rows[Fault + 19], closed.Columns!.Select(column => column.Actual!.Value));
        Assert.Equal(opened, run.Opened.Length);
        Assert.True(run.Suppressed(SuppressedBy.Accepted) > 0);
        Assert.Equal(AcceptOutcome.NothingOpen, run.Shard.Accept("s", run.Output));
    }

    [Fact]
    public void A_state_that_stays_for_the_windows_asked_for_is_accepted_by_itself()
    {
        Run run = Run.Of(Shifted(15), new AlertRule { AcceptAfter = 2 }), never = Run.Of(Shifted(15));
        IncidentEvent closed = run.Output.Incidents.First(incident => incident.State == IncidentState.Closed && incident.Time >= Start.AddSeconds(Fault));

        Assert.Contains("; lasts and has settled: the new normal since ", closed.Explanation, StringComparison.Ordinal);
        Assert.InRange((closed.Time - Start).TotalSeconds, Fault + 60, Fault + 400);
        Assert.All(
            never.Output.Incidents.Where(incident => incident.Explanation.Contains("the new normal since", StringComparison.Ordinal)),
            incident => Assert.InRange((incident.Time - Start).TotalSeconds, Fault + 300, Fault + 1_000));
    }

    [Fact]
    public void What_was_accepted_frozen_and_spent_is_remembered_over_a_restart()
    {
        AlertRule[] rules = [new() { Cooldown = TimeSpan.FromMinutes(2), Budget = 3, Rows = 2, RowsOf = 3 }];
        MaintenanceWindow[] windows = [Between(Fault - 100, Fault - 50, mute: false, freeze: true)];
        List<double[]> rows = TwoFaults();
        Run stayed = new(rules), restarted = new(rules);

        foreach (Run run in (Run[])[stayed, restarted])
        {
            run.Shard.Maintain(windows);
            run.Feed(rows[..(Fault + 20)], 0);
            Assert.Equal(AcceptOutcome.Applied, run.Shard.Accept("s", run.Output));
            run.Feed(rows[(Fault + 20)..(Fault + 40)], Fault + 20);

            if (run == restarted)
            {
                run.Restart(rules);
                run.Shard.Maintain(windows);
            }

            run.Feed(rows[(Fault + 40)..], Fault + 40);
        }

        Assert.Equal(stayed.Told, restarted.Told);
        Assert.Equal(stayed.Output.Suppressed, restarted.Output.Suppressed);
    }

    [Fact]
    public void What_is_open_can_be_accepted_after_a_restart()
    {
        List<double[]> rows = Shifted(15);
        var run = new Run();
        run.Feed(rows[..(Fault + 20)], 0);
        run.Restart();

        Assert.Equal(AcceptOutcome.Applied, run.Shard.Accept("s", run.Output));
        Assert.Equal(rows[Fault + 19], run.Output.Incidents[^1].Columns!.Select(column => column.Actual!.Value));
    }

    private static List<double[]> Shifted(double height)
    {
        List<double[]> rows = Plant.Rows(6, 4, Fault + 1_000);

        for (int row = Fault; row < rows.Count; row++)
        {
            rows[row][2] += height;
        }

        return rows;
    }

    private static List<double[]> TwoFaults(double again = 20)
    {
        List<double[]> rows = Plant.Rows(6, 4, Second + 300);

        for (int row = 0; row < 40; row++)
        {
            rows[Fault + row][2] += 15;
            rows[Second + row][1] += again;
        }

        return rows;
    }

    /// <summary>A stream of values whose alert is worth more than anything else.</summary>
    private static void SpendBudget(DetectionShard shard, ShardOutput output)
    {
        double[] series = DailySeries.Clean(1, 1_000);
        series[^1] = 1e9;

        for (int row = 0; row < series.Length; row++)
        {
            shard.Apply([new Observation("v", Start.AddSeconds(Fault - series.Length + row), series[row])], Start.AddYears(1), Model, output);
        }

        Assert.True(output.Scored[^1].IsAlert);
    }

    private static MaintenanceWindow Between(int from, int to, bool mute, bool freeze) => new()
    {
        Id = "w",
        Streams = "s*",
        From = Start.AddSeconds(from),
        To = Start.AddSeconds(to),
        MuteAlerts = mute,
        FreezeLearning = freeze,
    };

    /// <summary>Records of one stream through a shard of its own, one a second.</summary>
    private sealed class Run
    {
        public Run(params AlertRule[] rules) => Shard = NewShard(rules);

        public DetectionShard Shard { get; set; }

        public ShardOutput Output { get; } = new();

        /// <summary>Rows at which incidents opened.</summary>
        public int[] Opened =>
            [.. Output.Incidents.Where(incident => incident.State == IncidentState.Opened).Select(incident => (int)(incident.Time - Start).TotalSeconds)];

        public double[] Scores => [.. Output.Scored.Select(one => one.Value)];

        public string[] Told =>
        [
            .. Output.Scored.Select(one => $"{one.Time:O} {one.AnomalyScore:R} {one.Score:R} {one.IsAlert}"),
            .. Output.Incidents.Select(incident => $"{incident.Id} {incident.State} {incident.Explanation}"),
        ];

        public static Run Of(List<double[]> rows, params AlertRule[] rules)
        {
            var run = new Run(rules);
            run.Feed(rows, 0);
            return run;
        }

        public static Run Maintained(List<double[]> rows, MaintenanceWindow window, params AlertRule[] rules)
        {
            var run = new Run(rules);
            run.Shard.Maintain([window]);
            run.Feed(rows, 0);
            return run;
        }

        public static DetectionShard NewShard(AlertRule[] rules) =>
            new(new DetectionOptions { AlertRules = rules }, new StreamQuota(10, 10), 0, 1, new DetectionScratch());

        public void Feed(List<double[]> rows, int from)
        {
            for (int row = 0; row < rows.Count; row++)
            {
                DateTimeOffset time = Start.AddSeconds(from + row);
                Shard.Tick(time, TimeSpan.FromSeconds(1), Output);
                Shard.Apply([Observation.Of("s", time, new ObservedRecord(Names, rows[row]))], time, Model, Output);
            }

            Assert.Empty(Output.Faults);
        }

        /// <summary>Time goes on from one second to another.</summary>
        public void TickTo(int from, int to)
        {
            for (int second = from; second <= to; second++)
            {
                Shard.Tick(Start.AddSeconds(second), TimeSpan.FromSeconds(1), Output);
            }
        }

        public int Suppressed(SuppressedBy reason) => Output.Suppressed[(int)reason];

        /// <summary>Goes on with a shard that was read from what the present one has written.</summary>
        public void Restart(params AlertRule[] rules)
        {
            using var file = new MemoryStream();
            using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
            {
                Shard.Save(writer);
            }

            file.Position = 0;
            Shard = NewShard(rules);
            Shard.Load(new BinaryReader(file), Model);
            Assert.Equal(file.Length, file.Position);
        }
    }
}
