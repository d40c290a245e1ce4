using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class RecordPolicyTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ShardOutput _output = new();
    private readonly DetectionShard _shard = NewShard();

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(1.1e20)]
    [InlineData(-1e308)]
    public void A_value_that_cannot_be_measured_is_rejected_and_the_stream_goes_on(double bad)
    {
        Apply(("s", 0, 1), ("s", 1, bad), ("s", 2, 2));

        Assert.Equal(1, _output.Rejected[(int)RejectionReason.BadValue]);
        Assert.Equal([1, 2], _output.Scored.Select(scored => scored.Value));
    }

    [Fact]
    public void The_same_time_again_is_a_duplicate_or_a_conflict_and_the_first_wins()
    {
        Apply(("s", 0, 1), ("s", 0, 1), ("s", 0, 2), ("s", 1, 3));

        Assert.Equal(1, _output.Rejected[(int)RejectionReason.Duplicate]);
        Assert.Equal(1, _output.Rejected[(int)RejectionReason.Conflict]);
        Assert.Equal([1, 3], _output.Scored.Select(scored => scored.Value));
    }

    [Fact]
    public void An_older_time_is_late_and_not_scored()
    {
        Apply(("s", 5, 1), ("s", 4, 1), ("s", 6, 1));

        Assert.Equal(1, _output.Rejected[(int)RejectionReason.Late]);
        Assert.Equal(2, _output.Scored.Count);
    }

    [Fact]
    public void A_clock_far_ahead_is_rejected_and_does_not_mute_the_stream()
    {
        _shard.Apply(
            [new("s", Start, 1), new("s", Start.AddYears(10), 2), new("s", Start.AddSeconds(1), 3)], Start, BaseModel.Untrained(1), _output);

        Assert.Equal(1, _output.Rejected[(int)RejectionReason.Future]);
        Assert.Equal([1, 3], _output.Scored.Select(scored => scored.Value));
    }

    [Fact]
    public void One_time_that_was_wrong_does_not_mute_the_stream_for_ever()
    {
        Apply([.. Enumerable.Range(0, 30).Select(minute => ("s", minute, (double)minute))]);
        Apply(("s", 400_000, 30));
        Apply([.. Enumerable.Range(31, 40).Select(minute => ("s", minute, (double)minute))]);

        Assert.Equal(15, _output.Rejected[(int)RejectionReason.Late]);
        Assert.Equal(30 + 1 + 25, _output.Scored.Count);
        Assert.Equal(70, _output.Scored[^1].Value);
    }

    [Fact]
    public void Records_of_a_past_that_was_seen_before_stay_late()
    {
        Apply([.. Enumerable.Range(0, 100).Select(minute => ("s", minute, (double)minute))]);
        Apply([.. Enumerable.Range(0, 100).Select(minute => ("s", minute, (double)minute))]);

        Assert.Equal(99, _output.Rejected[(int)RejectionReason.Late]);
        Assert.Equal(100, _output.Scored.Count);
    }

    [Fact]
    public void The_last_instant_there_is_throws_nothing()
    {
        Assert.NotNull(new AnomalyDetector().Score(new Observation("s", DateTimeOffset.MaxValue, 1)));
    }

    [Fact]
    public void A_name_that_is_empty_or_too_long_is_rejected()
    {
        Apply(("", 0, 1), (new string('ä', 129), 0, 1), (new string('ä', 128), 0, 1));

        Assert.Equal(2, _output.Rejected[(int)RejectionReason.BadStreamName]);
        Assert.Single(_output.Scored);
    }

    [Fact]
    public void Streams_beyond_the_limit_are_rejected_and_known_ones_go_on()
    {
        DetectionShard shard = NewShard(streamsMax: 2);

        shard.Apply(
            [new("a", Start, 1), new("b", Start, 1), new("c", Start, 1), new("a", Start.AddSeconds(1), 1)],
            Start, BaseModel.Untrained(1), _output);

        Assert.Equal(1, _output.Rejected[(int)RejectionReason.StreamLimit]);
        Assert.Equal(["a", "b", "a"], _output.Scored.Select(scored => scored.Stream));
    }

    [Fact]
    public void Every_observation_is_scored_or_rejected()
    {
        var random = new Random(5);
        Observation[] observations =
        [
            .. Enumerable.Range(0, 5000).Select(i => new Observation(
                $"s{random.Next(3)}",
                Start.AddSeconds(i / 3 + random.Next(-2, 3)),
                random.Next(20) == 0 ? double.NaN : random.NextDouble())),
        ];

        _shard.Apply(observations, Start.AddSeconds(2000), BaseModel.Untrained(1), _output);

        Assert.Equal(observations.Length, _output.Scored.Count + _output.Rejected.Sum());
        Assert.All(_output.Scored, scored => Assert.True(double.IsFinite(scored.Score)));
    }

    [Fact]
    public void A_long_gap_resets_the_forecasts_and_nothing_alerts_until_they_are_whole()
    {
        double[] series = DailySeries.Clean(3, 1000);

        for (int row = 0; row < 900; row++)
        {
            Apply(("s", row, series[row]));
        }

        _output.Clear();
        Apply([.. Enumerable.Range(0, 20).Select(i => ("s", 50_000 + i, 500.0))]);

        Assert.Empty(_output.Incidents);
    }

    [Fact]
    public void A_stream_that_stops_opens_one_silence_and_closes_it_when_it_is_back()
    {
        Live(rows: 200, from: 0);
        Assert.Empty(_output.Incidents);

        Tick(seconds: 4);
        Assert.Empty(_output.Incidents);
        Tick(seconds: 20);
        IncidentEvent opened = Assert.Single(_output.Incidents);
        Assert.Equal((IncidentState.Opened, IncidentKind.Silence), (opened.State, opened.Kind));

        Tick(seconds: 100);
        Assert.Single(_output.Incidents);
        Live(rows: 1, from: 330);
        Assert.Equal(IncidentState.Closed, _output.Incidents[^1].State);
        Assert.Equal(opened.IncidentId, _output.Incidents[^1].IncidentId);
    }

    /// <summary>A device that stores 60 readings and sends them every ten minutes: six uploads, of which only the first could not be known.</summary>
    [Fact]
    public void A_device_that_uploads_what_it_has_stored_is_not_silent_between_uploads_and_is_when_it_stops()
    {
        int now = 200;
        Live(rows: 200, from: 0);

        for (int upload = 0; upload < 6; upload++)
        {
            for (int i = 0; i < 600; i++)
            {
                _shard.Tick(Start.AddSeconds(++now), TimeSpan.FromSeconds(1), _output);
            }

            for (int row = now - 600; row < now; row += 10)
            {
                _shard.Apply([new("s", Start.AddSeconds(row), row % 7)], Start.AddSeconds(now), BaseModel.Untrained(1), _output);
            }
        }

        Assert.Equal([IncidentState.Opened, IncidentState.Closed], _output.Incidents.Where(incident => incident.Kind == IncidentKind.Silence).Select(incident => incident.State));

        for (int i = 0; i < 3_000; i++)
        {
            _shard.Tick(Start.AddSeconds(++now), TimeSpan.FromSeconds(1), _output);
        }

        Assert.Equal(IncidentState.Opened, _output.Incidents.Last(incident => incident.Kind == IncidentKind.Silence).State);
        Assert.Equal(2, _output.Incidents.Count(incident => incident.Kind == IncidentKind.Silence && incident.State == IncidentState.Opened));
    }

    [Fact]
    public void A_stream_that_replays_the_past_never_falls_silent()
    {
        for (int row = 0; row < 200; row++)
        {
            _shard.Apply([new("s", Start.AddSeconds(row), row % 7)], Start.AddDays(30), BaseModel.Untrained(1), _output);
        }

        Tick(seconds: 3600);

        Assert.Empty(_output.Incidents);
    }

    private static DetectionShard NewShard(int streamsMax = 100) =>
        new(new DetectionOptions(), new StreamQuota(streamsMax, 100), number: 0, shardCount: 1, new DetectionScratch());

    private void Apply(params (string Stream, int Minute, double Value)[] observations)
    {
        Observation[] batch =
            [.. observations.Select(o => new Observation(o.Stream, Start.AddMinutes(o.Minute), o.Value))];
        _shard.Apply(batch, Start.AddYears(1), BaseModel.Untrained(1), _output);
    }

    private void Live(int rows, int from)
    {
        for (int row = from; row < from + rows; row++)
        {
            DateTimeOffset now = Start.AddSeconds(row);
            _shard.Apply([new("s", now, row % 7)], now, BaseModel.Untrained(1), _output);
            _shard.Tick(now, TimeSpan.FromSeconds(1), _output);
        }
    }

    private void Tick(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            _shard.Tick(Start.AddSeconds(200 + i), TimeSpan.FromSeconds(1), _output);
        }
    }
}
