namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>Lines of one sort, most of them ordinary, and odd ones of some families: what a demonstration of text is asked to tell apart.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="One">What a line is called.</param>
/// <param name="Many">What lines are called.</param>
/// <param name="Odd">What the odd ones are called.</param>
/// <param name="Families">Families of the odd ones.</param>
/// <param name="Ordinary">The next ordinary line.</param>
/// <param name="OddOf">The next odd line of a family.</param>
internal sealed record OddLines(
    string Stream, string One, string Many, string Odd, IReadOnlyList<string> Families, Func<string> Ordinary, Func<int, string> OddOf)
{
    /// <summary>Odd lines that are tried for one that is as long as an ordinary one.</summary>
    private const int Tries = 64;

    /// <summary>Whether they have words: names are one each.</summary>
    public bool HasWords { get; init; }

    /// <summary>Names of domains.</summary>
    /// <param name="words">A list of words.</param>
    /// <param name="seed">Seed of all.</param>
    /// <exception cref="BacktestUsageException">There are too few words.</exception>
    public static OddLines Names(IEnumerable<string> words, int seed)
    {
        var names = new DomainNames(words, seed);
        return new OddLines("names", "name", "names", "generated names", DomainNames.Families, names.Ordinary, names.Generated);
    }

    /// <summary>What an administrator types, and what an intruder does; the seed decides all.</summary>
    public static OddLines Commands(int seed)
    {
        var commands = new ShellCommands(new Random(seed));
        return new OddLines(
            "commands", "command", "commands", "intruders' commands", ShellCommands.Families, commands.Ordinary, AsLong(commands.Ordinary, commands.OfIntruder)) { HasWords = true };
    }

    /// <summary>What a shop is asked for, and what those ask who attack it; the seed decides all.</summary>
    public static OddLines Urls(int seed)
    {
        var urls = new ShopUrls(new Random(seed));
        return new OddLines("urls", "URL", "URLs", "attacks", ShopUrls.Families, urls.Ordinary, AsLong(urls.Ordinary, urls.OfAttack)) { HasWords = true };
    }

    /// <summary>Odd lines that are as long as ordinary ones are, so that a line's length says nothing: of some that are tried the one that is nearest to the length of an ordinary line.</summary>
    private static Func<int, string> AsLong(Func<string> ordinary, Func<int, string> odd) => family =>
    {
        int length = ordinary().Length;
        return Enumerable.Range(0, Tries).Select(_ => odd(family)).MinBy(line => Math.Abs(line.Length - length))!;
    };
}

/// <summary>Draws from lists, for the generators of lines.</summary>
internal static class Draws
{
    private const string Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// <summary>One of some.</summary>
    public static string One(this Random random, params ReadOnlySpan<string> texts) => texts[random.Next(texts.Length)];

    /// <summary>The earlier ones more often: as one over the place (Zipf), as people come back to the same things.</summary>
    public static string Often(this Random random, params ReadOnlySpan<string> texts)
    {
        double all = 0;

        for (int i = 0; i < texts.Length; i++)
        {
            all += 1.0 / (i + 1);
        }

        double left = random.NextDouble() * all;

        for (int i = 0; i < texts.Length; i++)
        {
            left -= 1.0 / (i + 1);

            if (left < 0)
            {
                return texts[i];
            }
        }

        return texts[^1];
    }

    /// <summary>Hexadecimal digits.</summary>
    public static string Hex(this Random random, int digits) => random.GetHexString(digits, lowercase: true);

    /// <summary>Letters as base64 has them, of no meaning.</summary>
    public static string Encoded(this Random random, int letters) => new(random.GetItems<char>(Base64, letters));

    /// <summary>An address of the networks that are for documentation (RFC 5737).</summary>
    public static string Address(this Random random) => $"{random.One("203.0.113", "198.51.100", "192.0.2")}.{random.Next(1, 255)}";
}
