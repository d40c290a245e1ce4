namespace StreamLstm.Detection;

/// <summary>A stream's own source of chance: 8 bytes of state, part of its row, the same on every machine.</summary>
/// <remarks>SplitMix64 (Steele, Lea and Flood 2014).</remarks>
internal struct SeededRandom(ulong state)
{
    public ulong State { get; private set; } = state;

    /// <summary>A stream's own, by its name and the seed of all: FNV-1a (Fowler, Noll, Vo).</summary>
    public static SeededRandom Of(ReadOnlySpan<char> stream, int seed)
    {
        ulong hash = 14695981039346656037UL ^ (ulong)seed;

        foreach (char c in stream)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return new SeededRandom(hash);
    }

    public ulong NextUInt64()
    {
        State += 0x9E3779B97F4A7C15UL;
        ulong z = State;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in 0 .. <paramref name="exclusiveMax"/> - 1.</summary>
    public int Next(int exclusiveMax) => (int)((UInt128)NextUInt64() * (ulong)exclusiveMax >> 64);

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));
}
