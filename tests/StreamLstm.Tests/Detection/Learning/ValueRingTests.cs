using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection.Learning;

public sealed class ValueRingTests
{
    private const int RowsMax = 1_024;

    /// <summary>Values as sensors, counters and programs send them, and those that only doubles tell apart.</summary>
    public static TheoryData<string> Kinds => ["constant", "constant of all digits", "tenths", "counter", "floats", "signs", "tiny beside huge", "neighbours"];

    /// <summary>Values of all digits, which lie in steps once they are packed.</summary>
    public static TheoryData<string, double> Steps => new() { { "doubles", 3 }, { "huge", 3 }, { "two scales", 4 } };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_ring_gives_back_the_very_bits_it_was_given(string kind)
    {
        var ring = new ValueRing(RowsMax);
        var random = new Random(3);
        var rows = new List<(double Value, double Seconds, bool IsAbnormal)>();

        for (int row = 0; row < 3_000; row++)
        {
            (double value, double seconds) = (Value(kind, row, random), Seconds(row, random));
            rows.Add((value, seconds, false));
            ring.Append(value, seconds, row % 400 == 7 ? 3 : 1);

            if (row % 50 == 49)
            {
                (long first, long end) = (row - random.Next(300), row + 1 - random.Next(10));
                bool abnormal = random.Next(2) == 0;
                ring.Mark(first, end, abnormal);

                for (long marked = Math.Max(Math.Max(0, first), rows.Count - RowsMax); marked < end; marked++)
                {
                    rows[(int)marked] = rows[(int)marked] with { IsAbnormal = abnormal };
                }
            }

            if (row % 97 == 0 || row == 2_999)
            {
                Holds(ring, rows);
                Holds(Reloaded(ring), rows);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Values_of_all_digits_keep_their_order_and_their_place_in_what_they_span(string kind, double bytes)
    {
        var ring = new ValueRing(8_192);
        var random = new Random(3);
        double[] values = [.. Enumerable.Range(0, 8_300).Select(row => Value(kind, row, random))];

        for (int row = 0; row < values.Length; row++)
        {
            ring.Append(row % 9 == 1 ? values[row - 1] : values[row], 63_900_000_000 + row * 10.0, 1);
            values[row] = row % 9 == 1 ? values[row - 1] : values[row];
        }

        Assert.InRange(Bytes(ring).Length, bytes * 8_192, (bytes + 0.7) * 8_192);
        var copied = new double[ring.Count - ring.First];
        ring.CopyTo(ring.First, copied);

        for (long row = ring.First; row < ring.Count; row++)
        {
            double[] block = values[(int)(row / 128 * 128)..(int)Math.Min(values.Length, (row / 128 + 1) * 128)];
            Assert.Equal(values[row], ring[row], (block.Max() - block.Min()) / (1 << 24));
            Assert.Equal(ring[row], copied[row - ring.First]);
            bool isNext = row > ring.First && row % 128 != 0;
            Assert.True(!isNext || values[row].CompareTo(values[row - 1]) == ring[row].CompareTo(ring[row - 1]), $"row {row}");
        }
    }

    [Fact]
    public void Rows_that_come_evenly_with_few_digits_take_less_than_three_bytes()
    {
        var ring = new ValueRing(8_192);
        var random = new Random(4);

        for (int row = 0; row < 10_000; row++)
        {
            ring.Append(Math.Round(20 + 5 * Math.Sin(row / 100.0) + random.NextDouble(), 2), 63_900_000_000 + row * 10.0, 1);
        }

        Assert.InRange(Bytes(ring).Length, 8_192, 3 * 8_192);
    }

    [Fact]
    public void A_block_that_no_ring_writes_is_refused()
    {
        var ring = new ValueRing(RowsMax);

        for (int row = 0; row < 300; row++)
        {
            ring.Append(row, row, 1);
        }

        byte[] bytes = Bytes(ring);
        bytes[2 * sizeof(long) + sizeof(int)] = 77;    // digits of the first block
        InvalidDataException refused = Assert.Throws<InvalidDataException>(() => Loaded(bytes));
        Assert.Contains("77 digits", refused.Message, StringComparison.Ordinal);
    }

    private static double Value(string kind, int row, Random random) => kind switch
    {
        "constant" => 0.1,
        "constant of all digits" => Math.PI,
        "tiny beside huge" => row % 64 == 3 ? 1e6 * random.NextDouble() : 1e-9 * random.NextDouble(),
        "neighbours" => random.Next(2) == 0 ? BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(Math.PI) + random.Next(9)) : Math.E,
        "two scales" => random.NextDouble() * (row % 2 == 0 ? 1 : 1e-4),
        "tenths" => Math.Round(random.Next(-500, 500) / 10.0, 1),
        "counter" => 1e9 + 3L * row,
        "floats" => (float)random.NextDouble(),
        "signs" => random.Next(3) switch { 0 => -0.0, 1 => 0.0, _ => -1 },
        "huge" => (random.NextDouble() - 0.5) * 1e20,
        _ => random.NextDouble() * 40,
    };

    /// <summary>Even, jittering by turns, with gaps, and set back once.</summary>
    private static double Seconds(int row, Random random) =>
        63_900_000_000 + row * 0.1 + (row / 300 % 2 == 0 ? 0 : random.NextDouble() / 20) + (row > 1_000 ? 5_000 : 0) - (row > 2_000 ? 90_000 : 0);

    private static void Holds(ValueRing ring, List<(double Value, double Seconds, bool IsAbnormal)> rows)
    {
        Assert.Equal(rows.Count, ring.Count);
        Assert.Equal(Math.Max(0, rows.Count - RowsMax), ring.First);

        for (long row = ring.First; row < ring.Count; row++)
        {
            (double value, double seconds, bool isAbnormal) = rows[(int)row];
            Assert.Equal(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(ring[row]));
            Assert.Equal(seconds, ring.Seconds(row));
            Assert.Equal(isAbnormal, ring.IsAbnormal(row));
            Assert.Equal(row % 400 == 7 ? Math.Log2(3) : 0, ring.Gap(row), 0.04);
        }
    }

    private static byte[] Bytes(ValueRing ring)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        ring.Save(writer);
        return stream.ToArray();
    }

    private static ValueRing Reloaded(ValueRing ring) => Loaded(Bytes(ring));

    private static ValueRing Loaded(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        var ring = new ValueRing(RowsMax);
        ring.Load(reader);
        return ring;
    }
}
