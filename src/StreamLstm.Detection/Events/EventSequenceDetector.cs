namespace StreamLstm.Detection.Events;

/// <summary>What is said of one session.</summary>
/// <param name="Score">In decades: 3 = as odd as one normal session in a thousand. Without a bound.</param>
/// <param name="IsAnomaly">Whether it reaches the threshold.</param>
/// <param name="Surprise">-ln p of its most surprising event, the session's end among them.</param>
/// <param name="Event">Where that event stands, from 0; the session's length for its end.</param>
/// <param name="Rank">Kinds that were held more likely there: DeepLog flags a session where this reaches its g.</param>
/// <param name="CountDistance">How far its counts are from the nearest normal session's, in nats; 0 = the same counts.</param>
/// <param name="OddKind">The kind whose count is furthest off; null where all are those of a normal session.</param>
public readonly record struct SessionScore(
    double Score, bool IsAnomaly, double Surprise, int Event, int Rank, double CountDistance, string? OddKind);

/// <summary>Finds abnormal sessions of events after learning from normal ones.</summary>
/// <remarks>
/// Two witnesses: an LSTM that forecasts each next event and the end (order), and the distance of the session's counts to
/// the nearest normal session's (completeness). Evidence = counts + half of the largest surprise: what is missing shows
/// in both, while an order that interleaving made rare shows in the second alone. Normal sessions judged by networks
/// that had not learnt from them say how much evidence is ordinary, so that one threshold is fixed before any data is seen.
/// </remarks>
public sealed class EventSequenceDetector
{
    private const int Folds = 4;
    private const double SurpriseWeight = 0.5;
    private const int SessionsMin = 2 * Folds;

    private readonly EventVocabulary _vocabulary;
    private readonly NextEventModel _model;
    private readonly CountProfile _counts;
    private readonly SessionTail _tail;
    private readonly double _threshold;

    private EventSequenceDetector(EventVocabulary vocabulary, NextEventModel model, CountProfile counts, SessionTail tail, double threshold)
    {
        _vocabulary = vocabulary;
        _model = model;
        _counts = counts;
        _tail = tail;
        _threshold = threshold;
    }

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
        int[] fold = new int[chosen.Length];

        for (int i = 0; i < fold.Length; i++)
        {
            fold[i] = i % Folds;
        }

        var counts = new CountProfile(vocabulary.Count, chosen);
        var evidence = new double[chosen.Length];

        for (int one = 0; one < Folds; one++)
        {
            NextEventModel without = Learn([.. chosen.Where((_, i) => fold[i] != one)], one);

            for (int i = 0; i < chosen.Length; i++)
            {
                if (fold[i] == one)
                {
                    evidence[i] = counts.Distance(chosen[i], isOneOfThem: true) + SurpriseWeight * Strongest(without, chosen[i]).Surprise;
                }
            }
        }

        return new EventSequenceDetector(vocabulary, Learn(chosen, Folds), counts, new SessionTail(evidence), options.Threshold);

        NextEventModel Learn(int[][] from, int part)
        {
            cancellationToken.ThrowIfCancellationRequested();
            NextEventModel model = NextEventModel.Train(
                vocabulary.Count, from, options, options.Seed, share => progress?.Invoke((part + share) / (Folds + 1)), cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            return model;
        }
    }

    /// <summary>Judges a session that has ended. Not for several threads at once.</summary>
    /// <param name="session">The kinds of its events, in order.</param>
    public SessionScore Score(IReadOnlyList<string> session)
    {
        ArgumentNullException.ThrowIfNull(session);
        int[] numbers = Numbers(_vocabulary, session);
        (double surprise, int place, int rank) = Strongest(_model, numbers);
        double distance = _counts.Distance(numbers);
        double score = _tail.Decades(distance + SurpriseWeight * surprise);
        int odd = distance > 0 ? _counts.Strangest(numbers) : -1;
        return new SessionScore(score, score >= _threshold, surprise, place, rank, distance, odd < 0 ? null : _vocabulary[odd]);
    }

    private static (double Surprise, int Event, int Rank) Strongest(NextEventModel model, int[] session)
    {
        var surprises = new float[session.Length + 1];
        var ranks = new int[session.Length + 1];
        model.Score(session, surprises, ranks);
        int strongest = Array.IndexOf(surprises, surprises.Max());
        return (surprises[strongest], strongest, ranks[strongest]);
    }

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
        ArgumentOutOfRangeException.ThrowIfLessThan(options.TrainingSessionsMax, SessionsMin, nameof(options.TrainingSessionsMax));
    }
}
