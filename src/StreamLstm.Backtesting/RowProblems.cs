using System.Globalization;

namespace StreamLstm.Backtesting;

/// <summary>A file cannot be read on: which, where, and what was expected.</summary>
internal sealed class SeriesException(string message) : Exception(message);

/// <summary>What could not be taken of one file: the first of every kind in words, all of them counted.</summary>
/// <param name="file">The file, for messages.</param>
/// <param name="strict">Whether the first problem ends the file: in a benchmark a row left out would move all that follow.</param>
internal sealed class RowProblems(string file, bool strict)
{
    private const int KindsMax = 20;

    private readonly Dictionary<string, (string First, long Count)> _kinds = [];

    /// <summary>A line for every kind.</summary>
    public IEnumerable<string> Lines => _kinds.Values.Select(kind => kind.Count == 1
        ? kind.First
        : string.Create(CultureInfo.InvariantCulture, $"{kind.First} (and {kind.Count - 1} more)"));

    /// <summary>Counts a problem that loses one value or row.</summary>
    /// <exception cref="SeriesException">Nothing may be lost.</exception>
    public void Add(int line, string kind, string problem)
    {
        if (strict)
        {
            throw Fatal(line, problem);
        }

        Note(line, kind, problem);
    }

    /// <summary>Counts a row that was read but not scored.</summary>
    public void Note(int line, string kind, string problem)
    {
        if (_kinds.TryGetValue(kind, out (string First, long Count) known))
        {
            _kinds[kind] = (known.First, known.Count + 1);
        }
        else if (_kinds.Count < KindsMax)
        {
            _kinds.Add(kind, (Fatal(line, problem).Message, 1));
        }
    }

    /// <summary>For reading the same file once more: what it says of it is not counted.</summary>
    public RowProblems Uncounted() => new(file, strict: false);

    /// <summary>For a problem that ends the file.</summary>
    public SeriesException Fatal(int line, string problem) => Fatal($"line {line}: {problem}");

    /// <summary>For a problem that ends a file without lines.</summary>
    public SeriesException Fatal(string problem) => new($"{file}: {Printable(problem)}");

    /// <summary>What a file holds may be anything: it must not steer the terminal it is shown on.</summary>
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
