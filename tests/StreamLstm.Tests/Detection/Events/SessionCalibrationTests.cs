using StreamLstm.Detection.Events;

namespace StreamLstm.Tests.Detection.Events;

public sealed class SessionCalibrationTests
{
    private static readonly SessionCalibration Calibration = new(Normal(1, 5000));

    [Fact]
    public void What_is_ordinary_to_every_witness_is_ordinary()
    {
        Assert.InRange(Calibration.Decades(new SessionEvidence(1, 1, 1, 1)), 0, 1);
    }

    [Theory]
    [InlineData(20, 1, 1, 1)]
    [InlineData(1, 20, 1, 1)]
    [InlineData(1, 1, 20, 1)]
    [InlineData(1, 1, 1, 20)]
    public void One_witness_is_enough_where_it_is_sure(double most, double order, double completeness, double counts)
    {
        Assert.InRange(Calibration.Decades(new SessionEvidence(most, order, completeness, counts)), 3, 10);
    }

    [Fact]
    public void Being_asked_four_times_makes_no_session_odder()
    {
        // As much evidence as one normal session in 400 has: some one of four witnesses finds as much in four of 400.
        double one = Math.Log(400);

        Assert.InRange(Calibration.Decades(new SessionEvidence(one, 0, 0, 0)), Math.Log10(400.0 / 4) - 0.3, Math.Log10(400.0 / 4) + 0.3);
    }

    [Fact]
    public void Where_two_witnesses_always_agree_another_is_still_heard()
    {
        var calibration = new SessionCalibration([.. Normal(1, 5000).Select(one => one with { Counts = 10 * one.Completeness })]);

        Assert.InRange(calibration.Decades(new SessionEvidence(Event: 0, Order: 12, Completeness: 0, Counts: 0)), 3, 10);
    }

    [Fact]
    public void Three_decades_are_one_fresh_normal_session_in_a_thousand()
    {
        int flagged = Normal(2, 100_000).Count(one => Calibration.Decades(one) >= 3);

        Assert.InRange(flagged, 33, 300);
    }

    [Fact]
    public void More_evidence_never_counts_for_less()
    {
        var tail = new SessionTail(Normal(1, 5000).Select(one => one.Order), unit: 1);
        double[] decades = [.. Enumerable.Range(0, 300).Select(i => tail.Decades(i / 10.0))];

        Assert.Equal(decades.Order(), decades);
    }

    [Fact]
    public void One_odd_session_among_the_normal_ones_does_not_excuse_the_next()
    {
        double[] normal = [.. Normal(1, 5000).Select(one => one.Order)];

        double before = new SessionTail(normal, unit: 1).Decades(30);
        double after = new SessionTail(normal.Append(200), unit: 1).Decades(30);

        Assert.InRange(after, 0.8 * before, 1.2 * before);
    }

    [Fact]
    public void Where_normal_sessions_are_all_alike_a_nat_makes_e_times_rarer()
    {
        var tail = new SessionTail(Enumerable.Repeat(0.0, 1000), unit: 1);

        Assert.Equal(0, tail.Decades(0));
        Assert.Equal(10 * Math.Log10(Math.E), tail.Decades(11) - tail.Decades(1), 9);
    }

    [Fact]
    public void As_few_as_two_normal_sessions_give_a_tail()
    {
        Assert.Equal(0, new SessionTail([1, 1], unit: 1).Decades(1));
        Assert.InRange(new SessionTail([1, 2], unit: 1).Decades(20), 3, 10);
    }

    /// <summary>Four independent witnesses, exponential with a mean of 1 nat.</summary>
    private static SessionEvidence[] Normal(int seed, int count)
    {
        var random = new Random(seed);
        double One() => -Math.Log(1 - random.NextDouble());
        return [.. Enumerable.Range(0, count).Select(_ => new SessionEvidence(One(), One(), One(), One()))];
    }
}
