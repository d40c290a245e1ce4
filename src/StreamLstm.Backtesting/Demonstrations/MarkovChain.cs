namespace StreamLstm.Backtesting.Demonstrations;

/// <summary>What most would take for lines of characters: how often each character came after the three before it.</summary>
/// <remarks>
/// Orders 3 to 0 interpolated after Witten and Bell (1991): the more kinds of characters came after a context, the more is left to the
/// shorter one; below all is the uniform distribution over 128.
/// </remarks>
internal sealed class MarkovChain
{
    private const int Order = 3;
    private const int Alphabet = 128;
    private const char Boundary = '\n';

    private readonly Dictionary<string, Dictionary<char, int>>[] _counts = [.. Enumerable.Range(0, Order + 1).Select(_ => new Dictionary<string, Dictionary<char, int>>(StringComparer.Ordinal))];

    /// <summary>Counts a line.</summary>
    public void Learn(string line)
    {
        string text = Padded(line);

        for (int i = Order; i < text.Length; i++)
        {
            for (int order = 0; order <= Order; order++)
            {
                string context = text.Substring(i - order, order);

                if (!_counts[order].TryGetValue(context, out Dictionary<char, int>? next))
                {
                    _counts[order].Add(context, next = []);
                }

                next[text[i]] = next.GetValueOrDefault(text[i]) + 1;
            }
        }
    }

    /// <summary>How unlikely a line is: nats a character, its end among them.</summary>
    public double Surprise(string line)
    {
        string text = Padded(line);
        double sum = 0;

        for (int i = Order; i < text.Length; i++)
        {
            double chance = 1.0 / Alphabet;

            for (int order = 0; order <= Order; order++)
            {
                if (_counts[order].TryGetValue(text.Substring(i - order, order), out Dictionary<char, int>? next))
                {
                    double total = next.Values.Sum(), kinds = next.Count;
                    chance = (next.GetValueOrDefault(text[i]) + kinds * chance) / (total + kinds);
                }
            }

            sum -= Math.Log(chance);
        }

        return sum / (text.Length - Order);
    }

    private static string Padded(string line) => new string(Boundary, Order) + line + Boundary;
}
