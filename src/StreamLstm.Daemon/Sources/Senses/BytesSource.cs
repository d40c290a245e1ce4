using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Senses;

/// <summary>Sound or pictures out of a file, a named pipe or standard input, until they end.</summary>
/// <remarks>
/// What is in flight when the daemon dies is lost: a pipe cannot be asked again. A file is read again from its beginning, and what was there is known
/// by its times, which are those of the recording.
/// </remarks>
/// <param name="name">Its part of the configuration, as sources.sound.0.</param>
/// <param name="path">What is read.</param>
/// <param name="decoder">Makes what reads it.</param>
/// <param name="rules">Which records are judged together.</param>
/// <param name="batchMax">Observations of a batch at most.</param>
/// <param name="time">For records without a time.</param>
/// <param name="logger">For beginning and end.</param>
internal sealed class BytesSource(
    string name, string path, Func<IBytesDecoder> decoder, RecordRules rules, int batchMax, TimeProvider time, ILogger<BytesSource> logger) : IObservationSource
{
    /// <summary>The path of standard input.</summary>
    public const string StandardInput = "-";

    private const int BufferBytes = 65_536;

    private readonly Decoded _decoded = new(new IngestStamp(time), rules);
    private long _accepted;
    private long _rejected;

    public string Name => name;

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        if (path != StandardInput && !File.Exists(path))
        {
            throw new SourceException($"{name}.path: {Path.GetFullPath(path)} is not there");
        }

        LogMessages.SourceStarted(logger, Name, path == StandardInput ? "standard input" : path);

        try
        {
            IBytesDecoder bytes = decoder();
            await using Stream stream = path == StandardInput ? Console.OpenStandardInput() : new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var buffer = new byte[BufferBytes];

            while (true)
            {
                // A pipe's reader cannot be called off: it is left behind.
                int read = await stream.ReadAsync(buffer, stopping).AsTask().WaitAsync(stopping);

                if (read == 0)
                {
                    break;
                }

                bytes.Decode(buffer.AsSpan(0, read), _decoded);
                await FlushAsync(intake, stopping);
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SourceException($"{name}.path: {path} cannot be read: {unreadable.Message}", unreadable);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop.
        }

        LogMessages.SourceEnded(logger, Name, $"{_accepted} observations, {_rejected} rejected records");
    }

    private async Task FlushAsync(ObservationIntake intake, CancellationToken cancellationToken)
    {
        foreach (DecodeError error in _decoded.Errors)
        {
            intake.Reject(Name, error.Reason, error.Detail, error.Payload);
        }

        _rejected += _decoded.Errors.Count;
        _decoded.Errors.Clear();

        for (int taken = 0; taken < _decoded.Observations.Count; taken += batchMax)
        {
            Detection.Observation[] batch = [.. _decoded.Observations[taken..Math.Min(taken + batchMax, _decoded.Observations.Count)]];
            await await intake.AcceptAsync(new ObservationBatch(Name, batch, time.GetUtcNow()), cancellationToken);
            _accepted += batch.Length;
        }

        _decoded.Observations.Clear();
    }
}
