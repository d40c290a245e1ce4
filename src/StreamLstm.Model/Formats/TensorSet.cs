namespace StreamLstm.Model.Formats;

/// <summary>A file's tensors by name, each to be taken once.</summary>
internal sealed class TensorSet(IEnumerable<NamedTensor> tensors)
{
    private readonly Dictionary<string, NamedTensor> _left = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);

    public IEnumerable<string> Names => _left.Keys;

    public bool Contains(string name) => _left.ContainsKey(name);

    public bool IsMatrix(string name) => Find(name).Sizes.Length == 2;

    /// <summary>Rows and columns of a matrix, which stays in the set.</summary>
    /// <exception cref="InvalidDataException">It is missing, or no matrix.</exception>
    public (int Rows, int Columns) MatrixSizes(string name) => Find(name).Sizes switch
    {
        [int rows, int columns] => (rows, columns),
        var other => throw new InvalidDataException($"tensor {name}: shape ({string.Join(", ", other)}), expected a matrix"),
    };

    /// <summary>Takes the values out of the set, row-major.</summary>
    /// <exception cref="InvalidDataException">It is missing, or has other sizes.</exception>
    public float[] Take(string name, params ReadOnlySpan<int> sizes)
    {
        NamedTensor tensor = Find(name);

        if (!sizes.SequenceEqual(tensor.Sizes))
        {
            throw new InvalidDataException(
                $"tensor {name}: shape ({string.Join(", ", tensor.Sizes)}), expected ({string.Join(", ", sizes.ToArray())})");
        }

        _left.Remove(name);
        return tensor.Values;
    }

    /// <exception cref="InvalidDataException">Something was not taken.</exception>
    public void RequireEmpty()
    {
        if (_left.Count > 0)
        {
            throw new InvalidDataException($"tensor {_left.Keys.Min(StringComparer.Ordinal)} is not one of this network's");
        }
    }

    private NamedTensor Find(string name) =>
        _left.TryGetValue(name, out NamedTensor? tensor) ? tensor : throw new InvalidDataException($"tensor {name} is missing");
}
