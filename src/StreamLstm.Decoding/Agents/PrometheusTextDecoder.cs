using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace StreamLstm.Decoding.Agents;

/// <summary>Prometheus in text: what a target answers a scrape with, OpenMetrics, and the lines of promtool tsdb dump.</summary>
/// <remarks>
/// A line is NAME{LABEL="VALUE",...} VALUE [TIMESTAMP]; the name may stand among the labels, as __name__ or alone in quotes (Prometheus, exposition formats;
/// OpenMetrics 1.0). A timestamp in milliseconds (Prometheus) and one in seconds (OpenMetrics) are told apart by their size. Names as of remote write.
/// </remarks>
internal static partial class PrometheusTextDecoder
{
    private const string Expectation = "expected NAME{LABEL=\"VALUE\"} VALUE [TIMESTAMP]";

    private static readonly SearchValues<char> NameEnds = SearchValues.Create(" \t{}=,\"");

    private const double MillisecondsFrom = 1e11;   // as everywhere here: fewer are seconds

    private const int MillisecondsPerSecond = 1_000;

    /// <summary>Whether a text that begins with this line is one.</summary>
    public static bool Begins(string line) =>
        line.StartsWith("# HELP ", StringComparison.Ordinal) || line.StartsWith("# TYPE ", StringComparison.Ordinal) || line.StartsWith("# UNIT ", StringComparison.Ordinal)
        || line.StartsWith("# EOF", StringComparison.Ordinal) || Sample().IsMatch(line);

    public static void Decode(string text, int line, Decoded decoded)
    {
        ReadOnlySpan<char> rest = text.AsSpan().Trim();

        if (rest.IsEmpty || rest[0] == '#')
        {
            return;
        }

        var labels = new List<(string Name, string Value)>();
        string metric = rest[..EndOfName(rest)].ToString();
        rest = rest[metric.Length..].TrimStart();

        if (rest is ['{', ..] && ReadLabels(ref rest, labels, ref metric) is { } wrong)
        {
            decoded.Reject(line, $"{wrong}, {Expectation}", text);
            return;
        }

        metric = metric.Length > 0 ? metric : PrometheusSeries.Take(labels, "__name__");

        if (metric.Length == 0 || char.IsAsciiDigit(metric[0]))
        {
            decoded.Reject(line, metric.Length == 0 ? $"no metric's name, {Expectation}" : $"'{Shown(metric)}' is no metric's name, {Expectation}", text);
            return;
        }

        if (PrometheusSeries.IsBucket(metric, labels))
        {
            PrometheusSeries.LeaveOutBucket(metric, decoded);
            return;
        }

        Value(rest.TrimStart(), metric, labels, line, text, decoded);
    }

    private static void Value(ReadOnlySpan<char> rest, string metric, List<(string Name, string Value)> labels, int line, string text, Decoded decoded)
    {
        int end = rest is ['{', ..] ? rest.IndexOf('}') + 1 : rest.IndexOfAny(" \t");
        ReadOnlySpan<char> value = end > 0 ? rest[..end] : rest;
        ReadOnlySpan<char> stamp = rest[value.Length..].Trim();

        // Behind a sample OpenMetrics may have an example of what was counted.
        stamp = stamp.IndexOf('#') is >= 0 and var exemplar ? stamp[..exemplar].TrimEnd() : stamp;

        if (!TryParseTime(stamp, out DateTimeOffset? time))
        {
            decoded.Reject(line, $"timestamp '{Shown(stamp)}', expected milliseconds, or seconds as OpenMetrics has them, of the years 1000 to 8999", text);
        }
        else if (value is ['{', ..])
        {
            Histogram(value, PrometheusSeries.StreamOf(metric, labels), time, line, text, decoded);
        }
        else if (!TryParse(value, out double number))
        {
            decoded.Reject(line, $"{Shown(metric)}: '{Shown(value)}', expected a number", text);
        }
        else if (!double.IsFinite(number))
        {
            decoded.LeftOut.Add(LeftOutReason.NotFinite, metric, "", FieldText.Expectation(LeftOutReason.NotFinite));
        }
        else
        {
            decoded.Add(PrometheusSeries.StreamOf(metric, labels), time, number);
        }
    }

    /// <summary>A native histogram, as promtool writes it: {count:5, sum:7.2, (0.5,1]:3, ...}.</summary>
    private static void Histogram(ReadOnlySpan<char> text, string stream, DateTimeOffset? time, int line, string whole, Decoded decoded)
    {
        Match parts = Counted().Match(text.ToString());

        if (!parts.Success || !TryParse(parts.Groups[1].ValueSpan, out double count) || !TryParse(parts.Groups[2].ValueSpan, out double sum)
            || !double.IsFinite(count) || !double.IsFinite(sum))
        {
            decoded.Reject(line, $"'{Shown(text)}', expected a number, or a histogram as {{count:5, sum:7.2}}", whole);
            return;
        }

        decoded.Add($"{stream}/count", time, count);
        decoded.Add($"{stream}/sum", time, sum);
    }

    /// <summary>Reads what stands between braces; says what is wrong with it.</summary>
    private static string? ReadLabels(ref ReadOnlySpan<char> rest, List<(string Name, string Value)> labels, ref string metric)
    {
        rest = rest[1..].TrimStart();

        while (rest is not ['}', ..])
        {
            if (rest.IsEmpty)
            {
                return "labels without an end";
            }

            bool isQuoted = rest[0] == '"';
            string? name = isQuoted ? Quoted(ref rest) : rest[..EndOfName(rest)].ToString();
            rest = isQuoted ? rest.TrimStart() : rest[name!.Length..].TrimStart();

            if (isQuoted && name is not null && rest is [',', ..] or ['}', ..] && metric.Length == 0)
            {
                metric = name;
            }
            else
            {
                if (string.IsNullOrEmpty(name) || rest is not ['=', ..])
                {
                    return $"label '{Shown(name)}'";
                }

                rest = rest[1..].TrimStart();

                if (rest is not ['"', ..] || Quoted(ref rest) is not { } value)
                {
                    return $"label {Shown(name)} without a value in quotes";
                }

                // Without a value a label is as good as not there (Prometheus, data model).
                if (value.Length > 0)
                {
                    labels.Add((name, value));
                }

                if (labels.Count > SeriesName.LabelsMax)
                {
                    return $"more than {SeriesName.LabelsMax} labels";
                }

                rest = rest.TrimStart();
            }

            if (rest is [',', ..])
            {
                rest = rest[1..].TrimStart();
            }
            else if (rest is not ['}', ..])
            {
                return rest.IsEmpty ? "labels without an end" : $"'{Shown(rest)}' among the labels";
            }
        }

        rest = rest[1..];
        return null;
    }

    /// <summary>A text in quotes, in which \\, \" and \n stand for themselves; null where the quotes never end.</summary>
    private static string? Quoted(ref ReadOnlySpan<char> rest)
    {
        var text = new StringBuilder();

        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] == '"')
            {
                rest = rest[(i + 1)..];
                return text.ToString();
            }

            bool isEscaped = rest[i] == '\\' && i + 1 < rest.Length;
            i += isEscaped ? 1 : 0;
            text.Append(isEscaped && rest[i] == 'n' ? '\n' : rest[i]);
        }

        return null;
    }

    private static bool TryParseTime(ReadOnlySpan<char> text, out DateTimeOffset? time)
    {
        time = null;

        if (text.IsEmpty)
        {
            return true;
        }

        DateTimeOffset parsed = default;
        bool isTime = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) && Math.Abs((double)whole) >= MillisecondsFrom
            ? Timestamps.TryFromUnix(whole, MillisecondsPerSecond, out parsed)
            : decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal seconds) && Math.Abs(seconds) < (decimal)MillisecondsFrom
                && Timestamps.TryFromUnix((long)(seconds * TimeSpan.TicksPerSecond), TimeSpan.TicksPerSecond, out parsed);
        time = isTime ? parsed : null;
        return isTime;
    }

    private static bool TryParse(ReadOnlySpan<char> text, out double value)
    {
        value = text switch { "+Inf" or "Inf" => double.PositiveInfinity, "-Inf" => double.NegativeInfinity, _ => double.NaN };
        return !double.IsNaN(value) || double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Up to where a name of a metric or a label goes.</summary>
    private static int EndOfName(ReadOnlySpan<char> text) => text.IndexOfAny(NameEnds) is >= 0 and var end ? end : text.Length;

    private static string Shown(ReadOnlySpan<char> text) => text.Length <= 60 ? text.ToString() : $"{text[..60]}...";

    /// <summary>A sample that nothing else is. One without labels and without a time could be the header of a column, so a name has an underscore there.</summary>
    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*\{\s*([a-zA-Z_][a-zA-Z0-9_]*\s*=\s*"|\})|\{\s*([a-zA-Z_][a-zA-Z0-9_]*\s*=\s*"|"([^"\\]|\\.)*"\s*[,}])|[a-zA-Z][a-zA-Z0-9]*_[a-zA-Z0-9_:]*[ \t]+([-+]?[0-9.]+([eE][-+]?[0-9]+)?|NaN|[-+]?Inf)([ \t]+-?[0-9.]+)?\s*$)""")]
    private static partial Regex Sample();

    [GeneratedRegex(@"^\{count:([^,}]+), sum:([^,}]+)[,}]")]
    private static partial Regex Counted();
}
