using System.Buffers;

namespace StreamLstm.Detection;

/// <summary>A shard as it was at one place, its streams' bytes taken one by one by its owner.</summary>
/// <remarks>
/// Of a stream that has not changed since the round whose bytes are at hand nothing is encoded. What <see cref="Head"/> and the
/// rows come to, in any order of rows, is what <see cref="DetectionShard.Load"/> reads.
/// </remarks>
#pragma warning disable CA1001 // its stream is memory, and its writer writes into that
public sealed class ShardCut
#pragma warning restore CA1001
{
    private static readonly Comparer<StreamRow> ByBirth = Comparer<StreamRow>.Create((one, other) => one.Birth.CompareTo(other.Birth));

    private readonly StreamRow[] _rows;
    private readonly List<CutRow> _taken;
    private readonly long _round;
    private readonly long _carriedFrom;
    private readonly Action _done;
    private readonly MemoryStream _buffer = new();
    private readonly BinaryWriter _writer;
    private int _next;

    /// <param name="head">What stands before the rows.</param>
    /// <param name="rows">The rows, by birth.</param>
    /// <param name="round">The round of snapshots.</param>
    /// <param name="carriedFrom">The round whose bytes are at hand.</param>
    /// <param name="done">Told once every row's bytes were taken: the shard lets go of them, as they are as many as its streams take.</param>
    internal ShardCut(byte[] head, StreamRow[] rows, long round, long carriedFrom, Action done)
    {
        (Head, _rows, _round, _carriedFrom, _done) = (head, rows, round, carriedFrom, done);
        _taken = new List<CutRow>(rows.Length);
        _writer = new BinaryWriter(_buffer);
    }

    /// <summary>What stands before the rows: the shard's own state, and how many rows follow.</summary>
    public ReadOnlyMemory<byte> Head { get; }

    /// <summary>Whether every stream's bytes were taken.</summary>
    public bool IsDone => _taken.Count == _rows.Length;

    /// <summary>Why a stream's bytes could not be taken: the cut is of no use then; null where all is well.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The rows taken so far. Their buffers are rented from the shared pool: whoever is done with them returns them.</summary>
    public IReadOnlyList<CutRow> Rows => _taken;

    /// <summary>Takes the bytes of one more stream, if there is one left.</summary>
    public void TakeNext()
    {
        while (_next < _rows.Length && !Take(_rows[_next++]))
        {
        }
    }

    /// <summary>Takes a row's bytes; false where it is none of the cut, or was taken.</summary>
    internal bool Take(StreamRow row)
    {
        if (row.SavedIn >= _round || Array.BinarySearch(_rows, row, ByBirth) is var at && (at < 0 || _rows[at] != row))
        {
            return false;
        }

        if (!row.HasChanged && row.SavedIn == _carriedFrom)
        {
            _taken.Add(new CutRow(row.Stream, null, 0));
        }
        else
        {
            _taken.Add(Encoded(row));
        }

        row.SavedIn = _round;
        row.HasChanged = false;

        if (IsDone)
        {
            _done();
        }

        return true;
    }

    private CutRow Encoded(StreamRow row)
    {
        try
        {
            _buffer.SetLength(0);
            DetectionShard.SaveRow(_writer, row);
            _writer.Flush();
            int length = (int)_buffer.Length;
            byte[] rented = ArrayPool<byte>.Shared.Rent(length);
            _buffer.GetBuffer().AsSpan(0, length).CopyTo(rented);
            return new CutRow(row.Stream, rented, length);
        }
#pragma warning disable CA1031 // the cut is of no use any more; the stream goes on
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Failure ??= failure;
            return new CutRow(row.Stream, null, 0);
        }
    }
}

/// <summary>A stream's bytes in a cut.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="Buffer">Holds them, from the shared pool; null where they are those of the round before.</param>
/// <param name="Length">How many they are.</param>
public readonly record struct CutRow(string Stream, byte[]? Buffer, int Length);
