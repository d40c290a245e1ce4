using StreamLstm.Detection.Judging;
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
            double? score = Apply(detector, rows[row], share);

            if (row is >= 1_214 and < 1_240)
            {
                found += score > VectorOptions.Threshold ? 1 : 0;
                Assert.Equal(3, Array.IndexOf(share, share.Max()));
                Assert.Equal(1, share.Sum(), 9);
            }
        }

        Assert.Equal(26, found);
    }

    [Fact]
    public void The_same_joint_fault_is_found_the_first_the_second_and_the_seventh_time()
    {
        List<double[]> rows = Coupled(8_000);
        int[] faults = [.. Enumerable.Range(0, 7).Select(i => 2_000 + (800 * i))];
        Array.ForEach(faults, fault => Break(rows, fault, fault + 100));

        bool[] abnormal = Feed(NewDetector(rows), rows);

        Assert.All(faults, fault => Assert.InRange(abnormal[(fault + 10)..(fault + 100)].Count(flag => flag), 80, 90));
        Assert.All(faults, fault => Assert.InRange(abnormal[(fault + 150)..(fault + 790)].Count(flag => flag), 0, 65));
    }

    [Fact]
    public void A_fault_that_never_is_like_itself_stays_one_for_three_thousand_rows_and_what_follows_is_normal()
    {
        List<double[]> rows = Coupled(6_500);
        var random = new Random(3);

        for (int row = 2_500; row < 5_500; row++)
        {
            rows[row][1] += 400 * Math.Pow(random.NextDouble(), 3) * (row - 2_400) / 1_000;
            rows[row][3] -= 400 * Math.Pow(random.NextDouble(), 3) * (row - 2_400) / 1_000;
        }

        List<int> accepted = [];

        bool[] abnormal = Feed(NewDetector(rows), rows, accepted);

        Assert.Empty(accepted);
        Assert.InRange(abnormal[2_520..4_000].Count(flag => flag), 1_300, 1_480);
        Assert.InRange(abnormal[4_000..5_500].Count(flag => flag), 1_300, 1_500);
        Assert.InRange(abnormal[5_600..].Count(flag => flag), 0, 50);
    }

    [Fact]
    public void A_new_manner_that_lasts_is_accepted_once_and_is_quiet_then_and_a_fault_in_it_is_found_as_before()
    {
        List<double[]> rows = Coupled(9_000);
        rows[3_000..].ForEach(row => (row[0], row[2]) = (row[0] + 200, row[2] - 100));
        Break(rows, 8_000, 8_060);
        VectorDetector detector = NewDetector(rows);
        List<int> accepted = [];

        bool[] abnormal = Feed(detector, rows, accepted);

        // A quarter of 3,000 rows of normal life, less those that were still held back.
        Assert.InRange(Assert.Single(accepted), 3_600, 3_800);
        Assert.InRange(abnormal[3_010..3_600].Count(flag => flag), 580, 590);
        Assert.InRange(abnormal[accepted[0]..8_000].Count(flag => flag), 0, 200);
        Assert.InRange(abnormal[8_010..8_060].Count(flag => flag), 45, 50);
    }

    [Fact]
    public void What_a_person_accepts_is_learnt_from_its_first_rows_and_the_manner_of_before_stays_known()
    {
        List<double[]> rows = Coupled(6_000);
        rows[3_000..5_000].ForEach(row => row[1] += 300);
        VectorDetector detector = NewDetector(rows);
        var share = new double[rows[0].Length];
        List<bool> abnormal = [];

        for (int row = 0; row < rows.Count; row++)
        {
            abnormal.Add(Apply(detector, rows[row], share) > VectorOptions.Threshold);

            if (row == 3_020)
            {
                detector.Accept();
            }
        }

        Assert.InRange(abnormal[3_010..3_390].Count(flag => flag), 300, 380);
        Assert.InRange(abnormal[3_400..5_000].Count(flag => flag), 0, 160);
        Assert.InRange(abnormal[5_050..].Count(flag => flag), 0, 95);
    }

    [Fact]
    public void Judging_learns_nothing()
    {
        List<double[]> rows = Coupled(3_000);
        VectorDetector one = NewDetector(rows), two = NewDetector(rows);
        var first = new double[rows[0].Length];
        var second = new double[rows[0].Length];

        for (int row = 0; row < rows.Count; row++)
        {
            // A column's zero is where its first value lies.
            if (row > 0)
            {
                two.Judge([.. rows[row].Select(value => value * 9)], second);
            }

            Assert.Equal(one.Judge(rows[row], first), two.Judge(rows[row], second));
            one.Remember(Lesson.Normal);
            two.Remember(Lesson.Normal);
        }
    }

    [Fact]
    public void One_value_far_out_does_not_blind()
    {
        List<double[]> rows = Coupled(4_000);
        Break(rows, 2_000, 2_060);
        bool[] without = Feed(NewDetector(rows), rows);
        rows[1_500][1] = 1e9;

        bool[] with = Feed(NewDetector(rows), rows);

        Assert.InRange(with[2_010..2_060].Count(flag => flag), without[2_010..2_060].Count(flag => flag) - 5, 50);
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
            abnormal += rows.Count(row => Apply(detector, row, share) > VectorOptions.Threshold);
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
            Assert.False(Apply(detector, row, share) > 8);
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
            Apply(detector, row, share);
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

            Assert.Equal(Apply(one, rows[row], first), Apply(two, rows[row], second));
            Assert.Equal(first, second);
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(128)]
    public void Values_at_the_ends_of_what_is_admitted_leave_scores_finite(int columns)
    {
        double[] odd = [double.NaN, 1e20, -1e20, double.Epsilon, 0];
        var detector = new VectorDetector(columns, columns, 1);
        var share = new double[columns];
        List<double[]> rows = Waves(columns);

        for (int row = 0; row < 1_000; row++)
        {
            rows[row][row % columns] = row % 9 == 0 ? odd[row / 9 % odd.Length] : rows[row][row % columns];
            double? score = Apply(detector, rows[row], share);
            Assert.True(score is null or (>= 0 and <= 8));
            Assert.All(share, value => Assert.True(double.IsFinite(value)));
        }
    }

    [Fact]
    public void A_state_of_another_shape_is_refused()
    {
        var bytes = new MemoryStream();
        new VectorDetector(3, 3, 1).Save(new BinaryWriter(bytes));
        bytes.Position = 0;
        Assert.Throws<InvalidDataException>(() => new VectorDetector(4, 3, 1).Load(new BinaryReader(bytes)));
    }

    private static VectorDetector NewDetector(List<double[]> rows) => new(rows[0].Length, rows[0].Length, 1);

    private static double? Apply(VectorDetector detector, double[] row, double[] share)
    {
        double? score = detector.Judge(row, share);
        detector.Remember(score > VectorOptions.Threshold ? Lesson.Abnormal : Lesson.Normal);
        return score;
    }

    private static bool[] Feed(VectorDetector detector, List<double[]> rows, List<int>? accepted = null)
    {
        var share = new double[rows[0].Length];
        var abnormal = new bool[rows.Count];

        for (int row = 0; row < rows.Count; row++)
        {
            double? score = Apply(detector, rows[row], share);
            abnormal[row] = score > VectorOptions.Threshold;

            if (detector.HasSettled)
            {
                detector.Accept();
                accepted?.Add(row);
            }
        }

        return abnormal;
    }

    /// <summary>Columns of one wandering load.</summary>
    private static List<double[]> Coupled(int rows)
    {
        var random = new Random(8);
        double load = 0;
        List<double[]> all = [];

        for (int row = 0; row < rows; row++)
        {
            load = (0.98 * load) + random.NextDouble() - 0.5;
            all.Add([.. Enumerable.Range(1, 5).Select(column => (column * 10 * (load + Math.Sin(row / 50.0))) + random.NextDouble())]);
        }

        return all;
    }

    /// <summary>Two columns go against the load; each value by itself is one that has been before.</summary>
    private static void Break(List<double[]> rows, int from, int to) =>
        rows[from..to].ForEach(row => (row[1], row[3]) = (-row[1] + 40, -row[3] - 40));

    private static int Abnormal(List<double[]> rows)
    {
        var detector = new VectorDetector(rows[0].Length, rows[0].Length, 1);
        var share = new double[rows[0].Length];
        return rows.Count(row => Apply(detector, row, share) > VectorOptions.Threshold);
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
