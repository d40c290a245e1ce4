using System.IO.Enumeration;

namespace StreamLstm.Detection.Learning;

/// <summary>Streams that share base weights of their own, trained on their windows alone, once there are such weights.</summary>
/// <param name="Name">What it is called wherever weights are: letters, digits, dots, hyphens and underscores.</param>
/// <param name="Streams">Names of its streams, which hold their labels: * stands for any characters, ? for one.</param>
public sealed record ModelGroup(string Name, string Streams)
{
    /// <summary>Characters of a name at most.</summary>
    public const int NameMax = 64;

    /// <summary>Groups at most: each is a training of its own.</summary>
    public const int Max = 100;

    /// <summary>The name of the first group that a stream belongs to; null where it belongs to none.</summary>
    /// <param name="groups">All groups.</param>
    /// <param name="stream">The stream's name.</param>
    public static string? Of(IReadOnlyList<ModelGroup> groups, string stream)
    {
        ArgumentNullException.ThrowIfNull(groups);

        foreach (ModelGroup group in groups)
        {
            if (FileSystemName.MatchesSimpleExpression(group.Streams, stream, ignoreCase: false))
            {
                return group.Name;
            }
        }

        return null;
    }

    /// <summary>Why there can be no such group beside others; null where there can.</summary>
    /// <param name="others">Those before it.</param>
    public string? Wrong(IEnumerable<ModelGroup> others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return Name.Length is 0 or > NameMax || !Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
            ? $"name: '{Name}', expected 1 to {NameMax} letters, digits, dots, hyphens and underscores"
            : others.Any(other => other.Name == Name) ? $"name: '{Name}', expected one that no group before it has"
            : null;
    }
}
