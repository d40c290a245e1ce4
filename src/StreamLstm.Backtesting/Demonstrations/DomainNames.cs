namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Names as people choose them, of words, and as programs of several families generate them.</summary>
/// <remarks>
/// The families are written from what was published of how such generators work, not from their code: letters drawn evenly
/// (Conficker: Porras, Saidi and Yegneswaran 2009), hexadecimal digits of a digest (Bamital), consonants and vowels in turn so that it can be
/// pronounced (Kraken: Royal 2008), and a fixed long name whose first four letters change (Banjori).
/// </remarks>
internal sealed class DomainNames
{
    private const string Vowels = "aeiou";
    private const string Consonants = "bcdfghjklmnpqrstvwxz";
    private const int LettersMin = 3;
    private const int LettersMax = 12;

    /// <summary>Two words joined have this share of names.</summary>
    private const double JoinedShare = 0.4;
    private const double HyphenShare = 0.15;

    private readonly string[] _words;
    private readonly string _fixed;
    private readonly Random _random;
    private int _next;

    /// <param name="words">A list of words; those of other letters than a to z, and long or short ones, are left out.</param>
    /// <param name="seed">Seed of their order and of all else.</param>
    /// <exception cref="BacktestUsageException">Fewer than 10,000 words remain.</exception>
    public DomainNames(IEnumerable<string> words, int seed)
    {
        _random = new Random(seed);
        _words = [.. words.Select(word => word.ToLowerInvariant()).Where(word => word.Length is >= LettersMin and <= LettersMax && word.All(char.IsAsciiLetterLower)).Distinct()];

        if (_words.Length < 10_000)
        {
            throw new BacktestUsageException($"the list of words has {_words.Length} of {LettersMin} to {LettersMax} letters from a to z, expected 10,000 or more");
        }

        for (int i = _words.Length - 1; i > 0; i--)
        {
            int other = _random.Next(i + 1);
            (_words[i], _words[other]) = (_words[other], _words[i]);
        }

        _fixed = Word() + Word();
    }

    /// <summary>The generators' families.</summary>
    public static readonly IReadOnlyList<string> Families = ["even letters", "hex digest", "pronounceable", "changed beginning"];

    /// <summary>A name of one or two words; no word comes twice before all have come.</summary>
    public string Ordinary() =>
        _random.NextDouble() >= JoinedShare ? Word()
        : _random.NextDouble() < HyphenShare ? $"{Word()}-{Word()}"
        : Word() + Word();

    /// <summary>A name of one of <see cref="Families"/>.</summary>
    public string Generated(int family) => family switch
    {
        0 => Letters(8 + _random.Next(4), _ => "abcdefghijklmnopqrstuvwxyz"),
        1 => Letters(32, _ => "0123456789abcdef"),
        2 => Letters(7 + _random.Next(6), place => place % 2 == 0 ? Consonants : Vowels),
        _ => Letters(4, _ => "abcdefghijklmnopqrstuvwxyz") + _fixed[Math.Min(4, _fixed.Length)..],
    };

    private string Word() => _words[_next++ % _words.Length];

    private string Letters(int count, Func<int, string> alphabet)
    {
        Span<char> name = stackalloc char[count];

        for (int i = 0; i < count; i++)
        {
            string letters = alphabet(i);
            name[i] = letters[_random.Next(letters.Length)];
        }

        return new string(name);
    }
}
