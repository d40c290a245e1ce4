using System.Text;

namespace StreamLstm.Daemon.Backtesting;

/// <summary>Reads lines, counting them, none longer than a bound: what is no text may have no line ends at all.</summary>
internal sealed class LineReader(TextReader reader, RowProblems problems)
{
    private const int CharsMax = 1 << 20;

    private readonly StringBuilder _line = new();

    /// <summary>The line last read, counting from 1.</summary>
    public int Line { get; private set; }

    /// <summary>The next line without its end; null when there is none.</summary>
    public string? Read()
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
            if (_line.Length == CharsMax)
            {
                throw problems.Fatal(Line, $"longer than {CharsMax} characters");
            }

            _line.Append((char)next);
        }

        if (_line.Length > 0 && _line[^1] == '\r')
        {
            _line.Length--;
        }

        return _line.ToString();
    }

    /// <summary>The first line that is not blank.</summary>
    /// <exception cref="SeriesException">There is none, or it is no text.</exception>
    public string ReadFirst(string expected)
    {
        string? line;

        do
        {
            line = Read();
        }
        while (line is not null && string.IsNullOrWhiteSpace(line));

        if (line is null)
        {
            throw problems.Fatal(1, $"the file is empty, expected {expected}");
        }

        // U+FFFD stands where bytes were no UTF-8.
        return line.AsSpan().IndexOfAny('\0', '\uFFFD') < 0
            ? line
            : throw problems.Fatal(Line, $"this is no text, expected {expected}");
    }
}
