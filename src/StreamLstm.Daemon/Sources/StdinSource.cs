using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>Standard input, until it ends. What is in flight when the daemon dies is lost: a pipe cannot be asked again.</summary>
internal sealed class StdinSource(
    StdinSourceOptions options, Stream input, RecordRules rules, int batchMax, TimeProvider time, ILogger<StdinSource> logger) : IObservationSource
{
    public string Name => "stdin";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        LogMessages.SourceStarted(logger, Name, "standard input");
        var text = new TextIntake(Name, intake, rules, batchMax, time);

        try
        {
            using var reader = new StreamReader(input);
            await text.ReadAsync(reader, options.Format, options.Prefix, options.Key, options.Columns.Rules(options.TimeZone), stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop.
        }

        LogMessages.SourceEnded(logger, Name, $"{text.Counts.Accepted} observations, {text.Counts.Rejected} rejected records");
    }
}
