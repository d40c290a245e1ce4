namespace StreamLstm.Daemon.Commands.Load;

/// <summary>An observation on its way to a target.</summary>
/// <param name="Stream">Its stream; empty for a session of events.</param>
/// <param name="Line">What is said, as a line of NDJSON without its end.</param>
/// <param name="Due">When it was due, as the clock's timestamp.</param>
internal readonly record struct LoadRow(string Stream, byte[] Line, long Due);

/// <summary>What takes observations: a broker, a cluster, a daemon, a file.</summary>
internal interface ILoadTarget : IAsyncDisposable
{
    /// <summary>Ways that are gone beside each other; a stream keeps to one, and its observations to their order.</summary>
    int Lanes { get; }

    /// <summary>Observations handed over at once at most.</summary>
    int BatchMax { get; }

    /// <summary>How often the target asked to be left alone for a while.</summary>
    long Waits { get; }

    /// <summary>Hands observations over; ends once each is answered for.</summary>
    /// <param name="lane">0 to <see cref="Lanes"/> - 1; one call at a time for each.</param>
    /// <param name="rows">1 to <see cref="BatchMax"/>.</param>
    /// <param name="answered">Told of each: the row, and whether it was taken.</param>
    /// <param name="cancellationToken">Ends the wait; what was not answered stays so.</param>
    /// <exception cref="IOException">The target is not there, or takes nothing; the message names it.</exception>
    Task SendAsync(int lane, IReadOnlyList<LoadRow> rows, Action<LoadRow, bool> answered, CancellationToken cancellationToken);
}
