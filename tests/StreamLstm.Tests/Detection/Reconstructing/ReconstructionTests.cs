using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Tests.Detection.Reconstructing;

public sealed class ReconstructionTests
{
    private const int Period = 48;
    private static readonly ValueScale Scale = new(20, 5);
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddDays(20_000);

    [Theory]
    [InlineData(2000, Period)]    // goes on to learn from the stream's own rows
    [InlineData(2000, 0)]         // and where no season was found
    [InlineData(600, Period)]     // too few to go on
    [InlineData(600, 0)]
    public void A_sine_that_stood_still_is_filled_with_the_sine(int rows, int season)
    {
        ValueRing ring = Sine(rows, stillFor: 60);

        Reconstruction said = Reconstruct(ring, season);

        Assert.Equal(60, said.Rows.Count);
        double carried = said.Rows.Select((_, i) => Math.Abs(Clean(rows + i) - Clean(rows - 1))).Average();
        double ours = said.Rows.Select((row, i) => Math.Abs(Clean(rows + i) - row.Expected)).Average();
        Assert.InRange(ours, 0, 0.2 * carried);
        Assert.InRange(said.InBand, 0, rows > 1000 ? 0.5 : 1);      // of few rows the band is wide
        Assert.All(said.Rows, row => Assert.True(row.Lower < row.Expected && row.Expected < row.Upper));
        Assert.Equal((rows, false, false), (said.CleanRows, said.IsCut, said.IsRate));
        Assert.Equal(Start.AddSeconds(rows), said.Rows[0].Time);
    }

    [Fact]
    public void A_clean_stretch_is_within_its_band()
    {
        ValueRing ring = Sine(2200, stillFor: 0);

        Reconstruction said = Excerpt.Of(ring, Scale, Period, 0, Start.AddSeconds(2000), isRate: false, out _)!.Reconstruct(TestContext.Current.CancellationToken);

        Assert.Equal(48, said.Rows.Count);
        Assert.InRange(said.InBand, 0.75, 1);
        Assert.InRange(said.MeanDistance, 0, 0.75);     // the noise itself has 0.4
    }

    [Fact]
    public void What_came_in_the_stretch_and_behind_it_is_not_read()
    {
        ValueRing still = Sine(1500, stillFor: 40), wild = Sine(1500, stillFor: 0);

        for (int i = 0; i < 40; i++)
        {
            Append(wild, 1000 * i, isAbnormal: true);
        }

        for (int i = 0; i < 100; i++)
        {
            Append(wild, -i, isAbnormal: false);
        }

        Assert.Equal(
            Reconstruct(still, Period).Rows.Select(row => (row.Time, row.Expected, row.Lower, row.Upper)),
            Reconstruct(wild, Period, at: 1510).Rows.Select(row => (row.Time, row.Expected, row.Lower, row.Upper)));
    }

    [Fact]
    public void An_incident_before_it_is_passed_over()
    {
        ValueRing ring = Sine(1500, stillFor: 30);

        for (int row = 1530; row < 1900; row++)
        {
            Append(ring, Clean(row) + Noise(row), isAbnormal: false);
        }

        for (int row = 1900; row < 1940; row++)
        {
            Append(ring, 20, isAbnormal: true);
        }

        Reconstruction last = Reconstruct(ring, Period), before = Reconstruct(ring, Period, at: 1505);

        Assert.Equal((40, 30), (last.Rows.Count, before.Rows.Count));
        Assert.Equal(1870, last.CleanRows);
        Assert.InRange(last.Rows.Select((row, i) => Math.Abs(Clean(1900 + i) - row.Expected)).Average(), 0, 0.75);
    }

    [Fact]
    public void Of_a_long_incident_the_beginning_is_told()
    {
        Reconstruction said = Reconstruct(Sine(800, stillFor: 900), Period);

        Assert.Equal((Excerpt.RowsMax, true), (said.Rows.Count, said.IsCut));
    }

    [Theory]
    [InlineData(200, null, "200 clean rows are held from before the stretch, expected 256")]
    [InlineData(2000, 5000, "of that time it holds no rows")]
    [InlineData(2000, 100, "76 clean rows are held from before the stretch, expected 256")]
    [InlineData(0, null, "it has no rows yet")]
    public void Where_too_little_is_known_it_says_so(int rows, int? at, string expected)
    {
        ValueRing ring = rows == 0 ? new ValueRing(8192) : Sine(rows, stillFor: 20);

        Excerpt? excerpt = Excerpt.Of(ring, Scale, Period, 0, at is { } second ? Start.AddSeconds(second) : null, isRate: false, out string? missing);

        Assert.Null(excerpt);
        Assert.StartsWith(expected, missing, StringComparison.Ordinal);
    }

    [Fact]
    public void A_streams_own_incident_is_reconstructed_the_same_each_time_and_nothing_changes_by_it()
    {
        (DetectionShard asked, DetectionShard other) = (Fed(asks: true), Fed(asks: false));

        Reconstruction first = asked.Excerpt("v", null, out string? missing)!.Reconstruct(TestContext.Current.CancellationToken);
        Reconstruction second = other.Excerpt("v", Start.AddSeconds(1550), out _)!.Reconstruct(TestContext.Current.CancellationToken);

        Assert.Null(missing);
        Assert.Equal(first.Rows, second.Rows);
        Assert.InRange((first.Rows[0].Time - Start).TotalSeconds, 1480, 1530);
        double[] times = [.. first.Rows.Select(row => (row.Time - Start).TotalSeconds)];
        Assert.InRange(first.Rows.Select((row, i) => Math.Abs(Clean((int)times[i]) - row.Expected)).Average(), 0, 0.75);
        Assert.Equal(Bytes(other), Bytes(asked));
        Assert.Null(asked.Excerpt("t", null, out missing));
        Assert.Equal("it is no stream of single values", missing);
        Assert.Null(asked.Excerpt("nobody", null, out missing));
        Assert.Equal("stream 'nobody' is not known", missing);

        static DetectionShard Fed(bool asks)
        {
            var shard = new DetectionShard(new DetectionOptions(), new StreamQuota(4, 4), 0, 1, new DetectionScratch());
            var output = new ShardOutput();

            for (int i = 0; i < 1600; i++)
            {
                DateTimeOffset time = Start.AddSeconds(i);
                double value = i < 1500 ? Clean(i) + Noise(i) : 60;
                Observation[] came = i < 20 ? [new Observation("v", time, value), Observation.Of("t", time, new TextEvent($"hello {i}") { IsCharacters = true })] : [new Observation("v", time, value)];
                shard.Apply(came, time, BaseModel.Pretrained, output);

                if (asks && i % 100 == 0)
                {
                    shard.Excerpt("v", null, out _);
                }
            }

            return shard;
        }

        static byte[] Bytes(DetectionShard shard)
        {
            using var file = new MemoryStream();
            using var writer = new BinaryWriter(file);
            shard.Save(writer);
            return file.ToArray();
        }
    }

    [Fact]
    public void Of_a_counter_its_changes_are_told()
    {
        var detector = new AnomalyDetector();
        double counted = 0;

        for (int i = 0; i < 700; i++)
        {
            counted += 3 + Noise(i);
            detector.Score(new Observation("c", Start.AddSeconds(i), counted));
        }

        Reconstruction said = detector.Excerpt("c", null, out _)!.Reconstruct(TestContext.Current.CancellationToken);

        Assert.True(said.IsRate);
        Assert.All(said.Rows, row => Assert.InRange(row.Expected, 2, 4));
    }

    private static double Clean(int row) => 20 + 5 * Math.Sin(2 * Math.PI * row / Period);

    private static double Noise(int row) => 1.2 * (new SeededRandom((ulong)row + 7).NextDouble() - 0.5) * 1.33;

    /// <summary>A row a second: a sine with noise, then for so many rows what it was last.</summary>
    private static ValueRing Sine(int rows, int stillFor)
    {
        var ring = new ValueRing(8192);

        for (int row = 0; row < rows + stillFor; row++)
        {
            Append(ring, row < rows ? Clean(row) + Noise(row) : ring[rows - 1], isAbnormal: row >= rows);
        }

        return ring;
    }

    private static void Append(ValueRing ring, double value, bool isAbnormal)
    {
        // Of few digits, as rows that share a block are packed to the bit whatever else is in it.
        ring.Append(Math.Round(value, 6), Start.AddSeconds(ring.Count).UtcTicks / (double)TimeSpan.TicksPerSecond, 1);
        ring.Mark(ring.Count - 1, ring.Count, isAbnormal);
    }

    private static Reconstruction Reconstruct(ValueRing ring, int season, int? at = null) =>
        Excerpt.Of(ring, Scale, season, 0, at is { } second ? Start.AddSeconds(second) : null, isRate: false, out _)!.Reconstruct(TestContext.Current.CancellationToken);
}
