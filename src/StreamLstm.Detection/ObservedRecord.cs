namespace StreamLstm.Detection;

/// <summary>The values of one record, one for every column. Never changed once it is made.</summary>
public sealed class ObservedRecord
{
    private readonly string[] _columns;
    private readonly double[] _values;

    /// <summary>A record that owns its arrays: neither may be changed afterwards.</summary>
    /// <param name="columns">(D): the columns' names. Records of the same columns may share the array, and are placed faster when they do.</param>
    /// <param name="values">(D), NaN where a value is missing.</param>
    /// <exception cref="ArgumentException">There are not as many values as columns, or none.</exception>
    public ObservedRecord(string[] columns, double[] values)
    {
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(values);

        if (columns.Length != values.Length || columns.Length == 0)
        {
            throw new ArgumentException($"{values.Length} values for {columns.Length} columns, expected as many and at least one", nameof(values));
        }

        _columns = columns;
        _values = values;
    }

    /// <summary>The columns' names: (D).</summary>
    public IReadOnlyList<string> Columns => _columns;

    /// <summary>The values: (D), NaN where a value is missing.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>The array behind <see cref="Columns"/>: two records that share it have the same columns.</summary>
    internal string[] ColumnArray => _columns;

    /// <summary>Whether the other record holds the same columns and values.</summary>
    internal bool Holds(ObservedRecord other) =>
        HasColumnsOf(other._columns) && _values.AsSpan().SequenceEqual(other._values);

    internal bool HasColumnsOf(string[] columns) =>
        ReferenceEquals(_columns, columns) || _columns.AsSpan().SequenceEqual(columns);
}
