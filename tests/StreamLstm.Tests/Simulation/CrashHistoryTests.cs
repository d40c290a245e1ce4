using System.Globalization;

namespace StreamLstm.Tests.Simulation;

/// <summary>Lives of the whole core on a disk that loses what a disk may lose, fills up, fails and rots; swaps, labels, accepts and clocks among them.</summary>
/// <remarks>
/// STREAMLSTM_TEST_HISTORIES sets how many seeds are tried, STREAMLSTM_TEST_SEED the first. A failure says the seed and the fewest steps
/// with which it is still seen; the same seed does the same again.
/// </remarks>
public sealed class CrashHistoryTests
{
    private static readonly int Histories = Number("STREAMLSTM_TEST_HISTORIES", 300);
    private static readonly int First = Number("STREAMLSTM_TEST_SEED", 0);

    [Fact]
    public void Whatever_the_crashes_nothing_acknowledged_is_lost_and_the_same_is_told_in_the_same_order()
    {
        long lives = 0, told = 0, incidents = 0;

        if (Seeds.First(First, Histories, seed => HistoryRun.Violation(History.Of(seed)) is not null) is { } violated)
        {
            Assert.Fail(Said(violated, Mutant.None));
        }

        for (int seed = First; seed < First + 40; seed++)
        {
            (int ofLives, int ofTold, int ofIncidents) = HistoryRun.Measure(History.Of(seed));
            (lives, told, incidents) = (lives + ofLives, told + ofTold, incidents + ofIncidents);
        }

        // Histories in which nothing happens would prove nothing.
        Assert.True(lives > 40 && told > 400 && incidents > 20, $"in 40 histories {lives} lives, {told} entries told, {incidents} incidents");
    }

    [Theory]
    [InlineData(Mutant.R1AcknowledgesBeforeTheSync)]
    [InlineData(Mutant.R1ForgetsTheFilesName)]
    [InlineData(Mutant.R2ManifestBeforeTheSinksAreDurable)]
    [InlineData(Mutant.R3TellsBeforeTheSync)]
    [InlineData(Mutant.R4SwapsBeforeItIsWrittenDown)]
    [InlineData(Mutant.R6KeepsTheJournalOfTheNewestOnly)]
    [InlineData(Mutant.R7TakesWhatDoesNotMatchItsChecksum)]
    [InlineData(Mutant.R8NamesPartsBeforeTheirSync)]
    [InlineData(Mutant.R9ReadsTheClockAgain)]
    [InlineData(Mutant.CarriesOverWhatChanged)]
    public void Each_rule_that_is_broken_is_seen_in_some_history_and_not_without_it(Mutant mutant)
    {
        int seed = Seeds.First(0, 2_000, seed => HistoryRun.Violation(History.Of(seed), mutant) is not null)
            ?? throw new Xunit.Sdk.XunitException($"{mutant} was never seen");

        // The trace is short, and it is the rule that is broken in it.
        History shrunk = History.Of(seed).Shrunk(candidate => HistoryRun.Violation(candidate, mutant));
        Assert.NotNull(HistoryRun.Violation(shrunk, mutant));
        Assert.Null(HistoryRun.Violation(shrunk));
        Assert.InRange(shrunk.Steps.Count, 1, 30);
        TestContext.Current.SendDiagnosticMessage("{0}", Said(seed, mutant));
    }

    [Fact]
    public void The_same_seed_does_the_same_again()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            Assert.Equal(HistoryRun.Measure(History.Of(seed)), HistoryRun.Measure(History.Of(seed)));
        }
    }

    private static string Said(int seed, Mutant mutant)
    {
        History shrunk = History.Of(seed).Shrunk(candidate => HistoryRun.Violation(candidate, mutant));
        return $"{(mutant == Mutant.None ? "" : $"{mutant}: ")}{shrunk}\n{HistoryRun.Violation(shrunk, mutant)}";
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
