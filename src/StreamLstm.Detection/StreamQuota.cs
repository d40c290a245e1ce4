namespace StreamLstm.Detection;

/// <summary>How many streams all shards together may hold. Shared between workers.</summary>
public sealed class StreamQuota(int streamsMax, int perStreamMax)
{
    private int _streams;
    private int _ownWeights;

    /// <summary>Streams held.</summary>
    public int Streams => Volatile.Read(ref _streams);

    /// <summary>Takes a place for a new stream; false when there is none.</summary>
    /// <param name="ownWeights">Whether it may have weights of its own.</param>
    public bool TryTake(out bool ownWeights)
    {
        ownWeights = false;

        if (!TryTake())
        {
            return false;
        }

        ownWeights = Interlocked.Increment(ref _ownWeights) <= perStreamMax;

        if (!ownWeights)
        {
            Interlocked.Decrement(ref _ownWeights);
        }

        return true;
    }

    /// <summary>Takes a place for a new stream that has no weights; false when there is none.</summary>
    public bool TryTake()
    {
        if (Interlocked.Increment(ref _streams) <= streamsMax)
        {
            return true;
        }

        Interlocked.Decrement(ref _streams);
        return false;
    }

    /// <summary>Takes a place for a stream that a snapshot held, whatever the limit is now.</summary>
    public void Restore(bool ownWeights)
    {
        Interlocked.Increment(ref _streams);

        if (ownWeights)
        {
            Interlocked.Increment(ref _ownWeights);
        }
    }
}
