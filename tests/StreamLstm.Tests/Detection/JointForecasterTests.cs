using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection;

public sealed class JointForecasterTests
{
    private readonly DetectionScratch _scratch = new();

    [Theory]
    [InlineData(2)]
    [InlineData(12)]
    public void A_column_that_follows_another_is_forecast_from_it(int columns)
    {
        List<double[]> rows = Following(columns, 6_000);
        var forecaster = new JointForecaster(columns, 1);
        double error = 0, persistence = 0, mean = 0;

        for (int row = 0; row < rows.Count; row++)
        {
            if (row >= 5_000)
            {
                error += Math.Abs(forecaster.Expect(1)!.Value.Median - rows[row][1]);
                persistence += Math.Abs(rows[row - 1][1] - rows[row][1]);
                mean += Math.Abs(rows[row][1]);
            }

            Take(forecaster, rows[row]);
        }

        Assert.InRange(error / persistence, 0, 0.5);
        Assert.InRange(error / mean, 0, 0.7);
    }

    [Fact]
    public void Ninety_eight_in_a_hundred_clean_values_lie_in_the_band()
    {
        List<double[]> rows = Waves(6, 5_000);
        var forecaster = new JointForecaster(6, 1);
        int inside = 0, all = 0;

        for (int row = 0; row < rows.Count; row++)
        {
            for (int column = 0; column < 6 && row >= 1_000; column++)
            {
                (double median, double lower, double upper) = forecaster.Expect(column)!.Value;
                Assert.InRange(median, lower, upper);
                inside += rows[row][column] >= lower && rows[row][column] <= upper ? 1 : 0;
                all++;
            }

            Take(forecaster, rows[row]);
        }

        Assert.InRange((double)inside / all, 0.965, 0.995);
    }

    [Fact]
    public void A_missing_value_is_no_target_and_moves_no_other_forecast_for_long()
    {
        List<double[]> rows = Waves(3, 3_000);
        var forecaster = new JointForecaster(3, 1);
        var random = new Random(7);
        int inside = 0, all = 0, unsaid = 0;

        for (int row = 0; row < rows.Count; row++)
        {
            // Column 2 is silent for 40 rows in every 200, and now and then a value is missing elsewhere.
            double[] values = [.. rows[row].Select((value, column) => (column == 2 && row % 200 >= 160) || random.NextDouble() < 0.05 ? double.NaN : value)];

            for (int column = 0; column < 3 && row >= 1_000; column++)
            {
                if (forecaster.Expect(column) is not { } expected)
                {
                    unsaid++;
                    Assert.Equal(2, column);
                }
                else if (!double.IsNaN(values[column]))
                {
                    inside += values[column] >= expected.Lower && values[column] <= expected.Upper ? 1 : 0;
                    all++;
                }
            }

            Take(forecaster, values);
        }

        Assert.InRange((double)inside / all, 0.95, 0.995);
        Assert.InRange(unsaid, 10 * 20, 10 * 26);
    }

    [Fact]
    public void A_column_without_any_value_is_never_forecast_and_disturbs_nobody()
    {
        var forecaster = new JointForecaster(3, 1);

        foreach (double[] row in Waves(3, 600))
        {
            row[1] = double.NaN;
            Take(forecaster, row);
        }

        Assert.Null(forecaster.Expect(1));
        Assert.NotNull(forecaster.Expect(0));
        Assert.NotNull(forecaster.Expect(2));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(777)]
    [InlineData(1_500)]
    public void A_forecaster_that_is_read_back_goes_on_as_if_it_had_never_stopped(int at)
    {
        List<double[]> rows = Waves(5, 2_000);
        rows[at - 2][3] = double.NaN;
        var one = new JointForecaster(5, 9);
        var two = new JointForecaster(5, 9);

        for (int row = 0; row < rows.Count; row++)
        {
            if (row == at)
            {
                var bytes = new MemoryStream();
                two.Save(new BinaryWriter(bytes));
                bytes.Position = 0;
                two = new JointForecaster(5, 1);
                two.Load(new BinaryReader(bytes));
                Assert.Equal(bytes.Length, bytes.Position);
            }

            Assert.Equal(Told(one, 5), Told(two, 5));
            Take(one, rows[row]);
            two.Take(rows[row], learns: true, isAbnormal: false, new DetectionScratch().Joint(5));
        }
    }

    [Fact]
    public void What_was_forecast_before_a_gap_is_forgotten_and_nothing_is_learnt_across_it()
    {
        List<double[]> rows = Following(2, 3_000);
        var forecaster = new JointForecaster(2, 1);
        double error = 0, persistence = 0;

        for (int row = 0; row < rows.Count; row++)
        {
            // What follows a gap has nothing to do with what came before it.
            bool isAfterGap = row % 50 == 0;

            if (isAfterGap)
            {
                forecaster.Reset();
                Assert.Null(forecaster.Expect(0));
                Assert.Null(forecaster.Expect(1));
                rows[row][1] = 0.9;
            }
            else if (row >= 2_000)
            {
                error += Math.Abs(forecaster.Expect(1)!.Value.Median - rows[row][1]);
                persistence += Math.Abs(rows[row - 1][1] - rows[row][1]);
            }

            Take(forecaster, rows[row]);
        }

        Assert.InRange(error / persistence, 0, 0.5);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void What_may_not_be_learnt_is_not(bool learns, bool isAbnormal)
    {
        var forecaster = new JointForecaster(2, 1);

        foreach (double[] row in Following(2, 3_000))
        {
            Take(forecaster, row);
        }

        // For 600 rows the second column is upside down; the network is asked the same before and after.
        List<double[]> probe = Following(2, 40);
        double before = ErrorOn(forecaster, probe);

        foreach (double[] row in Following(2, 600))
        {
            Take(forecaster, [row[0], -row[1]], learns, isAbnormal);
        }

        Assert.InRange(ErrorOn(forecaster, probe) / before, 0.7, 1.3);
    }

    [Fact]
    public void What_may_be_learnt_is()
    {
        var forecaster = new JointForecaster(2, 1);

        foreach (double[] row in Following(2, 3_000))
        {
            Take(forecaster, row);
        }

        List<double[]> probe = Following(2, 40);
        double before = ErrorOn(forecaster, probe);

        foreach (double[] row in Following(2, 600))
        {
            Take(forecaster, [row[0], -row[1]]);
        }

        Assert.InRange(ErrorOn(forecaster, probe) / before, 2, 100);
    }

    [Fact]
    public void A_level_that_shifts_for_good_is_soon_expected()
    {
        List<double[]> rows = Waves(2, 4_000);
        var forecaster = new JointForecaster(2, 1);
        double error = 0;

        for (int row = 0; row < rows.Count; row++)
        {
            rows[row][0] += row >= 3_000 ? 1_000 : 0;
            error += row >= 3_500 ? Math.Abs(forecaster.Expect(0)!.Value.Median - rows[row][0]) / 500 : 0;
            Take(forecaster, rows[row]);
        }

        Assert.InRange(error, 0, 1);
    }

    [Fact]
    public void The_same_rows_give_the_same_forecasts_whatever_the_thread_did_before()
    {
        List<double[]> rows = Waves(4, 1_200);
        string[] alone = Run(new DetectionScratch());
        var used = new DetectionScratch();

        for (int columns = 2; columns <= 20; columns++)
        {
            var other = new JointForecaster(columns, 1);

            foreach (double[] row in Waves(columns, 100))
            {
                other.Take(row, learns: true, isAbnormal: false, used.Joint(columns));
            }
        }

        Assert.Equal(alone, Run(used));

        string[] Run(DetectionScratch scratch)
        {
            var forecaster = new JointForecaster(4, 1);
            return [.. rows.Select(row =>
            {
                forecaster.Take(row, learns: true, isAbnormal: false, scratch.Joint(4));
                return Told(forecaster, 4);
            })];
        }
    }

    private static string Told(JointForecaster forecaster, int columns) =>
        string.Join(';', Enumerable.Range(0, columns).Select(column => forecaster.Expect(column) is { } one ? $"{one.Median:R} {one.Lower:R} {one.Upper:R}" : "-"));

    /// <summary>The mean error in the second column of a copy that does not learn.</summary>
    private double ErrorOn(JointForecaster forecaster, List<double[]> rows)
    {
        var bytes = new MemoryStream();
        forecaster.Save(new BinaryWriter(bytes));
        bytes.Position = 0;
        var copy = new JointForecaster(2, 1);
        copy.Load(new BinaryReader(bytes));
        double error = 0;

        foreach (double[] row in rows)
        {
            error += Math.Abs(copy.Expect(1)!.Value.Median - row[1]);
            Take(copy, row, learns: false);
        }

        return error / rows.Count;
    }

    private void Take(JointForecaster forecaster, double[] row, bool learns = true, bool isAbnormal = false) =>
        Assert.True(forecaster.Take(row, learns, isAbnormal, _scratch.Joint(row.Length)));

    /// <summary>Every even column is chance, every odd one says a row later what that was.</summary>
    private static List<double[]> Following(int columns, int count)
    {
        var random = new Random(5);
        var rows = new List<double[]>();

        for (int row = 0; row < count; row++)
        {
            var values = new double[columns];

            for (int column = 0; column < columns; column++)
            {
                values[column] = column % 2 == 0 ? (2 * random.NextDouble()) - 1 : (row > 0 ? rows[^1][column - 1] : 0) + (0.1 * (random.NextDouble() - 0.5));
            }

            rows.Add(values);
        }

        return rows;
    }

    /// <summary>Waves of different lengths, levels and sizes, with some noise.</summary>
    private static List<double[]> Waves(int columns, int count)
    {
        var random = new Random(6);
        return [.. Enumerable.Range(0, count).Select(row => Enumerable.Range(0, columns)
            .Select(column => (100 * column) + ((1 + column) * (Math.Sin(row / (5.0 + (3 * column))) + (0.1 * (random.NextDouble() - 0.5))))).ToArray())];
    }
}
