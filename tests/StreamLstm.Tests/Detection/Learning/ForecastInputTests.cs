using StreamLstm.Detection;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Tests.Detection.Learning;

public sealed class ForecastInputTests
{
    private const int RowsMax = 1_024;
    private const int Count = 1_500;
    private const int Rows = 300;

    private readonly ValueTokens _tokens = new();

    /// <summary>Rows together are told what each is told alone: at the ring's beginning, across packed blocks, with seasons that places of other rows share, up to the last row.</summary>
    [Theory]
    [InlineData(0, 0)]
    [InlineData(24, 48)]
    [InlineData(256, 512)]
    [InlineData(5, 700)]
    public void Rows_laid_out_together_are_what_each_is_alone(int shortSeason, int longSeason)
    {
        var (ring, encoder) = Stream(seed: 1, shortSeason, longSeason);
        Span<float> alone = stackalloc float[ForecastInput.Size];
        Span<int> anchors = stackalloc int[ForecastInput.Anchors];

        foreach (long first in new[] { ring.First, ring.First + 1, ring.First + 470, ring.Count - Rows })
        {
            var inputs = new float[Rows * ForecastInput.Size];
            var together = new int[Rows * ForecastInput.Anchors];
            encoder.Encode(first, inputs, together, _tokens);

            for (int row = 0; row < Rows; row++)
            {
                encoder.Encode(first + row, alone, anchors);
                Assert.Equal(alone, inputs.AsSpan(row * ForecastInput.Size, ForecastInput.Size));
                Assert.Equal(anchors, together.AsSpan(row * ForecastInput.Anchors, ForecastInput.Anchors));
            }
        }
    }

    [Fact]
    public void Nothing_is_known_of_another_streams_rows()
    {
        var (ring, one) = Stream(seed: 1, 24, 48);
        var (_, other) = Stream(seed: 2, 24, 48);
        (float[] expected, float[] inputs) = (new float[Rows * ForecastInput.Size], new float[Rows * ForecastInput.Size]);
        var anchors = new int[Rows * ForecastInput.Anchors];
        other.Encode(ring.First, expected, anchors, new ValueTokens());

        one.Encode(ring.First, inputs, anchors, _tokens);
        Assert.NotEqual(expected, inputs);
        other.Encode(ring.First, inputs, anchors, _tokens);
        Assert.Equal(expected, inputs);
    }

    [Fact]
    public void Targets_are_the_bins_of_what_came_and_none_of_what_did_not_or_must_not_teach()
    {
        var (ring, encoder) = Stream(seed: 1, 24, 48);
        long first = ring.Count - 30;
        ring.Mark(first + 3, first + 5, abnormal: true);
        var inputs = new float[30 * ForecastInput.Size];
        var anchors = new int[30 * ForecastInput.Anchors];
        var targets = new int[30 * ForecastInput.Horizons.Length];
        encoder.Encode(first, inputs, anchors, _tokens);
        encoder.EncodeTargets(first, targets, _tokens);

        for (int at = 0; at < targets.Length; at++)
        {
            int target = at / ForecastInput.Horizons.Length + ForecastInput.Horizons[at % ForecastInput.Horizons.Length];
            int expected = target is 3 or 4 or >= 30 ? -1 : anchors[target * ForecastInput.Anchors];      // its own bin leads a row's anchors
            Assert.Equal(expected, targets[at]);
        }
    }

    private static (ValueRing Ring, ForecastInput Encoder) Stream(int seed, int shortSeason, int longSeason)
    {
        var ring = new ValueRing(RowsMax);
        var history = new SortedReservoir(400, 800);
        var bins = new QuantileBins();
        var random = new Random(seed);
        var draws = new SeededRandom(1);

        for (int row = 0; row < Count; row++)
        {
            double value = Math.Round(20 + 5 * Math.Sin(2 * Math.PI * row / 24) + random.NextDouble(), 1);
            ring.Append(value, row, row % 97 == 0 ? 3 : 1);
            history.Add(value, ref draws);
        }

        bins.Refresh(history);
        return (ring, new ForecastInput(ring, history, bins)
        {
            ShortSeason = shortSeason,
            LongSeason = longSeason,
            Scale = ValueScale.Of(history),
            DifferenceScale = 0.7,
        });
    }
}
