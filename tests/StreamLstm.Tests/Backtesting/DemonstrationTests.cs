using StreamLstm.Backtesting;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Backtesting;

public sealed class DemonstrationTests
{
    [Fact]
    public void The_area_is_the_chance_that_an_odd_one_scores_more()
    {
        Assert.Equal(1, RocArea.Of([3, 4], [1, 2]));
        Assert.Equal(0.5, RocArea.Of([1, 2], [1, 2]));
        Assert.Equal(0.75, RocArea.Of([2, 4], [1, 3]));
        Assert.Throws<ArgumentException>(() => RocArea.Of([], [1]));
    }

    [Fact]
    public void A_chain_knows_lines_like_those_it_has_counted()
    {
        var chain = new MarkovChain();

        for (int i = 0; i < 100; i++)
        {
            chain.Learn("banana");
        }

        Assert.InRange(chain.Surprise("banana"), 0, 0.3);
        Assert.True(chain.Surprise("xkcdqz") > 4);
    }

    [Fact]
    public void Generated_names_are_found_among_words()
    {
        DemonstrationResult result = TextDemonstration.Run(OddLines.Names(Words(), seed: 1), seed: 1, clean: 3_000, mixed: 1_500, StreamForm.Full, progress: null, TestContext.Current.CancellationToken);

        DemonstrationScore all = result.Scores.Single(score => score.Name == "AUC, all generated names");
        Assert.InRange(all.Ours, 0.9, 1);
        Assert.InRange(result.Scores.Single(score => score.Name == "ordinary names that were alerts").Ours, 0, 0.01);
    }

    [Theory]
    [InlineData("commands", "intruders' commands", StreamForm.Full)]
    [InlineData("urls", "attacks", StreamForm.Lean)]
    public void Odd_commands_and_urls_are_found_by_characters_and_by_words_and_their_length_says_nothing(string of, string odd, StreamForm form)
    {
        OddLines lines = of == "urls" ? OddLines.Urls(seed: 1) : OddLines.Commands(seed: 1);

        DemonstrationResult result = TextDemonstration.Run(lines, seed: 1, clean: 2_600, mixed: 1_600, form, progress: null, TestContext.Current.CancellationToken);

        DemonstrationScore all = result.Scores.Single(score => score.Name == $"AUC, all {odd}");
        Assert.InRange(all.Ours, 0.9, 1);
        Assert.InRange(all.Peers.Single(peer => peer.Name == "by words").Value, 0.9, 1);
        Assert.InRange(all.Peers.Single(peer => peer.Name == "length alone").Value, 0.35, 0.65);
        Assert.InRange(result.Scores.Single(score => score.Name.StartsWith("ordinary ", StringComparison.Ordinal)).Ours, 0, 0.01);
        Assert.Equal(5, result.Picture!.Lines.Count);
    }

    [Fact]
    public void The_same_seed_gives_the_same_lines_and_another_one_others()
    {
        Assert.Equal(Some(OddLines.Commands(3)), Some(OddLines.Commands(3)));
        Assert.Equal(Some(OddLines.Urls(3)), Some(OddLines.Urls(3)));
        Assert.NotEqual(Some(OddLines.Urls(3)), Some(OddLines.Urls(4)));

        static string[] Some(OddLines lines) => [.. Enumerable.Range(0, 40).Select(i => i % 4 == 3 ? lines.OddOf(i / 4 % 4) : lines.Ordinary())];
    }

    [Fact]
    public void Faults_are_heard()
    {
        DemonstrationResult result = SoundDemonstration.Run(seed: 1, cleanSeconds: 200, faults: 3, progress: null, TestContext.Current.CancellationToken);

        Assert.InRange(result.Scores.Single(score => score.Name == "AUC, mean of machines").Ours, 0.85, 1);
        Assert.InRange(result.Scores.Single(score => score.Name == "faults that opened an incident").Ours, 0.4, 1);
        Assert.Contains(result.Told, sentence => sentence.Contains(" Hz", StringComparison.Ordinal));
    }

    [Fact]
    public void Faults_are_seen_and_the_block_is_named()
    {
        DemonstrationResult result = VideoDemonstration.Run(seed: 1, cleanFrames: 1_000, faults: 3, progress: null, TestContext.Current.CancellationToken);

        Assert.InRange(result.Scores.Single(score => score.Name == "AUC, mean of faults").Ours, 0.9, 1);
        Assert.Contains(result.Told, sentence => sentence.Contains("row 3 column 4", StringComparison.Ordinal));
    }

    [Fact]
    public void Dates_and_numbers_are_what_they_say_they_are()
    {
        var random = new Random(3);

        foreach (SequenceTask task in (SequenceTask[])[SequenceTask.Dates(), SequenceTask.Numbers(), SequenceTask.Reversal(1, 8)])
        {
            for (int i = 0; i < 500; i++)
            {
                StreamLstm.Model.Sequences.SequencePair pair = task.Draw(random);
                Assert.DoesNotContain(-1, pair.Source.Concat(pair.Target));
            }
        }

        Assert.Equal("two hundred and six", Of(SequenceTask.Numbers(), source => source == "206"));
        Assert.Matches("^20[0-9]{2}-03-05$", Of(SequenceTask.Dates(), source => source.StartsWith("march 5, 20", StringComparison.Ordinal)));

        static string Of(SequenceTask task, Func<string, bool> isAsked)
        {
            var random = new Random(1);

            while (true)
            {
                StreamLstm.Model.Sequences.SequencePair pair = task.Draw(random);

                if (isAsked(task.SourceText(pair)))
                {
                    return task.TargetText(pair.Target);
                }
            }
        }
    }

    [Fact]
    public void Too_few_words_are_refused()
    {
        var few = Assert.Throws<BacktestUsageException>(() => new DomainNames(["one", "two"], seed: 1));

        Assert.Contains("2 of 3 to 12 letters", few.Message, StringComparison.Ordinal);
    }

    /// <summary>Words of a made-up language: syllables of two or three letters, three of them or four.</summary>
    private static IEnumerable<string> Words()
    {
        var random = new Random(5);
        string[] syllables = ["ba", "lo", "ter", "mi", "san", "der", "ko", "ri", "men", "tal", "pe", "sto", "ling", "ver", "na"];
        return Enumerable.Range(0, 40_000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(3, 5)).Select(_ => syllables[random.Next(syllables.Length)])));
    }
}
