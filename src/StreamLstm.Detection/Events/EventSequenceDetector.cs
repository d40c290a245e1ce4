namespace StreamLstm.Detection.Events;

/// <summary>What is said of one session.</summary>
/// <param name="Score">In decades: 3 = as odd as one normal session in a thousand. Without a bound.</param>
/// <param name="IsAnomaly">Whether it reaches the threshold.</param>
/// <param name="Surprise">-ln p of its most surprising event, the session's end among them; the networks' mean.</param>
/// <param name="Event">Where that event stands, from 0; the session's length for its end.</param>
/// <param name="Rank">Kinds that were held more likely there: DeepLog flags a session where this reaches its g.</param>
/// <param name="CountSurprise">-ln p of what surprises most in how often each kind came, whatever their order; the networks' mean.</param>
/// <param name="CountDistance">How far its counts are from the nearest normal session's, in nats; 0 = the same counts.</param>
/// <param name="OddKind">The kind whose count is furthest off; null where all are those of a normal session.</param>
public readonly record struct SessionScore(
    double Score, bool IsAnomaly, double Surprise, int Event, int Rank, double CountSurprise, double CountDistance, string? OddKind);

/// <summary>Finds abnormal sessions of events after learning from normal ones.</summary>
/// <remarks>
/// Four witnesses, each in nats. An LSTM forecasts each next event and the end: its largest surprise shows an event out of
/// place, all of them together an order that is wrong as a whole. Completeness: another one forecasts the session's events
/// sorted by kind, which by the chain rule is a forecast of their counts, one kind given those before; interleaving does
/// not trouble it. Counts: the distance to the nearest normal session's, which needs no learning. Four
/// pairs of networks each leave out a quarter of the normal sessions; what they say of those is how much evidence is
/// ordinary (<see cref="SessionCalibration"/>), so that one threshold is fixed before any data is seen. The same networks
/// judge what comes later, and their decades are averaged (a geometric mean of p-values: Vovk and Wang 2020). A network
/// that learnt from all sessions would be a different judge from those that set the scale.
/// Learning costs the same for any number of sessions up to one pass over them, and grows with their length up to 64 events only;
/// judging grows with the events.
/// </remarks>
public sealed class EventSequenceDetector
{
    private const int Folds = 4;
    private const int SessionsMin = 2 * Folds;

    private readonly EventVocabulary _vocabulary;
    private readonly Networks[] _networks;
    private readonly CountProfile _counts;
    private readonly SessionCalibration _calibration;
    private readonly double _threshold;

    private EventSequenceDetector(
        EventVocabulary vocabulary, Networks[] networks, CountProfile counts, SessionCalibration calibration, double threshold)
    {
        _vocabulary = vocabulary;
        _networks = networks;
        _counts = counts;
        _calibration = calibration;
        _threshold = threshold;
    }

    /// <summary>What it has cost so far: steps of networks learnt from and judged by, and sessions' counts compared.</summary>
    internal (long Learnt, long Judged, long Compared) Work => (
        _networks.Sum(one => one.Order.LearntSteps + one.Completeness.LearntSteps),
        _networks.Sum(one => one.Order.JudgedSteps + one.Completeness.JudgedSteps),
        _counts.Compared);

    /// <summary>Learns from normal sessions. The same sessions and seed give the same detector.</summary>
    /// <param name="sessions">Each the kinds of its events, in order; at least eight.</param>
    /// <param name="options">Settings; null for the defaults.</param>
    /// <param name="progress">Told the share that is done, 0 to 1.</param>
    /// <param name="cancellationToken">Ends the training.</param>
    /// <exception cref="ArgumentException">There are too few sessions, or a setting is outside its range.</exception>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public static EventSequenceDetector Train(
        IReadOnlyList<IReadOnlyList<string>> sessions,
        EventDetectorOptions? options = null,
        Action<double>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sessions);
        options ??= new EventDetectorOptions();
        Require(options, sessions.Count);
        var random = new SeededRandom(options.Seed);
        var vocabulary = new EventVocabulary(options.VocabularyCapacity);

        foreach (string kind in sessions.SelectMany(session => session))
        {
            vocabulary.Add(kind);
        }

        int[][] chosen = [.. Sample([.. sessions], options.TrainingSessionsMax, ref random).Select(session => Numbers(vocabulary, session))];
        var counts = new CountProfile(vocabulary.Count, chosen);
        var evidence = new SessionEvidence[chosen.Length];
        var networks = new Networks[Folds];

        for (int fold = 0; fold < Folds; fold++)
        {
            networks[fold] = Learn(fold);

            for (int i = fold; i < chosen.Length; i += Folds)
            {
                evidence[i] = Evidence(
                    Surprises(networks[fold].Order, chosen[i]),
                    Surprises(networks[fold].Completeness, Sorted(chosen[i])),
                    counts.Distance(chosen[i], isOneOfThem: true));
            }
        }

        return new EventSequenceDetector(vocabulary, networks, counts, new SessionCalibration(evidence), options.Threshold);

        Networks Learn(int fold)
        {
            int[][] from = [.. chosen.Where((_, i) => i % Folds != fold)];
            // Sorted sessions are far fewer different ones: half of the steps are enough.
            EventDetectorOptions half = options with { TrainingSteps = (options.TrainingSteps + 1) / 2 };
            return new Networks(One(from, options, 0, 2.0 / 3), One([.. from.Select(Sorted)], half, 2.0 / 3, 1.0 / 3));

            NextEventModel One(int[][] sessions, EventDetectorOptions settings, double before, double share)
            {
                cancellationToken.ThrowIfCancellationRequested();
                NextEventModel model = NextEventModel.Train(
                    vocabulary.Count,
                    sessions,
                    settings,
                    options.Seed,
                    done => progress?.Invoke((fold + before + share * done) / Folds),
                    cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                return model;
            }
        }
    }

    /// <summary>Judges a session that has ended. Not for several threads at once.</summary>
    /// <param name="session">The kinds of its events, in order.</param>
    public SessionScore Score(IReadOnlyList<string> session)
    {
        ArgumentNullException.ThrowIfNull(session);
        int[] numbers = Numbers(_vocabulary, session);
        int[] sorted = Sorted(numbers);
        double distance = _counts.Distance(numbers);
        var surprises = new double[numbers.Length + 1];
        var ranks = new double[numbers.Length + 1];
        double score = 0, countSurprise = 0;

        foreach (Networks networks in _networks)
        {
            var order = new float[numbers.Length + 1];
            var behind = new int[numbers.Length + 1];
            networks.Order.Score(numbers, order, behind);
            SessionEvidence evidence = Evidence(order, Surprises(networks.Completeness, sorted), distance);
            score += _calibration.Decades(evidence) / Folds;
            countSurprise += evidence.Completeness / Folds;

            for (int i = 0; i < surprises.Length; i++)
            {
                surprises[i] += (double)order[i] / Folds;
                ranks[i] += (double)behind[i] / Folds;
            }
        }

        int place = Array.IndexOf(surprises, surprises.Max());
        int odd = distance > 0 ? _counts.Strangest(numbers) : -1;
        return new SessionScore(
            score,
            score >= _threshold,
            surprises[place],
            place,
            (int)Math.Round(ranks[place]),
            countSurprise,
            distance,
            odd < 0 ? null : _vocabulary[odd]);
    }

    private static SessionEvidence Evidence(float[] order, float[] sorted, double distance) =>
        new(order.Max(), order.Sum(surprise => (double)surprise), sorted.Max(), distance);

    private static float[] Surprises(NextEventModel model, int[] session)
    {
        var surprises = new float[session.Length + 1];
        model.Score(session, surprises, new int[session.Length + 1]);
        return surprises;
    }

    private static int[] Sorted(int[] session) => [.. session.Order()];

    private static int[] Numbers(EventVocabulary vocabulary, IReadOnlyList<string> session) => [.. session.Select(vocabulary.Find)];

    /// <summary>Shuffled, so that the folds have no order, and at most <paramref name="max"/>.</summary>
    private static IReadOnlyList<string>[] Sample(IReadOnlyList<string>[] sessions, int max, ref SeededRandom random)
    {
        for (int i = sessions.Length - 1; i > 0; i--)
        {
            int other = random.Next(i + 1);
            (sessions[i], sessions[other]) = (sessions[other], sessions[i]);
        }

        return sessions.Length > max ? sessions[..max] : sessions;
    }

    private static void Require(EventDetectorOptions options, int sessions)
    {
        if (sessions < SessionsMin)
        {
            throw new ArgumentException($"{sessions} sessions, expected at least {SessionsMin} to learn from", nameof(sessions));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(options.VocabularyCapacity, 1, nameof(options.VocabularyCapacity));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.VocabularyCapacity, 1000, nameof(options.VocabularyCapacity));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BatchSessions, 1, nameof(options.BatchSessions));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TrainingSteps, 1, nameof(options.TrainingSteps));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, nameof(options.Threads));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TrainingSessionsMax, SessionsMin, nameof(options.TrainingSessionsMax));
    }

    /// <summary>One forecasts sessions as they came, the other sessions sorted by kind.</summary>
    private sealed record Networks(NextEventModel Order, NextEventModel Completeness);
}
