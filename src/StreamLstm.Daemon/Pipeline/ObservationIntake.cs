using System.Threading.Channels;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>The door through which every source hands in what it decoded, and says what it could not decode.</summary>
internal sealed class ObservationIntake(
    ChannelWriter<ObservationBatch> observations,
    Ledger ledger,
    IDeadLetters deadLetters)
{
    /// <summary>Counts the batch as received and queued, then waits until the channel has room for it.</summary>
    public async ValueTask AcceptAsync(ObservationBatch batch, CancellationToken cancellationToken)
    {
        ledger.Receive(batch.Source, batch.Observations.Length);

        try
        {
            await observations.WriteAsync(batch, cancellationToken);
        }
        catch
        {
            // Never entered the channel: taken back, so that the books balance. The source may hand it in again.
            ledger.TakeBack(batch.Source, batch.Observations.Length);
            throw;
        }
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
}

/// <summary>Keeps what could not be decoded or scored, within a bound.</summary>
internal interface IDeadLetters
{
    /// <summary>Keeps the first kilobyte of <paramref name="payload"/>, or counts it as dropped when the bound is reached.</summary>
    void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload);
}
