using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>Hands in what a text holds, in batches: full ones, and what there is whenever more would have to be waited for.</summary>
internal sealed class TextIntake(string source, ObservationIntake intake, RecordRules rules, int batchMax, TimeProvider time)
{
    private readonly Decoded _decoded = new(new IngestStamp(time), rules);

    /// <summary>Observations handed in and records rejected so far.</summary>
    public (long Accepted, long Rejected) Counts { get; private set; }

    public async Task ReadAsync(TextReader reader, TextFormat format, string prefix, string key, CsvRules csv, CancellationToken cancellationToken)
    {
        var log = new LogLineDecoder(prefix, LogLineDecoder.KeyPattern(key), time.LocalTimeZone, time.GetUtcNow);
        await TextDecoder.DecodeAsync(
            reader, format, prefix, _decoded, InfluxLineDecoder.NanosecondsPerSecond, waits => FlushAsync(waits, cancellationToken), cancellationToken, log, csv);
        await FlushAsync(evenSmall: true, cancellationToken);
    }

    private async ValueTask FlushAsync(bool evenSmall, CancellationToken cancellationToken)
    {
        foreach (DecodeError error in _decoded.Errors)
        {
            intake.Reject(source, error.Reason, $"line {error.Line}: {error.Detail}", error.Payload);
        }

        intake.LeaveOut(source, _decoded.LeftOut);
        Counts = (Counts.Accepted, Counts.Rejected + _decoded.Errors.Count);
        _decoded.Errors.Clear();

        while (_decoded.Observations.Count >= (evenSmall ? 1 : batchMax))
        {
            int count = Math.Min(batchMax, _decoded.Observations.Count);
            Detection.Observation[] batch = [.. _decoded.Observations[..count]];
            _decoded.Observations.RemoveRange(0, count);
            using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity($"ingest {source}");
            await await intake.AcceptAsync(
                new ObservationBatch(source, batch, time.GetUtcNow(), span?.Context ?? default), cancellationToken);
            Counts = (Counts.Accepted + count, Counts.Rejected);
        }
    }
}
