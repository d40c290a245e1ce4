using System.Text;
using CsvHelper;

namespace StreamLstm.Decoding;

/// <summary>Reads a file's text chunk by chunk, each of whole records, so that what has been read of it can be said in bytes.</summary>
/// <param name="format">How it is laid out.</param>
/// <param name="prefix">Before the names of CSV columns; a log's stream.</param>
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

    /// <summary>Goes on within a file whose beginning was read before.</summary>
    public void GoOn(string firstLine, int lines, long logTicks)
    {
        Begin(firstLine.TrimStart('\uFEFF'));
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
            DecodeRows(reader, decoded);
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
            using var header = new CsvParser(new StringReader(firstLine), CsvRowDecoder.Configuration(_separator));
            header.Read();
            _csv = new CsvRowDecoder(header.Record ?? [], prefix, _separator, csv);
        }
    }

    private void DecodeRows(TextReader reader, Decoded decoded)
    {
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
                    _csv.Decode(row, line, decoded);
                }
            }
        }
        catch (Exception damaged) when (damaged is BadDataException or MaxFieldSizeException)
        {
            decoded.Reject(Lines + parser.RawRow, damaged.Message.Split('\n')[0], parser.RawRecord ?? "");
        }

        Lines += parser.RawRow;
    }
}
