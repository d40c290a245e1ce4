using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging;

/// <summary>How rare a level of one indicator is in normal operation: in decades of blocks of clean rows.</summary>
/// <remarks>
/// The maxima of the last blocks of 32 clean rows are kept, a span and not a life: a rate stands where a count so far would
/// grow. The highest eighth of them, less its highest quarter, makes the tail.
/// </remarks>
/// <param name="blocksMax">Blocks that are kept.</param>
/// <param name="scale">How excesses are measured.</param>
/// <param name="least">The least difference that means something: in units of <see cref="Unit"/>.</param>
/// <param name="memoryBlocks">
/// Blocks that the indicator is a mean over: as many wait before they count, as else what rises slowly makes itself usual, being part of
/// what it is held against.
/// </param>
internal sealed class CleanTail(int blocksMax, TailScale scale, double least, int memoryBlocks = 0)
{
    /// <summary>Rows of a block.</summary>
    public const int BlockRows = 32;

    /// <summary>Blocks before anything is said: with fewer the k-th highest is no quantile.</summary>
    public const int BlocksMin = 12;

    /// <summary>Shares of all blocks that the highest are, and those left out.</summary>
    private const int KeptShare = 8;
    private const int LeftOutShare = 32;

    /// <summary>As many are left out of three times <see cref="BlocksMin"/> blocks, until the share is more.</summary>
    private const int FewMax = 3;

    /// <summary>A young stream has no blocks to spare: none waits for longer than the next before there are so many.</summary>
    private const int BlocksPatient = 2 * BlocksMin;

    /// <summary>In place of the maximum of a block that is not to count: indicators are never negative.</summary>
    private const float Void = -1;

    private readonly float _least = (float)least;
    private int _blocksMax = blocksMax;
    private ushort[] _maxima = [];   // as Magnitude has them
    private int _count;
    private int _next;
    private float _waiting = Void;
    private readonly float[] _queue = memoryBlocks > 0 ? new float[memoryBlocks] : [];   // behind it, the oldest first
    private int _queued;
    private float _current;
    private int _rows;
    private ExceedanceTail _tail;
    private bool _isOfBefore;   // the tail is of blocks that count no more: until there are enough others

    /// <summary>What the stream's values can be told apart by, for indicators in its unit. Not saved.</summary>
    public double Unit { get; set; } = 1;

    /// <summary>A level that a person called ordinary; 0 for none. Not saved.</summary>
    public double Ordinary { get; set; }

    /// <summary>A share of a young stream's blocks would be none: its first fault would make the next ones usual.</summary>
    private int Few => Math.Min(FewMax, _count / BlocksMin);

    /// <summary>Whether enough is known.</summary>
    public bool IsKnown => _count >= BlocksMin || _isOfBefore;

    /// <summary>The level that one in eleven blocks or so comes to: what is usual at most.</summary>
    public double Usual => _tail.Usual;

    /// <summary>Decades of blocks between two that come to this level; 0 while too little is known.</summary>
    public double Score(double value)
    {
        double plain = PlainScore(value);
        return Ordinary > 0 && plain > 0 ? Math.Min(plain, _tail.Excess(value, Ordinary)) : plain;
    }

    /// <summary>The same as it were had nobody called a level ordinary.</summary>
    public double PlainScore(double value) => IsKnown ? _tail.Score(value) : 0;

    /// <summary>Takes a row, unless it is not to count.</summary>
    public void Add(double value, bool teaches)
    {
        _current = teaches ? Math.Max(_current, (float)value) : _current;

        if (++_rows < BlockRows)
        {
            return;
        }

        // A block waits for the next one, so that the margin before an incident can still be left out.
        Queue(_waiting);
        _waiting = _current;
        _current = 0;
        _rows = 0;
    }

    /// <summary>Keeps the last rows from teaching, as far as their blocks do not count yet.</summary>
    /// <param name="rowsAgo">The first of them; 1 is the last row added.</param>
    public void Spare(long rowsAgo)
    {
        _current = _rows > 0 ? Void : _current;
        _waiting = rowsAgo > _rows ? Void : _waiting;
    }

    /// <summary>Keeps the blocks that wait from teaching, whatever rows of the present one do.</summary>
    public void SpareWaiting() => (_waiting, _queued) = (Void, 0);

    /// <summary>Forgets all: what was learnt was learnt of something else.</summary>
    public void Clear() => (_count, _next, _waiting, _queued, _current, _rows, _tail, _isOfBefore) = (0, 0, Void, 0, 0, 0, default, false);

    /// <summary>What comes from now on is measured better, and never comes to more: what was learnt before holds until enough is known.</summary>
    public void Renew() => (_isOfBefore, _count, _next, _waiting, _queued, _current, _rows) = (IsKnown, 0, 0, Void, 0, 0, 0);

    /// <summary>Keeps so many blocks from now on, and of those it has the last ones; the next block says what is usual of them.</summary>
    public void Resize(int blocks)
    {
        int kept = Math.Min(_count, blocks), oldest = _count < _maxima.Length ? 0 : _next;
        _maxima = [.. Enumerable.Range(_count - kept, kept).Select(i => _maxima[(oldest + i) % _count])];
        (_blocksMax, _count, _next) = (blocks, kept, kept);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_count);
        writer.Write(_next);
        writer.Write(_waiting);
        writer.Write(_current);
        writer.Write(_rows);
        _tail.Save(writer);
        writer.Write(_isOfBefore);
        writer.Write((byte)_queued);
        writer.Write(MemoryMarshal.AsBytes(_queue.AsSpan(0, _queued)));
        writer.Write(MemoryMarshal.AsBytes(_maxima.AsSpan(0, _count)));
    }

    public void Load(BinaryReader reader)
    {
        _count = reader.ReadInt32();
        _next = reader.ReadInt32();

        if (_count < 0 || _count > _blocksMax || _next < 0 || _next > _count)
        {
            throw new InvalidDataException($"tail: {_count} blocks, the next at {_next}, expected at most {_blocksMax}");
        }

        _waiting = reader.ReadSingle();
        _current = reader.ReadSingle();
        _rows = reader.ReadInt32();
        _tail = ExceedanceTail.Load(reader);
        _isOfBefore = reader.ReadBoolean();
        _queued = reader.ReadByte();

        if (_queued > _queue.Length)
        {
            throw new InvalidDataException($"tail: {_queued} blocks wait, expected at most {_queue.Length}");
        }

        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_queue.AsSpan(0, _queued)));
        Array.Resize(ref _maxima, Math.Max(Math.Min(16, _blocksMax), _count));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_maxima.AsSpan(0, _count)));
    }

    private void Queue(float maximum)
    {
        if (_queue.Length == 0 || _count < BlocksPatient)
        {
            Enter(maximum);
        }
        else if (_queued < _queue.Length)
        {
            _queue[_queued++] = maximum;
        }
        else
        {
            Enter(_queue[0]);
            _queue.AsSpan(1).CopyTo(_queue);
            _queue[^1] = maximum;
        }
    }

    private void Enter(float maximum)
    {
        if (maximum < 0)
        {
            return;
        }

        if (_count == _maxima.Length && _count < _blocksMax)
        {
            Array.Resize(ref _maxima, Math.Clamp(2 * _count, Math.Min(16, _blocksMax), _blocksMax));
        }

        _next %= _maxima.Length;
        _maxima[_next++] = Magnitude.Code(maximum);
        _count = Math.Max(_count, _next);
        _isOfBefore &= _count < BlocksMin;

        if (!_isOfBefore)
        {
            Fit();
        }
    }

    private void Fit()
    {
        int kept = Math.Clamp(Math.Max(_count / KeptShare, Few + 2), 2, ExceedanceTail.KeptMax);

        if (_count < kept)
        {
            return;
        }

        Span<ushort> codes = stackalloc ushort[ExceedanceTail.KeptMax];
        codes = codes[..kept];
        int found = 0;

        foreach (ushort maximum in _maxima.AsSpan(0, _count))
        {
            if (found == kept && maximum <= codes[^1])
            {
                continue;
            }

            int place = found < kept ? found++ : kept - 1;

            while (place > 0 && codes[place - 1] < maximum)
            {
                codes[place] = codes[place - 1];
                place--;
            }

            codes[place] = maximum;
        }

        Span<double> highest = stackalloc double[ExceedanceTail.KeptMax];
        highest = highest[..kept];

        for (int i = 0; i < kept; i++)
        {
            highest[i] = Magnitude.Of(codes[i]);
        }

        int leftOut = Math.Min(Math.Max(_count / LeftOutShare, Few), kept - 2);
        _tail = new ExceedanceTail(highest, leftOut, _count, scale, _least * Unit);
    }
}
