namespace StreamLstm.Detection;

/// <summary>How many streams all shards together may hold, and how many of them have weights of their own: who comes first gets the place.</summary>
/// <remarks>
/// Where several threads score, who came first is no question for them: whoever has the observations in their one order decides,
/// and tells the shard which streams begin.
/// </remarks>
public sealed class StreamQuota(int streamsMax, int perStreamMax)
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private int _ownWeights;

    /// <summary>A stream goes on with weights of its own, or without.</summary>
    internal void Exchange(bool had, bool has)
    {
        lock (_lock)
        {
            _ownWeights += (has ? 1 : 0) - (had ? 1 : 0);
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
            ownWeights = false;

            if (!_known.Contains(stream))
            {
                if (_known.Count >= streamsMax)
                {
                    return false;
                }

                ownWeights = takesWeights && _ownWeights < perStreamMax;
                _ownWeights += ownWeights ? 1 : 0;
                _known.Add(stream);
            }

            return true;
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

    /// <summary>Gives a stream's place back.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="ownWeights">Whether it had weights of its own.</param>
    public void Release(string stream, bool ownWeights)
    {
        lock (_lock)
        {
            _ownWeights -= _known.Remove(stream) && ownWeights ? 1 : 0;
        }
    }
}
