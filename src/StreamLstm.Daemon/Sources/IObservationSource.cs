using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Sources;

/// <summary>Where observations come from.</summary>
/// <remarks>
/// Of two kinds. One that is pushed to (HTTP, MQTT, this computer's own figures) acknowledges what it was given once the
/// intake's task has ended, not before. One that can be asked again (a file, a partition) hands in with each batch where it
/// stands behind it, and begins where the intake says it was last taken in; it may be started again at any time. Standard
/// input is neither: a pipe cannot be asked again, what was read of it and not yet on the disk is lost with the process.
/// </remarks>
internal interface IObservationSource
{
    /// <summary>The name in configuration, logs and metrics.</summary>
    string Name { get; }

    /// <summary>
    /// Takes in observations until <paramref name="stopping"/> is cancelled or the source has no more, then returns
    /// (without throwing for the cancellation). Everything it accepted has been given to <paramref name="intake"/> by then.
    /// </summary>
    /// <exception cref="SourceException">It cannot start; the message names the configuration key and the next step.</exception>
    Task RunAsync(ObservationIntake intake, CancellationToken stopping);
}

/// <summary>A source that stays where it is while what it is connected to comes and goes.</summary>
internal interface IConnectedSource : IObservationSource
{
    /// <summary>Why it is not connected, or gets less than was asked for, naming the setting and no secret; null where all is well.</summary>
    string? Trouble { get; }
}

/// <summary>A source cannot do its work, for a reason its user can mend.</summary>
internal sealed class SourceException(string message, Exception? inner = null) : Exception(message, inner);
