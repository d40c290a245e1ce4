using StreamLstm.Benchmarks.LongMemory.Networks;
using StreamLstm.Benchmarks.LongMemory.Problems;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>What is measured.</summary>
/// <param name="Lags">Steps to remember, the longest last, and the updates that a network has to learn it.</param>
/// <param name="Seeds">Runs of every row.</param>
/// <param name="HiddenSize">H of every network.</param>
/// <param name="LearningRate">Step size of Adam, for every network.</param>
internal sealed record Plan((int Lag, int UpdatesMax)[] Lags, int Seeds, int HiddenSize, float LearningRate)
{
    public static Plan Full { get; } = new([(100, 6000), (400, 3000)], Seeds: 5, HiddenSize: 32, LearningRate: 0.003f);

    /// <summary>A few seconds, for the tests.</summary>
    public static Plan Small { get; } = new([(20, 500)], Seeds: 1, HiddenSize: 12, LearningRate: 0.01f);

    public ISequenceProblem Adding { get; } = new AddingProblem();

    public ISequenceProblem Copy { get; } = new CopyProblem();

    public int LongestLag => Lags[^1].Lag;

    /// <summary>The LSTM that the goals are about.</summary>
    public Contender Lstm { get; } = Contender.LstmChrono;

    public Contender Rnn { get; } = Contender.Rnn;

    /// <summary>Networks against each other.</summary>
    public Contender[] Contenders { get; } =
        [Contender.LstmChrono, Contender.Lstm(1), Contender.GruChrono, Contender.Gru, Contender.Rnn];

    /// <summary>The LSTM with parts changed or taken away, on the adding problem at the shortest lag.</summary>
    public Contender[] Ablations { get; } =
    [
        Contender.Lstm(0),
        Contender.Lstm(5),
        Contender.LstmWithout(LstmGate.Input),
        Contender.LstmWithout(LstmGate.Forget),
        Contender.LstmWithout(LstmGate.Output),
    ];

    /// <summary>Every run, row by row.</summary>
    public LearningRun[] Runs() =>
    [
        .. from problem in new[] { Adding, Copy }
           from lag in Lags
           from contender in Contenders
           from seed in Enumerable.Range(1, Seeds)
           select Run(problem, lag, contender, seed),
        .. from contender in Ablations
           from seed in Enumerable.Range(1, Seeds)
           select Run(Adding, Lags[0], contender, seed),
    ];

    private LearningRun Run(ISequenceProblem problem, (int Lag, int UpdatesMax) lag, Contender contender, int seed) => new(
        problem,
        lag.Lag,
        contender,
        seed,
        new LearningOptions { HiddenSize = HiddenSize, LearningRate = LearningRate, UpdatesMax = lag.UpdatesMax });
}
