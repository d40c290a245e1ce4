using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class VectorRowTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly BaseModel Model = BaseModel.Untrained(1);

    private readonly ShardOutput _output = new();

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 5)]
    [InlineData(3, 7)]
    public void A_broken_correlation_opens_an_incident_within_sixty_rows_that_names_the_column(int seed, int column)
    {
        const int Fault = 5_000;
        List<double[]> rows = Plant.Rows(seed, 8, Fault + 120);
        Plant.Break(rows, column, Fault);

        IncidentEvent opened = Feed(NewShard(), rows, Plant.Names(8)).First(incident => incident.State == IncidentState.Opened && incident.Time >= At(Fault));

        Assert.InRange((opened.Time - At(Fault)).TotalSeconds, 0, 60);
        Assert.Equal($"c{column}", opened.Attribution.MaxBy(share => share.Value).Key);
        Assert.Equal(1, opened.Attribution.Values.Sum(), 9);
        ColumnFigure figure = opened.Columns!.Single(one => one.Column == $"c{column}");
        Assert.InRange(figure.Expected!.Value, figure.Lower!.Value, figure.Upper!.Value);
        Assert.Equal(opened.Attribution[figure.Column], figure.Share);
        Assert.Contains($"c{column} ", opened.Explanation.Split(", expected ")[0], StringComparison.Ordinal);
        Assert.Contains("in similar stretches ", opened.Explanation, StringComparison.Ordinal);
        Assert.InRange(opened.Score, 50, 100);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(16)]
    public void A_column_that_leaves_the_others_is_found_whenever_it_does(int columns)
    {
        int[] faults = [1_100, 1_500, 2_600, 5_000];

        int found = faults.Count(fault =>
        {
            List<double[]> rows = Plant.Rows(fault, columns, fault + 400);
            Plant.Break(rows, 1, fault);
            _output.Clear();
            return Feed(NewShard(), rows, Plant.Names(columns)).Any(incident => incident.State == IncidentState.Opened && incident.Time >= At(fault));
        });

        Assert.Equal(faults.Length, found);
    }

    [Fact]
    public void The_same_joint_fault_is_told_each_of_the_seven_times_it_comes()
    {
        int[] faults = [.. Enumerable.Range(0, 7).Select(i => 3_000 + (600 * i) + (37 * i * i))];
        List<double[]> rows = Plant.Rows(9, 4, 8_500);
        Array.ForEach(faults, fault => rows[fault..(fault + 40)].ForEach(row => (row[1], row[2]) = (row[1] + 12, row[2] - 12)));

        IncidentEvent[] opened = [.. Feed(NewShard(), rows, Plant.Names(4)).Where(incident => incident.State == IncidentState.Opened)];

        Assert.All(faults, fault => Assert.Single(opened, incident => incident.Time >= At(fault) && incident.Time < At(fault + 40)));
    }

    [Fact]
    public void A_fault_longer_than_rows_wait_before_they_teach_stays_told()
    {
        List<double[]> rows = Plant.Rows(9, 4, 5_000);
        rows[4_000..4_700].ForEach(row => (row[1], row[2]) = (row[1] + 12, row[2] - 12));

        IncidentEvent[] incidents = [.. Feed(NewShard(), rows, Plant.Names(4)).Where(incident => incident.Time >= At(4_000))];

        Assert.Single(incidents, incident => incident.State == IncidentState.Opened);
        Assert.InRange((incidents.First(incident => incident.State == IncidentState.Closed).Time - At(4_700)).TotalSeconds, 0, 120);
    }

    [Fact]
    public void Eight_clean_columns_alert_at_most_three_times_in_a_day_of_seconds()
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            Feed(NewShard(), Plant.Rows(seed, 8, 86_400), Plant.Names(8));
        }

        Assert.InRange(_output.Incidents.Count(incident => incident.State == IncidentState.Opened), 0, 3 * 3);
    }

    [Fact]
    public void An_incident_that_ends_is_closed_and_a_lasting_one_is_told_once_at_first()
    {
        List<double[]> rows = Plant.Rows(4, 5, 4_000);

        for (int row = 3_000; row < 3_100; row++)
        {
            rows[row][2] += 15;
        }

        IncidentEvent[] incidents = [.. Feed(NewShard(), rows, Plant.Names(5)).Where(incident => incident.Time >= At(3_000))];

        Assert.Single(incidents, incident => incident.State == IncidentState.Opened);
        Assert.InRange((Assert.Single(incidents, incident => incident.State == IncidentState.Closed).Time - At(3_100)).TotalSeconds, 0, 120);
    }

    [Fact]
    public void A_column_that_follows_another_is_expected_where_that_one_was()
    {
        var random = new Random(9);
        List<double[]> rows = [[0, 0, 0]];

        for (int row = 1; row < 4_000; row++)
        {
            rows.Add([random.NextDouble(), rows[^1][0] + (0.05 * random.NextDouble()), random.NextDouble()]);
        }

        Feed(NewShard(new VectorOptions { Columns = ["a", "b"], Context = ["c"] }), rows, ["a", "b", "c"]);

        ColumnFigure[] figures = [.. _output.Scored.Skip(3_000).Select(one => one.Columns![1])];
        Assert.InRange(figures.Average(figure => Math.Abs(figure.Actual!.Value - figure.Expected!.Value)), 0, 0.15);
        Assert.InRange(figures.Average(figure => figure.Actual >= figure.Lower && figure.Actual <= figure.Upper ? 1 : 0), 0.96, 0.995);
        Assert.All(_output.Scored.Skip(3_000), one => Assert.NotNull(one.Columns![2].Expected));
    }

    [Fact]
    public void After_a_gap_a_record_is_told_what_similar_stretches_had_and_the_next_what_was_forecast()
    {
        DetectionShard shard = NewShard();
        List<double[]> rows = Plant.Rows(8, 3, 1_002);
        Feed(shard, rows[..1_000], Plant.Names(3));
        _output.Clear();

        Apply(shard, 2_000, Plant.Names(3), rows[1_000]);
        Apply(shard, 2_001, Plant.Names(3), rows[1_001]);

        // A band holds 98 in a hundred values, five neighbours lie close together.
        double[] widths = [.. _output.Scored.Select(one => one.Columns!.Average(column => column.Upper!.Value - column.Lower!.Value))];
        Assert.InRange(widths[1] / widths[0], 2, 100);
    }

    [Fact]
    public void A_stream_says_how_far_its_warm_up_is()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Plant.Rows(1, 3, 700), Plant.Names(3));

        List<ScoredObservation> scored = _output.Scored;
        Assert.Equal((Lifecycle.Learning, Lifecycle.Calibrating, Lifecycle.Active), (scored[447].Lifecycle, scored[450].Lifecycle, scored[608].Lifecycle));
        Assert.True(scored.Zip(scored.Skip(1)).All(pair => pair.First.Progress <= pair.Second.Progress));
        Assert.Equal(1, scored[608].Progress);
        Assert.All(scored[..608], one => Assert.Equal((0, null), (one.AnomalyScore, one.Evidence)));
        Assert.All(scored[608..], one => Assert.NotNull(one.Evidence));
        Assert.All(scored[608..], one => Assert.Equal(one.Value > 0 ? 1 : 0, one.Columns!.Sum(column => column.Share), 9));
    }

    [Fact]
    public void Columns_are_those_of_the_first_sixteen_records_in_whatever_order_they_come()
    {
        DetectionShard shard = NewShard();

        for (int row = 0; row < 16; row++)
        {
            Apply(shard, row, row == 9 ? ["b", "c", "a"] : row % 2 == 0 ? ["a", "b"] : ["b", "a"], row == 9 ? [2, 3, 1] : row % 2 == 0 ? [1, 2] : [2, 1]);
        }

        Apply(shard, 16, ["c", "new", "b"], [3.5, 9, 2.5]);

        Assert.Equal(["a", "b", "c"], ((RecordJudge)Assert.Single(shard.Rows).Judge).Columns);
        Assert.Equal([null, 2.5, 3.5], _output.Scored[^1].Columns!.Select(column => column.Actual));
        Assert.Equal(1, _output.ValuesOfUnknownColumns);
        Assert.Equal(17, _output.Scored.Count);
    }

    [Fact]
    public void At_most_128_columns_are_learnt_and_further_ones_are_counted()
    {
        DetectionShard shard = NewShard();

        for (int row = 0; row < 17; row++)
        {
            Apply(shard, row, Plant.Names(130), Plant.Rows(row, 130, 1)[0]);
        }

        Assert.Equal(128, ((RecordJudge)Assert.Single(shard.Rows).Judge).Columns.Count);
        Assert.Equal(17 * 2, _output.ValuesOfUnknownColumns);
    }

    [Fact]
    public void A_stream_of_one_column_is_refused_until_a_second_one_shows()
    {
        DetectionShard shard = NewShard();

        for (int row = 0; row < 20; row++)
        {
            Apply(shard, row, ["a"], [row]);
        }

        Assert.Equal((16, 4), (_output.Scored.Count, _output.Rejected[(int)RejectionReason.TooFewColumns]));

        Apply(shard, 20, ["a", "b"], [1, 2]);

        Assert.Equal(["a", "b"], ((RecordJudge)Assert.Single(shard.Rows).Judge).Columns);
    }

    [Fact]
    public void Configured_columns_are_taken_in_their_order_and_context_is_not_scored()
    {
        DetectionShard shard = NewShard(new VectorOptions { Columns = ["c2", "c0", "c3"], Context = ["c0"] });
        List<double[]> rows = Plant.Rows(5, 4, 3_200);
        rows.Skip(3_000).ToList().ForEach(row => row[0] += 500);

        Feed(shard, rows, Plant.Names(4));

        var judged = (RecordJudge)Assert.Single(shard.Rows).Judge;
        Assert.Equal((3, 2), (judged.Columns.Count, judged.ScoredColumns));
        Assert.Equal(["c2", "c3", "c0"], judged.Columns);
        Assert.All(_output.Scored, one => Assert.Equal(0, one.Columns![2].Share));
        Assert.True(_output.Scored[^1].Columns![2].IsContext);
        Assert.Equal(3_200, _output.ValuesOfUnknownColumns);
    }

    [Theory]
    [InlineData(MissingPolicy.Ignore)]
    [InlineData(MissingPolicy.Previous)]
    [InlineData(MissingPolicy.Fixed)]
    [InlineData(MissingPolicy.Model)]
    public void A_missing_value_is_masked_or_given_by_the_policy_and_never_alerts_by_itself(MissingPolicy missing)
    {
        DetectionShard shard = NewShard(new VectorOptions { Missing = missing, Fixed = 0.5 });
        List<double[]> rows = Plant.Rows(6, 5, 3_000);
        double[] gone = [.. rows.Select(row => row[3])];
        int[] lacking = [.. Enumerable.Range(1_000, 2_000).Where(row => row % 10 < 3)];
        Array.ForEach(lacking, row => rows[row][3] = double.NaN);

        IReadOnlyList<IncidentEvent> incidents = Feed(shard, rows, Plant.Names(5));

        Assert.InRange(incidents.Count(incident => incident.State == IncidentState.Opened), 0, 2);
        ColumnFigure[] figures = [.. lacking.Select(row => _output.Scored[row].Columns![3])];
        Assert.All(figures, figure => Assert.Equal(missing != MissingPolicy.Ignore, figure.IsImputed));
        Assert.All(lacking.Zip(figures), pair => Assert.Equal(
            missing switch
            {
                MissingPolicy.Previous => rows[pair.First / 10 * 10 - 1][3],
                MissingPolicy.Fixed => 0.5,
                MissingPolicy.Model => pair.Second.Actual,
                _ => null,
            },
            pair.Second.Actual));

        if (missing == MissingPolicy.Model)
        {
            // The others say what the load was: far nearer than the column's own spread of 4.
            Assert.InRange(lacking.Average(row => Math.Abs(gone[row] - _output.Scored[row].Columns![3].Actual!.Value)), 0, 1.5);
        }
    }

    [Fact]
    public void A_bad_value_is_masked_and_counted_and_the_row_is_not_lost()
    {
        DetectionShard shard = NewShard(new VectorOptions { Columns = ["a", "b", "c"] });

        Apply(shard, 0, ["a", "b", "c"], [1, 1e308, double.NegativeInfinity]);
        Apply(shard, 1, ["a", "b", "c"], [1, 2, double.NaN]);

        Assert.Equal((2, 2, 0), (_output.Scored.Count, _output.ValuesMasked, _output.Rejected.Sum()));
        Assert.Equal([1, null, null], _output.Scored[0].Columns!.Select(column => column.Actual));
    }

    [Fact]
    public void The_record_policy_is_that_of_single_values()
    {
        DetectionShard shard = NewShard();
        Apply(shard, 5, ["a", "b"], [1, 2]);
        Apply(shard, 5, ["a", "b"], [1, 2]);
        Apply(shard, 5, ["a", "b"], [1, 3]);
        Apply(shard, 4, ["a", "b"], [1, 2]);
        shard.Apply([Observation.Of("s", Start.AddYears(10), new ObservedRecord(["a", "b"], [1, 2]))], Start, Model, _output);
        shard.Apply([Observation.Of("", Start, new ObservedRecord(["a", "b"], [1, 2]))], Start, Model, _output);

        RejectionReason[] expected = [RejectionReason.Duplicate, RejectionReason.Conflict, RejectionReason.Late, RejectionReason.Future, RejectionReason.BadStreamName];
        Assert.All(expected, reason => Assert.Equal(1, _output.Rejected[(int)reason]));
        Assert.Single(_output.Scored);
    }

    [Fact]
    public void A_name_stands_for_values_or_for_records_and_never_for_both()
    {
        DetectionShard shard = NewShard();

        shard.Apply([new("s", At(0), 1), Observation.Of("s", At(1), new ObservedRecord(["a", "b"], [1, 2]))], At(1), Model, _output);
        shard.Apply([Observation.Of("t", At(0), new ObservedRecord(["a", "b"], [1, 2])), new("t", At(1), 1)], At(1), Model, _output);

        Assert.Equal(2, _output.Rejected[(int)RejectionReason.OtherKind]);
        Assert.Equal(2, _output.Scored.Count);
    }

    [Fact]
    public void Records_that_no_rule_admits_are_refused_and_the_first_rule_that_matches_counts()
    {
        DetectionShard shard = NewShard(new VectorOptions { Streams = "plant/?/boiler", Columns = ["x", "y"] }, new VectorOptions { Streams = "plant/*", Columns = ["a", "b"] });

        foreach (string stream in (string[])["plant/1/boiler", "plant/12/boiler", "host/1"])
        {
            shard.Apply([Observation.Of(stream, At(0), new ObservedRecord(["a", "x"], [1, 2]))], At(0), Model, _output);
        }

        Assert.Equal(["x,y", "a,b"], shard.Rows.Select(row => string.Join(',', ((RecordJudge)row.Judge).Columns)));
        Assert.Equal(1, _output.Rejected[(int)RejectionReason.OtherKind]);
    }

    [Fact]
    public void Silence_opens_an_incident_and_the_next_record_closes_it()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Plant.Rows(1, 3, 100), Plant.Names(3));

        for (int second = 0; second < 15; second++)
        {
            shard.Tick(At(100 + second), TimeSpan.FromSeconds(1), _output);
        }

        Assert.Equal(Lifecycle.Silent, Assert.Single(shard.Rows).Lifecycle);
        Assert.Equal(IncidentKind.Silence, Assert.Single(_output.Incidents).Kind);
        Assert.Equal(1, _output.Incidents[0].Attribution["silence"]);

        Apply(shard, 120, Plant.Names(3), [1, 2, 3]);

        Assert.Equal(IncidentState.Closed, _output.Incidents[^1].State);
    }

    [Fact]
    public void Nothing_is_decided_while_windows_reach_over_a_gap()
    {
        List<double[]> rows = Plant.Rows(3, 4, 2_100);
        DetectionShard shard = NewShard();
        var record = Plant.Names(4);

        for (int row = 0; row < rows.Count; row++)
        {
            // After an hour's gap the plant runs under another load: unlike what went before, but for that gap.
            double[] values = row < 2_000 ? rows[row] : [.. rows[row].Select((value, column) => value + 4 * (column + 1))];
            Apply(shard, row < 2_000 ? row : row + 3_600, record, values);
        }

        Assert.DoesNotContain(_output.Incidents, incident => incident.State == IncidentState.Opened && incident.Time >= At(5_600) && incident.Time < At(5_632));
    }

    [Theory]
    [InlineData(7)]
    [InlineData(420)]
    [InlineData(2_020)]
    public void Saved_and_loaded_in_the_middle_it_says_the_same_to_the_last_bit(int at)
    {
        List<double[]> rows = Plant.Rows(7, 4, 2_300);
        Plant.Break(rows, 1, 2_000);
        rows[2_010][2] = double.NaN;
        DetectionShard whole = NewShard(new VectorOptions { Missing = MissingPolicy.Previous });
        DetectionShard first = NewShard(new VectorOptions { Missing = MissingPolicy.Previous });
        DetectionShard second = NewShard(new VectorOptions { Missing = MissingPolicy.Previous });
        string[] names = Plant.Names(4);

        Feed(whole, rows, names);
        string[] expected = Told();
        Feed(first, rows[..at], names);
        var bytes = new MemoryStream();
        first.Save(new BinaryWriter(bytes));
        bytes.Position = 0;
        second.Load(new BinaryReader(bytes), Model);
        Assert.Equal(bytes.Length, bytes.Position);

        for (int row = at; row < rows.Count; row++)
        {
            Apply(second, row, names, rows[row]);
        }

        Assert.Equal(expected, Told());

        string[] Told()
        {
            string[] told =
            [
                .. _output.Scored.Select(one => $"{one.Time:O} {one.AnomalyScore:R} {one.Score:R} {string.Join(';', one.Columns!.Select(column => $"{column.Actual:R} {column.Expected:R} {column.Share:R}"))}"),
                .. _output.Incidents.Select(incident => $"{incident.Id} {incident.State} {incident.Explanation}"),
            ];
            _output.Clear();
            return told;
        }
    }

    [Fact]
    public void A_stream_whose_columns_are_configured_otherwise_now_starts_anew_and_one_without_a_rule_is_left_out()
    {
        DetectionShard before = NewShard();
        Feed(before, Plant.Rows(1, 3, 500), Plant.Names(3));
        var bytes = new MemoryStream();
        before.Save(new BinaryWriter(bytes));

        var same = (RecordJudge)Assert.Single(Restored().Rows).Judge;
        var other = (RecordJudge)Assert.Single(Restored(new VectorOptions { Columns = ["c0", "c1"] }).Rows).Judge;

        Assert.Equal((500, 3), (same.Rows, same.Columns.Count));
        Assert.Equal((0, 2), (other.Rows, other.Columns.Count));
        Assert.Equal(0, Assert.Single(Restored(new VectorOptions { Context = ["c1"] }).Rows).Rows);
        Assert.Empty(Restored(new VectorOptions { Streams = "t" }).Rows);

        DetectionShard Restored(params VectorOptions[] vectors)
        {
            bytes.Position = 0;
            DetectionShard shard = NewShard(vectors);
            shard.Load(new BinaryReader(bytes), Model);
            Assert.Equal(bytes.Length, bytes.Position);
            return shard;
        }
    }

    [Theory]
    [InlineData(new[] { "a" }, new string[0], "columns: 1, of them 0 context, expected 2 to 128")]
    [InlineData(new[] { "a", "b" }, new[] { "b", "a" }, "at least one that is scored")]
    [InlineData(new[] { "a", "b", "a" }, new string[0], "expected each column once")]
    public void Columns_that_cannot_be_judged_together_are_refused_with_the_reason(string[] columns, string[] context, string expected)
    {
        var wrong = Assert.Throws<ArgumentException>(() => NewShard(new VectorOptions { Columns = columns, Context = context }));

        Assert.Contains(expected, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limit_of_streams_holds_for_records_too()
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(1, 1), 0, 1, new DetectionScratch());
        shard.Apply(
            [Observation.Of("s", At(0), new ObservedRecord(["a", "b"], [1, 2])), Observation.Of("t", At(0), new ObservedRecord(["a", "b"], [1, 2]))],
            At(0), Model, _output);

        Assert.Equal((1, 1), (_output.Scored.Count, _output.Rejected[(int)RejectionReason.StreamLimit]));
    }

    private static DateTimeOffset At(int row) => Start.AddSeconds(row);

    private static DetectionShard NewShard(params VectorOptions[] vectors) => new(
        vectors.Length == 0 ? new DetectionOptions() : new DetectionOptions { Vectors = vectors }, new StreamQuota(10, 10), 0, 1, new DetectionScratch());

    private void Apply(DetectionShard shard, int row, string[] names, double[] values) =>
        shard.Apply([Observation.Of("s", At(row), new ObservedRecord(names, values))], At(row), Model, _output);

    private List<IncidentEvent> Feed(DetectionShard shard, List<double[]> rows, string[] names)
    {
        for (int row = 0; row < rows.Count; row++)
        {
            Apply(shard, row, names, rows[row]);
        }

        Assert.Empty(_output.Faults);
        return _output.Incidents;
    }
}
