using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StreamLstm.Model.Kernels;

/// <summary>Floats that begin on a cache line.</summary>
/// <remarks>
/// An array begins 16 bytes into a line, so each of its 64-byte vectors would lie across two: a load of half the speed.
/// Pinned, as an array that moves loses its place.
/// </remarks>
internal readonly struct AlignedFloats
{
    private const int FloatsPerLine = 16;

    private readonly float[] _values;
    private readonly int _first;

    public unsafe AlignedFloats(int length)
    {
        _values = GC.AllocateArray<float>(length + FloatsPerLine - 1, pinned: true);
        nuint address = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_values));
        _first = (int)(FloatsPerLine - address / sizeof(float) % FloatsPerLine) % FloatsPerLine;
        Length = length;
    }

    private AlignedFloats(float[] values, int first, int length)
    {
        _values = values;
        _first = first;
        Length = length;
    }

    public int Length { get; }

    public Span<float> Span => _values.AsSpan(_first, Length);

    public ref float First => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_values), _first);

    /// <summary>The float at an index that the caller vouches for.</summary>
    public ref float At(nint index) => ref Unsafe.Add(ref First, index);

    public AlignedFloats Slice(int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(start + length), (uint)Length);
        return new AlignedFloats(_values, _first + start, length);
    }
}
