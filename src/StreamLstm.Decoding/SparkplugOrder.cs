namespace StreamLstm.Decoding;

/// <summary>A message of a node of Sparkplug B that has its turn, or waits for it.</summary>
/// <param name="Type">NBIRTH, DDATA and so on.</param>
/// <param name="Node">GROUP/NODE.</param>
/// <param name="Name">What it is of: the node, or GROUP/NODE/DEVICE.</param>
/// <param name="Prefix">Before the names of streams; empty for none.</param>
/// <param name="Message">The message.</param>
internal sealed record SparkplugTurn(string Type, string Node, string Name, string Prefix, SparkplugMessage Message);

/// <summary>Gives each node's messages their turn by their numbers, as clusters of brokers may hand on one before another (Sparkplug 3.0, host application message ordering).</summary>
/// <remarks>
/// A message that is ahead waits until those before it are here, or for the reorder timeout; the timeout begins anew when some came and others are still
/// missing. What waits is in memory only: edge nodes send data with QoS 0, of which nobody promises more. What is behind, or too far ahead to be waited
/// for, is taken at once, and a birth is to be asked for.
/// </remarks>
/// <param name="timeout">How long it is waited for; zero for not at all.</param>
internal sealed class SparkplugOrder(TimeSpan timeout)
{
    /// <summary>A number further ahead than this is one of another life of the node.</summary>
    private const int AheadMax = 64;

    /// <summary>Payloads that may wait, of all nodes together; beyond it none waits.</summary>
    private const int WaitingMaxBytes = 8 << 20;

    private readonly Dictionary<string, Numbers> _numbersOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TimeSpan> _dueOf = new(StringComparer.Ordinal);
    private int _waitingBytes;

    /// <summary>When the next node's messages have waited for long enough; null where none waits.</summary>
    public TimeSpan? NextDue => _dueOf.Count > 0 ? _dueOf.Values.Min() : null;

    /// <summary>Nodes whose messages have waited for long enough by now.</summary>
    public IReadOnlyList<string> Overdue(TimeSpan now) => _dueOf.Count == 0 ? [] : [.. _dueOf.Where(due => due.Value <= now).Select(due => due.Key)];

    /// <summary>A node begins to count.</summary>
    /// <param name="node">The node, of which nothing may wait.</param>
    /// <param name="sequence">The number of its birth; null where that has none.</param>
    public void Begin(string node, int? sequence) => _numbersOf[node] = new Numbers { Last = sequence };

    /// <summary>Gives what waits for a node its turn, whatever is missing.</summary>
    public IReadOnlyList<SparkplugTurn> Release(string node)
    {
        if (!_dueOf.Remove(node))
        {
            return [];
        }

        Numbers numbers = _numbersOf[node];
        SparkplugTurn[] turns = [.. numbers.Waiting.Values.Select(waiting => waiting.Turn)];
        _waitingBytes -= numbers.Waiting.Values.Sum(waiting => waiting.Bytes);
        numbers.Last = numbers.Waiting.Keys[^1];
        numbers.Waiting.Clear();
        return turns;
    }

    /// <summary>What has its turn now that this message is here, in order; nothing where it waits.</summary>
    /// <param name="turn">The message.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="now">A clock that never goes back; null where it may not wait.</param>
    /// <param name="isMissing">Whether one is missing that is not waited for.</param>
    public IReadOnlyList<SparkplugTurn> Take(SparkplugTurn turn, int bytes, TimeSpan? now, out bool isMissing)
    {
        isMissing = false;

        if (!_numbersOf.TryGetValue(turn.Node, out Numbers? numbers))
        {
            _numbersOf[turn.Node] = numbers = new Numbers();
        }

        if (turn.Message.Sequence is not { } sequence)
        {
            return [turn];
        }

        if (numbers.Last is not { } last)
        {
            numbers.Last = sequence;
            return [turn];
        }

        int ahead = (int)((sequence - last) & 255);

        if (ahead == 1)
        {
            numbers.Last = last + 1;
            return [turn, .. Next(turn.Node, numbers, now)];
        }

        if (ahead is > 1 and <= AheadMax && now is { } time && timeout > TimeSpan.Zero && _waitingBytes + bytes <= WaitingMaxBytes
            && numbers.Waiting.TryAdd(last + ahead, (turn, bytes)))
        {
            _waitingBytes += bytes;
            _dueOf.TryAdd(turn.Node, time + timeout);
            return [];
        }

        isMissing = true;
        IReadOnlyList<SparkplugTurn> before = Release(turn.Node);

        // One that is behind came too late, or of another life: a birth will tell where it counts from.
        numbers.Last = ahead is > 1 and <= AheadMax ? Math.Max(numbers.Last!.Value, last + ahead) : numbers.Last;
        return [.. before, turn];
    }

    private List<SparkplugTurn> Next(string node, Numbers numbers, TimeSpan? now)
    {
        List<SparkplugTurn> turns = [];

        while (numbers.Waiting.Count > 0 && numbers.Waiting.Keys[0] == numbers.Last + 1)
        {
            (SparkplugTurn turn, int bytes) = numbers.Waiting.Values[0];
            turns.Add(turn);
            _waitingBytes -= bytes;
            numbers.Last++;
            numbers.Waiting.RemoveAt(0);
        }

        if (numbers.Waiting.Count == 0)
        {
            _dueOf.Remove(node);
        }
        else if (now is { } time)
        {
            _dueOf[node] = time + timeout;
        }

        return turns;
    }

    /// <summary>Where a node's counting is.</summary>
    private sealed class Numbers
    {
        /// <summary>The last number that had its turn, counted on beyond 255; null before the first.</summary>
        public long? Last { get; set; }

        public SortedList<long, (SparkplugTurn Turn, int Bytes)> Waiting { get; } = [];
    }
}
