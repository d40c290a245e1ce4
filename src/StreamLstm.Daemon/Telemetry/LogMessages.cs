namespace StreamLstm.Daemon.Telemetry;

/// <summary>Every log message of the daemon. Events 100-199 sources, 200-299 pipeline and durability, 300-399 sinks and page, 400-499 training.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(100, LogLevel.Information, "Source {Source} started: {Detail}")]
    public static partial void SourceStarted(ILogger logger, string source, string detail);

    [LoggerMessage(101, LogLevel.Information, "Source {Source} ended: {Detail}")]
    public static partial void SourceEnded(ILogger logger, string source, string detail);

    [LoggerMessage(102, LogLevel.Warning, "Source {Source}: {Detail}")]
    public static partial void SourceTrouble(ILogger logger, string source, string detail);
}
