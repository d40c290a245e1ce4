using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>What the last rows of a stream looked like before: its whole, half and quarter period, and 32 rows whatever their size.</summary>
/// <param name="membersMax">Windows that each remembers.</param>
internal sealed class ShapeMemories(int membersMax)
{
    private int _membersMax = membersMax;
    /// <summary>Memories there are.</summary>
    public const int Count = 4;

    private const int FirstRow = 300;
    private const int WindowWithoutPeriod = 64;

    /// <summary>Windows fed in one row: after a new period all that the ring holds are.</summary>
    private const int FedPerRow = 4;

    private readonly double[] _novelty = new double[Count];
    private ShapeMemory[] _memories = [];
    private double _deviation = 1;
    private int _period = -1;

    /// <summary>What a memory says of the rows so far; null while it knows too little.</summary>
    public double? this[int memory] => _memories.Length > 0 && _known[memory] ? _novelty[memory] : null;

    private readonly bool[] _known = new bool[Count];

    /// <summary>Looks at the windows that end with the last row of the ring, and remembers older ones.</summary>
    /// <param name="ring">The stream's last values.</param>
    /// <param name="scale">Its scale.</param>
    /// <param name="period">Its period in rows; 0 for none.</param>
    /// <param name="isSpared">Whether no window with the last row is to be remembered.</param>
    public void Observe(ValueRing ring, ValueScale scale, int period, bool isSpared)
    {
        long row = ring.Count - 1;

        if (row < FirstRow)
        {
            return;
        }

        if (period != _period || _memories.Length == 0)
        {
            Begin(period, ring, scale.Scale);
        }

        for (int i = 0; i < Count; i++)
        {
            ShapeMemory memory = _memories[i];
            _novelty[i] = memory.Observe(row, ring, scale.Centre, _deviation) ?? _novelty[i];
            _known[i] = row > 2 * memory.Window + FirstRow && memory.IsFed(row);

            if (isSpared)
            {
                memory.Skip(row);
            }

            memory.Feed(row, ring, scale.Centre, _deviation, FedPerRow);
        }
    }

    /// <summary>Each remembers so many windows from now on.</summary>
    public void Resize(int members)
    {
        _membersMax = members;

        foreach (ShapeMemory memory in _memories)
        {
            memory.Resize(members);
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_memories.Length > 0 ? _period : -1);
        writer.Write(_deviation);

        for (int i = 0; i < _memories.Length; i++)
        {
            writer.Write(_novelty[i]);
            writer.Write(_known[i]);
            _memories[i].Save(writer);
        }
    }

    public void Load(BinaryReader reader)
    {
        _period = reader.ReadInt32();
        _deviation = reader.ReadDouble();

        if (_period < 0)
        {
            return;
        }

        _memories = New(_period, 0);

        for (int i = 0; i < Count; i++)
        {
            _novelty[i] = reader.ReadDouble();
            _known[i] = reader.ReadBoolean();
            _memories[i].Load(reader);
        }
    }

    /// <summary>Windows of another length: what was remembered says nothing of them. Amplitudes count in the scale of this moment.</summary>
    private void Begin(int period, ValueRing ring, double deviation)
    {
        _period = period;
        _deviation = deviation;
        _memories = New(period, ring.First + 2 * Math.Max(period, WindowWithoutPeriod));
        Array.Clear(_novelty);
    }

    private ShapeMemory[] New(int period, long fedUpTo)
    {
        int window = period > 0 ? period : WindowWithoutPeriod;
        return
        [
            new(Math.Max(ShapeMemory.WindowMin, window), normalised: false, _membersMax, fedUpTo),
            new(Math.Max(ShapeMemory.WindowMin, window / 2), normalised: false, _membersMax, fedUpTo),
            new(Math.Max(ShapeMemory.WindowMin, window / 4), normalised: false, _membersMax, fedUpTo),
            new(32, normalised: true, _membersMax, fedUpTo),
        ];
    }
}
