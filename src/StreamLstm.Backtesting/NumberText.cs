using System.Globalization;
using StreamLstm.Decoding;

namespace StreamLstm.Backtesting;

/// <summary>Text that holds numbers and nothing else.</summary>
internal static class NumberText
{
    private static readonly char[] Blanks = [' ', '\t'];

    /// <summary>Numbers with blanks or line ends between them, each with its line.</summary>
    public static IEnumerable<(int Line, double Value)> Values(TextReader reader, RowProblems problems)
    {
        var lines = new LineReader(reader, problems);

        for (string? line = lines.ReadFirst("numbers"); line is not null; line = lines.Read())
        {
            foreach (string part in line.Split(Blanks, StringSplitOptions.RemoveEmptyEntries))
            {
                yield return (lines.Line, Number(part, lines.Line, problems));
            }
        }
    }

    /// <summary>Rows of numbers with commas between them, all of one length. Every row is the same array.</summary>
    public static IEnumerable<(int Line, double[] Values)> Rows(TextReader reader, RowProblems problems)
    {
        var lines = new LineReader(reader, problems);
        double[] values = [];

        for (string? line = lines.ReadFirst("numbers with commas between them"); line is not null; line = lines.Read())
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            int columns = line.AsSpan().Count(',') + 1;

            if (values.Length == 0)
            {
                values = columns <= Decoded.FieldsMax
                    ? new double[columns]
                    : throw problems.Fatal(lines.Line, $"{columns} columns, expected at most {Decoded.FieldsMax}");
            }
            else if (columns != values.Length)
            {
                throw problems.Fatal(lines.Line, $"{columns} columns, expected {values.Length}");
            }

            int column = 0;

            foreach (Range part in line.AsSpan().Split(','))
            {
                values[column++] = Number(line.AsSpan()[part], lines.Line, problems);
            }

            yield return (lines.Line, values);
        }
    }

    private static double Number(ReadOnlySpan<char> text, int line, RowProblems problems) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && !double.IsNaN(value)
            ? value
            : throw problems.Fatal(line, $"'{text[..Math.Min(60, text.Length)]}', expected a number");
}
