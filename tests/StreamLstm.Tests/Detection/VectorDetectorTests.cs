using StreamLstm.Detection.Judging.Records;
using Xunit;

namespace StreamLstm.Tests.Detection;

public sealed class VectorDetectorTests
{
    private const int Rows = 1_500;

    [Fact]
    public void A_fault_in_one_of_five_columns_is_found_and_attributed_to_it()
    {
        List<double[]> rows = Waves(5);

        for (int row = 1_200; row < 1_240; row++)
        {
            rows[row][3] += 20;
        }

        var detector = new VectorDetector(5, 5, 1);
        var share = new double[5];
        int found = 0;

        for (int row = 0; row < Rows; row++)
        {
            VectorVerdict verdict = detector.Apply(rows[row], share);

            if (row is >= 1_214 and < 1_240)
            {
                found += verdict.IsAbnormal ? 1 : 0;
                Assert.Equal(3, Array.IndexOf(share, share.Max()));
                Assert.Equal(1, share.Sum(), 9);
            }
        }

        Assert.Equal(26, found);
    }

    [Fact]
    public void A_fault_longer_than_the_delay_stays_flagged()
    {
        List<double[]> rows = Waves(5, 3_500);

        for (int row = 2_500; row < 3_450; row++)
        {
            rows[row][1] += 20;
            rows[row][3] += 20;
        }

        var detector = new VectorDetector(5, 5, 1);
        var share = new double[5];
        bool[] abnormal = [.. rows.Select(row => detector.Apply(row, share).IsAbnormal)];
        Assert.DoesNotContain(false, abnormal[2_520..3_450]);
        Assert.InRange(abnormal[..2_500].Count(flag => flag), 0, 25);
    }

    [Fact]
    public void What_follows_the_first_rows_is_not_taken_for_abnormal_because_it_is_new()
    {
        int abnormal = 0;

        for (int seed = 1; seed <= 10; seed++)
        {
            List<double[]> rows = Wanderings(8, 800, seed);
            var detector = new VectorDetector(8, 8, 1);
            var share = new double[8];
            abnormal += rows.Count(row => detector.Apply(row, share).IsAbnormal);
        }

        Assert.InRange(abnormal / 4_000.0, 0, 0.3);
    }

    [Fact]
    public void A_fault_in_a_context_column_is_not_scored_itself()
    {
        List<double[]> rows = Waves(3);
        rows.Skip(1_200).ToList().ForEach(row => row[2] += 1_000);
        var detector = new VectorDetector(3, 2, 1);
        var share = new double[2];

        foreach (double[] row in rows)
        {
            Assert.False(detector.Apply(row, share).Score > 8);
            Assert.True(share.Sum() is 0 or > 0.999 and < 1.001);
        }
    }

    [Fact]
    public void A_constant_column_takes_no_share_and_raises_nothing()
    {
        var detector = new VectorDetector(3, 3, 1);
        var share = new double[3];

        foreach (double[] row in Waves(3))
        {
            row[1] = 7;
            detector.Apply(row, share);
            Assert.Equal(0, share[1]);
        }
    }

    [Fact]
    public void Missing_values_never_alarm_by_themselves()
    {
        List<double[]> rows = Waves(4);
        int before = Abnormal(rows);

        for (int row = 1_000; row < Rows; row++)
        {
            if (row % 50 < 20)
            {
                rows[row].AsSpan(row % 100 < 50 ? 0 : 2, row % 3 == 0 ? 2 : 1).Fill(double.NaN);
            }

            if (row is >= 1_300 and < 1_350)
            {
                rows[row].AsSpan().Fill(double.NaN);
            }
        }

        Assert.InRange(Abnormal(rows), 0, before + 5);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_and_saving_in_the_middle_changes_nothing()
    {
        List<double[]> rows = Waves(5, 2_600);
        rows[700][2] = double.NaN;
        var one = new VectorDetector(5, 4, 9);
        var two = new VectorDetector(5, 4, 9);
        var first = new double[4];
        var second = new double[4];

        for (int row = 0; row < rows.Count; row++)
        {
            if (row is 50 or 300 or 399 or 801 or 1_333 or 2_345)
            {
                var bytes = new MemoryStream();
                two.Save(new BinaryWriter(bytes));
                bytes.Position = 0;
                two = new VectorDetector(5, 4, 1);
                two.Load(new BinaryReader(bytes));
                Assert.Equal(bytes.Length, bytes.Position);
            }

            Assert.Equal(one.Apply(rows[row], first), two.Apply(rows[row], second));
            Assert.Equal(first, second);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(128)]
    public void Values_that_are_no_measurement_leave_scores_finite(int columns)
    {
        double[] odd = [1e308, -1e308, double.NaN, double.PositiveInfinity, 1e12, -1e12, double.Epsilon, 0];
        var detector = new VectorDetector(columns, columns, 1);
        var share = new double[columns];
        List<double[]> rows = Waves(columns);

        for (int row = 0; row < 1_000; row++)
        {
            rows[row][row % columns] = row % 9 == 0 ? odd[row / 9 % odd.Length] : rows[row][row % columns];
            VectorVerdict verdict = detector.Apply(rows[row], share);
            Assert.True(verdict.Score is null or (>= 0 and <= 8));
            Assert.All(share, value => Assert.True(double.IsFinite(value)));
            Assert.Equal(row % 9 == 0 && !(Math.Abs(odd[row / 9 % odd.Length]) <= 1e12) && row / 9 % odd.Length != 2, verdict.HasBadValue);
        }
    }

    [Fact]
    public void A_state_of_another_shape_is_refused()
    {
        var bytes = new MemoryStream();
        new VectorDetector(3, 3, 1).Save(new BinaryWriter(bytes));
        bytes.Position = 0;
        Assert.Throws<InvalidDataException>(() => new VectorDetector(4, 3, 1).Load(new BinaryReader(bytes)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VectorDetector(1, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new VectorDetector(129, 1, 1));
    }

    private static int Abnormal(List<double[]> rows)
    {
        var detector = new VectorDetector(rows[0].Length, rows[0].Length, 1);
        var share = new double[rows[0].Length];
        return rows.Count(row => detector.Apply(row, share).IsAbnormal);
    }

    /// <summary>Columns that forget where they were in some 50 rows.</summary>
    private static List<double[]> Wanderings(int columns, int rows, int seed)
    {
        var random = new Random(seed);
        var at = new double[columns];
        List<double[]> all = [];

        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                at[column] = 0.98 * at[column] + random.NextDouble() - 0.5;
            }

            all.Add([.. at]);
        }

        return all;
    }

    private static List<double[]> Waves(int columns, int rows = Rows)
    {
        var random = new Random(5);
        return
        [
            .. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, columns)
                .Select(column => (column + 1) * Math.Sin(row / (5.0 + column % 3)) + 0.1 * random.NextDouble()).ToArray()),
        ];
    }
}
