using StreamLstm.Daemon.Pipeline;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Where verdicts go. Each sink has a bounded queue and one writer of its own.</summary>
internal interface IScoreSink : IAsyncDisposable
{
    /// <summary>The name in configuration, logs and metrics.</summary>
    string Name { get; }

    /// <summary>Takes one batch; called by one task, in order. Throwing ends the daemon with the sink's own error.</summary>
    ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken);
}
