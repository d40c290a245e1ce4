using System.Collections.Immutable;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Messages;

/// <summary>The books: received = scored + rejected + queued, in every cut.</summary>
/// <remarks>
/// One lock, taken once per batch and never while waiting for anything. Queued is counted for itself, up at the door
/// and down where an observation is scored or rejected, so a record lost between the two stays visible for ever.
/// </remarks>
internal sealed class Ledger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _receivedBySource = [];
    private readonly long[] _rejectedByReason = new long[Enum.GetValues<RejectionReason>().Length];
    private readonly Dictionary<(string Source, RejectionReason Reason), long> _undecodable = [];
    private readonly Dictionary<(string Source, LeftOutReason Reason), (long Count, string Last)> _leftOut = [];
    private long _scored;
    private long _queued;

    /// <summary>A source hands in <paramref name="count"/> observations.</summary>
    public void Receive(string source, int count)
    {
        lock (_lock)
        {
            AddReceived(source, count);
            _queued += count;
        }
    }

    /// <summary>The channel did not take what was received.</summary>
    public void TakeBack(string source, int count)
    {
        lock (_lock)
        {
            AddReceived(source, -count);
            _queued -= count;
        }
    }

    /// <summary>A source could not decode one record.</summary>
    public void ReceiveRejected(string source, RejectionReason reason)
    {
        lock (_lock)
        {
            AddReceived(source, 1);
            _rejectedByReason[(int)reason]++;
            _undecodable[(source, reason)] = _undecodable.GetValueOrDefault((source, reason)) + 1;
        }
    }

    /// <summary>Fields of records of a source became no observations. They stand beside the books: a field is none of what was received.</summary>
    public void LeaveOut(string source, LeftOut leftOut)
    {
        if (leftOut.IsEmpty)
        {
            return;
        }

        lock (_lock)
        {
            foreach ((LeftOutReason reason, int count, string last) in leftOut.Take())
            {
                _leftOut[(source, reason)] = (_leftOut.GetValueOrDefault((source, reason)).Count + count, last);
            }
        }
    }

    /// <summary>Fields that became no observations since the start, with the last of each kind.</summary>
    public IReadOnlyList<LeftOutCount> LeftOut()
    {
        lock (_lock)
        {
            return [.. _leftOut.OrderBy(pair => pair.Key.Source, StringComparer.Ordinal).ThenBy(pair => pair.Key.Reason)
                .Select(pair => new LeftOutCount(pair.Key.Source, pair.Key.Reason, pair.Value.Count, pair.Value.Last))];
        }
    }

    /// <summary>What sources could not decode since this was last asked: on its way into the journal, so that the books survive.</summary>
    public IReadOnlyList<RejectedCount> TakeUndecodable()
    {
        lock (_lock)
        {
            RejectedCount[] taken = [.. _undecodable.Select(pair => new RejectedCount(pair.Key.Source, pair.Key.Reason, pair.Value))];
            _undecodable.Clear();
            return taken;
        }
    }

    /// <summary>What was taken could not be written down: it is asked for again.</summary>
    public void KeepUndecodable(IReadOnlyList<RejectedCount> taken)
    {
        lock (_lock)
        {
            foreach (RejectedCount rejected in taken)
            {
                _undecodable[(rejected.Source, rejected.Reason)] = _undecodable.GetValueOrDefault((rejected.Source, rejected.Reason)) + rejected.Count;
            }
        }
    }

    /// <summary>A shard has applied a batch.</summary>
    /// <param name="scored">How many observations it scored (or learnt from).</param>
    /// <param name="rejected">How many it rejected, indexed by <see cref="RejectionReason"/>.</param>
    public void Settle(int scored, ReadOnlySpan<int> rejected)
    {
        lock (_lock)
        {
            _scored += scored;
            _queued -= scored;

            for (int reason = 0; reason < rejected.Length; reason++)
            {
                _rejectedByReason[reason] += rejected[reason];
                _queued -= rejected[reason];
            }
        }
    }

    /// <summary>All four figures of one instant.</summary>
    public LedgerCut Cut()
    {
        lock (_lock)
        {
            return new LedgerCut(
                _receivedBySource.ToImmutableSortedDictionary(StringComparer.Ordinal),
                _scored,
                [.. _rejectedByReason],
                _queued);
        }
    }

    private void AddReceived(string source, long count) =>
        _receivedBySource[source] = _receivedBySource.GetValueOrDefault(source) + count;
}

/// <summary>Fields of a source's records that became no observations.</summary>
/// <param name="Source">The source.</param>
/// <param name="Reason">Why.</param>
/// <param name="Count">How many since the start.</param>
/// <param name="Last">The last of them, and what was expected.</param>
internal sealed record LeftOutCount(string Source, LeftOutReason Reason, long Count, string Last);

/// <summary>The books at one instant.</summary>
/// <param name="ReceivedBySource">Observations taken in since the storage directory was begun, by source.</param>
/// <param name="Scored">Observations scored or learnt from.</param>
/// <param name="RejectedByReason">Observations rejected, indexed by <see cref="RejectionReason"/>.</param>
/// <param name="Queued">Observations between the door and the verdict.</param>
internal sealed record LedgerCut(
    ImmutableSortedDictionary<string, long> ReceivedBySource,
    long Scored,
    ImmutableArray<long> RejectedByReason,
    long Queued)
{
    public long Received => ReceivedBySource.Values.Sum();

    public long Rejected => RejectedByReason.Sum();

    public bool Balances => Received == Scored + Rejected + Queued;
}
