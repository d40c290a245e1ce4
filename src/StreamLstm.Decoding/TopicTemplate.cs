using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace StreamLstm.Decoding;

/// <summary>What the levels of a topic say: plant/{site}/{device}/{field}.</summary>
/// <remarks>
/// A level is a word as it stands, or a {label} that takes any. A topic may go on behind its template, as the fields of a JSON payload
/// do; what follows stays behind the stream's name. Of Sparkplug B it is no topic but GROUP/NODE/DEVICE/METRIC, which names the stream. A stream's name holds every label, so the name alone tells them: nothing of them
/// is kept anywhere, and a replay, a snapshot and the page of a later start say the same. Where fields are joined the stream is the
/// record: what stands at {field}, and what follows, is the name of a column.
/// </remarks>
internal sealed partial class TopicTemplate
{
    public const string Expectation = "levels that are words or {labels} (a-z, 0-9, _), each label once, such as plant/{site}/{device}/{field}";

    private const string Field = "{field}";

    private readonly string[] _topic;
    private readonly string[] _stream;

    private TopicTemplate(string[] topic, string[] stream, JoinRule? join) => (_topic, _stream, Join) = (topic, stream, join);

    /// <summary>Which fields make one record; null where each is a stream.</summary>
    public JoinRule? Join { get; }

    /// <summary>The names of its streams, * for any characters.</summary>
    public string Pattern => string.Join('/', _stream.Select(level => IsLabel(level) ? "*" : level));

    /// <param name="topic">The topic's levels.</param>
    /// <param name="stream">The stream's, of the same labels; empty = the topic's.</param>
    /// <param name="prefix">Before the stream's name; empty for none.</param>
    /// <param name="join">Which fields make one record; null where each is a stream.</param>
    /// <param name="template">The template; null where there is something wrong.</param>
    /// <param name="wrong">The option that is wrong, and what was expected.</param>
    public static bool TryParse(
        string topic, string stream, string prefix, JoinRule? join, [NotNullWhen(true)] out TopicTemplate? template, out (string Option, string What) wrong)
    {
        template = null;
        string[] levels = topic.Split('/');
        string[] named = stream.Length > 0 ? stream.Split('/') : join is not null && levels[^1] == Field ? levels[..^1] : levels;

        if (ProblemOf(levels) is { } inTopic)
        {
            wrong = ("topic", $"'{topic}': {inTopic}, expected {Expectation}");
            return false;
        }

        if (join is not null && (levels.Length == 1 || levels.AsSpan(0, levels.Length - 1).Contains(Field)) && levels.Contains(Field))
        {
            wrong = ("topic", $"'{topic}': the last level names a record's columns, expected {Field} there and the device before it");
            return false;
        }

        if (join is not null && named.Contains(Field))
        {
            wrong = ("stream", $"'{stream}': {Field} names a record's columns, expected the other labels");
            return false;
        }

        if (ProblemOf(named) is { } inStream)
        {
            wrong = ("stream", $"'{stream}': {inStream}, expected {Expectation}");
            return false;
        }

        if (named.Where(IsLabel).FirstOrDefault(label => !levels.Contains(label)) is { } unknown)
        {
            wrong = ("stream", $"'{stream}': {unknown} is not in topic '{topic}', expected its labels only");
            return false;
        }

        if (levels.FirstOrDefault(level => IsLabel(level) && !(level == Field && join is not null) && !named.Contains(level)) is { } missing)
        {
            wrong = ("stream", $"'{stream}': {missing} is missing, so several topics would be one stream; expected every label of topic '{topic}'");
            return false;
        }

        wrong = default;
        template = new TopicTemplate(levels, [.. prefix.Length > 0 ? prefix.Split('/') : [], .. named], join);
        return true;
    }

    /// <summary>The stream of a topic; null where the topic is another one.</summary>
    public string? NameOf(string topic) => NameOf(topic, out _);

    /// <param name="topic">The topic.</param>
    /// <param name="record">The record that it is a field of, or holds fields of; null where fields are not joined.</param>
    public string? NameOf(string topic, out string? record)
    {
        string[] levels = topic.Split('/');
        record = null;

        if (!Fits(_topic, levels))
        {
            return null;
        }

        string name = string.Join('/', _stream.Select(level => IsLabel(level) ? levels[Array.IndexOf(_topic, level)] : level));
        record = Join is null ? null : name;
        return string.Join('/', levels.Skip(_topic.Length - (Join is not null && _topic[^1] == Field ? 1 : 0)).Prepend(name));
    }

    /// <summary>What a stream's name says, label by label; null where the name is none of the template's.</summary>
    public IReadOnlyDictionary<string, string>? LabelsOf(string stream)
    {
        string[] levels = stream.Split('/');

        if (!Fits(_stream, levels))
        {
            return null;
        }

        // An ordered one: people read them as the template has them.
        var labels = new OrderedDictionary<string, string>();

        foreach (string label in _topic.Where(IsLabel))
        {
            if (Array.IndexOf(_stream, label) is >= 0 and var place)
            {
                labels.Add(label[1..^1], levels[place]);
            }
        }

        return labels;
    }

    /// <summary>Whether something that a filter lets through may be the template's: else one of the two is a mistake.</summary>
    public bool MayPass(string filter)
    {
        string[] levels = (filter.StartsWith("$share/", StringComparison.Ordinal) ? filter.Split('/', 3)[^1] : filter).Split('/');

        for (int level = 0; level < _topic.Length; level++)
        {
            if (level == levels.Length)
            {
                return false;
            }

            if (levels[level] == "#")
            {
                return true;
            }

            if (levels[level] != "+" && !IsLabel(_topic[level]) && levels[level] != _topic[level])
            {
                return false;
            }
        }

        return true;
    }

    private static bool Fits(string[] template, string[] levels) =>
        levels.Length >= template.Length && template.Index().All(level => IsLabel(level.Item) || level.Item == levels[level.Index]);

    private static bool IsLabel(string level) => level.StartsWith('{');

    private static string? ProblemOf(string[] levels)
    {
        var labels = new HashSet<string>(StringComparer.Ordinal);

        foreach (string level in levels)
        {
            if (level.AsSpan().ContainsAny("{}") && !Label().IsMatch(level))
            {
                return $"level '{level}'";
            }

            if (level.Length == 0 || level.AsSpan().ContainsAny("+#\0"))
            {
                return $"level '{level}'";
            }

            if (IsLabel(level) && !labels.Add(level))
            {
                return $"{level} twice";
            }
        }

        return null;
    }

    [GeneratedRegex(@"^\{[a-z_][a-z0-9_]*\}$", RegexOptions.CultureInvariant)]
    private static partial Regex Label();
}

/// <summary>What streams' names say, by the first template that a name fits.</summary>
internal sealed class StreamLabels(IReadOnlyList<TopicTemplate> templates)
{
    private volatile IReadOnlyList<TopicTemplate> _templates = templates;

    public static StreamLabels None => new([]);

    /// <summary>What says so; others may replace them at any time.</summary>
    public IReadOnlyList<TopicTemplate> Templates
    {
        get => _templates;
        set => _templates = value;
    }

    /// <summary>The labels of a stream; null where no template is of its name.</summary>
    public IReadOnlyDictionary<string, string>? Of(string stream)
    {
        foreach (TopicTemplate template in _templates)
        {
            if (template.LabelsOf(stream) is { } labels)
            {
                return labels;
            }
        }

        return null;
    }
}
