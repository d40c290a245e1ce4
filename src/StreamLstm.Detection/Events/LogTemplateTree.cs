using System.Text.RegularExpressions;

namespace StreamLstm.Detection.Events;

/// <summary>Finds the template of a log line while lines come: a fixed-depth tree (Drain: He et al. 2017).</summary>
/// <remarks>
/// First numbers, hexadecimal words, ids, addresses and paths are masked. Then the tree leads by the number of tokens
/// and the first tokens to a few templates, of which the most similar takes the line; where none is similar enough the
/// line founds one. A token in which a template's lines differ becomes <c>&lt;*&gt;</c>.
/// </remarks>
public sealed partial class LogTemplateTree
{
    /// <summary>The template of lines that have none.</summary>
    public const int Other = 0;

    private const string Wildcard = "<*>";
    private const int LeadingTokens = 2;
    private const int TokensMax = 256;

    private readonly Dictionary<string, List<int>> _leaves = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _branches = new(StringComparer.Ordinal);
    private readonly List<Template?> _templates = [null];
    private readonly int _capacity;
    private readonly int _branchesMax;
    private readonly double _similarity;

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
        return Variable().Replace(line, match => match.Groups.Cast<Group>().Skip(1).First(group => group.Success).Name switch
        {
            "ip" => "<ip>",
            "path" => "<path>",
            "hex" => "<hex>",
            "id" => "<id>",
            _ => "<num>",
        });
    }

    /// <summary>The template of a line, learnt from it. Blank lines have <see cref="Other"/>.</summary>
    public int Add(string line)
    {
        string[] tokens = Mask(line).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

        if (tokens.Length == 0)
        {
            return Other;
        }

        tokens = tokens.Length > TokensMax ? tokens[..TokensMax] : tokens;
        string leaf = Leaf(tokens);

        if (!_leaves.TryGetValue(leaf, out List<int>? templates))
        {
            _leaves.Add(leaf, templates = []);
        }

        int best = Other;
        double highest = -1;

        foreach (int template in templates)
        {
            double similarity = _templates[template]!.Similarity(tokens);
            (best, highest) = similarity > highest ? (template, similarity) : (best, highest);
        }

        if (highest < _similarity)
        {
            best = Found(leaf, tokens);
        }

        _templates[best]!.Take(tokens);
        return best;
    }

    /// <summary>The place in the tree: the number of tokens, then the first tokens while they are no variable parts.</summary>
    private string Leaf(string[] tokens)
    {
        string path = tokens.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);

        for (int i = 0; i < Math.Min(LeadingTokens, tokens.Length); i++)
        {
            if (!_branches.TryGetValue(path, out HashSet<string>? branches))
            {
                _branches.Add(path, branches = new HashSet<string>(StringComparer.Ordinal));
            }

            bool isVariable = tokens[i].Contains('<', StringComparison.Ordinal) || tokens[i].AsSpan().IndexOfAnyInRange('0', '9') >= 0;
            string branch = isVariable || (!branches.Contains(tokens[i]) && branches.Count >= _branchesMax) ? Wildcard : tokens[i];
            branches.Add(branch);
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
            id = Enumerable.Range(1, Count).MinBy(template => _templates[template]!.Lines);
            _leaves[_templates[id]!.Leaf].Remove(id);
        }

        _templates[id] = new Template(leaf, [.. tokens]);
        _leaves[leaf].Add(id);
        return id;
    }

    [GeneratedRegex(
        """
        (?<ip>(?<![\w.])/?\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.]))
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

        public long Lines { get; private set; }

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
