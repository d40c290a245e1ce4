using System.Text;
using StreamLstm.Decoding;

namespace StreamLstm.Backtesting;

/// <summary>Reads lines, counting them, none longer than a bound: what is no text may have no line ends at all.</summary>
internal sealed class LineReader(TextReader reader, RowProblems problems)
{
    private readonly StringBuilder _line = new();

    /// <summary>The line last read, counting from 1.</summary>
    public int Line { get; private set; }

    /// <summary>The next line without its end; null when there is none. One that is too long is a problem, and left out.</summary>
    public string? Read()
    {
        string? line;

        for (line = Next(); line?.Length > TextDecoder.LineMaxChars; line = Next())
        {
            problems.Add(Line, "length", TextDecoder.LongLine);
        }

        return line;
    }

    /// <summary>The next line without its end, cut a character beyond the most there may be.</summary>
    private string? Next()
    {
        int next = reader.Read();

        if (next < 0)
        {
            return null;
        }

        Line++;
        _line.Clear();

        for (; next >= 0 && next != '\n'; next = reader.Read())
        {
            if (_line.Length <= TextDecoder.LineMaxChars)
            {
                _line.Append((char)next);
            }
        }

        if (_line.Length > 0 && _line[^1] == '\r')
        {
            _line.Length--;
        }

        return _line.ToString();
    }

    /// <summary>The first line that is not blank.</summary>
    /// <exception cref="SeriesException">There is none, it is too long, or it is no text.</exception>
    public string ReadFirst(string expected)
    {
        string? line;

        do
        {
            line = Next();
        }
        while (line is not null && string.IsNullOrWhiteSpace(line));

        if (line is null)
        {
            throw problems.Fatal(1, $"the file is empty, expected {expected}");
        }

        if (line.Length > TextDecoder.LineMaxChars)
        {
            throw problems.Fatal(Line, $"{TextDecoder.LongLine}: {expected}");
        }

        // U+FFFD stands where bytes were no UTF-8.
        return line.AsSpan().IndexOfAny('\0', '\uFFFD') < 0
            ? line
            : throw problems.Fatal(Line, $"this is no text (UTF-8, or UTF-16 that begins with its mark), expected {expected}");
    }
}
