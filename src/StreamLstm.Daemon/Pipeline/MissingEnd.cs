using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>A journal that ends before a place that a sink was told of: its end was cut off, or it comes from an older backup than the sink's file.</summary>
internal static class MissingEnd
{
    /// <summary>More entries than any journal holds between two snapshots: what is further away is another journal's.</summary>
    private const long PlacesMax = 10_000_000;

    /// <summary>Makes the places that are missing count for nothing: the sink would take what is put there for what it has, and pass over it.</summary>
    /// <exception cref="StorageException">The sink belongs to another journal.</exception>
    public static void Void(Journal journal, IReadOnlyList<IScoreSink> sinks, DaemonMetrics metrics, ILogger logger)
    {
        long end = journal.NextSequence - 1;

        if (sinks.OfType<IJournalSink>().MaxBy(sink => sink.Told) is not { } furthest || furthest.Told <= end)
        {
            return;
        }

        if (furthest.Told - end > PlacesMax)
        {
            throw new StorageException(
                $"{furthest.Name} was told of entry {furthest.Told} of the journal, and the journal ends at {end}: they do not belong together. Restore both from one backup, "
                + "or move the history and the files *.cursor away; where the journal is new, look whether the clock is right");
        }

        LogMessages.JournalEndsEarly(logger, end, furthest.Name, furthest.Told);
        metrics.JournalFailed();
        journal.VoidUpTo(furthest.Told);

        foreach (HistorySink history in sinks.OfType<HistorySink>())
        {
            history.TakeBack(end);
        }
    }
}
