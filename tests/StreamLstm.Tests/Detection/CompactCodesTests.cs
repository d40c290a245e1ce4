using StreamLstm.Detection;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Tests.Detection;

/// <summary>What streams remember in fewer bytes than it came in.</summary>
public sealed class CompactCodesTests
{
    [Fact]
    public void Every_code_of_a_magnitude_is_a_finite_number_above_the_one_before()
    {
        for (int code = 1; code < 0xFF00; code++)
        {
            float number = Magnitude.Of((ushort)code);
            Assert.True(float.IsFinite(number) && number > Magnitude.Of((ushort)(code - 1)), $"code {code}");
            Assert.Equal(code, Magnitude.Code(number));
        }

        for (int code = 0xFF00; code <= ushort.MaxValue; code++)
        {
            Assert.True(float.IsFinite(Magnitude.Of((ushort)code)));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.MaxValue)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(float.Epsilon)]
    public void A_magnitude_without_bounds_ends_at_the_last_code(float value) =>
        Assert.Equal(
            value <= 0 ? 0 : value < 1 ? Magnitude.Of(0) : Magnitude.Of(ushort.MaxValue),
            Magnitude.Of(Magnitude.Code(value)));

    [Fact]
    public void A_magnitude_keeps_order_and_eight_bits_whatever_its_size()
    {
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, 10_000).Select(_ => (float)Math.Pow(10, 60 * random.NextDouble() - 30)).Order()];

        for (int i = 0; i < values.Length; i++)
        {
            Assert.Equal(values[i], Magnitude.Of(Magnitude.Code(values[i])), values[i] / 511);
            Assert.True(i == 0 || Magnitude.Code(values[i]) >= Magnitude.Code(values[i - 1]));
        }
    }

    [Fact]
    public void Squared_steps_are_rounded_down_by_a_sixteenth_at_most()
    {
        for (int squared = 0; squared < 1 << 18; squared++)
        {
            int held = SquaredSteps.Of(SquaredSteps.Code(squared));
            Assert.True(held <= squared && squared - held <= squared / 16, $"{squared} as {held}");
            Assert.True(squared == 0 || SquaredSteps.Code(squared) >= SquaredSteps.Code(squared - 1));
        }

        Assert.Equal(SquaredSteps.Code((1 << 18) - 1), SquaredSteps.Code(int.MaxValue));
    }

    [Fact]
    public void A_packed_state_is_finite_and_near_what_it_was_where_that_matters()
    {
        float[] state = [.. Enumerable.Range(0, 48).Select(i => i < 24 ? (i - 12) / 12.5f : (i - 36) / 3f)], back = new float[48];
        state[47] = float.MaxValue;
        var packed = new sbyte[48];
        PackedState.Pack(state, packed);
        PackedState.Unpack(packed, back);

        for (int i = 0; i < 47; i++)
        {
            // c is read through tanh.
            Assert.Equal(i < 24 ? state[i] : MathF.Tanh(state[i]), i < 24 ? back[i] : MathF.Tanh(back[i]), 0.02);
        }

        Assert.Equal(253, back[47], 0.1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1.7e9)]
    [InlineData(-3e12)]
    public void A_reservoir_of_floats_tells_values_apart_however_far_from_zero(double level)
    {
        (SeededRandom chance, SeededRandom same, var random) = (new(1), new(1), new Random(2));
        var floats = new FloatReservoir(64, 256);
        var doubles = new SortedReservoir(64, 256);

        for (int row = 0; row < 4_000; row++)
        {
            // It begins at 0, and goes to its level later.
            double value = (row < 40 ? 0 : level) + random.NextDouble();
            floats.Add(value, ref chance);
            doubles.Add(value, ref same);
        }

        for (int i = 0; i < doubles.Count; i++)
        {
            Assert.Equal(doubles.Sorted[i], floats[i], 1e-3);
            Assert.Equal(doubles.CountLess(doubles.Sorted[i] + 2e-3), floats.CountLess(doubles.Sorted[i] + 2e-3), 3.0);
        }

        Assert.Equal(doubles.Quantile(0.8), floats.Quantile(0.8), 1e-3);
        Assert.Equal(Nearest.Distance(Reloaded(floats), level + 5), Nearest.Distance(floats, level + 5));

        static FloatReservoir Reloaded(FloatReservoir reservoir)
        {
            using var file = new MemoryStream();
            using var writer = new BinaryWriter(file);
            reservoir.Save(writer);
            file.Position = 0;
            var other = new FloatReservoir(64, 256);
            other.Load(new BinaryReader(file));
            return other;
        }
    }

    [Fact]
    public void A_reservoir_of_floats_stays_in_order_where_values_are_beyond_any_float()
    {
        var chance = new SeededRandom(1);
        var floats = new FloatReservoir(16, 32);

        for (int row = 0; row < 500; row++)
        {
            floats.Add((row % 5) switch { 0 => 1e300, 1 => -1e300, 2 => double.MaxValue, _ => row }, ref chance);
        }

        for (int i = 0; i < floats.Count; i++)
        {
            Assert.True(double.IsFinite(floats[i]) && (i == 0 || floats[i] >= floats[i - 1]), $"member {i} is {floats[i]}");
        }
    }
}
