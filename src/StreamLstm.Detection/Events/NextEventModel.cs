using StreamLstm.Model;
using StreamLstm.Model.Heads;
using StreamLstm.Model.Training;
using StreamLstm.Model.Training.Losses;

namespace StreamLstm.Detection.Events;

/// <summary>An LSTM that forecasts the next event of a session, the session's end among them (DeepLog: Du et al. 2017).</summary>
/// <remarks>
/// Input: one-hot over the kinds (0 = other) and a last place for the session's start, so that the input matrix is the
/// kinds' embedding. Output: softmax over the kinds and a last place for the session's end, which makes a session that
/// stops too early as surprising as a wrong event.
/// </remarks>
internal sealed class NextEventModel
{
    /// <summary>Events the gradient goes back: what one step of the training sees of a session.</summary>
    internal const int PieceSteps = 64;

    private readonly int _kinds;
    private readonly LstmWeights _weights;
    private readonly LstmScratch _scratch;
    private readonly float[] _input;
    private readonly float[] _state;
    private readonly float[] _logits;
    private readonly float[] _probabilities;
    private readonly double _escape;
    private readonly bool _knowsOther;

    private NextEventModel(int kinds, LstmWeights weights, long learntSteps, long events, bool knowsOther)
    {
        LearntSteps = learntSteps;
        _kinds = kinds;
        _knowsOther = knowsOther;
        _weights = weights;
        _scratch = new LstmScratch(weights.Shape);
        _input = new float[kinds + 1];
        _state = new float[weights.Shape.StateSize];
        _logits = new float[kinds + 1];
        _probabilities = new float[kinds + 1];
        // One event in all that were learnt from may be of any kind: what was never seen has a chance after all.
        _escape = 1.0 / (events + 1);
    }

    /// <summary>Steps of the network that learning took.</summary>
    public long LearntSteps { get; }

    /// <summary>Steps of the network that judging has taken.</summary>
    public long JudgedSteps { get; private set; }

    /// <summary>Trains on sessions of kinds; an empty session is one too.</summary>
    public static NextEventModel Train(
        int kinds, IReadOnlyList<int[]> sessions, EventDetectorOptions options, ulong seed, Action<double>? progress, CancellationToken cancellationToken)
    {
        var shape = new LstmShape(kinds + 1, options.HiddenSize, 1, kinds + 1);
        LstmWeights weights = WeightInitializer.Create(shape, seed);
        long events = sessions.Sum(session => session.Length + 1L);
        // A session is learnt from in pieces, and each piece is a step: 48 of 480 events teach as often as 384 of 60.
        long pieces = sessions.Sum(session => (session.Length + PieceSteps) / (long)PieceSteps);
        int steps = (int)((pieces + options.BatchSessions - 1) / options.BatchSessions);
        int epochs = Math.Max(1, (options.TrainingSteps + steps - 1) / steps);
        var trainer = new LstmTrainer(shape, new LstmTrainingOptions
        {
            Loss = new CrossEntropyLoss(kinds + 1),
            Epochs = epochs,
            BatchSequences = options.BatchSessions,
            TruncationSteps = PieceSteps,
            LearningRate = new LearningRateSchedule(options.LearningRate, 50, epochs * steps, 0.02f),
            Seed = seed,
            Threads = options.Threads,
        });
        trainer.Train(weights, Sequences(kinds, sessions), [], new Told(progress), cancellationToken);
        return new NextEventModel(kinds, weights, trainer.StepsRun, events, sessions.Any(session => session.Contains(EventVocabulary.Other)));
    }

    /// <summary>Steps through a session.</summary>
    /// <param name="session">Kinds.</param>
    /// <param name="surprises">Becomes -ln p of every event and of the end: (session + 1).</param>
    /// <param name="ranks">Becomes how many kinds were held more likely than the one that came: (session + 1).</param>
    public void Score(ReadOnlySpan<int> session, Span<float> surprises, Span<int> ranks)
    {
        Array.Clear(_state);
        JudgedSteps += session.Length + 1;

        for (int step = 0; step <= session.Length; step++)
        {
            int place = step == 0 ? _kinds : session[step - 1];
            int came = step == session.Length ? _kinds : session[step];
            _input[place] = 1;
            LstmNetwork.Step(_weights, _input, _state, _logits, _scratch);
            _input[place] = 0;
            ForecastHead.Softmax(_logits, _probabilities);
            // Where no session held another kind, it has the escape's chance alone.
            bool isNew = came == EventVocabulary.Other && !_knowsOther;
            double learnt = isNew ? 0 : _probabilities[came];
            surprises[step] = (float)-Math.Log((1 - _escape) * learnt + _escape / (_kinds + 1));
            ranks[step] = isNew ? _kinds : Rank(_probabilities, came);
        }
    }

    private static int Rank(ReadOnlySpan<float> probabilities, int came)
    {
        int rank = 0;

        foreach (float probability in probabilities)
        {
            rank += probability > probabilities[came] ? 1 : 0;
        }

        return rank;
    }

    /// <summary>Sessions that are the same share their arrays.</summary>
    private static TrainingSequence[] Sequences(int kinds, IReadOnlyList<int[]> sessions)
    {
        var known = new Dictionary<string, TrainingSequence>(StringComparer.Ordinal);
        return [.. sessions.Select(session =>
        {
            string key = string.Join(' ', session);

            if (!known.TryGetValue(key, out TrainingSequence? sequence))
            {
                known.Add(key, sequence = Sequence(kinds, session));
            }

            return sequence;
        })];
    }

    private static TrainingSequence Sequence(int kinds, int[] session)
    {
        int[] places = [kinds, .. session];
        float[] targets = [.. session.Select(kind => (float)kind), kinds];
        return new TrainingSequence(default, targets) { Places = places };
    }

    private sealed class Told(Action<double>? progress) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => progress?.Invoke((double)value.Epoch / value.Epochs);
    }
}
