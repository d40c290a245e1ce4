using System.Text.RegularExpressions;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What the built-in configuration says of each option behind its value: options are described in one place.</summary>
/// <remarks>Items of lists stand there as comments: below a list, what follows "# - " is one of its items, and is read as if it were none.</remarks>
internal static partial class OptionComments
{
    /// <summary>By key, with * for the number of a list's item.</summary>
    /// <param name="yaml">The built-in configuration.</param>
    public static IReadOnlyDictionary<string, string> Read(string yaml)
    {
        var comments = new Dictionary<string, string>(StringComparer.Ordinal);
        var path = new List<(int Indent, string Key)>();
        string list = "";

        foreach (string line in yaml.Split('\n'))
        {
            bool isItem = line.StartsWith("# - ", StringComparison.Ordinal) || line.StartsWith("#   ", StringComparison.Ordinal);
            Match option = Option().Match(isItem ? line[2..] : line);

            if (!option.Success)
            {
                continue;
            }

            // An item's keys lie two columns behind its dash, whether they follow it or not.
            int indent = option.Groups["indent"].Length + option.Groups["dash"].Length + (isItem ? 1_000 : 0);
            path.RemoveAll(part => part.Indent >= indent);

            if (option.Groups["dash"].Length > 0)
            {
                // Of a list within an item the key stands before; of a list itself it is the last one that was empty.
                path = isItem && path.Count == 0 ? [(999, $"{list}.*")] : [.. path, (indent - 1, $"{path[^1].Key}.*")];
            }

            string prefix = path.Count == 0 ? "" : path[^1].Key + ".", key = prefix + option.Groups["key"].Value;
            path.Add((indent, key));
            list = isItem ? list : key;

            if (option.Groups["comment"] is { Length: > 0 } comment)
            {
                comments[key] = comment.Value;
            }
        }

        return comments;
    }

    [GeneratedRegex(@"^(?<indent> *)(?<dash>- )?(?<key>[a-z_0-9]+):(?: +(?:""[^""]*""|\[[^\]]*\]|[^#]*?))?(?: +# (?<comment>.+))?$", RegexOptions.ExplicitCapture)]
    private static partial Regex Option();
}
