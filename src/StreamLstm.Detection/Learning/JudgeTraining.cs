using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Values;
using StreamLstm.Detection.Synthetic.Lives;
using StreamLstm.Model;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Detection.Learning;

/// <summary>How the judge of single values is trained.</summary>
public sealed record JudgeTrainingOptions
{
    /// <summary>Lives of each family to learn from, 1 or more.</summary>
    public int LivesPerFamily { get; init; } = 32;

    /// <summary>Passes over the windows.</summary>
    public int Epochs { get; init; } = 12;

    /// <summary>
    /// Trainings one after the other, 1 or more. What is alarmed teaches nothing, so the judge decides what it will be told
    /// later: each training learns from lives that the judge before it watched, the first from lives none did.
    /// </summary>
    public int Rounds { get; init; } = 2;

    /// <summary>Networks whose mean is the judge, 1 or more: what one made of the chance of its windows, the other did not.</summary>
    public int Members { get; init; } = 2;

    /// <summary>Seed of the lives, the windows and the starting weights.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads at most; changes no bit of the result.</summary>
    public int Threads { get; init; } = 1;
}

/// <summary>What a judge makes of lives.</summary>
/// <param name="Lives">Lives.</param>
/// <param name="Faults">Faults in them.</param>
/// <param name="Recall">Share of the faults found, the mean over kinds.</param>
/// <param name="FalsePer10K">Incidents that nothing was behind, in 10,000 clean rows.</param>
public sealed record JudgeFigures(int Lives, int Faults, double Recall, double FalsePer10K);

/// <summary>A trained judge.</summary>
/// <param name="Weights">Its weights.</param>
/// <param name="Training">What it makes of other lives of the families it learnt from.</param>
/// <param name="Validation">What it makes of families it has not learnt from.</param>
public sealed record JudgeTrainingResult(LstmWeights Weights, JudgeFigures Training, JudgeFigures Validation);

/// <summary>Trains the small LSTM that reads what the indicators of a stream of values say (<see cref="LearntJudge"/>).</summary>
/// <remarks>
/// On simulated lives only: their families are split into those it learns from and those it is tried on. By all of them its
/// line is set, so that in a usual stream incidents open as often as was asked for. A row's target is
/// whether a fault is on; each fault counts alike, however long it is, and as much as <see cref="RowsPerFault"/> clean rows.
/// Rows behind a fault, and those of which nobody could know, have no target.
/// </remarks>
public static class JudgeTraining
{
    private const int RowsMin = 5_000;
    private const int RowsMore = 6_000;

    private const int WindowRows = 256;
    private const int WindowsPerLife = 40;

    /// <summary>Rows of a window that only warm the state up.</summary>
    private const int WarmUpRows = 24;

    /// <summary>Rows behind a fault of which nothing is asked.</summary>
    private const int AftermathRows = 50;

    private const double RowsPerFault = 48;

    /// <summary>Rows of a fault that share this; longer ones have no less in each.</summary>
    private const int FaultRowsMax = 64;

    private const double DecadesPerStep = 1 / 25.0;

    /// <summary>
    /// Share of what is asked for that the line is set to: recorded streams speak up more often than simulated ones. At all of it the job
    /// bench's precision falls from .82 to .78 for .02 more of the faults, and SMAP's from .40 to .34; at half of it .04 fewer are found.
    /// </summary>
    private const double OfAsked = 0.75;

    /// <summary>Times that the line is tried.</summary>
    private const int LinePasses = 3;

    /// <summary>A first line is set by one life of so many.</summary>
    private const int EveryForLine = 5;

    /// <summary>Trains a judge.</summary>
    /// <param name="options">How.</param>
    /// <param name="progress">Told the share done, 0 to 1.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    public static JudgeTrainingResult Train(
        JudgeTrainingOptions options, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        LstmWeights? judge = null;
        double done = 0, parts = 2 * options.Rounds + options.Members - 1 + LinePasses;

        for (int round = 0; round < options.Rounds; round++)
        {
            ulong seed = options.Seed * 1_000 + (ulong)round * 100;
            WatchedLife[] lives = Watch(judge, validation: false, options.LivesPerFamily, seed, options.Threads, Report(1), cancellationToken);
            int members = round == options.Rounds - 1 ? options.Members : 1;
            judge = LstmWeights.MeanOf([.. Enumerable.Range(0, members).Select(i => Fit(lives, options, seed + (ulong)i, Report(1), cancellationToken))]);
            judge.OutputBias[0] -= (float)LineOf(judge, [.. lives.Where((_, i) => i % EveryForLine == 0)], 1);
        }

        LstmWeights trained = judge!;
        int others = Math.Max(2, options.LivesPerFamily / 4);
        WatchedLife[] all = [];

        // What is alarmed teaches nothing, and what is regular is not told: what incidents open at a line is known by letting
        // them open. Their number at the next line is taken to change as that of rows read from the same lives does.
        for (int pass = 0; pass < LinePasses; pass++)
        {
            ulong seed = options.Seed * 1_000 + 900;
            all =
            [
                .. Watch(trained, validation: false, others, seed, options.Threads, Report(0.6), cancellationToken),
                .. Watch(trained, validation: true, others, seed, options.Threads, Report(0.4), cancellationToken),
            ];

            if (pass < LinePasses - 1)
            {
                double read = UsualRate(all, life => life.Alerts(trained, 0));
                trained.OutputBias[0] -= (float)LineOf(trained, all, OfAsked * read / Math.Max(0.1, UsualRate(all, life => life.Opened)));
            }
        }

        int split = SimulatedLives.Families(validation: false).Count * others;
        return new JudgeTrainingResult(trained, FiguresOf(all[..split], life => life.Opened), FiguresOf(all[split..], life => life.Opened));

        Action<double> Report(double share)
        {
            double before = done;
            done += share;
            return part => progress?.Report((before + share * part) / parts);
        }
    }

    /// <summary>What the indicators say of lives, watched by a judge; null for none.</summary>
    internal static WatchedLife[] Watch(
        LstmWeights? judge, bool validation, int perFamily, ulong seed, int threads, Action<double>? report = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<string> families = SimulatedLives.Families(validation);
        var lives = new WatchedLife[families.Count * perFamily];
        int finished = 0;
        Parallel.For(
            0, lives.Length, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken }, () => new DetectionScratch(),
            (i, _, scratch) =>
            {
                ulong own = seed + (ulong)(i % perFamily);
                int rows = RowsMin + (int)(new SeededRandom(own * 7_919 + (ulong)i).NextUInt64() % RowsMore);
                lives[i] = Watch(judge, SimulatedLives.Create(families[i / perFamily], rows, own), scratch);
                report?.Invoke(Interlocked.Increment(ref finished) / (double)lives.Length);
                return scratch;
            },
            _ => { });
        return lives;
    }

    internal static WatchedLife Watch(LstmWeights? judge, SimulatedLife life, DetectionScratch scratch)
    {
        var options = new DetectionOptions { JudgeWeights = () => judge, AlertRules = [], CleanDaysPerAlert = 0 };
        var values = new ValueJudge(life.Family, options, options.Terms, BaseModel.Pretrained, StreamForm.Full, ownWeights: true);
        var row = new StreamRow(life.Family, StreamKind.Values, StreamForm.Full, values, options, new AlertPolicy(options).NewGate(life.Family), BaseModel.Pretrained);
        var output = new ShardOutput();
        var watched = new WatchedLife(life, options.WarmUpRows);

        for (int i = 0; i < life.Values.Length; i++)
        {
            DateTimeOffset time = DateTimeOffset.UnixEpoch.AddDays(20_458).AddTicks((long)(life.Seconds[i] * TimeSpan.TicksPerSecond));
            output.Clear();
            row.Take(new Observation(life.Family, time, life.Values[i]), time, 0, BaseModel.Pretrained, scratch, output);
            watched.Take(i, values.Last, output.Scored.Count > 0 && output.Scored[0].IsAlert);
        }

        return watched;
    }

    /// <summary>Fits a judge to what the indicators said.</summary>
    internal static LstmWeights Fit(
        IReadOnlyList<WatchedLife> lives, JudgeTrainingOptions options, ulong seed, Action<double>? report = null, CancellationToken cancellationToken = default)
    {
        var random = new SeededRandom(seed);
        List<TrainingSequence> windows = [];

        foreach (WatchedLife life in lives)
        {
            for (int window = 0; window < WindowsPerLife; window++)
            {
                windows.Add(Window(life, atFault: window % 2 == 0, ref random));
            }
        }

        const int Batch = 48;
        int steps = options.Epochs * ((windows.Count + Batch - 1) / Batch);
        var trainer = new LstmTrainer(LearntJudge.Shape, new LstmTrainingOptions
        {
            Loss = new WeightedLogisticLoss(),
            Epochs = options.Epochs,
            BatchSequences = Batch,
            TruncationSteps = WindowRows / 2,
            LearningRate = new LearningRateSchedule(0.005f, WarmUpSteps: 100, FallSteps: Math.Max(1, steps - 100), Last: 0.02f),
            Seed = seed,
            Threads = options.Threads,
        });
        LstmWeights weights = WeightInitializer.Create(LearntJudge.Shape, seed);
        trainer.Train(weights, windows, [], report is null ? null : new Reported(report), cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return weights;
    }

    /// <summary>The output, of those from -4 on, at which a usual family's clean rows open so many incidents in 10^<see cref="LearntJudge.Line"/>.</summary>
    internal static double LineOf(LstmWeights judge, IReadOnlyList<WatchedLife> lives, double wanted)
    {
        double line = -4;

        for (; line < 12 && UsualRate(lives, life => life.Alerts(judge, line)) > wanted * 1e4 / Math.Pow(10, LearntJudge.Line); line += 0.05)
        {
        }

        return line;
    }

    /// <summary>Incidents that nothing was behind, in 10,000 clean rows of a family: the mean over the middle half of the families.</summary>
    /// <remarks>Over all of them a few that are beyond the indicators, as a river is, would set the line for everybody else.</remarks>
    internal static double UsualRate(IReadOnlyList<WatchedLife> lives, Func<WatchedLife, IReadOnlyList<int>> opened)
    {
        double[] rates = [.. lives.GroupBy(life => life.Life.Family).Select(family => FiguresOf([.. family], opened).FalsePer10K).Order()];
        return rates[(rates.Length / 4)..^(rates.Length / 4)].Average();
    }

    /// <summary>What a judge makes of lives where it opens an incident at this output: as the decider does, but for what it then would be told.</summary>
    internal static JudgeFigures FiguresOf(IReadOnlyList<WatchedLife> lives, LstmWeights judge, double line) =>
        FiguresOf(lives, life => life.Alerts(judge, line));

    /// <summary>What was made of lives in which incidents opened at these rows.</summary>
    internal static JudgeFigures FiguresOf(IReadOnlyList<WatchedLife> lives, Func<WatchedLife, IReadOnlyList<int>> opened)
    {
        long clean = 0;
        int wrong = 0;
        var found = new SortedDictionary<LifeFaultKind, (int Found, int All)>();

        foreach (WatchedLife life in lives)
        {
            IReadOnlyList<int> alerts = opened(life);
            clean += life.CleanRows;
            wrong += alerts.Count(life.IsClean);

            foreach (LifeFault fault in life.Life.Faults)
            {
                (int hits, int all) = found.GetValueOrDefault(fault.Kind);
                found[fault.Kind] = (hits + (alerts.Any(row => row >= fault.Start && row <= fault.Start + fault.Within) ? 1 : 0), all + 1);
            }
        }

        return new JudgeFigures(
            lives.Count,
            found.Values.Sum(kind => kind.All),
            found.Count == 0 ? 0 : found.Values.Average(kind => kind.Found / (double)kind.All),
            1e4 * wrong / Math.Max(1, clean));
    }

    private static TrainingSequence Window(WatchedLife life, bool atFault, ref SeededRandom random)
    {
        IReadOnlyList<LifeFault> faults = life.Life.Faults;
        int rows = life.Life.Values.Length;
        int first = atFault && faults.Count > 0
            ? faults[random.Next(faults.Count)].Start - WarmUpRows - 8 - random.Next(WindowRows - WarmUpRows - 24)
            : random.Next(rows - WindowRows);
        first = Math.Clamp(first, 0, rows - WindowRows);
        var inputs = new float[WindowRows * LearntJudge.InputSize];
        var targets = new float[2 * WindowRows];

        for (int i = 0; i < WindowRows; i++)
        {
            life.Encode(first + i, inputs.AsSpan(i * LearntJudge.InputSize, LearntJudge.InputSize));
            float target = i < WarmUpRows ? float.NaN : life.Target(first + i);
            targets[2 * i] = target;
            targets[2 * i + 1] = target > 0 ? life.FaultWeight(first + i) : 1;
        }

        return new TrainingSequence(inputs, targets);
    }

    private sealed class Reported(Action<double> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value.Epoch / (double)value.Epochs);
    }

    /// <summary>A life, and what the indicators said of each of its rows.</summary>
    internal sealed class WatchedLife
    {
        private readonly byte[] _decades;   // (rows, indicators), in steps
        private readonly float[] _targets;  // (rows): 1 fault, 0 none, NaN not asked
        private readonly List<int> _alerts = [];

        public WatchedLife(SimulatedLife life, int warmUpRows)
        {
            Life = life;
            int rows = life.Values.Length;
            _decades = new byte[rows * ValueIndicators.Count];
            _targets = new float[rows];
            _targets.AsSpan(0, Math.Min(rows, warmUpRows)).Fill(float.NaN);

            foreach ((int first, int last) in life.Excused)
            {
                Fill(first, last, float.NaN);
            }

            foreach (LifeFault fault in life.Faults)
            {
                Fill(fault.Start, Math.Max(fault.End, fault.Start + fault.Within) + AftermathRows, float.NaN);
            }

            foreach (LifeFault fault in life.Faults)
            {
                Fill(fault.Start, Math.Min(fault.End, fault.Start + fault.Within), 1);
            }
        }

        public SimulatedLife Life { get; }

        /// <summary>Rows at which the judge that watched it opened an incident.</summary>
        public IReadOnlyList<int> Opened => _alerts;

        /// <summary>Rows in which any alert is false.</summary>
        public int CleanRows => _targets.Count(target => target == 0);

        public bool IsClean(int row) => _targets[row] == 0;

        public float Target(int row) => _targets[row];

        public float FaultWeight(int row)
        {
            LifeFault fault = Life.Faults.First(fault => row >= fault.Start && row <= fault.End);
            return (float)(RowsPerFault / Math.Clamp(Math.Min(fault.End, fault.Start + fault.Within) - fault.Start + 1, 1, FaultRowsMax));
        }

        public void Take(int row, Judging.Judgement said, bool isAlert)
        {
            if (isAlert)
            {
                _alerts.Add(row);
            }

            for (int i = 0; i < said.Count; i++)
            {
                _decades[row * ValueIndicators.Count + i] = (byte)Math.Clamp(said.Scores[i] / DecadesPerStep, 0, 255);
            }
        }

        public void Encode(int row, Span<float> input)
        {
            Span<double> decades = stackalloc double[ValueIndicators.Count];

            for (int i = 0; i < decades.Length; i++)
            {
                decades[i] = DecadesPerStep * _decades[row * decades.Length + i];
            }

            LearntJudge.Encode(decades, row, input);
        }

        /// <summary>Rows at which another judge would open an incident.</summary>
        public List<int> Alerts(LstmWeights judge, double line)
        {
            if (!ReferenceEquals(judge, _readBy))
            {
                Read(judge);
            }

            List<int> alerts = [];
            double part = line - Math.Log(10);   // a decade less
            bool isOpen = false;

            for (int row = 0, quiet = 0; row < _outputs.Length; row++)
            {
                quiet = _outputs[row] >= part ? 0 : quiet + 1;
                isOpen &= quiet < Incident.QuietRows;

                if (!isOpen && _outputs[row] >= line && row >= 512)
                {
                    isOpen = true;
                    alerts.Add(row);
                }
            }

            return alerts;
        }

        private LstmWeights? _readBy;
        private float[] _outputs = [];

        private void Read(LstmWeights judge)
        {
            var state = new float[judge.Shape.StateSize];
            var scratch = new LstmScratch(judge.Shape);
            var input = new float[LearntJudge.InputSize];
            _outputs = new float[Life.Values.Length];

            for (int row = 0; row < _outputs.Length; row++)
            {
                Encode(row, input);
                LstmNetwork.Step(judge, input, state, _outputs.AsSpan(row, 1), scratch);
            }

            _readBy = judge;
        }

        private void Fill(int first, int last, float target)
        {
            for (int row = Math.Max(0, first); row <= Math.Min(last, _targets.Length - 1); row++)
            {
                _targets[row] = float.IsNaN(_targets[row]) && target == 1 && row < 512 ? float.NaN : target;
            }
        }
    }
}
