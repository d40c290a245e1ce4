using System.Diagnostics;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>Takes in what clients publish at the broker inside: decode, join, hand in; one publication is one batch.</summary>
/// <remarks>
/// Clients publish side by side. What births and open records are is one, and must stand in the journal in the order in which it came about:
/// so decoding and handing in have one at a time, and the disk is waited for side by side. A publication's batch that was refused is sent
/// again by its client, so records that are open begin again with what is on the disk.
/// </remarks>
/// <param name="source">Its name.</param>
/// <param name="decoder">Reads payloads.</param>
/// <param name="rules">Which records are judged together.</param>
/// <param name="intake">The way in.</param>
/// <param name="metrics">Counts births that are asked for.</param>
/// <param name="time">For records without a time, and for windows.</param>
internal sealed class EmbeddedIntake(string source, PayloadDecoder decoder, RecordRules rules, ObservationIntake intake, DaemonMetrics metrics, TimeProvider time) : IDisposable
{
    /// <summary>How exact a record's window is.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly IngestStamp _stamp = new(time);
    private readonly RebirthRequests _rebirths = new(time);
    private readonly List<Task> _underWay = [];
    private RecordJoin? _join;

    private TimeSpan Now => time.GetElapsedTime(0);

    /// <summary>Takes one publication in; ends once it is on the disk.</summary>
    /// <param name="topic">Its topic.</param>
    /// <param name="payload">Its payload.</param>
    /// <param name="ask">Publishes a request for a birth, as topic and payload.</param>
    /// <param name="cancellationToken">Ends it without taking it in.</param>
    /// <exception cref="NotTakenException">It could not be written down.</exception>
    public async Task TakeAsync(string topic, byte[] payload, Action<string, byte[]> ask, CancellationToken cancellationToken)
    {
        Task onDisk;
        await _turn.WaitAsync(cancellationToken);

        try
        {
            var decoded = new Decoded(_stamp, rules);
            RecordJoin join = await JoinAsync();

            foreach (JoinedTopic record in decoder.Decode(topic, prefix: "", payload, decoded))
            {
                join.Take(record.Stream, record.Rule, decoded, from: 0, Now);
            }

            foreach ((string command, byte[] request) in _rebirths.Take(decoder.Sparkplug))
            {
                ask(command, request);
                metrics.RebirthAsked(source);
            }

            intake.LeaveOut(source, decoded.LeftOut, $"topic {topic}", payload);

            foreach (DecodeError error in decoded.Errors)
            {
                intake.Reject(source, error.Reason, $"topic {topic}: {error.Detail}", error.Payload);
            }

            onDisk = await HandInAsync(decoded, join, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }

        await onDisk;
    }

    /// <summary>Hands in records whose window is over, until it is time to stop.</summary>
    public async Task ExpireAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Tick, time, stopping);
            await _turn.WaitAsync(stopping);

            try
            {
                var decoded = new Decoded(_stamp, rules);
                RecordJoin join = await JoinAsync();
                join.Expire(Now, decoded);
                intake.LeaveOut(source, decoded.LeftOut);

                // Where it is refused the record is open again, by what is on the disk.
                _ = await HandInAsync(decoded, join, stopping);
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Open records: those in memory, or those on the disk where memory holds what was refused.</summary>
    private async Task<RecordJoin> JoinAsync()
    {
        if (_join is null || _underWay.Exists(task => task.IsFaulted))
        {
            await Task.WhenAll(_underWay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _underWay.Clear();
            _join = new RecordJoin(rules);
            intake.PositionsUnder(MqttIntake.OpenRecordsOf(source)).ToList().ForEach(open => _join.Restore(open.Of, open.At, Now));
        }

        _underWay.RemoveAll(task => task.IsCompletedSuccessfully);
        return _join;
    }

    private async Task<Task> HandInAsync(Decoded decoded, RecordJoin join, CancellationToken cancellationToken)
    {
        SourcePosition[] positions =
        [
            .. decoder.Sparkplug.TakeNotes().Select(birth => new SourcePosition(MqttIntake.BirthsOf(source) + birth.Node, birth.Told)),
            .. decoder.Sparkplug.TakeUnits().Select(units => StreamUnits.PositionOf(source, units.Of, units.Told)),
            .. join.TakeNotes().Select(open => new SourcePosition(MqttIntake.OpenRecordsOf(source) + open.Stream, open.Told)),
        ];

        if (decoded.Observations.Count == 0 && positions.Length == 0)
        {
            return Task.CompletedTask;
        }

        using Activity? span = DaemonActivitySource.Source.StartActivity("ingest mqtt_embedded");
        var batch = new ObservationBatch(source, decoded.Observations.ToArray(), time.GetUtcNow(), span?.Context ?? default) { Position = SourcePosition.Together(positions) };

        try
        {
            Task onDisk = await intake.AcceptAsync(batch, cancellationToken);
            _underWay.Add(onDisk);
            return onDisk;
        }
        catch
        {
            // Not handed in, though memory has it.
            _join = null;
            throw;
        }
    }
}
