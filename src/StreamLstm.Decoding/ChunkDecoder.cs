using System.Text;
using CsvHelper;

namespace StreamLstm.Decoding;

/// <summary>Reads a file's text chunk by chunk, each of whole records, so that what has been read of it can be said in bytes.</summary>
/// <param name="format">How it is laid out.</param>
/// <param name="prefix">Before the names of CSV columns; the stream of a log and of plain text.</param>
/// <param name="key">Finds the key of a log's sessions.</param>
/// <param name="time">For lines of logs without a year or a time.</param>
/// <param name="csv">What is said of CSV's columns, and the zone of times; null for nothing and UTC.</param>
internal sealed class ChunkDecoder(TextFormat format, string prefix, string key, TimeProvider time, CsvRules? csv = null)
{
    private readonly LogLineDecoder _log = new(prefix, LogLineDecoder.KeyPattern(key), time.LocalTimeZone, time.GetUtcNow);
    private TextFormat _format = format;
    private CsvRowDecoder? _csv;
    private char _separator;
    private bool _hasBegun;

    /// <summary>Lines read so far.</summary>
    public int Lines { get; private set; }

    /// <summary>Of a log, the last line's time; 0 for none.</summary>
    public long LogTicks => _log.Last?.UtcTicks ?? 0;

    /// <summary>Where in the last chunk the header stands that rows behind it have; null where it is an earlier one.</summary>
    public int? HeaderAt { get; private set; }

    /// <summary>Goes on within a file whose beginning was read before.</summary>
    /// <param name="firstLine">The file's first, which says how it is laid out.</param>
    /// <param name="header">Of CSV, the header in force, where that is another one; null where it is the first line.</param>
    /// <param name="lines">Lines before.</param>
    /// <param name="logTicks">Of a log, the last line's time; 0 for none.</param>
    public void GoOn(string firstLine, string? header, int lines, long logTicks)
    {
        Begin(firstLine.TrimStart('\uFEFF'));

        if (header is not null && _csv is not null)
        {
            _csv = new CsvRowDecoder(HeaderOf(header), prefix, _separator, csv);
        }

        Lines = lines;
        _log.Last = logTicks == 0 ? null : new DateTimeOffset(logTicks, TimeSpan.Zero);
    }

    /// <summary>How many bytes hold whole records. A record of CSV may have line ends between quotes.</summary>
    public int CompleteLength(ReadOnlySpan<byte> bytes)
    {
        int last = bytes.LastIndexOf((byte)'\n');

        if (last < 0 || _format is not (TextFormat.Csv or TextFormat.Auto) || !bytes.Contains((byte)'"') || (_hasBegun && _csv is null))
        {
            return last + 1;
        }

        bool isQuoted = false;
        int complete = 0;

        for (int i = 0; i <= last; i++)
        {
            isQuoted ^= bytes[i] == '"';
            complete = bytes[i] == '\n' && !isQuoted ? i + 1 : complete;
        }

        // A quote that is never closed must not swallow the rest of the file.
        return complete > 0 || bytes.Length < TextDecoder.LineMaxChars ? complete : last + 1;
    }

    public void Decode(ReadOnlySpan<byte> bytes, Decoded decoded)
    {
        string text = Encoding.UTF8.GetString(bytes);
        using var reader = new StringReader(Lines == 0 ? text.TrimStart('\uFEFF') : text);

        while (!_hasBegun)
        {
            string? line = reader.ReadLine();

            if (line is null)
            {
                return;
            }

            if (TextDecoder.IsBefore(line, _format))
            {
                Lines++;
                continue;
            }

            Begin(line);

            if (_format == TextFormat.Csv)
            {
                Lines++;

                if (TextDecoder.WrongHeader(line) is { } wrong)
                {
                    decoded.Reject(Lines, wrong, line[..Math.Min(line.Length, 1024)]);
                    _csv = null;
                }
            }
            else
            {
                TextDecoder.Line(_format, line, ++Lines, prefix, decoded, InfluxLineDecoder.NanosecondsPerSecond, _log, csv?.Zone);
            }
        }

        if (_format == TextFormat.Csv)
        {
            DecodeRows(reader, bytes, decoded);
            return;
        }

        while (reader.ReadLine() is { } line)
        {
            TextDecoder.Line(_format, line, ++Lines, prefix, decoded, InfluxLineDecoder.NanosecondsPerSecond, _log, csv?.Zone);
        }
    }

    private void Begin(string firstLine)
    {
        _hasBegun = true;
        _format = _format == TextFormat.Auto ? TextDecoder.FormatOf(firstLine) : _format;

        if (_format == TextFormat.Csv && TextDecoder.WrongHeader(firstLine) is null)
        {
            _separator = CsvRowDecoder.SeparatorOf(firstLine);
            _csv = new CsvRowDecoder(HeaderOf(firstLine), prefix, _separator, csv);
        }
    }

    private string[] HeaderOf(string line)
    {
        using var header = new CsvParser(new StringReader(line), CsvRowDecoder.Configuration(_separator));
        header.Read();
        return header.Record ?? [];
    }

    private void DecodeRows(TextReader reader, ReadOnlySpan<byte> bytes, Decoded decoded)
    {
        string? header = null;

        if (_csv is null)
        {
            // Without a header no row can be read.
            return;
        }

        using var lines = new BoundedLines(reader, TextDecoder.LineMaxChars);
        using var parser = new CsvParser(lines, CsvRowDecoder.Configuration(_separator), leaveOpen: true);

        try
        {
            while (parser.Read())
            {
                int line = Lines + parser.RawRow;

                if (lines.WasCut(parser.RawRow))
                {
                    decoded.Reject(line, TextDecoder.LongLine, Encoding.UTF8.GetBytes(parser.RawRecord[..Math.Min(parser.RawRecord.Length, 1024)]), Detection.RejectionReason.Oversize);
                }
                else if (CsvRowDecoder.Row(parser, _separator, line, decoded) is { } row)
                {
                    header = _csv.Decode(row, line, decoded) ? parser.RawRecord : header;
                }
            }
        }
        catch (Exception damaged) when (damaged is BadDataException or MaxFieldSizeException)
        {
            decoded.Reject(Lines + parser.RawRow, damaged.Message.Split('\n')[0], parser.RawRecord ?? "");
        }

        Lines += parser.RawRow;

        // Wherever in the chunk its text stands it is the same header.
        HeaderAt = header is not null && bytes.LastIndexOf(Encoding.UTF8.GetBytes(header.TrimEnd())) is >= 0 and var at ? at : null;
    }
}
