using System.IO.Enumeration;

namespace StreamLstm.Daemon.Views;

/// <summary>Words that a stream's name must hold, whatever their case: all of them; with * or ? the whole name must look so, with - before it must not.</summary>
internal sealed class StreamFilter(string? text)
{
    private readonly string[] _words = (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Whether no name must hold anything.</summary>
    public bool TakesAll => _words.Length == 0;

    public bool Takes(string stream)
    {
        foreach (string word in _words)
        {
            bool isUnwanted = word.Length > 1 && word[0] == '-';

            if (Has(stream, isUnwanted ? word[1..] : word) == isUnwanted)
            {
                return false;
            }
        }

        return true;
    }

    private static bool Has(string stream, string word) => word.AsSpan().ContainsAny('*', '?')
        ? FileSystemName.MatchesSimpleExpression(word, stream)
        : stream.Contains(word, StringComparison.OrdinalIgnoreCase);
}
