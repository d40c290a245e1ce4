using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What a stream's values are at each half hour of a day, in two bytes each.</summary>
/// <remarks>Means of clean rows; between two middles of half hours it is interpolated.</remarks>
internal struct DayProfile
{
    public const int Slots = 48;

    private const double SlotSeconds = 86_400.0 / Slots;

    /// <summary>Weight of a day in what is known of the days before, at least.</summary>
    private const float WeightLeast = 0.15f;

    private SlotValues _slots;
    private float _unit;       // what the halves are counted in; 0 before there are any
    private float _sum;        // of the slot under way
    private ushort _rows;
    private byte _slot;
    private byte _days;

    [InlineArray(Slots)]
    private struct SlotValues
    {
        private Half _first;
    }

    /// <summary>What is usual at a time of the day; NaN where that is not known.</summary>
    public readonly float At(double seconds)
    {
        if (_unit == 0)
        {
            return float.NaN;
        }

        double position = seconds / SlotSeconds - 0.5;
        int before = (int)Math.Floor(position);
        float share = (float)(position - before);
        return _unit * ((1 - share) * (float)_slots[Wrap(before)] + share * (float)_slots[Wrap(before + 1)]);
    }

    /// <summary>Takes a value of a clean row.</summary>
    /// <param name="value">The value.</param>
    /// <param name="seconds">Its time.</param>
    /// <param name="scale">The stream's scale.</param>
    public void Add(float value, double seconds, double scale)
    {
        int slot = Wrap((int)Math.Floor(seconds / SlotSeconds));

        if (_unit == 0)
        {
            _unit = (float)scale;
            ((Span<Half>)_slots).Fill(Half.NaN);
            _slot = (byte)slot;
        }

        if (slot != _slot)
        {
            Enter();
            _days += (byte)(slot < _slot && _days < 100 ? 1 : 0);
            (_slot, _sum, _rows) = ((byte)slot, 0, 0);
        }

        _sum += value;
        _rows++;
    }

    /// <summary>A new level is normal: what is usual moves with it.</summary>
    public void Shift(float by)
    {
        foreach (ref Half slot in (Span<Half>)_slots)
        {
            slot += (Half)(_unit == 0 ? 0 : by / _unit);
        }
    }

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_unit);

        if (_unit != 0)
        {
            writer.Write(_sum);
            writer.Write(_rows);
            writer.Write(_slot);
            writer.Write(_days);
            writer.Write(MemoryMarshal.AsBytes((ReadOnlySpan<Half>)_slots));
        }
    }

    public void Load(BinaryReader reader)
    {
        _unit = reader.ReadSingle();

        if (_unit != 0)
        {
            (_sum, _rows, _slot, _days) = (reader.ReadSingle(), reader.ReadUInt16(), reader.ReadByte(), reader.ReadByte());
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes((Span<Half>)_slots));
        }
    }

    private static int Wrap(int slot) => (slot % Slots + Slots) % Slots;

    private void Enter()
    {
        if (_rows == 0)
        {
            return;
        }

        float mean = _sum / _rows / _unit, known = (float)_slots[_slot];
        float next = float.IsNaN(known) ? mean : known + Math.Max(1f / (_days + 1), WeightLeast) * (mean - known);
        _slots[_slot] = (Half)Math.Clamp(next, -60_000f, 60_000f);
    }
}
