namespace StreamLstm.Decoding;

/// <summary>What a cell of a CSV file holds.</summary>
internal enum CsvCell
{
    /// <summary>A number, or a state that stands for one.</summary>
    Number,

    /// <summary>Nothing.</summary>
    Empty,

    /// <summary>No value: null, unknown, NaN; or a text in a column that never held a number.</summary>
    LeftOut,

    /// <summary>No number, where there were numbers above it.</summary>
    Wrong,
}

/// <summary>Reads the cells of one CSV file: it knows how the file writes numbers, and which columns hold any.</summary>
/// <param name="separator">Between cells: where it is no comma, a comma in a number is a decimal comma.</param>
/// <param name="columns">How many there are.</param>
/// <param name="mayMix">Whether rows of several streams share a column, so that a text below numbers may be usual there.</param>
internal sealed class CsvCells(char separator, int columns, bool mayMix)
{
    private readonly bool[] _hadNumbers = new bool[columns];
    private string _withComma = "";   // the first number with a decimal comma

    /// <summary>Reads one cell.</summary>
    /// <param name="text">What it holds.</param>
    /// <param name="column">Its column.</param>
    /// <param name="value">The number.</param>
    /// <param name="reason">Why it is left out, where it is.</param>
    /// <param name="expected">What was expected, where it is no number.</param>
    public CsvCell Read(string text, int column, out double value, out LeftOutReason reason, out string expected)
    {
        (reason, expected, value) = (LeftOutReason.Missing, "", double.NaN);

        if (text.Length == 0)
        {
            return CsvCell.Empty;
        }

        if (FieldText.Read(text, units: false, out value) is not { } why)
        {
            // One point in a file of decimal commas may stand before thousands.
            if (_withComma.Length > 0 && text.Contains('.', StringComparison.Ordinal))
            {
                expected = $"expected one way to write numbers, and {_withComma} stood above";
                return CsvCell.Wrong;
            }

            _hadNumbers[column] = true;
            return CsvCell.Number;
        }

        if (why == LeftOutReason.Text && separator != ',' && WithPoint(text) is { } point && FieldText.Read(point, units: false, out value) is null)
        {
            _withComma = _withComma.Length > 0 || !text.Contains(',', StringComparison.Ordinal) ? _withComma : text;
            _hadNumbers[column] = true;
            return CsvCell.Number;
        }

        value = double.NaN;
        (reason, expected) = (why, FieldText.Expectation(why));

        if (why == LeftOutReason.Text && _hadNumbers[column] && !mayMix)
        {
            expected = "expected a number";
            return CsvCell.Wrong;
        }

        return CsvCell.LeftOut;
    }

    /// <summary>A number with a decimal comma, and points or blanks between thousands, as others write it; null where it is none.</summary>
    private static string? WithPoint(string text)
    {
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        string whole = comma < 0 ? text : text[..comma], rest = comma < 0 ? "" : text[(comma + 1)..];

        // 1.234.567,5: groups of three behind the first.
        string[] groups = whole.Trim().Split('.', ' ', '\u00A0', '\u202F');
        bool isGrouped = groups.Length > 1;

        return rest.Contains(',', StringComparison.Ordinal) || rest.Contains('.', StringComparison.Ordinal) || (isGrouped && groups.Skip(1).Any(group => group.Length != 3))
            ? null
            : string.Concat(groups) + (rest.Length > 0 ? $".{rest}" : "");
    }
}
