using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Scoring;

/// <summary>How far the window just seen is from every window of its length that the stream has shown before.</summary>
/// <remarks>
/// A window is at most 32 block means, its mean removed, over the stream's running deviation: amplitude counts. A
/// normalised one is divided by its own deviation instead, if that is not below a fifth of the stream's: shape alone
/// counts. A window is remembered when the present one no longer overlaps it, and read from the ring only then.
/// </remarks>
internal sealed class ShapeChannel
{
    /// <summary>The shortest window.</summary>
    public const int WindowMin = 8;

    private const int BlocksMax = 32;

    /// <summary>Deviations beyond which a block is only large, where windows are ranked.</summary>
    private const double BlockMax = 2;

    /// <summary>Rows before anything is said.</summary>
    private const int SilentRows = 256;

    private readonly Coreset _memory;
    private readonly bool _normalised;
    private readonly int _stride;
    private readonly int _blocks;
    private long _fedUpTo;

    /// <param name="window">Rows of a window.</param>
    /// <param name="normalised">Whether amplitude is taken out.</param>
    /// <param name="membersMax">Windows remembered.</param>
    /// <param name="fedUpTo">The row behind which windows are to be remembered.</param>
    public ShapeChannel(int window, bool normalised, int membersMax, long fedUpTo)
    {
        Window = window;
        _normalised = normalised;
        _stride = Math.Max(1, (int)Math.Ceiling(window / 32.0 - 0.25));
        _blocks = Math.Min(BlocksMax, window / _stride);
        _memory = new Coreset(_blocks, membersMax, step: 1 / 20.0);
        _fedUpTo = fedUpTo;
    }

    /// <summary>Rows of a window.</summary>
    public int Window { get; }

    /// <summary>Whether every window that should be remembered is.</summary>
    public bool IsFed(long row) => _fedUpTo + _stride > row - Window;

    /// <summary>Ten times the root mean square by which the window that ends at <paramref name="row"/> differs from the nearest; null between two looks.</summary>
    public ShapeNovelty? Observe(long row, ValueRing ring, double centre, double deviation)
    {
        if (row < SilentRows || row % _stride != 0)
        {
            return null;
        }

        Span<float> vector = stackalloc float[_blocks];

        if (!Cut(row, ring, centre, deviation, vector))
        {
            return null;
        }

        double unit = 10 / Math.Sqrt(_blocks);
        double whole = unit * _memory.Novelty(vector);
        return new ShapeNovelty(whole, _normalised ? whole : unit * _memory.Novelty(vector, BlockMax));
    }

    /// <summary>Remembers windows up to the newest that may be, at most <paramref name="windowsMax"/>.</summary>
    public void Feed(long row, ValueRing ring, double centre, double deviation, int windowsMax)
    {
        Span<float> vector = stackalloc float[_blocks];

        for (; windowsMax > 0 && _fedUpTo + _stride <= row - Window; windowsMax--)
        {
            _fedUpTo += _stride;

            if (Cut(_fedUpTo, ring, centre, deviation, vector))
            {
                _memory.Add(vector);
            }
        }
    }

    /// <summary>Remembers no window that the row is part of, and none before it that was not remembered yet.</summary>
    public void Skip(long row) => _fedUpTo = Math.Max(_fedUpTo, row + (long)_blocks * _stride - 1);

    public void Save(BinaryWriter writer)
    {
        writer.Write(_fedUpTo);
        _memory.Save(writer);
    }

    public void Load(BinaryReader reader)
    {
        _fedUpTo = reader.ReadInt64();
        _memory.Load(reader);
    }

    private bool Cut(long last, ValueRing ring, double centre, double deviation, Span<float> vector)
    {
        long first = last + 1 - (long)_blocks * _stride;

        if (first < ring.First)
        {
            return false;
        }

        double sum = 0, squares = 0;

        for (int block = 0; block < _blocks; block++)
        {
            double mean = 0;

            for (int i = 0; i < _stride; i++)
            {
                mean += ring[first++];
            }

            mean = (mean / _stride - centre) / deviation;
            vector[block] = (float)mean;
            sum += mean;
            squares += mean * mean;
        }

        double middle = sum / _blocks;
        double own = Math.Sqrt(Math.Max(0, squares / _blocks - middle * middle));
        double factor = _normalised ? 1 / Math.Max(own, 0.2) : 1;

        for (int block = 0; block < _blocks; block++)
        {
            vector[block] = (float)((vector[block] - middle) * factor);
        }

        return true;
    }
}

/// <summary>How far a window is from all that were seen.</summary>
/// <param name="Whole">With all of its amplitude: what an alert asks for.</param>
/// <param name="Limited">With blocks of at most two deviations: in a ranking one high peak must not outweigh a shape that is wrong throughout.</param>
internal readonly record struct ShapeNovelty(double Whole, double Limited);
