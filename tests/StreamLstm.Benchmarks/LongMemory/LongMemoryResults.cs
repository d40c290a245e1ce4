using StreamLstm.Benchmarks.LongMemory.Networks;
using StreamLstm.Benchmarks.LongMemory.Problems;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>All seeds of one network on one problem at one lag.</summary>
internal sealed record ResultRow(ISequenceProblem Problem, int Lag, Contender Contender, IReadOnlyList<LearningResult> Seeds)
{
    public int Solved => Seeds.Count(seed => seed.UpdatesUntilSolved is not null);

    public double MedianError => Median(Seeds.Select(seed => seed.Error));

    /// <summary>Over the seeds that solved it; null where none did.</summary>
    public double? MedianUpdates => Solved == 0
        ? null
        : Median(Seeds.Where(seed => seed.UpdatesUntilSolved is not null).Select(seed => (double)seed.UpdatesUntilSolved!));

    public double MedianSeconds => Median(Seeds.Select(seed => seed.Duration.TotalSeconds));

    /// <summary>Share of the gradient at the last step that is left at each step, before or after learning: (T).</summary>
    public double[] MedianNorms(bool afterLearning)
    {
        double[][] norms = Norms(afterLearning);
        return [.. Enumerable.Range(0, norms[0].Length).Select(step => Median(norms.Select(seed => seed[step])))];
    }

    /// <summary>The same after the first step, of the seed with the least and of the one with the most.</summary>
    public (double Least, double Most) FirstNorms(bool afterLearning)
    {
        double[] first = [.. Norms(afterLearning).Select(seed => seed[0])];
        return (first.Min(), first.Max());
    }

    private double[][] Norms(bool afterLearning) => [.. Seeds.Select(seed => afterLearning ? seed.NormsAfter : seed.NormsBefore)];

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}

/// <summary>What was measured, by row.</summary>
internal sealed class LongMemoryResults
{
    /// <summary>A gradient below this, in single precision, is none.</summary>
    public const double LeastNorm = 1e-30;

    private readonly Plan _plan;

    public LongMemoryResults(Plan plan, IEnumerable<LearningResult> results)
    {
        _plan = plan;
        Rows =
        [
            .. from result in results
               group result by (result.Run.Problem, result.Run.Lag, result.Run.Contender) into row
               select new ResultRow(row.Key.Problem, row.Key.Lag, row.Key.Contender, [.. row]),
        ];
    }

    public IReadOnlyList<ResultRow> Rows { get; }

    public ResultRow Row(ISequenceProblem problem, int lag, Contender contender) =>
        Rows.Single(row => row.Problem == problem && row.Lag == lag && row.Contender == contender);

    public IReadOnlyList<Goal> Goals()
    {
        int lag = _plan.LongestLag;
        ResultRow lstm = Row(_plan.Adding, lag, _plan.Lstm);
        ResultRow rnn = Row(_plan.Adding, lag, _plan.Rnn);
        return
        [
            new($"L1 adding lag {lag} chrono lstm seeds solved", lstm.Solved, $"of {_plan.Seeds}", AtLeast: true, _plan.Seeds),
            new($"L2 adding lag {lag} vanilla rnn seeds solved", rnn.Solved, $"of {_plan.Seeds}", AtLeast: false, 0),
            new($"L3 gradient norm kept over {lag} steps chrono lstm over rnn", Kept(lstm) / Kept(rnn), "x", AtLeast: true, 1000),
        ];
    }

    /// <summary>After learning, the norm of dLoss/dh after the first step as a share of that after the last.</summary>
    private static double Kept(ResultRow row) => Math.Max(row.MedianNorms(afterLearning: true)[0], LeastNorm);
}
