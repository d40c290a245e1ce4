using System.Text.RegularExpressions;

namespace StreamLstm.Detection.Events;

/// <summary>Finds the template of a log line while lines come: a fixed-depth tree (Drain: He et al. 2017).</summary>
/// <remarks>
/// First times, numbers, hexadecimal words, ids, addresses and paths are masked. Then the tree leads by the number of
/// tokens and the first tokens to a few templates, of which the most similar takes the line; where none is similar enough
/// the line founds one. A token in which a template's lines differ becomes <c>&lt;*&gt;</c>. Everything is bounded: templates,
/// the words the tree tells apart, tokens and characters of a line.
/// </remarks>
public sealed partial class LogTemplateTree
{
    /// <summary>The template of lines that have none.</summary>
    public const int Other = 0;

    private const string Wildcard = "<*>";
    private const int LeadingTokens = 2;
    private const int TokensMax = 256;

    /// <summary>Characters of a line that are looked at: what varies at the end of a long one says little of its kind.</summary>
    private const int CharsMax = 1024;

    /// <summary>Words the tree tells apart, per template it may hold: a log of random words must not make it grow.</summary>
    private const int WordsPerTemplate = 8;

    /// <summary>Lines after which counts are halved, so that what was frequent long ago may be forgotten too.</summary>
    private const int FadeLines = 1 << 20;

    /// <summary>By the groups of the pattern, from 1.</summary>
    private static readonly string[] Masks = ["", "<time>", "<ip>", "<path>", "<hex>", "<id>", "<num>"];

    private readonly Dictionary<string, List<int>> _leaves = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _branches = new(StringComparer.Ordinal);
    private readonly List<Template?> _templates = [null];
    private readonly int _capacity;
    private readonly int _branchesMax;
    private readonly double _similarity;
    private int _words;
    private int _linesUntilFade = FadeLines;

    /// <param name="capacity">Templates it holds at most; where it is full, the rarest is forgotten.</param>
    /// <param name="similarity">Share of equal tokens from which a line belongs to a template, 0 to 1.</param>
    /// <param name="branchesMax">Different tokens one place of the tree tells apart; further ones share a branch.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range.</exception>
    public LogTemplateTree(int capacity = 1000, double similarity = 0.5, int branchesMax = 100)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(branchesMax, 1);

        if (!(similarity is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(similarity), similarity, "expected 0 to 1");
        }

        _capacity = capacity;
        _similarity = similarity;
        _branchesMax = branchesMax;
    }

    /// <summary>Templates in use.</summary>
    public int Count => _templates.Count - 1;

    /// <summary>A template's text, its variable parts as <c>&lt;*&gt;</c> or the kind of what was masked.</summary>
    public string this[int template] =>
        _templates[template] is { } one ? string.Join(' ', one.Tokens) : "<other>";

    /// <summary>The line with its variable parts masked.</summary>
    public static string Mask(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return Variable().Replace(line, match =>
        {
            int group = 1;

            while (!match.Groups[group].Success)
            {
                group++;
            }

            return Masks[group];
        });
    }

    /// <summary>The template of a line, learnt from it. Blank lines have <see cref="Other"/>.</summary>
    public int Add(string line) => Match(line).Template;

    /// <summary>The template of a line, learnt from it, and whether the line founded it.</summary>
    internal TemplateMatch Match(string line) => Learn(Tokens(line, isKind: false));

    /// <summary>What a line is told by: its words with variable parts masked; of an event that is its own kind that, whatever it looks like.</summary>
    internal static string[] Tokens(string text, bool isKind)
    {
        text = text.Length > CharsMax ? text[..CharsMax] : text;
        string[] tokens = isKind
            ? text.Length == 0 ? [] : [text]
            : Mask(text).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return tokens.Length > TokensMax ? tokens[..TokensMax] : tokens;
    }

    /// <summary>The template of such words, and whether they would found it; nothing is learnt.</summary>
    internal TemplateMatch Find(string[] tokens) =>
        tokens.Length == 0 ? new TemplateMatch(Other, IsNew: false)
        : Best(Leaf(tokens, learns: false), tokens) is { } best ? new TemplateMatch(best, IsNew: false)
        : new TemplateMatch(Other, IsNew: true);

    /// <summary>The template of such words, learnt from them, and whether they founded it.</summary>
    internal TemplateMatch Learn(string[] tokens)
    {
        if (tokens.Length == 0)
        {
            return new TemplateMatch(Other, IsNew: false);
        }

        string leaf = Leaf(tokens, learns: true);
        int? best = Best(leaf, tokens);
        int template = best ?? Found(leaf, tokens);
        _templates[template]!.Take(tokens);

        if (--_linesUntilFade <= 0)
        {
            Fade();
        }

        return new TemplateMatch(template, best is null);
    }

    /// <summary>Lines a template has taken, halved now and then.</summary>
    internal long Lines(int template) => _templates[template]?.Lines ?? 0;

    /// <summary>Writes what was learnt.</summary>
    internal void Save(BinaryWriter writer)
    {
        writer.Write(_linesUntilFade);
        writer.Write(Count);

        foreach (Template? template in _templates.Skip(1))
        {
            writer.Write(template!.Leaf);
            writer.Write(template.Lines);
            writer.Write(template.Tokens.Length);

            foreach (string token in template.Tokens)
            {
                writer.Write(token);
            }
        }

        writer.Write(_branches.Count);

        foreach ((string path, HashSet<string> words) in _branches)
        {
            writer.Write(path);
            writer.Write(words.Count);

            foreach (string word in words)
            {
                writer.Write(word);
            }
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, into an empty tree of the same settings.</summary>
    /// <exception cref="InvalidDataException">A count is outside its range.</exception>
    internal void Load(BinaryReader reader)
    {
        _linesUntilFade = Bounded(reader.ReadInt32(), FadeLines, "lines");

        for (int count = Bounded(reader.ReadInt32(), _capacity, "templates"); count > 0; count--)
        {
            string leaf = reader.ReadString();
            long lines = reader.ReadInt64();
            var tokens = new string[Bounded(reader.ReadInt32(), TokensMax, "tokens")];

            for (int i = 0; i < tokens.Length; i++)
            {
                tokens[i] = reader.ReadString();
            }

            Place(leaf, _templates.Count);
            _templates.Add(new Template(leaf, tokens) { Lines = lines });
        }

        int wordsMax = WordsMax + _capacity * LeadingTokens;

        for (int count = Bounded(reader.ReadInt32(), 2 * wordsMax, "branches"); count > 0; count--)
        {
            var words = new HashSet<string>(StringComparer.Ordinal);
            _branches.Add(reader.ReadString(), words);

            for (int left = Bounded(reader.ReadInt32(), wordsMax, "words"); left > 0; left--)
            {
                words.Add(reader.ReadString());
            }

            _words += words.Count;
        }

        static int Bounded(int value, int max, string what) => value >= 0 && value <= max
            ? value
            : throw new InvalidDataException($"log templates: {value} {what}, expected 0 to {max}");
    }

    private int WordsMax => WordsPerTemplate * _capacity;

    /// <summary>The most similar template; null where none is similar enough.</summary>
    private int? Best(string leaf, string[] tokens)
    {
        (int? best, double highest) = (null, double.BitDecrement(_similarity));

        foreach (int template in _leaves.GetValueOrDefault(leaf) ?? [])
        {
            double similarity = _templates[template]!.Similarity(tokens);
            (best, highest) = similarity > highest ? (template, similarity) : (best, highest);
        }

        return best;
    }

    /// <summary>The place in the tree: the number of tokens, then the first tokens while they are no variable parts.</summary>
    private string Leaf(string[] tokens, bool learns)
    {
        string path = tokens.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);

        for (int i = 0; i < Math.Min(LeadingTokens, tokens.Length); i++)
        {
            _branches.TryGetValue(path, out HashSet<string>? branches);
            bool isVariable = tokens[i].Contains('<', StringComparison.Ordinal) || tokens[i].AsSpan().IndexOfAnyInRange('0', '9') >= 0;
            string branch = isVariable || branches?.Contains(tokens[i]) != true && ((branches?.Count ?? 0) >= _branchesMax || _words >= WordsMax)
                ? Wildcard
                : tokens[i];

            // The wildcard is no word: it is always there.
            if (learns && branch != Wildcard && branches?.Contains(branch) != true)
            {
                if (branches is null)
                {
                    _branches.Add(path, branches = new HashSet<string>(StringComparer.Ordinal));
                }

                branches.Add(branch);
                _words++;
            }

            path += '\n' + branch;
        }

        return path;
    }

    private int Found(string leaf, string[] tokens)
    {
        int id = _templates.Count;

        if (Count < _capacity)
        {
            _templates.Add(null);
        }
        else
        {
            id = Rarest();
            Template forgotten = _templates[id]!;
            List<int> templates = _leaves[forgotten.Leaf];
            templates.Remove(id);

            if (templates.Count == 0)
            {
                _leaves.Remove(forgotten.Leaf);
            }
        }

        _templates[id] = new Template(leaf, [.. tokens]);
        Place(leaf, id);
        return id;
    }

    private void Place(string leaf, int id)
    {
        if (!_leaves.TryGetValue(leaf, out List<int>? templates))
        {
            _leaves.Add(leaf, templates = []);
        }

        templates.Add(id);
    }

    /// <summary>The template with the fewest lines; of several the one with the lowest number.</summary>
    private int Rarest()
    {
        int rarest = 1;

        for (int id = 2; id < _templates.Count; id++)
        {
            rarest = _templates[id]!.Lines < _templates[rarest]!.Lines ? id : rarest;
        }

        return rarest;
    }

    private void Fade()
    {
        _linesUntilFade = FadeLines;

        foreach (Template? template in _templates.Skip(1))
        {
            template!.Lines /= 2;
        }
    }

    [GeneratedRegex(
        """
        (?<time>(?<![\w.])\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?!\w))
        |(?<ip>(?<![\w.])/?\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]))
        |(?<path>(?<![\w/<])(?:[A-Za-z]:)?(?:[/\\][\w.\-+@%]+){2,}[/\\]?)
        |(?<hex>\b0[xX][0-9A-Fa-f]+\b|\b(?=[0-9A-Fa-f\-]*\d)(?:[0-9A-Fa-f]{8,}(?:-[0-9A-Fa-f]{4,})*)(?<!\b\d+)\b)
        |(?<id>\b[A-Za-z]+[_\-]-?\d+(?:[_\-]\d+)*\b)
        |(?<num>(?<![\w.])[-+]?\d+(?:[.,:]\d+)*(?:[eE][-+]?\d+)?(?=$|[^\w]|[A-Za-z%]{1,3}\b))
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex Variable();

    private sealed class Template(string leaf, string[] tokens)
    {
        public string Leaf { get; } = leaf;

        public string[] Tokens { get; } = tokens;

        public long Lines { get; set; }

        public double Similarity(string[] line)
        {
            int equal = 0;

            for (int i = 0; i < line.Length; i++)
            {
                equal += line[i] == Tokens[i] ? 1 : 0;
            }

            return (double)equal / line.Length;
        }

        public void Take(string[] line)
        {
            Lines++;

            for (int i = 0; i < line.Length; i++)
            {
                Tokens[i] = line[i] == Tokens[i] ? Tokens[i] : Wildcard;
            }
        }
    }
}

/// <summary>What a line was found to be.</summary>
/// <param name="Template">Its template's number.</param>
/// <param name="IsNew">Whether no template was like it: the number may have been another's, which is forgotten.</param>
internal readonly record struct TemplateMatch(int Template, bool IsNew);
