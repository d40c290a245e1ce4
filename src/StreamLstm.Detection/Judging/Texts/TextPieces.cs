using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>What a stream brought of late, to learn from: the newest pieces of 32 steps each, with the state before it.</summary>
/// <remarks>Pieces are cut without regard to where lines end, so that what a line has to do with the one before it can be learnt.</remarks>
/// <param name="stateSize">Floats of h and c.</param>
/// <param name="places">Places that a token may have.</param>
/// <param name="capacity">Pieces that are kept.</param>
internal sealed class TextPieces(int stateSize, int places, int capacity)
{
    /// <summary>Steps of a piece.</summary>
    public const int Steps = 32;

    private const int Row = Steps + 1;

    private readonly Half[] _states = new Half[capacity * stateSize];
    private readonly byte[] _places = new byte[capacity * Row];
    private int _next;
    private int _filled;   // of the piece that is still growing, which stands at _next

    /// <summary>Pieces kept.</summary>
    public int Count { get; private set; }

    /// <summary>What the network was fed with and what came: (Steps + 1), each place the answer to the one before it.</summary>
    public ReadOnlySpan<byte> Places(int piece) => _places.AsSpan(piece * Row, Row);

    /// <summary>Copies h and c before the piece: (StateSize).</summary>
    public void State(int piece, Span<float> state)
    {
        for (int i = 0; i < state.Length; i++)
        {
            state[i] = (float)_states[piece * stateSize + i];
        }
    }

    /// <summary>Adds a step.</summary>
    /// <param name="fed">What the network is fed with.</param>
    /// <param name="came">What comes then.</param>
    /// <param name="state">h and c before it (StateSize).</param>
    public void Add(byte fed, byte came, ReadOnlySpan<float> state)
    {
        if (_filled == 0)
        {
            // The oldest gives way.
            Count = Math.Min(Count, capacity - 1);
            _places[_next * Row] = fed;

            for (int i = 0; i < state.Length; i++)
            {
                _states[_next * stateSize + i] = (Half)state[i];
            }
        }

        _places[_next * Row + ++_filled] = came;

        if (_filled == Steps)
        {
            _filled = 0;
            _next = (_next + 1) % capacity;
            Count++;
        }
    }

    /// <summary>What comes next does not follow on what came: the piece that is growing is dropped.</summary>
    public void Break() => _filled = 0;

    /// <summary>A piece by its age: 0 is the newest.</summary>
    public int ByAge(int age) => (_next - 1 - age + 2 * capacity) % capacity;

    public void Save(BinaryWriter writer)
    {
        writer.Write(_next);
        writer.Write(Count);
        writer.Write(_filled);
        writer.Write(MemoryMarshal.AsBytes(_states.AsSpan()));
        writer.Write(_places);
    }

    public void Load(BinaryReader reader)
    {
        _next = reader.ReadInt32();
        Count = reader.ReadInt32();

        _filled = reader.ReadInt32();

        if (_next < 0 || _next >= capacity || Count < 0 || Count > capacity || _filled is < 0 or >= Steps)
        {
            throw new InvalidDataException($"text pieces: {Count}, the next at {_next} with {_filled} steps, expected at most {capacity}");
        }

        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(_states.AsSpan()));
        reader.BaseStream.ReadExactly(_places);

        if (_places.AsSpan().ContainsAnyExceptInRange((byte)0, (byte)(places - 1)))
        {
            throw new InvalidDataException($"text pieces: a place beyond {places - 1}");
        }
    }
}
