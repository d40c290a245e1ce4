using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Where verdicts go. Each sink has a bounded queue and one writer of its own.</summary>
internal interface IScoreSink : IAsyncDisposable
{
    /// <summary>The name in configuration, logs and metrics.</summary>
    string Name { get; }

    /// <summary>Whether a batch holds anything for it: others do not stand in its queue.</summary>
    bool Takes(ScoredBatch batch) => true;

    /// <summary>How many events of a batch are for it: so many it misses, where it drops one.</summary>
    int Wanted(ScoredBatch batch) => batch.Observations.Count + batch.Incidents.Count;

    /// <summary>Whether it misses what its full queue has no room for, counted, instead of holding all up.</summary>
    bool DropsWhenFull => false;

    /// <summary>Takes one batch; called by one task, in order. Throwing ends the daemon with the sink's own error.</summary>
    ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken);
}

/// <summary>A sink that holds every event exactly once, however often the program is killed: it is told again what it may have, and passes over what it has.</summary>
/// <remarks>A batch whose writing throws an I/O error comes again, until it is taken.</remarks>
internal interface IJournalSink : IScoreSink
{
    /// <summary>The last place in the journal of which it knows at a start that it was told; -1 where it knows of none.</summary>
    long Told => -1;

    /// <summary>Whether it may be given more while it makes survive what it was given before; otherwise that waits.</summary>
    bool TakesWhileMarking => false;

    /// <summary>Makes all it was given survive.</summary>
    /// <returns>Where it stands, in its own words: it gets them back at a start, and what was given behind them comes again.</returns>
    ValueTask<string> MarkAsync(CancellationToken cancellationToken);
}

/// <summary>A sink that takes what it is given while what it is connected to comes and goes.</summary>
internal interface IConnectedSink : IScoreSink
{
    /// <summary>Why nothing gets through at present, naming the setting and no secret; null where it does.</summary>
    string? Trouble { get; }
}

/// <summary>A sink for whoever happens to look: where it is slow it misses something, and after a restart nothing is told again.</summary>
internal interface ITap : IScoreSink;
