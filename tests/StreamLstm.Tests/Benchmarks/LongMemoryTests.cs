using StreamLstm.Benchmarks;
using StreamLstm.Benchmarks.LongMemory;
using StreamLstm.Benchmarks.LongMemory.Networks;
using StreamLstm.Benchmarks.LongMemory.Problems;

namespace StreamLstm.Tests.Benchmarks;

public sealed class LongMemoryTests
{
    [Fact]
    public void The_small_run_prints_its_goals_and_writes_the_page_and_both_pictures()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        string directory = Directory.CreateTempSubdirectory("long-memory").FullName;

        try
        {
            Assert.Equal(0, BenchmarkCommand.Run(["long-memory", "--small", "--out", directory], output, error));

            Assert.Matches(@"(?m)^L1 adding lag 20 chrono lstm seeds solved: 1 of 1 \(goal >= 1\) met$", output.ToString());
            Assert.Matches(@"(?m)^L2 adding lag 20 vanilla rnn seeds solved: [01] of 1 \(goal <= 0\) (met|missed)$", output.ToString());
            Assert.Matches(@"(?m)^L3 gradient norm kept over 20 steps chrono lstm over rnn: \S+ x \(goal >= \S+\) (met|missed)$", output.ToString());
            Assert.Contains("| adding |", File.ReadAllText(Path.Combine(directory, "long-memory.md")), StringComparison.Ordinal);
            Assert.All(
                ["learning-curves.png", "gradient-through-time.png"],
                picture => Assert.Equal("PNG"u8, File.ReadAllBytes(Path.Combine(directory, picture)).AsSpan(1, 3)));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void Words_that_it_does_not_know_are_answered_with_its_usage()
    {
        using var error = new StringWriter();

        Assert.Equal(2, BenchmarkCommand.Run(["long-memory", "--smal"], TextWriter.Null, error));

        Assert.Contains("usage: long-memory", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 3, true, "met")]
    [InlineData(2, 3, true, "missed")]
    [InlineData(0, 0, false, "met")]
    [InlineData(1, 0, false, "missed")]
    public void The_last_word_of_a_goal_follows_from_its_two_numbers(double measured, double bound, bool atLeast, string word) =>
        Assert.EndsWith($") {word}", new Goal("a goal", measured, "of 3", atLeast, bound).ToString(), StringComparison.Ordinal);

    [Fact]
    public void The_same_run_learns_the_same_beside_others()
    {
        var options = new LearningOptions
        {
            HiddenSize = 6, LearningRate = 0.01f, UpdatesMax = 20, UpdatesPerEvaluation = 10, EvaluationSequences = 20,
        };
        var run = new LearningRun(new AddingProblem(), 20, Contender.LstmChrono, 3, options);
        LearningResult alone = run.Learn(_ => { });
        var beside = new LearningResult[4];

        Parallel.For(0, beside.Length, i => beside[i] = run.Learn(_ => { }));

        Assert.Equal(3, alone.Curve.Count);
        Assert.All(beside, result => Assert.Equal(alone.Curve, result.Curve));
        Assert.All(beside, result => Assert.Equal(alone.NormsAfter, result.NormsAfter));
    }

    [Fact]
    public void The_adding_problem_marks_two_numbers_of_the_first_half_and_asks_for_their_sum()
    {
        var problem = new AddingProblem();
        var random = new Random(1);
        var inputs = new float[2 * 40];

        for (int i = 0; i < 100; i++)
        {
            float target = problem.Draw(random, inputs);

            int[] marked = [.. Enumerable.Range(0, 40).Where(step => inputs[2 * step + 1] == 1)];
            Assert.Equal(2, marked.Length);
            Assert.InRange(marked[0], 0, 3);
            Assert.InRange(marked[1], 4, 19);
            Assert.Equal(inputs[2 * marked[0]] + inputs[2 * marked[1]], target);
        }
    }

    [Fact]
    public void The_copy_problem_shows_the_symbol_once_and_then_nothing_that_tells_of_it()
    {
        var problem = new CopyProblem();
        var random = new Random(1);
        int steps = problem.Steps(30);
        var inputs = new float[8 * steps];

        for (int i = 0; i < 100; i++)
        {
            int target = (int)problem.Draw(random, inputs);

            Assert.Equal(31, steps);
            Assert.Equal(target, Array.IndexOf(inputs, 1f, 0, 8));
            Assert.All(Enumerable.Range(1, 30), step =>
            {
                Assert.Equal(1, inputs.AsSpan(8 * step, 8).ToArray().Sum());
                Assert.InRange(Array.IndexOf(inputs, 1f, 8 * step, 8), 8 * step + 4, 8 * step + 7);
            });
        }
    }
}
