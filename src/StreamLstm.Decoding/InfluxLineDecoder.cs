using System.Globalization;
using System.Text;
using StreamLstm.Decoding.Agents;

namespace StreamLstm.Decoding;

/// <summary>InfluxDB line protocol: measurement,tag=value field=1.5,other=2i 1700000000000000000 (InfluxDB documentation).</summary>
/// <remarks>
/// A field is a stream: measurement/tag=value/field, tags in the order of their names, as InfluxDB knows them; a line is one,
/// measurement/tag=value, where its fields are judged together.
/// </remarks>
internal static class InfluxLineDecoder
{
    public const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Decodes all lines of a text. A line may end within the quotes of a text field, and goes on then.</summary>
    /// <param name="text">The lines.</param>
    /// <param name="unitsPerSecond">Of their timestamps.</param>
    /// <param name="before">What the streams' names begin with; empty for nothing.</param>
    /// <param name="decoded">Where observations, what was left out and errors go.</param>
    public static void DecodeAll(string text, long unitsPerSecond, string before, Decoded decoded)
    {
        for (int start = 0, line = 1; start < text.Length;)
        {
            int end = EndOfLine(text, start);
            string one = text[start..end].TrimEnd('\r');

            if (one.Length > TextDecoder.LineMaxChars)
            {
                decoded.Reject(line, TextDecoder.LongLine, Encoding.UTF8.GetBytes(one[..1024]), Detection.RejectionReason.Oversize);
            }
            else if (!string.IsNullOrWhiteSpace(one))
            {
                Decode(one, line, unitsPerSecond, decoded, before);
            }

            line += one.AsSpan().Count('\n') + 1;
            start = end + 1;
        }
    }

    public static void Decode(string text, int line, long unitsPerSecond, Decoded decoded, string before = "")
    {
        if (text.Length == 0 || text[0] == '#')
        {
            return;
        }

        int position = 0;
        string name = Token(text, ref position, " ,", quotes: false);
        var tags = new List<(string Name, string Value)>();

        while (position < text.Length && text[position] == ',')
        {
            position++;
            string tag = Token(text, ref position, "= ,", quotes: false);

            if (position >= text.Length || text[position] != '=')
            {
                decoded.Reject(line, $"tag '{tag}', expected tag=value", text);
                return;
            }

            position++;
            tags.Add((tag, Token(text, ref position, " ,", quotes: false)));
        }

        if (name.Length == 0 || position >= text.Length)
        {
            decoded.Reject(line, "expected measurement[,tag=value] field=value[,field=value] [timestamp]", text);
            return;
        }

        position++;
        var fields = new List<(string Name, string Value)>();

        do
        {
            string field = Token(text, ref position, "= ,", quotes: false);

            if (position >= text.Length || text[position] != '=' || field.Length == 0)
            {
                decoded.Reject(line, $"field '{field}', expected field=value", text);
                return;
            }

            position++;
            fields.Add((field, Token(text, ref position, " ,", quotes: true)));
        }
        while (position < text.Length && text[position++] == ',');

        DateTimeOffset? time = null;
        string stamp = position < text.Length ? text[position..].Trim() : "";

        if (stamp.Length > 0)
        {
            if (!long.TryParse(stamp, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long unix)
                || !Timestamps.TryFromUnix(unix, unitsPerSecond, out DateTimeOffset parsed))
            {
                decoded.Reject(line, $"timestamp '{stamp}', expected a whole number of the unit in use", text);
                return;
            }

            time = parsed;
        }

        foreach ((string field, string value) in fields)
        {
            Field(field, value, text, line, decoded);
        }

        int count = decoded.EndRecord(SeriesName.Of(before, name, tags), time);

        if (count > Decoded.FieldsMax)
        {
            decoded.RejectFields(line, count, Encoding.UTF8.GetBytes(text));
        }
    }

    private static void Field(string field, string value, string text, int line, Decoded decoded)
    {
        if (value.StartsWith('"'))
        {
            decoded.LeftOut.Add(LeftOutReason.Text, field, value, FieldText.Expectation(LeftOutReason.Text));
            return;
        }

        string number = value.Length > 1 && value[^1] is 'i' or 'u' ? value[..^1] : value;

        if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out double parsed))
        {
            decoded.AddField(field, parsed);
        }
        else if (value is "t" or "T" or "true" or "True" or "TRUE" or "f" or "F" or "false" or "False" or "FALSE")
        {
            decoded.AddField(field, value[0] is 't' or 'T' ? 1 : 0);
        }
        else
        {
            decoded.Reject(line, $"field {field}: '{value}', expected a number, a boolean or a quoted string", text);
        }
    }

    /// <summary>Where a line ends: at a line feed that is not within the quotes of a field, where those are closed.</summary>
    private static int EndOfLine(string text, int start)
    {
        int first = text.IndexOf('\n', start) is >= 0 and var found ? found : text.Length;
        bool isInFields = false, isQuoted = false;

        for (int i = start; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\' when i + 1 < text.Length && text[i + 1] is ('"' or '\\' or ' '):
                    i++;
                    break;
                case ' ' when !isQuoted:
                    isInFields = true;
                    break;
                case '"' when isInFields:
                    isQuoted = !isQuoted;
                    break;
                case '\n' when !isQuoted:
                    return i;
            }

            // A quote that is never closed must not swallow the lines behind it, nor be looked for again for each of them.
            if (i > first && i - start > TextDecoder.LineMaxChars)
            {
                return first;
            }
        }

        return isQuoted ? first : text.Length;
    }

    /// <summary>The text up to one of the ends that is neither escaped nor inside quotes; the position is left on it.</summary>
    private static string Token(string text, ref int position, string ends, bool quotes)
    {
        var token = new StringBuilder();
        bool quoted = false;

        while (position < text.Length)
        {
            char c = text[position];

            if (c == '\\' && position + 1 < text.Length && (text[position + 1] is ',' or '=' or ' ' or '\\' or '"'))
            {
                token.Append(text[position + 1]);
                position += 2;
                continue;
            }

            if (quotes && c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && ends.Contains(c, StringComparison.Ordinal))
            {
                break;
            }

            token.Append(c);
            position++;
        }

        return token.ToString();
    }
}
