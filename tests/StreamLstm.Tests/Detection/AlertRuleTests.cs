using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class AlertRuleTests
{
    internal static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_rule_that_asks_for_nothing_changes_nothing()
    {
        Run without = Run.Of(DailySeries.WithFaults(1)), with = Run.Of(DailySeries.WithFaults(1), new AlertRule());

        Assert.Equal(without.Scored, with.Scored);
        Assert.Equal(without.Incidents.Select(i => i.Id), with.Incidents.Select(i => i.Id));
        Assert.Contains(without.OpenedRows, row => row == DailySeries.Spike);
    }

    [Fact]
    public void The_first_rule_that_matches_counts()
    {
        AlertRule[] rules = [new() { Streams = "plant/*/flow", Rows = 1 }, new() { Streams = "plant/*", Rows = 2 }, new() { Streams = "?", Rows = 3 }];

        Assert.Equal(1, AlertRule.Of(rules, "plant/1/flow")?.Rows);
        Assert.Equal(2, AlertRule.Of(rules, "plant/1/level")?.Rows);
        Assert.Equal(3, AlertRule.Of(rules, "x")?.Rows);
        Assert.Null(AlertRule.Of(rules, "other"));
    }

    [Fact]
    public void A_spike_up_opens_nothing_where_only_values_below_count()
    {
        Run down = Run.Of(Spiked(15), new AlertRule { Direction = AlertDirection.Down });
        Run up = Run.Of(Spiked(15), new AlertRule { Direction = AlertDirection.Up });

        Assert.DoesNotContain(DailySeries.Spike, down.OpenedRows);
        Assert.Equal(1, down.Suppressed(SuppressedBy.Direction));
        Assert.Contains(DailySeries.Spike, up.OpenedRows);
        Assert.Equal(SuppressedBy.Direction, down.Explained(DailySeries.Spike).SuppressedBy);
        Assert.Contains("side of the forecast", down.Explained(DailySeries.Spike).Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5, 0, true)]
    [InlineData(40, 0, false)]
    [InlineData(0, 0.1, true)]
    [InlineData(0, 4, false)]
    [InlineData(5, 4, false)]
    public void A_spike_of_fifteen_opens_where_it_is_far_enough_from_its_forecast(double absolute, double relative, bool opens)
    {
        Run run = Run.Of(Spiked(15), new AlertRule { MinDeviation = absolute, MinRelativeDeviation = relative });

        Assert.Equal(opens, run.OpenedRows.Contains(DailySeries.Spike));
        Assert.Equal(opens ? 0 : 1, run.Suppressed(SuppressedBy.Deviation));
    }

    [Fact]
    public void A_standstill_is_no_deviation()
    {
        double[] series = DailySeries.Clean(1, 2600);
        Array.Fill(series, series[2200], 2200, 300);

        Run run = Run.Of(series, new AlertRule { MinDeviation = 1e9 });

        Assert.Contains(run.Incidents, incident => incident is { State: IncidentState.Opened, Kind: IncidentKind.Flatline });
    }

    [Fact]
    public void One_odd_row_opens_nothing_where_three_of_five_are_asked_for_but_a_shift_does()
    {
        var rule = new AlertRule { Rows = 3, RowsOf = 5 };
        Run spike = Run.Of(Spiked(15), rule), shift = Run.Of(Shifted(15), rule);

        Assert.DoesNotContain(DailySeries.Spike, spike.OpenedRows);
        Assert.True(spike.Suppressed(SuppressedBy.NOfM) > 0);
        Assert.Contains(shift.OpenedRows, row => row is >= DailySeries.Spike + 2 and < DailySeries.Spike + 10);
    }

    [Fact]
    public void Nothing_opens_for_as_long_as_the_cooldown_asks_after_an_incident()
    {
        double[] series = Spiked(15);
        series[DailySeries.Spike + 400] += 60;
        Run free = Run.Of(series), cooled = Run.Of(series, new AlertRule { Cooldown = TimeSpan.FromMinutes(500) });
        Run shorter = Run.Of(series, new AlertRule { Cooldown = TimeSpan.FromMinutes(200) });

        Assert.Contains(DailySeries.Spike + 400, free.OpenedRows);
        Assert.DoesNotContain(DailySeries.Spike + 400, cooled.OpenedRows);
        Assert.Equal(1, cooled.Suppressed(SuppressedBy.RuleCooldown));
        Assert.Contains(DailySeries.Spike + 400, shorter.OpenedRows);
    }

    [Fact]
    public void Incidents_open_with_the_severity_asked_for_at_least()
    {
        Run run = Run.Of(Spiked(14), new AlertRule { SeverityMin = IncidentSeverity.Critical });
        Run any = Run.Of(Spiked(14));

        Assert.All(run.Incidents, incident => Assert.Equal(IncidentSeverity.Critical, incident.Severity));
        Assert.Contains(any.Incidents, incident => incident.Severity < IncidentSeverity.Critical);
        Assert.True(run.Suppressed(SuppressedBy.Severity) > 0);
    }

    [Fact]
    public void Settings_outside_their_ranges_are_refused()
    {
        AlertRule[] wrong =
        [
            new() { MinDeviation = -1 }, new() { MinRelativeDeviation = -1 }, new() { Rows = 2 }, new() { Rows = 0 }, new() { RowsOf = 65 },
            new() { Cooldown = TimeSpan.FromSeconds(-1) }, new() { Budget = 1001 }, new() { BudgetPer = TimeSpan.Zero }, new() { AcceptAfter = -1 },
        ];

        Assert.All(wrong, rule => Assert.Throws<ArgumentOutOfRangeException>(() => Run.Of([], rule)));
    }

    internal static double[] Spiked(double height)
    {
        double[] series = DailySeries.Clean(1, 2800);
        series[DailySeries.Spike] += height;
        return series;
    }

    internal static double[] Shifted(double height, int seed = 1, int rows = 3800)
    {
        double[] series = DailySeries.Clean(seed, rows);

        for (int row = DailySeries.Spike; row < series.Length; row++)
        {
            series[row] += height;
        }

        return series;
    }

    /// <summary>One series through a shard of its own, a row a minute.</summary>
    internal sealed class Run
    {
        private readonly BaseModel _model = BaseModel.Untrained(1);
        private readonly Dictionary<long, Explanation> _explained = [];

        public Run(params AlertRule[] rules) => Shard = New(rules);

        public DetectionShard Shard { get; private set; }

        public ShardOutput Output { get; } = new();

        public List<ScoredObservation> Scored => Output.Scored;

        public List<IncidentEvent> Incidents => Output.Incidents;

        public int[] OpenedRows =>
            [.. Incidents.Where(i => i.State == IncidentState.Opened).Select(i => (int)(i.Time - Start).TotalMinutes)];

        public static Run Of(double[] series, params AlertRule[] rules)
        {
            var run = new Run(rules);
            run.Feed("a", series, 0, series.Length);
            return run;
        }

        public void Feed(string stream, double[] series, int from, int to, TimeSpan later = default)
        {
            for (int row = from; row < to; row++)
            {
                Shard.Apply([new Observation(stream, Start.AddMinutes(row) + later, series[row])], Start.AddYears(1), _model, Output);

                if (row >= DailySeries.Spike)
                {
                    _explained[row] = Shard.Explain(stream, null, out _)!;
                }
            }
        }

        /// <summary>One observation that comes at its own time.</summary>
        public void Live(string stream, int row, double value)
        {
            Shard.Tick(Start.AddMinutes(row), TimeSpan.FromMinutes(1), Output);
            Shard.Apply([new Observation(stream, Start.AddMinutes(row), value)], Start.AddMinutes(row), _model, Output);
        }

        /// <summary>Time goes on from one minute to another.</summary>
        public void TickTo(int from, int to)
        {
            for (int row = from; row <= to; row++)
            {
                Shard.Tick(Start.AddMinutes(row), TimeSpan.FromMinutes(1), Output);
            }
        }

        public int Suppressed(SuppressedBy reason) => Output.Suppressed[(int)reason];

        public Explanation Explained(long row) => _explained[row];

        /// <summary>Goes on with a shard that was read from what the present one has written.</summary>
        public void Restart(params AlertRule[] rules)
        {
            using var file = new MemoryStream();
            using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
            {
                Shard.Save(writer);
            }

            file.Position = 0;
            Shard = New(rules);
            Shard.Load(new BinaryReader(file), _model);
            Assert.Equal(file.Length, file.Position);
        }

        private static DetectionShard New(AlertRule[] rules) =>
            new(new DetectionOptions { AlertRules = rules }, new StreamQuota(10, 10), 0, 1, new DetectionScratch());
    }
}
