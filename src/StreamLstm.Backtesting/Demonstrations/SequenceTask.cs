using System.Globalization;
using StreamLstm.Model.Sequences;

namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>One task of writing a sequence for another: its tokens, and pairs by chance.</summary>
internal sealed class SequenceTask
{
    private readonly string[] _source;
    private readonly string[] _target;
    private readonly Func<Random, (IEnumerable<string> Source, IEnumerable<string> Target)> _draw;
    private readonly string _between;

    private SequenceTask(
        string name, IEnumerable<string> source, IEnumerable<string> target, string between, Func<Random, (IEnumerable<string> Source, IEnumerable<string> Target)> draw)
    {
        (Name, _source, _target, _between, _draw) = (name, [.. source], [.. target], between, draw);
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>The networks that it takes.</summary>
    /// <param name="hiddenSize">Cells of either.</param>
    public SequenceToSequenceShape Shape(int hiddenSize) => new(_source.Length, _target.Length, hiddenSize);

    /// <summary>A pair by chance.</summary>
    public SequencePair Draw(Random random)
    {
        (IEnumerable<string> source, IEnumerable<string> target) = _draw(random);
        return new SequencePair([.. source.Select(token => Array.IndexOf(_source, token))], [.. target.Select(token => Array.IndexOf(_target, token))]);
    }

    /// <summary>What was read, as people write it.</summary>
    public string SourceText(SequencePair pair) => string.Concat(pair.Source.Select(token => _source[token]));

    /// <summary>What was written, as people write it.</summary>
    public string TargetText(IEnumerable<int> tokens) => string.Join(_between, tokens.Select(token => _target[token]));

    /// <summary>Dates as people write them, in one of eight ways, character by character into ISO 8601.</summary>
    public static SequenceTask Dates()
    {
        string[] letters = [.. " .,/-'0123456789abcdefghijklmnopqrstuvwxyz".Select(letter => letter.ToString())];
        var first = new DateOnly(1950, 1, 1);
        return new SequenceTask("dates into ISO 8601", letters, "0123456789-".Select(letter => letter.ToString()), "", random =>
        {
            DateOnly day = first.AddDays(random.Next(36_525));
            string[] ways = ["d MMMM yyyy", "MMMM d, yyyy", "dd.MM.yyyy", "d/M/yyyy", "yyyy/M/d", "MMM d yyyy", "d MMM ''yy", "dddd d MMMM yyyy"];
            string text = day.ToString(ways[random.Next(ways.Length)], CultureInfo.InvariantCulture).ToLowerInvariant();
            return (Letters(text), Letters(day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
        });
    }

    /// <summary>Numbers up to a hundred thousand, digit by digit into words.</summary>
    public static SequenceTask Numbers()
    {
        string[] small = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
        string[] tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
        return new SequenceTask(
            "numbers into words", "0123456789".Select(digit => digit.ToString()), [.. small, .. tens[2..], "hundred", "thousand", "and"], " ", random =>
            {
                int number = random.Next((int)Math.Pow(10, random.Next(1, 6)));
                return (Letters(number.ToString(CultureInfo.InvariantCulture)), Words(number));
            });

        IEnumerable<string> Words(int number) =>
            number >= 1000 ? [.. Words(number / 1000), "thousand", .. number % 1000 == 0 ? [] : number % 1000 < 100 ? ["and", .. Words(number % 1000)] : Words(number % 1000)]
            : number >= 100 ? [small[number / 100], "hundred", .. number % 100 == 0 ? Array.Empty<string>() : ["and", .. Words(number % 100)]]
            : number >= 20 ? [tens[number / 10], .. number % 10 == 0 ? Array.Empty<string>() : [small[number % 10]]]
            : [small[number]];
    }

    /// <summary>Letters of eight kinds written backwards.</summary>
    /// <param name="lengthMin">Letters at least.</param>
    /// <param name="lengthMax">Letters at most.</param>
    public static SequenceTask Reversal(int lengthMin, int lengthMax)
    {
        string[] letters = [.. "abcdefgh".Select(letter => letter.ToString())];
        return new SequenceTask($"reversal of {lengthMin} to {lengthMax} letters", letters, letters, "", random =>
        {
            string[] drawn = [.. Enumerable.Range(0, random.Next(lengthMin, lengthMax + 1)).Select(_ => letters[random.Next(letters.Length)])];
            return (drawn, drawn.Reverse());
        });
    }

    private static IEnumerable<string> Letters(string text) => text.Select(letter => letter.ToString());
}
