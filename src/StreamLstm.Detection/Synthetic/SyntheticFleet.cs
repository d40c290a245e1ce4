namespace StreamLstm.Detection.Synthetic;

/// <summary>Streams of every kind in turn, each with a seed and a name of its own.</summary>
public static class SyntheticFleet
{
    private static readonly SyntheticKind[] Kinds = Enum.GetValues<SyntheticKind>();

    /// <summary>One after all kinds with one column comes a stream of several.</summary>
    private static int Cycle => Kinds.Length + 1;

    /// <summary>What the stream of a number looks like: the kinds in turn with one column, then one of 2 to 16 columns, and so on.</summary>
    /// <param name="number">0 or more.</param>
    /// <param name="seed">The fleet's.</param>
    /// <param name="faultsPerThousandRows">Of every stream.</param>
    public static SyntheticSeriesOptions Options(int number, int seed, double faultsPerThousandRows)
    {
        var random = new SeededRandom(((ulong)(uint)seed << 32) | (uint)number);
        bool joint = number % Cycle == Kinds.Length;
        return new SyntheticSeriesOptions
        {
            Kind = joint ? Kinds[random.Next(Kinds.Length)] : Kinds[number % Cycle],
            Columns = joint ? 2 + random.Next(SyntheticSeriesOptions.ColumnsMax - 1) : 1,
            Seed = random.NextUInt64(),
            FaultsPerThousandRows = faultsPerThousandRows,
        };
    }

    /// <summary>The stream's name: its kind and number, such as <c>seasonal-3</c>, with <c>coupled-</c> before it where it has several columns.</summary>
    /// <param name="options">What it looks like.</param>
    /// <param name="number">Its number.</param>
    public static string Name(SyntheticSeriesOptions options, int number)
    {
        ArgumentNullException.ThrowIfNull(options);
        string kind = string.Concat(options.Kind.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
        return $"{(options.Columns > 1 ? "coupled-" : "")}{kind}-{number}";
    }
}
