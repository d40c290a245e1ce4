using System.Collections.Frozen;
using System.Globalization;

namespace StreamLstm.Decoding;

/// <summary>Numbers and states as devices write them in text: "21.5", "ON", "closed".</summary>
internal static class FieldText
{
    /// <summary>Words for the two states of a thing; open is 1 as a contact's alarm is, and closed 0.</summary>
    private static readonly FrozenDictionary<string, double> Words = new Dictionary<string, double>
    {
        ["true"] = 1, ["on"] = 1, ["yes"] = 1, ["open"] = 1, ["opened"] = 1, ["online"] = 1, ["connected"] = 1, ["enabled"] = 1, ["active"] = 1, ["home"] = 1,
        ["false"] = 0, ["off"] = 0, ["no"] = 0, ["close"] = 0, ["closed"] = 0, ["offline"] = 0, ["disconnected"] = 0, ["disabled"] = 0, ["inactive"] = 0, ["not_home"] = 0,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, double>.AlternateLookup<ReadOnlySpan<char>> WordsBySpan = Words.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenSet<string> Absent = new[] { "", "null", "none", "unknown", "unavailable", "n/a", "-" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> AbsentBySpan = Absent.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Reads a number or a state; why not, where it is none.</summary>
    /// <param name="text">The text, blanks around it allowed.</param>
    /// <param name="units">Whether a number may have a unit behind a blank, as in "21.5 °C".</param>
    /// <param name="value">The number; 1 or 0 for a state.</param>
    public static LeftOutReason? Read(ReadOnlySpan<char> text, bool units, out double value)
    {
        text = text.Trim();

        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            return double.IsFinite(value) ? null : LeftOutReason.NotFinite;
        }

        if (WordsBySpan.TryGetValue(text, out value))
        {
            return null;
        }

        if (AbsentBySpan.Contains(text))
        {
            return LeftOutReason.Missing;
        }

        int blank = text.IndexOf(' ');

        if (units && blank > 0 && text.Length - blank <= 12 && !text[(blank + 1)..].ContainsAnyInRange('0', '9')
            && double.TryParse(text[..blank], NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            return double.IsFinite(value) ? null : LeftOutReason.NotFinite;
        }

        value = double.NaN;
        return LeftOutReason.Text;
    }

    public static string Expectation(LeftOutReason reason) => reason switch
    {
        LeftOutReason.Text => "expected a number or a state such as on, off, open, closed",
        LeftOutReason.Missing => "no value",
        LeftOutReason.NotFinite => "expected a finite number",
        LeftOutReason.TooDeep => "deeper than is looked",
        LeftOutReason.BadQuality => "its device says that it is bad or stale",
        LeftOutReason.UnknownAlias => "no birth message has told its name",
        _ => "no measurement",
    };
}
