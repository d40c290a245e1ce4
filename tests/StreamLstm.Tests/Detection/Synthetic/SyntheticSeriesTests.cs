using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Tests.Detection.Synthetic;

public sealed class SyntheticSeriesTests
{
    public static TheoryData<SyntheticKind> Kinds => [.. Enum.GetValues<SyntheticKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_same_seed_gives_the_same_rows_and_another_one_others(SyntheticKind kind)
    {
        double[][] first = Rows(new SyntheticSeriesOptions { Kind = kind, Columns = 3, Seed = 5, FaultsPerThousandRows = 3 }, 3000);

        Assert.Equal(first, Rows(new SyntheticSeriesOptions { Kind = kind, Columns = 3, Seed = 5, FaultsPerThousandRows = 3 }, 3000));
        Assert.NotEqual(first, Rows(new SyntheticSeriesOptions { Kind = kind, Columns = 3, Seed = 6, FaultsPerThousandRows = 3 }, 3000));
        Assert.All(first, row => Assert.All(row, value => Assert.True(double.IsFinite(value))));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Outside_its_faults_a_series_is_what_it_is_without_them_and_inside_it_is_not(int columns)
    {
        HashSet<FaultKind> seen = [];

        foreach (SyntheticKind kind in Enum.GetValues<SyntheticKind>())
        {
            var options = new SyntheticSeriesOptions { Kind = kind, Columns = columns, Seed = 3, FaultsPerThousandRows = 3, CleanRows = 700 };
            double[][] clean = Rows(options with { FaultsPerThousandRows = 0 }, 12_000);
            double[][] rows = Rows(options, 12_000, out IReadOnlyList<SyntheticFault> faults);
            Assert.NotEmpty(faults);
            Assert.True(faults[0].Start >= 700);

            for (int row = 0; row < rows.Length; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    if (!faults.Any(fault => fault.Column == column && row >= fault.Start && row < fault.End))
                    {
                        Assert.Equal(clean[row][column], rows[row][column]);
                    }
                }
            }

            foreach (SyntheticFault fault in faults.Where(fault => fault.End <= rows.Length))
            {
                seen.Add(fault.Kind);
                Assert.Contains(
                    Enumerable.Range((int)fault.Start, (int)(fault.End - fault.Start)),
                    row => clean[row][fault.Column] != rows[row][fault.Column]);
            }
        }

        Assert.Contains(FaultKind.Spike, seen);
        Assert.Contains(FaultKind.Flatline, seen);
        Assert.Contains(FaultKind.Phase, seen);
        Assert.Equal(columns > 1, seen.Contains(FaultKind.BrokenCorrelation));
    }

    [Fact]
    public void A_fault_does_what_its_name_says()
    {
        foreach (FaultKind kind in Enum.GetValues<FaultKind>())
        {
            (double[] clean, double[] faulty, SyntheticFault fault, double spread) = One(kind);
            double[] moved = [.. faulty.Zip(clean, (a, b) => (a - b) / spread)];

            switch (kind)
            {
                case FaultKind.Spike:
                    Assert.InRange(fault.End - fault.Start, 1, 3);
                    Assert.All(moved, size => Assert.InRange(Math.Abs(size), 4.9, 12.1));
                    break;
                case FaultKind.LevelShift:
                    Assert.InRange(Math.Abs(moved[0]), 2.4, 6.1);
                    Assert.All(moved, size => Assert.Equal(moved[0], size, 9));
                    break;
                case FaultKind.Flatline:
                    Assert.Single(faulty.Distinct());
                    break;
                case FaultKind.Noise:
                    Assert.True(moved.Max() > 1.5 && moved.Min() < -1.5);
                    break;
                case FaultKind.Drift:
                    Assert.True(Math.Abs(moved[^1]) > 20 * Math.Abs(moved[0]));
                    break;
            }
        }
    }

    [Fact]
    public void Columns_go_together_until_one_of_them_goes_its_own_way()
    {
        var options = new SyntheticSeriesOptions { Kind = SyntheticKind.Autoregressive, Columns = 4, FaultsPerThousandRows = 5 };

        for (ulong seed = 1; ; seed++)
        {
            double[][] rows = Rows(options with { Seed = seed }, 6000, out IReadOnlyList<SyntheticFault> faults);

            if (faults.FirstOrDefault(fault => fault is { Kind: FaultKind.BrokenCorrelation, End: < 6000 }) is { End: > 0 } broken)
            {
                // Two signals under four columns: each is a sum of the others, so little is left of it when they are known.
                Assert.True(Unexplained(rows[..900], broken.Column) < 0.3);
                Assert.True(Unexplained(rows[(int)broken.Start..(int)broken.End], broken.Column) > 0.5);
                return;
            }

            Assert.True(seed < 50, "no correlation was broken under 50 seeds");
        }
    }

    [Theory]
    [InlineData(0, 0.0, 1000)]
    [InlineData(17, 0.0, 1000)]
    [InlineData(1, -0.1, 1000)]
    [InlineData(1, 10.1, 1000)]
    [InlineData(1, double.NaN, 1000)]
    [InlineData(1, 0.0, 255)]
    public void What_cannot_be_made_is_refused(int columns, double faults, int cleanRows) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyntheticSeries(
            new SyntheticSeriesOptions { Columns = columns, FaultsPerThousandRows = faults, CleanRows = cleanRows }));

    [Fact]
    public void Counts_are_whole_switches_are_0_or_1_and_readings_have_few_steps()
    {
        Assert.All(Values(SyntheticKind.Counts), value => Assert.True(value >= 0 && value == Math.Round(value)));
        Assert.Equal([0, 1], Values(SyntheticKind.OnOff).Distinct().Order());
        Assert.InRange(Values(SyntheticKind.Quantised).Select(value => Math.Round(value, 6)).Distinct().Count(), 3, 60);
        Assert.True(Math.Abs(Correlation(Values(SyntheticKind.Autoregressive))) > 0.4);
        Assert.True(Math.Abs(Correlation(Values(SyntheticKind.White))) < 0.1);

        static double[] Values(SyntheticKind kind) => [.. Rows(new SyntheticSeriesOptions { Kind = kind, Seed = 2 }, 3000).Select(row => row[0])];

        static double Correlation(double[] values)
        {
            double mean = values.Average();
            double product = values.Zip(values[1..], (a, b) => (a - mean) * (b - mean)).Sum();
            return product / values.Sum(value => (value - mean) * (value - mean));
        }
    }

    [Fact]
    public void A_fleet_has_every_kind_and_columns_that_belong_together()
    {
        SyntheticSeriesOptions[] fleet = [.. Enumerable.Range(0, 14).Select(number => SyntheticFleet.Options(number, 1, 0))];

        Assert.Equal(Enum.GetValues<SyntheticKind>(), fleet[..13].Select(options => options.Kind));
        Assert.All(fleet[..13], options => Assert.Equal(1, options.Columns));
        Assert.InRange(fleet[13].Columns, 2, 16);
        Assert.Equal(14, fleet.Select(options => options.Seed).Distinct().Count());
        Assert.NotEqual(fleet[0].Seed, SyntheticFleet.Options(0, 2, 0).Seed);
        Assert.Equal("heavy-tailed-2", SyntheticFleet.Name(fleet[2], 2));
        Assert.StartsWith("coupled-", SyntheticFleet.Name(fleet[13], 13), StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_of_events_are_the_same_for_a_seed_and_faulty_as_often_as_asked()
    {
        List<string> first = Sessions(1, 0.2, out int faulty);

        Assert.Equal(first, Sessions(1, 0.2, out _));
        Assert.NotEqual(first, Sessions(2, 0.2, out _));
        Assert.InRange(faulty, 150, 250);
        Sessions(1, 0, out int none);
        Assert.Equal(0, none);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyntheticEvents(1, 1.1));
    }

    [Fact]
    public void A_faulty_session_breaks_what_normal_ones_keep()
    {
        var events = new SyntheticEvents(4, 0.3);
        HashSet<EventFault> seen = [];

        for (int i = 0; i < 500; i++)
        {
            IReadOnlyList<string> session = events.Next(out EventFault fault);
            seen.Add(fault);
            bool unknown = session.Any(one => one.StartsWith('X'));
            bool repeated = session.GroupBy(one => one).Any(group => group.Count() > 6);
            Assert.Equal(fault == EventFault.Unknown, unknown);
            Assert.Equal(fault == EventFault.Repeated, repeated);
        }

        Assert.Equal(Enum.GetValues<EventFault>(), seen.Order());
    }

    private static List<string> Sessions(ulong seed, double share, out int faulty)
    {
        var events = new SyntheticEvents(seed, share);
        List<string> sessions = [];
        faulty = 0;

        for (int i = 0; i < 1000; i++)
        {
            sessions.Add(string.Join(' ', events.Next(out EventFault fault)));
            faulty += fault == EventFault.None ? 0 : 1;
        }

        return sessions;
    }

    /// <summary>The rows of the first fault of a kind, clean and as they came, and the column's spread.</summary>
    private static (double[] Clean, double[] Faulty, SyntheticFault Fault, double Spread) One(FaultKind kind)
    {
        for (ulong seed = 1; ; seed++)
        {
            var options = new SyntheticSeriesOptions { Columns = kind == FaultKind.BrokenCorrelation ? 3 : 1, Seed = seed, FaultsPerThousandRows = 5 };
            double[][] faulty = Rows(options, 6000, out IReadOnlyList<SyntheticFault> faults);

            if (faults.FirstOrDefault(fault => fault.Kind == kind && fault.End <= 6000) is { End: > 0 } found)
            {
                double[][] clean = Rows(options with { FaultsPerThousandRows = 0 }, 6000);
                double mean = clean[..2000].Average(row => row[found.Column]);
                double spread = Math.Sqrt(clean[..2000].Average(row => Math.Pow(row[found.Column] - mean, 2)));
                Range rows = (int)found.Start..(int)found.End;
                return ([.. clean[rows].Select(row => row[found.Column])], [.. faulty[rows].Select(row => row[found.Column])], found, spread);
            }
        }
    }

    /// <summary>Share of a column's variance that the best sum of two other columns leaves.</summary>
    private static double Unexplained(double[][] rows, int column)
    {
        int[] others = [.. Enumerable.Range(0, rows[0].Length).Where(other => other != column).Take(2)];
        double[] y = Centred(column), a = Centred(others[0]), b = Centred(others[1]);
        double aa = Dot(a, a), bb = Dot(b, b), ab = Dot(a, b), ay = Dot(a, y), by = Dot(b, y);
        double determinant = aa * bb - ab * ab;
        double wa = (ay * bb - by * ab) / determinant, wb = (by * aa - ay * ab) / determinant;
        return (Dot(y, y) - wa * ay - wb * by) / Dot(y, y);

        double[] Centred(int which)
        {
            double mean = rows.Average(row => row[which]);
            return [.. rows.Select(row => row[which] - mean)];
        }

        static double Dot(double[] left, double[] right) => left.Zip(right, (l, r) => l * r).Sum();
    }

    private static double[][] Rows(SyntheticSeriesOptions options, int count) => Rows(options, count, out _);

    private static double[][] Rows(SyntheticSeriesOptions options, int count, out IReadOnlyList<SyntheticFault> faults)
    {
        var series = new SyntheticSeries(options);
        var rows = new double[count][];

        for (int row = 0; row < count; row++)
        {
            series.Next(rows[row] = new double[options.Columns]);
        }

        faults = series.Faults;
        return rows;
    }
}
