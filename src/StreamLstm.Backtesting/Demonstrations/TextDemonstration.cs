using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Names that programs generate among names that people chose, without a label: what the stream's characters say.</summary>
internal static class TextDemonstration
{
    /// <summary>Where Debian's wamerican puts its words.</summary>
    public const string WordsPath = "/usr/share/dict/american-english";

    /// <summary>One name in so many is a generated one, once the clean ones are over.</summary>
    private const int OneIn = 50;

    private const int ToldMax = 6;

    /// <summary>Ordinary names, as a share, up to which the curve is drawn.</summary>
    private const double PictureShare = 0.2;

    private static readonly TimeSpan BetweenNames = TimeSpan.FromSeconds(10);

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Runs it.</summary>
    /// <param name="words">Words, one a line.</param>
    /// <param name="seed">Seed of the names and of the detector.</param>
    /// <param name="clean">Names before the first generated one.</param>
    /// <param name="mixed">Names after that.</param>
    /// <param name="progress">Told of each name.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="BacktestUsageException">There are too few words.</exception>
    public static DemonstrationResult Run(IEnumerable<string> words, int seed, int clean, int mixed, Action<long>? progress, CancellationToken cancellation)
    {
        var names = new DomainNames(words, seed);
        var detector = new AnomalyDetector(new DetectionOptions { Seed = seed });
        var chain = new MarkovChain();
        var families = DomainNames.Families.Select(_ => new Scores()).ToArray();
        Scores ordinary = new();
        List<string> told = [];

        for (int row = 0; row < clean + mixed; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(1);
            int family = row >= clean && row % OneIn == 0 ? row / OneIn % families.Length : -1;
            string name = family < 0 ? names.Ordinary() : names.Generated(family);
            ScoredObservation scored = detector.Score(Observation.Of("names", Start + row * BetweenNames, new TextEvent(name) { IsCharacters = true }))!.Value;

            if (row >= clean)
            {
                (family < 0 ? ordinary : families[family]).Add(scored, chain.Surprise(name));
            }

            // Neither is told which names were generated: both go on learning.
            chain.Learn(name);

            if (told.Count < ToldMax && detector.LastOutput.Incidents.FirstOrDefault(incident => incident.State == IncidentState.Opened) is { } opened)
            {
                told.Add(opened.Explanation);
            }
        }

        return new DemonstrationResult(
            [
                .. families.Select((scores, family) => Compared($"AUC, {DomainNames.Families[family]}", scores, ordinary)),
                Compared("AUC, all generated names", Scores.Of(families), ordinary),
                new DemonstrationScore(
                    "found at one ordinary name in a hundred", Found(Scores.Of(families).Ours, ordinary.Ours), [("order-3 Markov chain", Found(Scores.Of(families).Peer, ordinary.Peer))]),
                new DemonstrationScore("generated names that were alerts", Scores.Of(families).AlertShare, []),
                new DemonstrationScore("ordinary names that were alerts", ordinary.AlertShare, []),
            ],
            told)
        {
            Picture = new DemonstrationPicture("Names that programs generate, four families", "share of ordinary names above the line", "share of generated names found",
            [
                RocArea.Curve("this program", Scores.Of(families).Ours, ordinary.Ours, PictureShare),
                RocArea.Curve("order-3 Markov chain", Scores.Of(families).Peer, ordinary.Peer, PictureShare),
            ]),
        };
    }

    private static DemonstrationScore Compared(string name, Scores odd, Scores ordinary) =>
        new(name, RocArea.Of(odd.Ours, ordinary.Ours), [("order-3 Markov chain", RocArea.Of(odd.Peer, ordinary.Peer))]);

    /// <summary>Share of the odd that score more than all but a hundredth of the ordinary.</summary>
    private static double Found(List<double> odd, List<double> ordinary)
    {
        double line = ordinary.Order().ElementAt((int)(0.99 * ordinary.Count));
        return (double)odd.Count(score => score > line) / odd.Count;
    }

    /// <summary>What names of one kind scored.</summary>
    private sealed class Scores
    {
        private int _alerts;

        public List<double> Ours { get; } = [];

        public List<double> Peer { get; } = [];

        public double AlertShare => (double)_alerts / Math.Max(1, Ours.Count);

        public void Add(in ScoredObservation scored, double peer)
        {
            Ours.Add(scored.Value);
            Peer.Add(peer);
            _alerts += scored.IsAlert ? 1 : 0;
        }

        public static Scores Of(IEnumerable<Scores> parts)
        {
            Scores all = new();

            foreach (Scores part in parts)
            {
                all.Ours.AddRange(part.Ours);
                all.Peer.AddRange(part.Peer);
                all._alerts += part._alerts;
            }

            return all;
        }
    }
}
