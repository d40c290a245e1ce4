using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>How far the window just seen is from every window of its length that the stream has shown before.</summary>
/// <remarks>
/// A window is at most 32 block means, its mean removed, over the stream's running deviation: amplitude counts. A
/// normalised one is divided by its own deviation instead, if that is not below a fifth of the stream's: shape alone
/// counts. A window is remembered when the present one no longer overlaps it, and read from the ring only then.
/// </remarks>
internal sealed class ShapeMemory
{
    /// <summary>The shortest window.</summary>
    public const int WindowMin = 8;

    private const int BlocksMax = 32;

    /// <summary>Rows that are read off the ring at a time.</summary>
    private const int RowsRead = 128;

    /// <summary>Rows before anything is said.</summary>
    private const int SilentRows = 256;

    private readonly Coreset _memory;
    private readonly bool _normalised;
    private readonly int _stride;
    private readonly int _blocks;
    private readonly Waiting[] _waiting;
    private long _fedUpTo;

    /// <param name="window">Rows of a window.</param>
    /// <param name="normalised">Whether amplitude is taken out.</param>
    /// <param name="membersMax">Windows remembered.</param>
    /// <param name="fedUpTo">The row behind which windows are to be remembered.</param>
    public ShapeMemory(int window, bool normalised, int membersMax, long fedUpTo)
    {
        Window = window;
        _normalised = normalised;
        _stride = Math.Max(1, (int)Math.Ceiling(window / 32.0 - 0.25));
        _blocks = Math.Min(BlocksMax, window / _stride);
        _memory = new Coreset(_blocks, membersMax, step: 1 / 20.0);
        _waiting = new Waiting[window / _stride + 3];
        Array.Fill(_waiting, Waiting.None);

        // The windows that are looked at are those that are remembered: each is measured once.
        _fedUpTo = fedUpTo - (fedUpTo + 1) % _stride;
    }

    /// <summary>Rows of a window.</summary>
    public int Window { get; }

    /// <summary>Whether every window that should be remembered is.</summary>
    public bool IsFed(long row) => _fedUpTo + _stride > row - Window;

    /// <summary>Ten times the root mean square by which the window that ends at <paramref name="row"/> differs from the nearest; null between two looks.</summary>
    public double? Observe(long row, ValueRing ring, double centre, double deviation)
    {
        if (row < SilentRows || (row + 1) % _stride != 0)
        {
            return null;
        }

        Span<float> vector = stackalloc float[_blocks];

        if (!Cut(row, ring, centre, deviation, vector))
        {
            return null;
        }

        Span<sbyte> code = stackalloc sbyte[_memory.CodeSize];
        _memory.Quantise(vector, code);
        int nearest = _memory.NearestSquared(code);
        _waiting[Slot(row)] = new Waiting((uint)row, nearest, (short)_memory.Count, (ushort)_memory.Generation);

        return _memory.Count == 0 ? 0 : 10 / Math.Sqrt(_blocks) * _memory.Distance(nearest);
    }

    /// <summary>Remembers windows up to the newest that may be, at most <paramref name="windowsMax"/>.</summary>
    public void Feed(long row, ValueRing ring, double centre, double deviation, int windowsMax)
    {
        Span<float> vector = stackalloc float[_blocks];
        Span<sbyte> code = stackalloc sbyte[_memory.CodeSize];

        for (; windowsMax > 0 && _fedUpTo + _stride <= row - Window; windowsMax--)
        {
            _fedUpTo += _stride;
            Waiting waiting = _waiting[Slot(_fedUpTo)];
            bool isMeasured = waiting.Row == (uint)_fedUpTo && IsMeasured(waiting);

            // What a member stood for already when it was looked at need not be cut again.
            if ((isMeasured && _memory.Represents(waiting.Nearest)) || !Cut(_fedUpTo, ring, centre, deviation, vector))
            {
                continue;
            }

            // Of one that was looked at, only members that came since can be nearer.
            _memory.Quantise(vector, code);
            int since = _memory.NearestSquared(code, isMeasured ? waiting.Members : 0);
            _memory.Add(code, isMeasured ? Math.Min(waiting.Nearest, since) : since);
        }
    }

    /// <summary>Remembers no window that the row is part of, and none before it that was not remembered yet.</summary>
    public void Skip(long row)
    {
        long last = row + (long)_blocks * _stride - 1;
        _fedUpTo = Math.Max(_fedUpTo, last + (_stride - (last + 1) % _stride) % _stride);
    }

    /// <summary>Remembers so many windows from now on.</summary>
    public void Resize(int members) => _memory.Resize(members);

    public void Save(BinaryWriter writer)
    {
        writer.Write(_fedUpTo);
        _memory.Save(writer);

        foreach (Waiting waiting in _waiting)
        {
            writer.Write(waiting.Row);
            writer.Write(waiting.Nearest);
            writer.Write(IsMeasured(waiting) ? waiting.Members : Waiting.Unmeasured);
        }
    }

    public void Load(BinaryReader reader)
    {
        _fedUpTo = reader.ReadInt64();
        _memory.Load(reader);

        for (int slot = 0; slot < _waiting.Length; slot++)
        {
            uint row = reader.ReadUInt32();
            int nearest = reader.ReadInt32();
            short members = reader.ReadInt16();
            _waiting[slot] = new Waiting(row, nearest, members <= _memory.Count ? members : Waiting.Unmeasured, (ushort)_memory.Generation);
        }
    }

    private bool IsMeasured(in Waiting waiting) => waiting.Members >= 0 && waiting.Generation == (ushort)_memory.Generation;

    private int Slot(long row) => (int)((row + 1) / _stride % _waiting.Length);

    private bool Cut(long last, ValueRing ring, double centre, double deviation, Span<float> vector)
    {
        long first = last + 1 - (long)_blocks * _stride;

        if (first < ring.First)
        {
            return false;
        }

        double sum = 0, squares = 0;
        int together = Math.Max(1, RowsRead / _stride);
        Span<double> values = stackalloc double[together * _stride];

        for (int block = 0; block < _blocks; block++)
        {
            int at = block % together * _stride;

            if (at == 0)
            {
                values = values[..(Math.Min(together, _blocks - block) * _stride)];
                ring.CopyTo(first + block * _stride, values);
            }

            double mean = 0;

            foreach (double value in values.Slice(at, _stride))
            {
                mean += value;
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

    /// <summary>A window that was looked at and is not remembered yet.</summary>
    /// <param name="Row">Its last, as far as 32 bits tell: the others that wait are near.</param>
    /// <param name="Nearest">Squared steps to the nearest of the first <paramref name="Members"/> members.</param>
    /// <param name="Members">Members there were; <see cref="Unmeasured"/> where that is not known any more.</param>
    /// <param name="Generation">The memory's then.</param>
    private readonly record struct Waiting(uint Row, int Nearest, short Members, ushort Generation)
    {
        public const short Unmeasured = -1;
        public static readonly Waiting None = new(uint.MaxValue, 0, Unmeasured, 0);
    }
}
