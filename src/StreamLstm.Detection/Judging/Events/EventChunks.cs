using System.Numerics;
using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>Pieces of a stream's recent sessions, to learn from: the newest 256, each of up to 32 events.</summary>
/// <remarks>Of each the state the network had before it, so that a piece need not begin where its session did.</remarks>
internal sealed class EventChunks
{
    /// <summary>Events of a piece.</summary>
    public const int EventsMax = 32;

    private const int Capacity = 256;
    private const int StateSize = EventNetwork.StateSize;

    /// <summary>Pieces that there is room for at first; twice as many each time.</summary>
    private const int CapacityMin = 8;

    private float[] _states = [];
    private byte[] _places = [];
    private byte[] _lengths = [];
    private int _next;

    /// <summary>Pieces kept.</summary>
    public int Count { get; private set; }

    /// <summary>The piece last added.</summary>
    public int Newest => (_next + Capacity - 1) % Capacity;

    /// <summary>What the network was fed with and what came: (events + 1), each event the answer to the one before it.</summary>
    public ReadOnlySpan<byte> Places(int chunk) => _places.AsSpan(chunk * (EventsMax + 1), _lengths[chunk] + 1);

    /// <summary>h and c before the first: (StateSize).</summary>
    public ReadOnlySpan<float> State(int chunk) => _states.AsSpan(chunk * StateSize, StateSize);

    public void Add(ReadOnlySpan<byte> places, ReadOnlySpan<float> state)
    {
        MakeRoom(_next + 1);
        places.CopyTo(_places.AsSpan(_next * (EventsMax + 1)));
        state.CopyTo(_states.AsSpan(_next * StateSize));
        _lengths[_next] = (byte)(places.Length - 1);
        _next = (_next + 1) % Capacity;
        Count = Math.Min(Count + 1, Capacity);
    }

    /// <summary>A place was given to another kind: what it stood for reads as another place.</summary>
    public void Replace(int place, int by) => _places.AsSpan().Replace((byte)place, (byte)by);

    public void Save(BinaryWriter writer)
    {
        writer.Write(_next);
        writer.Write(Count);
        writer.Write(MemoryMarshal.AsBytes(_states.AsSpan(0, Count * StateSize)));
        writer.Write(_places.AsSpan(0, Count * (EventsMax + 1)));
        writer.Write(_lengths.AsSpan(0, Count));
    }

    public void Load(BinaryReader reader)
    {
        _next = reader.ReadInt32();
        Count = reader.ReadInt32();

        if (_next is < 0 or >= Capacity || Count is < 0 or > Capacity || (Count < Capacity && _next != Count))
        {
            throw new InvalidDataException($"event chunks: {Count}, the next at {_next}, expected at most {Capacity}");
        }

        (_states, _places, _lengths) = ([], [], []);
        MakeRoom(Count);
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_states.AsSpan(0, Count * StateSize)));
        reader.BaseStream.ReadExactly(_places.AsSpan(0, Count * (EventsMax + 1)));
        reader.BaseStream.ReadExactly(_lengths.AsSpan(0, Count));

        if (_lengths.AsSpan().ContainsAnyExceptInRange((byte)0, (byte)EventsMax))
        {
            throw new InvalidDataException($"event chunks: one of more than {EventsMax} events");
        }
    }

    private void MakeRoom(int chunks)
    {
        if (chunks <= _lengths.Length)
        {
            return;
        }

        int capacity = Math.Min(Capacity, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(CapacityMin, chunks)));
        Array.Resize(ref _states, capacity * StateSize);
        Array.Resize(ref _places, capacity * (EventsMax + 1));
        Array.Resize(ref _lengths, capacity);
    }
}
