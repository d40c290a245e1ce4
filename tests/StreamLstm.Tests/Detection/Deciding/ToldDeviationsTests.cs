using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Detection.Deciding;

public sealed class ToldDeviationsTests
{
    [Fact]
    public void What_lies_further_out_is_worth_no_less_and_nearer_or_on_the_other_side_nothing()
    {
        var told = new ToldDeviations();
        told.Tell(side: 1, deviation: 40, evidence: 6);

        Assert.Equal(6, told.Least(1, 41));
        Assert.Equal(0, told.Least(1, 39));
        Assert.Equal(0, told.Least(-1, 41));
    }

    [Fact]
    public void A_growing_fault_is_never_told_as_less()
    {
        var random = new Random(1);

        for (int life = 0; life < 100; life++)
        {
            var told = new ToldDeviations();
            double last = 0;

            for (int occurrence = 1; occurrence <= 40; occurrence++)
            {
                // What a tail makes of it goes up and down; the fault grows.
                double evidence = Math.Max(4 + (3 * random.NextDouble()), told.Least(1, occurrence));
                told.Tell(1, occurrence, evidence);
                Assert.True(evidence >= last, $"life {life}, occurrence {occurrence}: {evidence} after {last}");
                last = evidence;
            }
        }
    }

    [Fact]
    public void It_is_there_after_a_restart_and_bounded()
    {
        var told = new ToldDeviations();

        for (int i = 0; i < 100; i++)
        {
            told.Tell(1, i, i);
        }

        using var file = new MemoryStream();
        told.Save(new BinaryWriter(file));
        file.Position = 0;
        ToldDeviations again = ToldDeviations.Load(new BinaryReader(file));

        Assert.InRange(file.Length, 1, 16 * 17 + 1);
        Assert.Equal(file.Length, file.Position);
        Assert.Equal(99, again.Least(1, 1_000));
        Assert.Equal(90, again.Least(1, 90.5));
        Assert.Equal(0, again.Least(1, 10));
    }
}
