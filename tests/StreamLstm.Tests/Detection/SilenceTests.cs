using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection;

/// <summary>A device that sends when something changes, or stores and sends later, has not died; one that has is told all the same.</summary>
public sealed class SilenceTests
{
    private const int MinutesPerDay = 24 * 60;

    /// <summary>A Monday, at midnight.</summary>
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 0, 0, 0, TimeSpan.Zero);
    private static readonly BaseModel Model = BaseModel.Untrained(1);

    private readonly ShardOutput _output = new();
    private readonly DetectionShard _shard = new(new DetectionOptions { Form = StreamForm.Lean }, new StreamQuota(10, 0), number: 0, shardCount: 1, new DetectionScratch());

    private IEnumerable<IncidentEvent> Silences => _output.Incidents.Where(incident => incident.Kind == IncidentKind.Silence);

    /// <summary>The door of an office: often by day, never by night or on weekends; then its battery is empty.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_device_that_sends_on_change_is_never_silent_by_night_or_weekend_and_is_when_it_has_died(int seed)
    {
        Office(days: 19, seed);
        Assert.Empty(Silences);

        // Twice the longest wait, a weekend of some 62 hours, on top of the night in which it died.
        int days = DaysUntilSilence(from: 19, atMost: 8);

        IncidentEvent silence = Assert.Single(Silences);
        Assert.Equal(IncidentState.Opened, silence.State);
        Assert.Contains("it comes when something changes, and was never quiet for longer than 2 d 9 h", silence.Explanation, StringComparison.Ordinal);
        Assert.InRange(days, 4, 7);
    }

    [Fact]
    public void One_that_dies_in_its_first_week_is_told_after_a_night_and_three_days()
    {
        Office(days: 3, seed: 1);
        int days = DaysUntilSilence(from: 3, atMost: 5);

        Assert.Single(Silences);
        Assert.Equal(3, days);
    }

    /// <summary>Readings of every ten seconds or so, each as it is made; and the same stored for ten minutes at a time, but for the first ones.</summary>
    [Fact]
    public void Stored_readings_are_scored_to_the_same_bits_as_those_that_were_sent_at_once()
    {
        ScoredObservation[] atOnce = Life(storedFrom: int.MaxValue, out int silences);
        Assert.Equal(0, silences);

        ScoredObservation[] stored = Life(storedFrom: 500, out silences);

        // The first wait cannot be told from a death.
        Assert.Equal(1, silences);
        Assert.Equal(2_000, stored.Length);
        Assert.Contains(atOnce, scored => scored.Evidence > 1);
        Assert.Equal(Bits(atOnce), Bits(stored));

        static IEnumerable<(DateTimeOffset, double, double?, double?, double?, double?, bool, Lifecycle)> Bits(ScoredObservation[] scored) =>
            scored.Select(one => (one.Time, one.AnomalyScore, one.Evidence, one.Expected, one.Lower, one.Upper, one.IsAlert, one.Lifecycle));
    }

    private static ScoredObservation[] Life(int storedFrom, out int silences)
    {
        var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(10, 10), number: 0, shardCount: 1, new DetectionScratch());
        var output = new ShardOutput();
        var random = new Random(5);
        var waiting = new List<Observation>();
        double time = 0;
        DateTimeOffset clock = Start;

        for (int row = 0; row < 2_000; row++)
        {
            time += 9 + (2 * random.NextDouble());
            waiting.Add(new Observation("s", Start.AddSeconds(time), Math.Sin(row / 20.0) + (0.1 * random.NextDouble()) + (row is 1_500 or 1_800 ? 5 : 0)));

            while (clock < Start.AddSeconds(time))
            {
                clock = clock.AddSeconds(1);
                shard.Tick(clock, TimeSpan.FromSeconds(1), output);
            }

            if (row < storedFrom || row % 60 == 59 || row == 1_999)
            {
                foreach (Observation observation in waiting)
                {
                    shard.Apply([observation], clock, Model, output);
                }

                waiting.Clear();
            }
        }

        silences = output.Incidents.Count(incident => incident.Kind == IncidentKind.Silence && incident.State == IncidentState.Opened);
        return [.. output.Scored];
    }

    /// <summary>Changes some three minutes apart from seven to ten at night on working days, at times far longer.</summary>
    private void Office(int days, int seed)
    {
        var random = new Random(seed);
        double next = 7 * 60;
        int state = 0;

        for (int minute = 0; minute < days * MinutesPerDay; minute++)
        {
            Tick(minute);
            int hour = minute / 60 % 24, weekday = minute / MinutesPerDay % 7;

            while (minute >= next && hour is >= 7 and < 22 && weekday < 5)
            {
                next = Math.Max(next, minute - random.NextDouble());
                _shard.Apply([new Observation("door", Start.AddMinutes(next), state ^= 1)], Start.AddMinutes(minute), Model, _output);
                next += -3 * Math.Log(1 - random.NextDouble()) * (random.Next(8) == 0 ? 10 : 1);
            }
        }
    }

    private int DaysUntilSilence(int from, int atMost)
    {
        int minute = from * MinutesPerDay;

        for (; minute < (from + atMost) * MinutesPerDay && !Silences.Any(); minute++)
        {
            Tick(minute);
        }

        return (minute / MinutesPerDay) - from;
    }

    private void Tick(int minute) => _shard.Tick(Start.AddMinutes(minute), TimeSpan.FromMinutes(1), _output);
}
