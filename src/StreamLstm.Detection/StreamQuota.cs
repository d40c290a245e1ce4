namespace StreamLstm.Detection;

/// <summary>How many streams all shards together may hold, and how many of them have weights of their own. Shared between workers.</summary>
/// <remarks>
/// Who comes first gets the place. Where several threads score, whoever has the streams' observations in their one order
/// decides (<see cref="Decide"/>) before a shard asks: which thread was faster then changes nothing.
/// </remarks>
public sealed class StreamQuota(int streamsMax, int perStreamMax)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _decided = new(StringComparer.Ordinal);   // with weights of its own?
    private int _ownWeights;

    /// <summary>Streams held.</summary>
    public int Streams
    {
        get
        {
            lock (_lock)
            {
                return _known.Count;
            }
        }
    }

    /// <summary>Whether a stream has a place.</summary>
    public bool Holds(string stream)
    {
        lock (_lock)
        {
            return _known.Contains(stream);
        }
    }

    /// <summary>Keeps a place for a stream that may be new; false when there is none.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="takesWeights">Whether it would take weights of its own.</param>
    public bool Decide(string stream, bool takesWeights)
    {
        lock (_lock)
        {
            if (_known.Contains(stream))
            {
                return true;
            }

            if (_known.Count >= streamsMax)
            {
                return false;
            }

            bool ownWeights = takesWeights && _ownWeights < perStreamMax;
            _ownWeights += ownWeights ? 1 : 0;
            _known.Add(stream);
            _decided.Add(stream, ownWeights);
            return true;
        }
    }

    /// <summary>Takes the place of a stream that begins; false when there is none.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="takesWeights">Whether it would take weights of its own.</param>
    /// <param name="ownWeights">Whether it may.</param>
    public bool TryTake(string stream, bool takesWeights, out bool ownWeights)
    {
        lock (_lock)
        {
            bool admitted = Decide(stream, takesWeights);
            _decided.Remove(stream, out ownWeights);
            return admitted;
        }
    }

    /// <summary>Takes the place of a stream that a snapshot held, whatever the limit is now.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="ownWeights">Whether it has weights of its own.</param>
    public void Restore(string stream, bool ownWeights)
    {
        lock (_lock)
        {
            _ownWeights += _known.Add(stream) && ownWeights ? 1 : 0;
        }
    }

    /// <summary>Writes who has a place.</summary>
    public void Save(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);

        lock (_lock)
        {
            writer.Write(_ownWeights);
            writer.Write(_known.Count);

            foreach (string stream in _known)
            {
                writer.Write(stream);
            }
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote, in place of what is known.</summary>
    public void Load(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);

        lock (_lock)
        {
            _known.Clear();
            _decided.Clear();
            _ownWeights = reader.ReadInt32();

            for (int left = reader.ReadInt32(); left > 0; left--)
            {
                _known.Add(reader.ReadString());
            }
        }
    }
}
