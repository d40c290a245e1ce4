using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Sources;

/// <summary>A file, once or for as long as it grows.</summary>
internal sealed class FileSource(
    FileSourceOptions options, int index, int batchMax, TimeProvider time, ILogger<FileSource> logger) : IObservationSource
{
    public string Name => "file";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        if (!options.Follow && !File.Exists(options.Path))
        {
            throw new SourceException(
                $"sources.files.{index}.path: {Path.GetFullPath(options.Path)} is not there; correct the path, or set follow: true to wait for it");
        }

        LogMessages.SourceStarted(logger, Name, options.Follow ? $"following {options.Path}" : options.Path);
        string prefix = options.Prefix.Length > 0 ? options.Prefix : Path.GetFileNameWithoutExtension(options.Path);
        TextFormat format = options.Format != TextFormat.Auto ? options.Format : Path.GetExtension(options.Path).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" => TextFormat.Csv,
            ".ndjson" or ".jsonl" => TextFormat.Ndjson,
            ".log" => TextFormat.Log,
            _ => TextFormat.Auto,
        };
        var text = new TextIntake(Name, intake, batchMax, time);

        try
        {
            await using Stream file = options.Follow
                ? new FollowingStream(options.Path, time)
                : new FileStream(options.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
            using var reader = new StreamReader(file);
            await text.ReadAsync(reader, format, prefix, options.Key, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SourceException($"sources.files.{index}.path: {options.Path} cannot be read: {unreadable.Message}", unreadable);
        }

        LogMessages.SourceEnded(logger, Name, $"{options.Path}: {text.Counts.Accepted} observations, {text.Counts.Rejected} rejected records");
    }
}
