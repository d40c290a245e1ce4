using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection.Judging;

/// <summary>What the stream's own values make of one that is far from them.</summary>
public sealed class RarityTests
{
    private static readonly double[] Recipes = [220, 350, 500, 800];

    [Theory]
    [InlineData(896)]
    [InlineData(650)]
    [InlineData(160)]
    public void Levels_that_were_new_in_youth_do_not_hide_one_that_is_new_later(double value)
    {
        var stream = new Stream();
        stream.Furnace(visits: 25);

        stream.Take(value);

        Assert.True(stream.Rarity.Single > 4, $"{stream.Rarity.Single}");
    }

    [Fact]
    public void A_level_the_stream_has_been_at_before_is_nothing_new()
    {
        var stream = new Stream();
        stream.Furnace(visits: 25);
        double highest = 0;

        foreach (double level in Recipes)
        {
            for (int row = 0; row < 150; row++)
            {
                stream.Take(level + 4 * Chance.Normal(stream.Random));
                highest = Math.Max(highest, stream.Rarity.Single);
            }
        }

        Assert.True(highest < 3, $"{highest}");
    }

    [Fact]
    public void Where_every_level_is_new_another_one_is_no_news()
    {
        var stream = new Stream();

        for (int visit = 0; visit < 40; visit++)
        {
            stream.Visit(1_000 * stream.Random.NextDouble(), 150);
        }

        stream.Take(1_030);

        Assert.True(stream.Rarity.Single < 3, $"{stream.Rarity.Single}");
    }

    [Fact]
    public void Beyond_the_cut_of_a_heavy_tail_a_value_is_no_rarer_than_the_tail_has_it()
    {
        var stream = new Stream();
        int told = 0;

        // One latency in a hundred is three to eight times as long; those beyond 160 were told, and teach nothing.
        for (int row = 0; row < 4_000; row++)
        {
            double value = 20 * Math.Exp(0.4 * Chance.Normal(stream.Random)) * (stream.Random.NextDouble() < 0.01 ? 3 + (5 * stream.Random.NextDouble()) : 1);
            told += value > 160 ? 1 : 0;
            stream.Take(value, teaches: value <= 160);
        }

        Assert.InRange(told, 4, 16);
        stream.Ask(225);
        Assert.True(stream.Rarity.Single < 3, $"{stream.Rarity.Single}");
        stream.Ask(3_000);
        Assert.True(stream.Rarity.Single > 3, $"{stream.Rarity.Single}");
    }

    [Fact]
    public void A_value_farther_away_is_never_less_rare()
    {
        var stream = new Stream();
        stream.Furnace(visits: 25);
        double last = 0;

        for (double value = 800; value < 5_000; value += 10)
        {
            stream.Ask(value);
            Assert.True(stream.Rarity.Single >= last, $"{value}: {stream.Rarity.Single} after {last}");
            last = stream.Rarity.Single;
        }
    }

    [Fact]
    public void A_level_that_lasts_is_rare_in_the_means_too_and_counts_its_rows()
    {
        var stream = new Stream();
        stream.Furnace(visits: 25);

        for (int row = 0; row < 60; row++)
        {
            stream.Ask(620 + 4 * Chance.Normal(stream.Random));
        }

        Assert.Equal(60, stream.Rarity.FarRows);
        Assert.True(stream.Rarity.Lasting > 3, $"{stream.Rarity.Lasting}");
        Assert.True(stream.Rarity.Long > 3, $"{stream.Rarity.Long}");
    }

    [Fact]
    public void Values_within_so_many_rows_are_no_neighbours()
    {
        // 5 came three times in a row, 1 at four times far apart.
        double[] values = [1, 5, 5, 5, 1, 1, 1];
        int[] rows = [0, 100, 101, 102, 200, 300, 400];
        var distances = new double[values.Length];

        Hindsight.Distances(values, rows, apart: 10, distances, new double[values.Length]);

        Assert.Equal([0, 4, 4, 4, 0, 0, 0], distances);
    }

    private sealed class Stream
    {
        private readonly ValueRing _ring = new(8192);
        private readonly SortedReservoir _history = new(2048, 8192);
        private readonly double[] _room = new double[Rarity.RoomValues];
        private SeededRandom _sampling = new(1);
        private ValueScale _scale = new(0, 1);

        public Random Random { get; } = new(1);

        public Rarity Rarity { get; } = new();

        public void Furnace(int visits)
        {
            for (int visit = 0; visit < visits; visit++)
            {
                Visit(Recipes[(visit * 3 + visit / 4) % 4], 100 + Random.Next(150));
            }
        }

        public void Visit(double level, int rows)
        {
            for (int row = 0; row < rows; row++)
            {
                Take(level + 4 * Chance.Normal(Random));
            }
        }

        public void Ask(double value) => Rarity.Observe(value, _history, _scale);

        public void Take(double value, bool teaches = true)
        {
            Ask(value);
            _ring.Append(value, _ring.Count, 1);

            if (teaches)
            {
                _history.Add(value, ref _sampling);
                _scale = ValueScale.Of(_history);
            }
            else
            {
                _ring.Mark(_ring.Count - 1, _ring.Count, abnormal: true);
            }

            if (_ring.Count % 128 == 0)
            {
                Rarity.Refresh(_ring, _scale, 0.1, _room);
            }
        }
    }
}
