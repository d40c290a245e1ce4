using System.Text;

namespace StreamLstm.Decoding.Agents;

/// <summary>The name of a stream that its sender tells apart by labels: BEFORE/METRIC/LABEL=VALUE/LABEL=VALUE, the labels in the order of their names.</summary>
/// <remarks>Senders write labels in any order and mean the same; a name must not depend on it.</remarks>
internal static class SeriesName
{
    /// <summary>Labels of a series; one with more is refused.</summary>
    public const int LabelsMax = 128;

    /// <summary>More than a stream's name may have (256 bytes): what is longer is rejected as that, and need not be built.</summary>
    public const int CharsMax = 300;

    /// <param name="before">What it begins with; empty for nothing.</param>
    /// <param name="metric">What is measured.</param>
    /// <param name="labels">Of which; they are put in order.</param>
    public static string Of(string before, string metric, List<(string Name, string Value)> labels)
    {
        labels.Sort(static (one, other) =>
            string.CompareOrdinal(one.Name, other.Name) is not 0 and var order ? order : string.CompareOrdinal(one.Value, other.Value));
        var name = new StringBuilder(before.Length <= CharsMax ? before : before[..CharsMax]);
        Append(name, metric);

        foreach ((string label, string value) in labels)
        {
            if (name.Length > CharsMax)
            {
                break;
            }

            Append(name, label);
            name.Append('=').Append(Shown(value));
        }

        return name.ToString();
    }

    /// <summary>A label's text, of which no more is read than a name may hold.</summary>
    public static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8[..Math.Min(utf8.Length, 4 * CharsMax)]) is var text && text.Length > CharsMax ? text[..CharsMax] : text;

    private static void Append(StringBuilder name, string part) => name.Append(name.Length > 0 ? "/" : "").Append(part.Length <= CharsMax ? part : part.AsSpan(0, CharsMax));

    /// <summary>A value that could be read as several labels is written so that it cannot.</summary>
    private static string Shown(string value) =>
        value.Contains('/', StringComparison.Ordinal) && value.Contains('=', StringComparison.Ordinal) ? value.Replace("=", "%3D", StringComparison.Ordinal) : value;
}
