using CsCheck;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection;

public sealed class StatisticsTests
{
    [Fact]
    public void A_reservoir_stays_sorted_and_bounded()
    {
        Gen.Double[-1e9, 1e9].Array[1, 400].Sample(values =>
        {
            var random = new SeededRandom(1);
            var reservoir = new SortedReservoir(capacity: 50, horizon: 100);

            foreach (double value in values)
            {
                reservoir.Add(value, ref random);
            }

            double[] sorted = reservoir.Sorted.ToArray();
            Assert.Equal(Math.Min(50, values.Length), sorted.Length);
            Assert.Equal(sorted.Order(), sorted);
            Assert.All(sorted, value => Assert.Contains(value, values));
        });
    }

    [Fact]
    public void Ranks_and_quantiles_of_a_small_reservoir_are_those_of_its_values()
    {
        var random = new SeededRandom(1);
        var reservoir = new SortedReservoir(capacity: 10, horizon: 100);

        foreach (double value in (double[])[3, 1, 2, 2, 5])
        {
            reservoir.Add(value, ref random);
        }

        Assert.Equal((1, 3), (reservoir.CountLess(2), reservoir.CountLessOrEqual(2)));
        Assert.Equal(2, reservoir.Quantile(0.5));
        Assert.Equal(4, reservoir.Quantile(0.875));
        Assert.Equal(-0.1, reservoir.CentredRank(2), 1e-12);
    }

    [Fact]
    public void A_rank_is_what_counting_makes_it_whether_a_value_has_equals_or_none()
    {
        Gen.Int[0, 12].Array[1, 60].Sample(values =>
        {
            var random = new SeededRandom(1);
            var reservoir = new SortedReservoir(capacity: 60, horizon: 100);
            Array.ForEach(values, value => reservoir.Add(value, ref random));

            for (double value = -0.5; value <= 13; value += 0.5)
            {
                int less = values.Count(one => one < value), lessOrEqual = values.Count(one => one <= value);
                Assert.Equal((less, lessOrEqual), (reservoir.CountLess(value), reservoir.CountLessOrEqual(value)));
                Assert.Equal((less + lessOrEqual) / (2.0 * values.Length) - 0.5, reservoir.CentredRank(value));
            }
        });
    }

    [Theory]
    [InlineData(0.5, 0)]
    [InlineData(0.158655254, 1)]
    [InlineData(0.0013498980, 3)]
    [InlineData(2.866515719e-7, 5)]
    public void The_normal_quantile_is_the_tables(double tail, double z)
    {
        Assert.Equal(z, NormalDistribution.UpperQuantile(tail), 1e-6);
        Assert.Equal(-z, NormalDistribution.UpperQuantile(1 - tail), 1e-6);
    }

    [Theory]
    [InlineData(12, 500)]
    [InlineData(50, 600)]
    [InlineData(288, 2000)]
    public void A_period_is_found_within_a_hundredth_of_its_length(int period, int rows)
    {
        var random = new Random(2);
        double[] y = [.. Enumerable.Range(0, rows).Select(row => Math.Sin(2 * Math.PI * row / period) + 0.3 * Chance.Normal(random))];

        Assert.InRange(Period.Find(y, new Autocorrelation()), period - 1 - (period / 100), period + 1 + (period / 100));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(6)]
    [InlineData(-60)]
    public void A_period_is_found_whatever_the_values_rise_or_fall_by_in_all(double rise)
    {
        var random = new Random(2);
        double[] y = [.. Enumerable.Range(0, 4096).Select(row => rise * row / 4096 + Math.Sin(2 * Math.PI * row / 360) + 0.3 * Chance.Normal(random))];

        Assert.InRange(Period.Find(y, new Autocorrelation()), 356, 364);
    }

    [Fact]
    public void Noise_constants_and_straight_lines_have_no_period()
    {
        var random = new Random(3);

        Assert.Equal(0, Period.Find(Enumerable.Range(0, 1000).Select(_ => Chance.Normal(random)).ToArray(), new Autocorrelation()));
        Assert.Equal(0, Period.Find(Enumerable.Repeat(3.0, 1000).ToArray(), new Autocorrelation()));
        Assert.Equal(0, Period.Find(Enumerable.Range(0, 1000).Select(row => row + Chance.Normal(random)).ToArray(), new Autocorrelation()));
        Assert.Equal(0, Period.Find(Enumerable.Range(0, 1000).Select(row => 0.1 * row).ToArray(), new Autocorrelation()));
    }

    [Fact]
    public void A_coreset_stays_bounded_finds_the_nearest_member_and_survives_a_restart()
    {
        var random = new Random(7);
        var coreset = new Coreset(dimension: 5, capacity: 100, step: 1 / 20.0);
        List<float[]> shown = [];

        for (int i = 0; i < 3000; i++)
        {
            float[] vector = [.. Enumerable.Range(0, 5).Select(_ => (float)Chance.Normal(random))];
            shown.Add(vector);
            coreset.Add(vector);
        }

        var restored = new Coreset(dimension: 5, capacity: 100, step: 1 / 20.0);
        using var file = new MemoryStream();
        coreset.Save(new BinaryWriter(file));
        file.Position = 0;
        restored.Load(new BinaryReader(file));

        Assert.InRange(coreset.Count, 50, 100);
        Assert.All(shown, vector => Assert.InRange(coreset.Novelty(vector), 0, 2.5));
        Assert.InRange(coreset.Novelty([6, 6, 6, 6, 6]), 6, 14);
        Assert.Equal(shown.Select(vector => coreset.Novelty(vector)), shown.Select(vector => restored.Novelty(vector)));
    }

    [Fact]
    public void A_coreset_with_room_gives_the_distance_to_the_nearest_vector_it_was_shown()
    {
        var random = new Random(8);
        var coreset = new Coreset(dimension: 7, capacity: 500, step: 1 / 20.0);
        float[][] shown = [.. Enumerable.Range(0, 200).Select(_ => Vector())];

        foreach (float[] vector in shown)
        {
            coreset.Add(vector);
        }

        for (int i = 0; i < 100; i++)
        {
            float[] query = Vector();
            double nearest = shown.Min(vector => Math.Sqrt(vector.Zip(query, (a, b) => (a - b) * (a - b)).Sum()));
            Assert.Equal(nearest, coreset.Novelty(query), 0.1);
        }

        float[] Vector() => [.. Enumerable.Range(0, 7).Select(_ => (float)Chance.Normal(random))];
    }

    [Fact]
    public void The_autocorrelation_is_the_sum_of_products_at_every_lag()
    {
        var random = new Random(3);
        double[] y = [.. Enumerable.Range(0, Autocorrelation.LengthMax).Select(_ => Chance.Normal(random))];

        Span<double> products = new Autocorrelation().Products(y, 2001);

        foreach (int lag in (int[])[0, 1, 7, 500, 2000])
        {
            Assert.Equal(Enumerable.Range(lag, y.Length - lag).Sum(i => y[i] * y[i - lag]), products[lag], 1e-7);
        }
    }

    [Fact]
    public void E_values_merge_to_their_mean_and_the_shares_sum_to_one()
    {
        double[] scores = [2, 0, 0, 0];
        var shares = new double[4];

        ScoreCombination.Attribute(scores, shares);

        Assert.Equal(Math.Log10(103 / 4.0), ScoreCombination.Combine(scores), 1e-12);
        Assert.Equal(1, shares.Sum(), 1e-12);
        Assert.Equal(100 / 103.0, shares[0], 1e-12);
    }

    [Fact]
    public void The_score_grows_with_the_evidence_and_is_a_half_where_an_incident_opens()
    {
        double[] scores = [.. new[] { -2.0, 0, 1, 2, 4, 300 }.Select(evidence => Decider.Score(evidence, threshold: 2))];

        Assert.Equal([0, 0, 0.292893, 0.5, 0.75, 1], scores.Select(score => Math.Round(score, 6)));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(21, "21")]
    [InlineData(1234567, "1,234,567")]
    [InlineData(1234567.4, "1,234,600")]
    [InlineData(15.2046, "15.205")]
    [InlineData(-0.0012345678, "-0.0012346")]
    [InlineData(2.5e18, "2.5e18")]
    [InlineData(3e-9, "3e-9")]
    public void Numbers_are_written_as_people_write_them(double number, string text) => Assert.Equal(text, Figures.Of(number));
}
