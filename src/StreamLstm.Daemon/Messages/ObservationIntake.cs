using System.Threading.Channels;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Messages;

/// <summary>The door through which every source hands in what it decoded, and says what it could not decode.</summary>
/// <param name="handed">The way to the journal.</param>
/// <param name="ledger">The books.</param>
/// <param name="deadLetters">Keeps what was rejected.</param>
/// <param name="positions">Up to where a source had been read when this life of the program began, or was last taken in since.</param>
/// <param name="receipts">What requests with a key were answered, those on the disk.</param>
internal sealed class ObservationIntake(
    ChannelWriter<Handed> handed,
    Ledger ledger,
    IDeadLetters deadLetters,
    SourcePositions positions,
    Receipts receipts)
{
    /// <summary>Fields of which one is kept; of further ones none.</summary>
    private const int LeftOutMax = 10_000, LeftOutCharsMax = 256;

    private readonly System.Collections.Concurrent.ConcurrentDictionary<(string Source, LeftOutReason Reason, string Field), byte> _leftOut = new();

    /// <summary>What a request with a key was answered; null where none was taken in under it in the last 24 hours.</summary>
    public Receipt? ReceiptOf(string key) => receipts.Of(key);

    /// <summary>Where a source goes on; null where nothing of it was ever taken in.</summary>
    public string? PositionOf(string of) => positions.Of(of);

    /// <summary>Positions whose names begin so, without that beginning.</summary>
    public IReadOnlyList<(string Of, string At)> PositionsUnder(string prefix) => positions.Under(prefix);

    /// <summary>Counts the batch as received and queued, waits until there is room for it, and hands it in.</summary>
    /// <returns>
    /// Ends once the batch would survive a kill or a power loss, and only then may whoever sent it be told that it was taken;
    /// a <see cref="NotTakenException"/> where it was not taken.
    /// </returns>
    public async ValueTask<Task> AcceptAsync(ObservationBatch batch, CancellationToken cancellationToken)
    {
        ledger.Receive(batch.Source, batch.Observations.Length);
        var onDisk = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);

        try
        {
            await handed.WriteAsync(new Handed(new ObservationsEntry(batch), onDisk), cancellationToken);
        }
        catch
        {
            // Never entered the channel: taken back, so that the books balance. The source may hand it in again.
            ledger.TakeBack(batch.Source, batch.Observations.Length);
            throw;
        }

        return onDisk.Task;
    }

    /// <summary>Counts one record as received and rejected, and keeps it as a dead letter.</summary>
    /// <param name="source">The source's name.</param>
    /// <param name="reason">Why it was rejected.</param>
    /// <param name="detail">For people: the field, the value and what was expected.</param>
    /// <param name="payload">The record; only its first kilobyte is kept.</param>
    public void Reject(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload)
    {
        ledger.ReceiveRejected(source, reason);
        deadLetters.Add(source, reason, detail, payload);
    }

    /// <summary>
    /// Counts fields of records that became no observations, by reason, and keeps the first of each as a dead letter; none is left in <paramref name="leftOut"/>.
    /// </summary>
    /// <param name="source">The source's name.</param>
    /// <param name="leftOut">The fields.</param>
    /// <param name="where">For people: where they came, such as a topic.</param>
    /// <param name="payload">The record that they are of, where it is one; only its first kilobyte is kept.</param>
    public void LeaveOut(string source, LeftOut leftOut, string where = "", ReadOnlySpan<byte> payload = default)
    {
        if (leftOut.IsEmpty)
        {
            return;
        }

        foreach (LeftOutField field in leftOut.TakeFields())
        {
            // A device sends the same texts with each record: one of each says all, and the count says the rest.
            if (_leftOut.Count < LeftOutMax && field.Field.Length <= LeftOutCharsMax && _leftOut.TryAdd((source, field.Reason, field.Field), 0))
            {
                deadLetters.AddLeftOut(source, field.Reason, where.Length > 0 ? $"{where}: {field.Detail}" : field.Detail, payload);
            }
        }

        ledger.LeaveOut(source, leftOut);
    }
}

/// <summary>A batch was not taken: the disk is full or fails. Whoever sent it may send it again.</summary>
internal sealed class NotTakenException(string message, Exception inner) : Exception(message, inner);

/// <summary>Up to where each source was taken in.</summary>
internal sealed class SourcePositions
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, string> _positions = new(StringComparer.Ordinal);

    public string? Of(string of) => _positions.GetValueOrDefault(of);

    public IReadOnlyList<(string Of, string At)> Under(string prefix) =>
        [.. _positions.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(pair => (pair.Key[prefix.Length..], pair.Value))];

    public void Set(SourcePosition position)
    {
        foreach (SourcePosition each in position.Each())
        {
            if (each.At.Length == 0)
            {
                _positions.TryRemove(each.Of, out _);
            }
            else
            {
                _positions.AddOrUpdate(each.Of, _ => each.After(null), (_, before) => each.After(before));
            }
        }
    }
}

/// <summary>Keeps what could not be decoded or scored, within a bound.</summary>
internal interface IDeadLetters
{
    /// <summary>Whether one more of its kind would be kept; one that would not counts as dropped, and need not be put into words.</summary>
    bool Takes(string source, RejectionReason reason);

    /// <summary>Keeps the first kilobyte of <paramref name="payload"/>, or counts it as dropped when the bound is reached.</summary>
    void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload);

    /// <summary>The same of a record of which a field was left out, and not all of it.</summary>
    void AddLeftOut(string source, LeftOutReason reason, string detail, ReadOnlySpan<byte> payload);
}
