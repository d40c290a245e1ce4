using System.Text;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Places as they were at one place in the journal, their bytes taken a few at a time while routing goes on.</summary>
/// <remarks>In pieces, as those of a million streams are too many to be copied from one array into a larger one while all waits.</remarks>
#pragma warning disable CA1001 // its stream is memory, and its writer writes into that
internal sealed class PlacesCut
#pragma warning restore CA1001
{
    private const int PieceBytes = 64 * 1024;

    private readonly bool[] _taken;
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private readonly MemoryStream _piece = new(PieceBytes);

    /// <param name="rows">Rows there are.</param>
    public PlacesCut(int rows)
    {
        _taken = new bool[rows];
        Writer = new BinaryWriter(_piece, Encoding.UTF8);
    }

    public BinaryWriter Writer { get; }

    /// <summary>The first row that was not taken.</summary>
    public int Next { get; private set; }

    /// <summary>Whether all were taken.</summary>
    public bool IsWhole => Next == _taken.Length;

    /// <summary>Whether a row belongs to it and was not taken; those that came later do not.</summary>
    public bool Lacks(int row) => row < _taken.Length && !_taken[row];

    /// <summary>A row has been written, or is free.</summary>
    public void Take(int row)
    {
        _taken[row] = true;

        while (Next < _taken.Length && _taken[Next])
        {
            Next++;
        }

        if (_piece.Length >= PieceBytes)
        {
            EndPiece();
        }
    }

    /// <summary>All bytes, with what was written behind the rows.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> End()
    {
        EndPiece();
        return _pieces;
    }

    private void EndPiece()
    {
        Writer.Flush();
        _pieces.Add(_piece.ToArray());
        _piece.SetLength(0);
    }
}
