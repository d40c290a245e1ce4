namespace StreamLstm.Detection;

/// <summary>A shard's streams in the order in which they began: eight bytes each, as nearly all come at the end.</summary>
internal sealed class BirthOrder
{
    private static readonly Comparer<StreamRow> ByBirth = Comparer<StreamRow>.Create((one, other) => one.Birth.CompareTo(other.Birth));

    private readonly List<StreamRow> _rows = [];
    private bool _isSorted = true;

    /// <summary>All of them, in that order.</summary>
    public IReadOnlyList<StreamRow> Rows
    {
        get
        {
            if (!_isSorted)
            {
                _rows.Sort(ByBirth);
                _isSorted = true;
            }

            return _rows;
        }
    }

    /// <summary>Adds a stream; one that comes from a snapshot may be older than those that are here.</summary>
    public void Add(StreamRow row)
    {
        _isSorted &= _rows.Count == 0 || _rows[^1].Birth < row.Birth;
        _rows.Add(row);
    }

    /// <summary>Takes a stream out.</summary>
    public void Remove(StreamRow row) => _rows.RemoveAt(At(row));

    /// <summary>Puts another in a stream's place, of the same birth.</summary>
    public void Replace(StreamRow row, StreamRow other) => _rows[At(row)] = other;

    private int At(StreamRow row)
    {
        _ = Rows;
        return _rows.BinarySearch(row, ByBirth);
    }
}
