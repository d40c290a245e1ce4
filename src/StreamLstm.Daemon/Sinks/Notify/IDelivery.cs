namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>One way to people.</summary>
internal interface IDelivery : IDisposable
{
    /// <summary>Sends one message; done once the other side has taken it.</summary>
    /// <param name="notification">The message.</param>
    /// <param name="told">Severities that were told of its cause before, and are over by it.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="IOException">Not taken; to be tried again.</exception>
    /// <exception cref="RefusedException">Not taken, and never will be.</exception>
    Task SendAsync(Notification notification, string? told, CancellationToken cancellationToken);

    /// <summary>Goes as far as it can without delivering anything: connects, logs in.</summary>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>What was found, for people.</returns>
    /// <exception cref="IOException">The other side cannot be reached, or does not let in.</exception>
    Task<string> ReachAsync(CancellationToken cancellationToken);

    /// <summary>What goes on is told again, to who forgets it else.</summary>
    /// <param name="open">What was told and has not ended.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    Task RemindAsync(IReadOnlyCollection<Notification> open, CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>The other side says that it will never take a message.</summary>
internal sealed class RefusedException(string message) : Exception(message);
