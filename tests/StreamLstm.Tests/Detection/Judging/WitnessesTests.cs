using StreamLstm.Detection.Judging.Values;

namespace StreamLstm.Tests.Detection.Judging;

public sealed class WitnessesTests
{
    [Fact]
    public void What_several_indicators_say_of_one_thing_counts_once()
    {
        double[] decades = new double[ValueIndicators.Count];
        (decades[(int)Indicator.Rarity], decades[(int)Indicator.LastingRarity], decades[(int)Indicator.LongRarity]) = (5, 4, 3);
        Assert.Equal(2.5, Witnesses.Mean(decades, strongest: 2));

        decades[(int)Indicator.Forecast6] = 2;
        Assert.Equal(3.5, Witnesses.Mean(decades, strongest: 2));
        Assert.Equal(2.5, Witnesses.Mean(decades, strongest: 2, atMost: 3));
    }

    [Fact]
    public void Every_indicator_is_heard_and_more_of_any_is_never_less()
    {
        for (int i = 0; i < ValueIndicators.Count; i++)
        {
            double[] decades = [.. Enumerable.Repeat(1.0, ValueIndicators.Count)];
            double before = Witnesses.Mean(decades, Witnesses.Count);
            decades[i] = 2;

            Assert.Equal(1, before);
            Assert.Equal(1 + (1.0 / Witnesses.Count), Witnesses.Mean(decades, Witnesses.Count), 12);
        }
    }
}
