using StreamLstm.Detection.Judging.Values.Shared;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Tests.Detection;

/// <summary>What a shared stream packs into bytes is the rounded logarithm, though none is worked out; and a value's place is what a search would find.</summary>
public sealed class SharedCodesTests
{
    private readonly Random _random = new(1);

    [Fact]
    public void A_ratio_has_the_code_of_its_logarithm()
    {
        Assert.Equal(1, LogSteps.Of(0));
        Assert.Equal(byte.MaxValue, LogSteps.Of(1e30));

        for (int i = 0; i < 100_000; i++)
        {
            double ratio = Math.Exp(-3 + 18 * _random.NextDouble());
            int expected = (int)Math.Clamp(1 + Math.Round(LogSteps.PerUnit * Math.Log(ratio)), 1, byte.MaxValue);

            Assert.Equal(expected, LogSteps.Of(ratio));
            Assert.Equal(Math.Exp((expected - 1) / LogSteps.PerUnit), LogSteps.Ratio(expected));
        }
    }

    [Fact]
    public void Probabilities_have_the_codes_of_their_logarithms()
    {
        float[] probabilities = new float[QuantileBins.Count], back = new float[QuantileBins.Count];
        byte[] codes = new byte[QuantileBins.Count], halves = new byte[QuantileBins.Count / 2];

        for (int i = 0; i < 2_000; i++)
        {
            for (int b = 0; b < probabilities.Length; b++)
            {
                probabilities[b] = b == 0 ? 1 : b == 1 ? 0 : (float)Math.Pow(2, -45 * _random.NextDouble());
            }

            ForecastCodes.ToBytes(probabilities, codes);
            ForecastCodes.ToHalves(probabilities, halves);
            ForecastCodes.OfBytes(codes, back);

            for (int b = 0; b < probabilities.Length; b++)
            {
                double decline = -Math.Log2(Math.Max(probabilities[b], 1e-12f));
                Assert.Equal((int)Math.Min(Math.Round(8 * decline), 255), codes[b]);
                Assert.Equal((int)Math.Min(Math.Round(decline / 0.65), 15), halves[b / 2] >> 4 * (b % 2) & 15);
                Assert.Equal((float)Math.Pow(2, -codes[b] / 8.0), back[b]);
            }

            ForecastCodes.OfTheHalves(halves, back);
            Assert.Equal((float)Math.Pow(2, -(halves[3] & 15) * 0.65), back[6]);
            Assert.Equal((float)Math.Pow(2, -(halves[3] >> 4) * 0.65), back[7]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(48)]
    public void A_value_lies_behind_as_many_members_as_are_less(int members)
    {
        var sample = default(SharedSample);
        var chance = new StreamLstm.Detection.SeededRandom(7);
        float[] values = [.. Enumerable.Range(0, members).Select(_ => (float)_random.Next(-9, 9))];

        foreach (float value in values)
        {
            sample.Add(value, ref chance);
        }

        for (float value = -10; value <= 10; value += 0.5f)
        {
            Place place = sample.PlaceOf(value);
            Assert.Equal(values.Count(member => member < value), place.Less);
            Assert.Equal(values.Count(member => member <= value), place.UpTo);
            Assert.Equal(QuantileBins.EdgeProbabilities.Count(edge => edge * (members - 1) < place.Position), place.Bin);
        }
    }
}
