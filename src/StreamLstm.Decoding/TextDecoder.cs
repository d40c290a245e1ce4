using System.Runtime.CompilerServices;
using System.Text;
using CsvHelper;
using StreamLstm.Decoding.Agents;

namespace StreamLstm.Decoding;

/// <summary>Reads observations out of text as it comes: CSV, NDJSON, line protocol or Prometheus' text, told apart by the first line; or a log or plain text, where that is said.</summary>
internal static class TextDecoder
{
    /// <summary>Most characters of a line that is read; a longer one is rejected.</summary>
    public const int LineMaxChars = 1 << 20;

    /// <summary>What is said of a longer one.</summary>
    public static readonly string LongLine = $"a line of more than {LineMaxChars} characters, expected at most that many";

    /// <summary>Reads to the end; after each record the same <paramref name="decoded"/> has grown. Its reader empties it.</summary>
    /// <param name="reader">The text. Of a line that is too long no more is kept than shows it.</param>
    /// <param name="format">How it is laid out.</param>
    /// <param name="prefix">For CSV columns; the stream of plain text.</param>
    /// <param name="decoded">Where observations and errors go.</param>
    /// <param name="unitsPerSecond">Of line protocol's timestamps.</param>
    /// <param name="wouldWait">Called before waiting for text that is not there yet.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <param name="log">Reads the lines of a log; needed where the format is <see cref="TextFormat.Log"/>.</param>
    /// <param name="csv">What is said of CSV's columns, and the zone of times; null for nothing and UTC.</param>
    public static async Task DecodeAsync(
        TextReader reader,
        TextFormat format,
        string prefix,
        Decoded decoded,
        long unitsPerSecond,
        Func<bool, ValueTask> wouldWait,
        CancellationToken cancellationToken,
        LogLineDecoder? log = null,
        CsvRules? csv = null)
    {
        using var lines = new BoundedLines(reader, LineMaxChars);
        string? first;
        int line = 0;

        do
        {
            first = await ReadAsync(lines.ReadLineAsync(cancellationToken), wouldWait);
            line++;
        }
        while (first is not null && IsBefore(first, format));

        if (first is null)
        {
            return;
        }

        first = first.TrimStart('\uFEFF');

        if (format == TextFormat.Auto)
        {
            format = FormatOf(first);
        }

        if (format == TextFormat.Csv)
        {
            await CsvAsync(lines, first, line, prefix, decoded, wouldWait, csv, cancellationToken);
            return;
        }

        for (string? text = first; text is not null; line++)
        {
            Line(format, text, line, prefix, decoded, unitsPerSecond, log, csv?.Zone);
            await wouldWait(false);
            text = await ReadAsync(lines.ReadLineAsync(cancellationToken), wouldWait);
        }
    }

    /// <summary>By the first line: what says so itself is Prometheus'; an object or array is JSON; words, a blank and an equals sign are line protocol; else CSV.</summary>
    internal static TextFormat FormatOf(string firstLine)
    {
        string text = firstLine.TrimStart();

        if (PrometheusTextDecoder.Begins(text))
        {
            return TextFormat.Prometheus;
        }

        if (text.StartsWith('{') || text.StartsWith('['))
        {
            return TextFormat.Ndjson;
        }

        int blank = text.IndexOf(' ', StringComparison.Ordinal);
        return blank > 0 && text.IndexOf('=', blank) > 0 ? TextFormat.Influx : TextFormat.Csv;
    }

    internal static void Line(TextFormat format, string text, int line, string prefix, Decoded decoded, long unitsPerSecond, LogLineDecoder? log, TimeZoneInfo? zone)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return;
        }

        if (text.Length > LineMaxChars)
        {
            RejectLong(line, text, decoded);
        }
        else if (format == TextFormat.Ndjson)
        {
            JsonDecoder.Decode(Encoding.UTF8.GetBytes(text), line, prefix: "", decoded, zone is null ? null : PayloadRules.Default with { Zone = zone });
        }
        else if (format == TextFormat.Log)
        {
            log!.Decode(text, line, decoded);
        }
        else if (format == TextFormat.Prometheus)
        {
            PrometheusTextDecoder.Decode(text, line, decoded);
        }
        else if (format is TextFormat.Text or TextFormat.Words)
        {
            TextLines.Decode(text, line, prefix, isWords: format == TextFormat.Words, decoded);
        }
        else
        {
            InfluxLineDecoder.Decode(text, line, unitsPerSecond, decoded);
        }
    }

    private static async Task CsvAsync(
        BoundedLines lines, string header, int line, string prefix, Decoded decoded, Func<bool, ValueTask> wouldWait,
        CsvRules? rules, CancellationToken cancellationToken)
    {
        if (header.Length > LineMaxChars)
        {
            // Without its header no row can be read.
            RejectLong(line, header, decoded);
            await wouldWait(true);
            return;
        }

        if (WrongHeader(header) is { } wrong)
        {
            decoded.Reject(line, wrong, header[..Math.Min(header.Length, 1024)]);
            await wouldWait(true);
            return;
        }

        char separator = CsvRowDecoder.SeparatorOf(header);
        using var headerParser = new CsvParser(new StringReader(header), CsvRowDecoder.Configuration(separator));
        headerParser.Read();

        if (CsvRowDecoder.Row(headerParser, separator, line, decoded) is not { } columns)
        {
            await wouldWait(true);
            return;
        }

        var decoder = new CsvRowDecoder(columns, prefix, separator, rules);
        using var parser = new CsvParser(lines, CsvRowDecoder.Configuration(separator), leaveOpen: true);

        while (true)
        {
            Task<bool> read = parser.ReadAsync();

            if (!read.IsCompleted)
            {
                await wouldWait(true);
            }

            try
            {
                if (!await read.WaitAsync(cancellationToken))
                {
                    return;
                }
            }
            catch (Exception damaged) when (damaged is BadDataException or MaxFieldSizeException)
            {
                decoded.Reject(line + parser.RawRow, damaged.Message.Split('\n')[0], parser.RawRecord ?? "");
                await wouldWait(true);
                return;
            }

            if (lines.WasCut(line + parser.RawRow))
            {
                RejectLong(line + parser.RawRow, parser.RawRecord, decoded);
            }
            else if (CsvRowDecoder.Row(parser, separator, line + parser.RawRow, decoded) is { } row)
            {
                decoder.Decode(row, line + parser.RawRow, decoded);
            }

            await wouldWait(false);
        }
    }

    /// <summary>Whether a line stands before the text's first: blank, or one that tells of the lines behind it.</summary>
    internal static bool IsBefore(string line, TextFormat format) =>
        string.IsNullOrWhiteSpace(line) || (format is TextFormat.Csv or TextFormat.Auto && CsvRowDecoder.IsAnnotation(line.TrimStart('\uFEFF')));

    /// <summary>Why a line is no header; null where it may be one.</summary>
    internal static string? WrongHeader(string line) =>
        line.Length > LineMaxChars ? LongLine
        : line.Contains('\0', StringComparison.Ordinal) ? "no text: it holds a NUL character, expected a header with the columns' names in UTF-8"
        : null;

    private static void RejectLong(int line, string text, Decoded decoded) => decoded.Reject(
        line, LongLine, Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, 1024)]),
        Detection.RejectionReason.Oversize);

    private static async ValueTask<string?> ReadAsync(ValueTask<string?> read, Func<bool, ValueTask> wouldWait)
    {
        if (!read.IsCompleted)
        {
            await wouldWait(true);
        }

        return await read;
    }
}
