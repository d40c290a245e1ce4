using StreamLstm.Detection.Synthetic.Lives;

namespace StreamLstm.Tests.Detection.Synthetic;

public sealed class SimulatedLivesTests
{
    private const int Rows = 6000;

    public static TheoryData<string> Families => [.. SimulatedLives.Families(validation: false), .. SimulatedLives.Families(validation: true)];

    [Fact]
    public void The_splits_share_no_family_and_a_third_is_kept_for_validation()
    {
        IReadOnlyList<string> train = SimulatedLives.Families(validation: false), validation = SimulatedLives.Families(validation: true);

        Assert.Empty(train.Intersect(validation));
        Assert.True(train.Count + validation.Count >= 36);
        Assert.InRange((double)validation.Count / (train.Count + validation.Count), 0.3, 0.4);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void The_same_arguments_give_the_same_bits_and_another_seed_gives_others(string family)
    {
        SimulatedLife first = SimulatedLives.Create(family, Rows, seed: 7), again = SimulatedLives.Create(family, Rows, seed: 7);

        Assert.Equal(first.Seconds, again.Seconds);
        Assert.Equal(first.Values, again.Values);
        Assert.Equal(first.Faults, again.Faults);
        Assert.Equal(first.Excused, again.Excused);
        Assert.NotEqual(first.Values, SimulatedLives.Create(family, Rows, seed: 8).Values);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Values_are_finite_times_rise_and_faults_lie_in_the_life_one_after_the_other(string family)
    {
        foreach (int rows in (ReadOnlySpan<int>)[SimulatedLives.RowsMin, 12_000])
        {
            SimulatedLife life = SimulatedLives.Create(family, rows, seed: (ulong)rows);

            Assert.Equal(rows, life.Values.Length);
            Assert.Equal(rows, life.Seconds.Length);
            Assert.All(life.Values, value => Assert.True(double.IsFinite(value)));
            Assert.All(Enumerable.Range(1, rows - 1), row => Assert.True(life.Seconds[row] > life.Seconds[row - 1]));
            Assert.True(life.Values.Distinct().Count() > 1);
            int past = 550;

            foreach (LifeFault fault in life.Faults)
            {
                Assert.True(fault.Start > past && fault.End >= fault.Start && fault.End < rows, $"{fault}");
                Assert.True(fault.Within > 0 && fault.Strength >= 0 && fault.Repetition >= 1, $"{fault}");
                past = fault.End;
            }

            Assert.All(life.Excused, rest => Assert.True(rest.First >= 0 && rest.Last >= rest.First && rest.Last < rows));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Before_its_first_fault_a_life_is_what_it_is_without_faults_and_in_it_something_differs(string family)
    {
        for (ulong seed = 1; seed <= 2; seed++)
        {
            SimulatedLife life = SimulatedLives.Create(family, Rows, seed), clean = SimulatedLives.Create(family, Rows, seed, faulty: false);
            Assert.Empty(clean.Faults);
            Assert.Equal(clean.Seconds, life.Seconds);

            if (life.Faults.Count == 0)
            {
                Assert.Equal(clean.Values, life.Values);
                continue;
            }

            // A state that stays too long differs as soon as it should have ended, and one knows when it never stayed so long.
            LifeFault first = life.Faults[0];
            int same = first.Kind == LifeFaultKind.Dwell ? 550 : first.Start;
            CleanBehaviour behaviour = SimulatedLives.Behaviour(family, Rows, seed);
            Assert.All(Enumerable.Range(0, same), row => Assert.InRange(Math.Abs(life.Values[row] - clean.Values[row]), 0, 0.5 * behaviour.Sigma(row)));
            Assert.Equal(clean.Values.AsSpan(0, 550), life.Values.AsSpan(0, 550));
            Assert.Contains(Enumerable.Range(first.Start, first.End - first.Start + 1), row => clean.Values[row] != life.Values[row]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_kind_of_fault_occurs_and_about_one_life_in_six_has_none(bool validation)
    {
        HashSet<LifeFaultKind> missing = [.. Enum.GetValues<LifeFaultKind>()];
        int lives = 0, faultless = 0;

        for (ulong seed = 100; seed < 104 || (missing.Count > 0 && seed < 130); seed++)
        {
            foreach (SimulatedLife life in SimulatedLives.Families(validation).Select(family => SimulatedLives.Create(family, Rows, seed)))
            {
                missing.ExceptWith(life.Faults.Select(fault => fault.Kind));
                faultless += life.Faults.Count == 0 ? 1 : 0;
                lives++;
            }
        }

        Assert.Empty(missing);
        Assert.InRange((double)faultless / lives, 0.1, 0.3);
    }
}
