using System.Diagnostics;
using System.Threading.Channels;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Gives every entry its place in the one order, writes it down, and only then passes it on.</summary>
/// <remarks>
/// What waits is written and synced together. R1: whoever handed in hears of it behind the sync. R3, R4: nothing comes of an
/// entry before, no score and no decision, so whatever a sink is told can be told again. R5: what the journal holds of former
/// lives passes first, with the decisions that were made in it; no source and no clock begins before. Where a write fails
/// nothing of it was taken, whoever handed in is told so, and the next one is tried.
/// </remarks>
internal sealed class JournalStage(
    Journal journal, Channel<Handed> handed, ChannelWriter<Sequenced> journalled, Ledger ledger, SourcePositions positions, Receipts receipts, DaemonMetrics metrics, ILogger logger)
{
    private const int GroupMax = 1_024;
    private const int GroupBytesMax = 4 << 20;

    private readonly TaskCompletionSource<long> _replayed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _last = journal.NextSequence - 1;

    /// <summary>The failure of the last write; null where it was none.</summary>
    public string? Failure { get; private set; }

    /// <summary>Ends with the last sequence of former lives once all of it has been passed on.</summary>
    public Task<long> Replayed => _replayed.Task;

    /// <param name="after">The journal is passed on from behind this sequence.</param>
    /// <param name="stopping">Ends the replay: what is left of it is there at the next start.</param>
    /// <param name="failure">Cuts everything.</param>
    public async Task RunAsync(long after, CancellationToken stopping, CancellationToken failure)
    {
        try
        {
            await ReplayAsync(after, stopping, failure);
            _replayed.TrySetResult(journal.NextSequence - 1);
            await TakeInAsync(failure);
        }
        catch (Exception cut)
        {
            _replayed.TrySetException(cut);
            throw;
        }
        finally
        {
            // Whoever still waits hears that nothing more is taken; after an orderly end nobody does.
            handed.Writer.TryComplete();

            while (handed.Reader.TryRead(out Handed? one))
            {
                one.OnDisk?.TrySetException(new ChannelClosedException());
            }
        }
    }

    private async Task TakeInAsync(CancellationToken failure)
    {
        List<Handed> group = [];
        List<ReadOnlyMemory<byte>> written = [];

        while (await handed.Reader.WaitToReadAsync(failure))
        {
            for (int bytes = 0; group.Count < GroupMax && bytes < GroupBytesMax && handed.Reader.TryRead(out Handed? one);)
            {
                group.Add(one);

                if (EntryCodec.IsWritten(one.Entry))
                {
                    byte[] entry = EntryCodec.Write(one.Entry);
                    written.Add(entry);
                    bytes += entry.Length;
                }
            }

            try
            {
                long? first = written.Count == 0 ? journal.NextSequence : Append(written, out Exception? refused) ?? Refuse(group, refused!);
                await PassOnAsync(group, first, failure);
            }
            finally
            {
                // Those that were answered stay so: of the others, whoever waits must not wait for ever.
                group.ForEach(one => one.OnDisk?.TrySetException(new ChannelClosedException()));
            }

            group.Clear();
            written.Clear();
        }

        // Here everything handed in has been answered, and what was taken has been passed on.
    }

    private async Task ReplayAsync(long after, CancellationToken stopping, CancellationToken failure)
    {
        _last = after;

        foreach ((long sequence, ReadOnlyMemory<byte> bytes) in journal.Read(after))
        {
            if (stopping.IsCancellationRequested)
            {
                return;
            }

            Entry entry = EntryCodec.Read(bytes);
            TakeNoticeOf(entry);
            _last = sequence;
            KillPoint.Pass(KillPoint.R5Replaying);
            await journalled.WriteAsync(new Sequenced(sequence, entry, IsReplayed: true), failure);
        }
    }

    private long? Append(List<ReadOnlyMemory<byte>> entries, out Exception? refused)
    {
        long started = Stopwatch.GetTimestamp();

        if (_last != journal.NextSequence - 1)
        {
            // R5: something of former lives has not passed yet, and will not in this one.
            refused = new IOException("the daemon stops before it has caught up with its journal");
            return null;
        }

        try
        {
            long first = journal.Append(entries);
            metrics.Journalled(Stopwatch.GetElapsedTime(started), entries.Count);

            if (Failure is not null)
            {
                LogMessages.JournalGoesOn(logger);
            }

            Failure = null;
            refused = null;
            return first;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            if (Failure != failed.Message)
            {
                LogMessages.JournalFailed(logger, failed.Message);
            }

            metrics.JournalFailed();
            Failure = failed.Message;
            refused = failed;
            return null;
        }
    }

    private long? Refuse(List<Handed> group, Exception refused)
    {
        foreach (Handed one in group.Where(one => EntryCodec.IsWritten(one.Entry)))
        {
            switch (one.Entry)
            {
                case ObservationsEntry { Batch: var batch }:
                    ledger.TakeBack(batch.Source, batch.Observations.Length);
                    break;
                case TickEntry tick:
                    ledger.KeepUndecodable(tick.Rejected);
                    break;
            }

            one.OnDisk?.TrySetException(new NotTakenException($"nothing can be taken in: {refused.Message}", refused));
        }

        return null;
    }

    /// <param name="group">Entries and questions in their order.</param>
    /// <param name="first">The first entry's sequence; null where none was taken.</param>
    /// <param name="failure">Cuts everything.</param>
    private async Task PassOnAsync(List<Handed> group, long? first, CancellationToken failure)
    {
        long next = first ?? 0;

        foreach (Handed one in group)
        {
            if (!EntryCodec.IsWritten(one.Entry))
            {
                await journalled.WriteAsync(new Sequenced(_last, one.Entry, IsReplayed: false), failure);
            }
            else if (first is not null)
            {
                TakeNoticeOf(one.Entry);
                _last = next++;
                one.OnDisk?.TrySetResult(_last);
                KillPoint.Pass(KillPoint.R3AcknowledgedNotScored);
                await journalled.WriteAsync(new Sequenced(_last, one.Entry, IsReplayed: false), failure);
            }
        }
    }

    private void TakeNoticeOf(Entry entry)
    {
        receipts.Add(entry);

        if (entry is ObservationsEntry { Batch.Position: { } position })
        {
            positions.Set(position);
        }
    }
}
