using StreamLstm.Detection.Judging;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Detection.Judging;

public sealed class CleanTailTests
{
    [Fact]
    public void Nothing_is_said_before_twelve_blocks()
    {
        CleanTail tail = Normal(rows: 13 * CleanTail.BlockRows - 1);

        Assert.False(tail.IsKnown);
        Assert.Equal(0, tail.Score(1e9));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_normal_noise_one_block_in_a_hundred_comes_to_two_decades(bool isRatio)
    {
        int over = 0, blocks = 0;

        for (int seed = 1; seed <= 40; seed++)
        {
            CleanTail tail = Normal(rows: 257 * CleanTail.BlockRows, seed, isRatio ? TailScale.Ratio : TailScale.Difference);
            var random = new Random(1000 + seed);

            for (int block = 0; block < 200; block++, blocks++)
            {
                over += tail.Score(Enumerable.Range(0, CleanTail.BlockRows).Max(_ => Math.Abs(Chance.Normal(random)))) >= 2 ? 1 : 0;
            }
        }

        Assert.InRange(over / (double)blocks, 0.002, 0.02);
    }

    [Fact]
    public void A_larger_value_never_scores_less()
    {
        CleanTail tail = Normal(rows: 100 * CleanTail.BlockRows);
        double last = 0;

        for (double value = 0; value < 1000; value += 0.5)
        {
            Assert.True(tail.Score(value) >= last);
            last = tail.Score(value);
        }
    }

    [Fact]
    public void The_same_level_is_as_rare_the_seventh_time_and_at_the_end_of_a_long_life()
    {
        var random = new Random(1);
        CleanTail tail = new(256, TailScale.Ratio, least: 0.1);
        List<double> scores = [];

        for (int row = 0; row < 100_000; row++)
        {
            double value = Math.Abs(Chance.Normal(random));

            if (row > 20_000 && row % 10_000 == 0)
            {
                value = 12;
                scores.Add(tail.Score(value));
            }

            tail.Add(value, teaches: true);
        }

        Assert.Equal(7, scores.Count);
        Assert.All(scores, score => Assert.InRange(score, 4, 9));
    }

    [Fact]
    public void One_wild_value_of_the_warm_up_is_outvoted()
    {
        var random = new Random(1);
        CleanTail clean = new(256, TailScale.Ratio, least: 0.1), wild = new(256, TailScale.Ratio, least: 0.1);

        for (int row = 0; row < 64 * CleanTail.BlockRows; row++)
        {
            double value = Math.Abs(Chance.Normal(random));
            clean.Add(value, teaches: true);
            wild.Add(row == 40 ? 65_535 : value, teaches: true);
        }

        Assert.True(wild.Score(10) > clean.Score(10) - 0.5, $"{wild.Score(10)} with it, {clean.Score(10)} without");
    }

    [Fact]
    public void What_comes_in_every_tenth_block_is_usual_and_what_is_not_to_count_does_not()
    {
        var random = new Random(1);
        CleanTail heavy = new(256, TailScale.Ratio, least: 0.1), spared = new(256, TailScale.Ratio, least: 0.1);

        for (int row = 0; row < 200 * CleanTail.BlockRows; row++)
        {
            double value = row % 320 == 7 ? 20 : Math.Abs(Chance.Normal(random));
            heavy.Add(value, teaches: true);
            spared.Add(value, teaches: value < 20);
        }

        Assert.InRange(heavy.Score(20), 0, 1.5);
        Assert.True(spared.Score(20) > 5);
    }

    [Fact]
    public void What_led_up_to_an_incident_does_not_count_where_its_block_is_spared()
    {
        CleanTail taught = Normal(rows: 100 * CleanTail.BlockRows), spared = Normal(rows: 100 * CleanTail.BlockRows);

        for (int time = 0; time < 8; time++)
        {
            foreach (CleanTail tail in (ReadOnlySpan<CleanTail>)[taught, spared])
            {
                Feed(tail, CleanTail.BlockRows, 5);
                Feed(tail, 3, 1);

                if (tail == spared)
                {
                    tail.SpareWaiting();
                }

                Feed(tail, (4 * CleanTail.BlockRows) - 3, 1);
            }
        }

        Assert.True(spared.Score(5) > taught.Score(5) + 1, $"{spared.Score(5)} spared, {taught.Score(5)} taught");

        static void Feed(CleanTail tail, int rows, double value)
        {
            for (int row = 0; row < rows; row++)
            {
                tail.Add(value, teaches: true);
            }
        }
    }

    [Fact]
    public void A_level_called_ordinary_is_worth_little_and_more_than_it_is_worth_more()
    {
        CleanTail tail = Normal(rows: 100 * CleanTail.BlockRows);
        double before = tail.Score(10);
        tail.Ordinary = 10;

        Assert.Equal(0, tail.Score(10), 6);
        Assert.Equal(before, tail.PlainScore(10));
        Assert.True(tail.Score(100) > 3);
    }

    [Fact]
    public void What_rises_slowly_makes_itself_usual_unless_its_blocks_wait_for_as_long_as_it_remembers()
    {
        double atOnce = Risen(memoryBlocks: 0), later = Risen(memoryBlocks: 4);

        Assert.True(later > atOnce + 0.5, $"{later} where blocks wait, {atOnce} where not");
        Assert.InRange(Math.Abs(Calm(memoryBlocks: 0) - Calm(memoryBlocks: 4)), 0, 0.6);

        static double Risen(int memoryBlocks)
        {
            (CleanTail tail, Random random) = Begin(memoryBlocks);
            double level = 0;

            for (int row = 0; row < 8 * CleanTail.BlockRows; row++)
            {
                level += 0.04;
                tail.Add(level + Math.Abs(Chance.Normal(random)), teaches: true);
            }

            return tail.Score(level);
        }

        static double Calm(int memoryBlocks) => Begin(memoryBlocks).Tail.Score(5);

        static (CleanTail Tail, Random Random) Begin(int memoryBlocks)
        {
            CleanTail tail = new(256, TailScale.Ratio, least: 0.1, memoryBlocks);
            var random = new Random(1);

            for (int row = 0; row < 128 * CleanTail.BlockRows; row++)
            {
                tail.Add(Math.Abs(Chance.Normal(random)), teaches: true);
            }

            return (tail, random);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void A_restored_tail_goes_on_as_if_it_had_never_stopped(int memoryBlocks)
    {
        CleanTail whole = Normal(rows: 5_000, memoryBlocks: memoryBlocks), restored = new(256, TailScale.Ratio, least: 0.1, memoryBlocks);
        using var memory = new MemoryStream();
        whole.Save(new BinaryWriter(memory));
        memory.Position = 0;
        restored.Load(new BinaryReader(memory));
        var random = new Random(9);

        for (int row = 0; row < 10_000; row++)
        {
            double value = Math.Abs(Chance.Normal(random));
            Assert.Equal(whole.Score(value), restored.Score(value));
            whole.Add(value, row % 7 != 0);
            restored.Add(value, row % 7 != 0);
        }
    }

    private static CleanTail Normal(int rows, int seed = 1, TailScale scale = TailScale.Ratio, int memoryBlocks = 0)
    {
        var random = new Random(seed);
        var tail = new CleanTail(256, scale, least: 0.1, memoryBlocks);

        for (int row = 0; row < rows; row++)
        {
            tail.Add(Math.Abs(Chance.Normal(random)), teaches: true);
        }

        return tail;
    }

    [Fact]
    public void What_was_learnt_of_a_worse_measure_holds_until_enough_is_known_of_the_better_one()
    {
        var random = new Random(1);
        var tail = new CleanTail(256, TailScale.Ratio, least: 0.1);

        for (int row = 0; row < 64 * CleanTail.BlockRows; row++)
        {
            tail.Add(10 * Math.Abs(Chance.Normal(random)), teaches: true);
        }

        double worse = tail.Score(15);
        tail.Renew();

        for (int block = 0; block < 40; block++)
        {
            Assert.True(tail.IsKnown);
            Assert.Equal(block > CleanTail.BlocksMin, tail.Score(15) > worse);

            for (int row = 0; row < CleanTail.BlockRows; row++)
            {
                tail.Add(Math.Abs(Chance.Normal(random)), teaches: true);
            }
        }
    }
}
