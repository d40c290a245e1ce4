using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Odd lines among ordinary ones, without a label: what the stream's characters say, and its words where it has some, beside a chain and the length of a line.</summary>
internal static class TextDemonstration
{
    /// <summary>Where Debian's wamerican puts its words.</summary>
    public const string WordsPath = "/usr/share/dict/american-english";

    private const string Chain = "order-3 Markov chain";
    private const string CleanChain = "the same of the clean lines";
    private const string Length = "length alone";
    private const string ByWords = "by words";

    /// <summary>One line in so many is an odd one, once the clean ones are over.</summary>
    private const int OneIn = 50;

    private const int ToldMax = 8;

    /// <summary>Ordinary lines, as a share, up to which the curve is drawn.</summary>
    private const double PictureShare = 0.2;

    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Runs it.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="seed">Seed of the detector.</param>
    /// <param name="clean">Lines before the first odd one.</param>
    /// <param name="mixed">Lines after that.</param>
    /// <param name="form">How much the detector may remember.</param>
    /// <param name="progress">Told of each line.</param>
    /// <param name="cancellation">Ends it.</param>
    public static DemonstrationResult Run(OddLines lines, int seed, int clean, int mixed, StreamForm form, Action<long>? progress, CancellationToken cancellation)
    {
        var characters = new AnomalyDetector(new DetectionOptions { Seed = seed, Form = form });
        AnomalyDetector? words = lines.HasWords ? new AnomalyDetector(new DetectionOptions { Seed = seed, Form = form }) : null;
        MarkovChain chain = new(), cleanChain = new();
        var lengths = new Dictionary<int, int>();
        var families = lines.Families.Select(_ => new Scores()).ToArray();
        Scores ordinary = new();
        List<string> told = [];

        for (int row = 0; row < clean + mixed; row++)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Invoke(1);
            int family = row >= clean && row % OneIn == 0 ? row / OneIn % families.Length : -1;
            string line = family < 0 ? lines.Ordinary() : lines.OddOf(family);
            DateTimeOffset time = Start + row * BetweenLines;
            ScoredObservation byCharacters = characters.Score(Observation.Of(lines.Stream, time, new TextEvent(line) { IsCharacters = true }))!.Value;
            ScoredObservation? byWords = words?.Score(Observation.Of(lines.Stream, time, new TextEvent(line) { IsWords = true }));

            if (row >= clean)
            {
                (family < 0 ? ordinary : families[family]).Add(byCharacters, byWords, chain.Surprise(line), cleanChain.Surprise(line), -lengths.GetValueOrDefault(line.Length));
            }

            // Nobody is told which lines were odd: all go on learning, but for the second chain, which has what no stream has, a beginning known to be clean.
            chain.Learn(line);

            if (row < clean)
            {
                cleanChain.Learn(line);
            }

            lengths[line.Length] = lengths.GetValueOrDefault(line.Length) + 1;

            foreach (AnomalyDetector detector in words is null ? (AnomalyDetector[])[characters] : [characters, words])
            {
                if (told.Count < ToldMax && detector.LastOutput.Incidents.FirstOrDefault(incident => incident.State == IncidentState.Opened) is { } opened)
                {
                    told.Add(opened.Explanation);
                }
            }
        }

        Scores all = Scores.Of(families);
        IReadOnlyList<(string Name, double Value)> wordsAlerts = lines.HasWords ? [(ByWords, all.WordsAlertShare)] : [];
        IReadOnlyList<(string Name, double Value)> wordsFalse = lines.HasWords ? [(ByWords, ordinary.WordsAlertShare)] : [];
        return new DemonstrationResult(
            [
                .. families.Select((scores, family) => Compared($"AUC, {lines.Families[family]}", scores, ordinary, RocArea.Of)),
                Compared($"AUC, all {lines.Odd}", all, ordinary, RocArea.Of),
                Compared($"found at one ordinary {lines.One} in a hundred", all, ordinary, Found),
                new DemonstrationScore($"{lines.Odd} that were alerts", all.AlertShare, wordsAlerts),
                new DemonstrationScore($"ordinary {lines.Many} that were alerts", ordinary.AlertShare, wordsFalse),
            ],
            told)
        {
            Picture = new DemonstrationPicture(
                $"{char.ToUpperInvariant(lines.Odd[0])}{lines.Odd[1..]}, four families", $"share of ordinary {lines.Many} above the line", $"share of {lines.Odd} found",
            [
                RocArea.Curve(lines.HasWords ? "this program, by characters" : "this program", all.Of(Column.Characters), ordinary.Of(Column.Characters), PictureShare),
                .. Beside(ordinary).Select(peer => RocArea.Curve(peer.Name == ByWords ? "this program, by words" : peer.Name, all.Of(peer.Column), ordinary.Of(peer.Column), PictureShare)),
            ]),
        };
    }

    private static DemonstrationScore Compared(string name, Scores odd, Scores ordinary, Func<List<double>, List<double>, double> figure) =>
        new(name, figure(odd.Of(Column.Characters), ordinary.Of(Column.Characters)),
            [.. Beside(ordinary).Select(peer => (peer.Name, figure(odd.Of(peer.Column), ordinary.Of(peer.Column))))]);

    private static IEnumerable<(string Name, Column Column)> Beside(Scores scores) =>
        ((string, Column)[])[.. scores.Of(Column.Words).Count > 0 ? ((string, Column)[])[(ByWords, Column.Words)] : [], (Chain, Column.Chain), (CleanChain, Column.CleanChain), (Length, Column.Length)];

    /// <summary>Share of the odd that score more than all but a hundredth of the ordinary.</summary>
    private static double Found(List<double> odd, List<double> ordinary)
    {
        double line = ordinary.Order().ElementAt((int)(0.99 * ordinary.Count));
        return (double)odd.Count(score => score > line) / odd.Count;
    }

    /// <summary>Who scored.</summary>
    private enum Column
    {
        Characters,
        Words,
        Chain,
        CleanChain,
        Length,
    }

    /// <summary>What lines of one kind scored.</summary>
    private sealed class Scores
    {
        private readonly List<double>[] _of = [.. Enum.GetValues<Column>().Select(_ => new List<double>())];
        private int _alerts, _wordsAlerts;

        public double AlertShare => (double)_alerts / Math.Max(1, _of[0].Count);

        public double WordsAlertShare => (double)_wordsAlerts / Math.Max(1, _of[0].Count);

        public List<double> Of(Column column) => _of[(int)column];

        public void Add(in ScoredObservation byCharacters, in ScoredObservation? byWords, double chain, double cleanChain, double length)
        {
            Of(Column.Characters).Add(byCharacters.Value);
            Of(Column.Chain).Add(chain);
            Of(Column.CleanChain).Add(cleanChain);
            Of(Column.Length).Add(length);
            _alerts += byCharacters.IsAlert ? 1 : 0;

            if (byWords is { } words)
            {
                Of(Column.Words).Add(words.Value);
                _wordsAlerts += words.IsAlert ? 1 : 0;
            }
        }

        public static Scores Of(IEnumerable<Scores> parts)
        {
            Scores all = new();

            foreach (Scores part in parts)
            {
                foreach (Column column in Enum.GetValues<Column>())
                {
                    all.Of(column).AddRange(part.Of(column));
                }

                all._alerts += part._alerts;
                all._wordsAlerts += part._wordsAlerts;
            }

            return all;
        }
    }
}
