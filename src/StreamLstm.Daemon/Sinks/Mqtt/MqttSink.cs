using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Mqtt;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks.Mqtt;

/// <summary>Incidents to a broker: every event once or more, always with the same id; each stream's last one retained.</summary>
/// <remarks>
/// A broker that is away holds nothing up: what it has not acknowledged waits here, and at a mark it is written to a file, which is
/// read at the next start. What came behind the mark is told again by the journal, so it may be published twice.
/// </remarks>
internal sealed class MqttSink : IJournalSink, IConnectedSink
{
    private readonly MqttSinkOptions _options;
    private readonly string _instance;
    private readonly string _waitingFile;
    private readonly MqttPublisher _publisher;
    private readonly HashSet<string> _announced = new(StringComparer.Ordinal);

    /// <param name="options">Where, and what.</param>
    /// <param name="index">Its place in sinks.mqtt.</param>
    /// <param name="instance">Names this storage directory.</param>
    /// <param name="waitingFile">Keeps what waits for the broker while the program is not there.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="logger">Where trouble is told, once a minute.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public MqttSink(MqttSinkOptions options, int index, string instance, string waitingFile, TimeProvider time, ILogger logger)
    {
        (_options, _instance, _waitingFile) = (options, instance, waitingFile);
        Name = options.Name.Length > 0 ? options.Name : index == 0 ? "mqtt" : $"mqtt.{index}";
        _publisher = new MqttPublisher(
            options, $"sinks.mqtt.{index}", Name, options.ClientId.Length > 0 ? options.ClientId : $"streamlstm-{instance}-out-{Name}",
            $"{options.Topic}/status", Waiting(waitingFile), time, logger);
    }

    public string Name { get; }

    public string? Trouble => _publisher.Trouble;

    public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Incidents.Count > 0 && _publisher.Waiting >= _options.WaitingMax)
        {
            // The batch comes again until there is room.
            throw new IOException($"{_publisher.Waiting} messages wait for {_options.Url} (sinks.mqtt waiting_max): {Trouble}");
        }

        foreach (IncidentEvent incident in batch.Incidents)
        {
            string body = EventJson.Incident(incident);
            string stream = TopicOf(incident.Stream);

            if (_options.HomeAssistant && _announced.Add(incident.Stream))
            {
                _publisher.Publish(HomeAssistant.Announcement(_options, _instance, incident.Stream, $"{_options.Topic}/state/{stream}"));
            }

            _publisher.Publish(new MqttMessage($"{_options.Topic}/incidents", body, IsRetained: false));
            _publisher.Publish(new MqttMessage($"{_options.Topic}/state/{stream}", State(incident), IsRetained: true));
        }

        if (_options.Scores && !batch.IsReplayed)
        {
            foreach (ScoredObservation scored in batch.Observations)
            {
                _publisher.PublishIfConnected(new MqttMessage($"{_options.Topic}/scores/{TopicOf(scored.Stream)}", EventJson.Score(scored), IsRetained: false));
            }
        }

        return default;
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        string draft = _waitingFile + ".new";

        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            foreach (MqttMessage message in _publisher.Unacknowledged())
            {
                file.Write(JsonSerializer.SerializeToUtf8Bytes(message));
                file.WriteByte((byte)'\n');
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(draft, _waitingFile, overwrite: true);
        Durability.LocalDisk.Sync(Path.GetDirectoryName(Path.GetFullPath(_waitingFile))!);
        return ValueTask.FromResult("");
    }

    public ValueTask DisposeAsync() => _publisher.DisposeAsync();

    private static IEnumerable<MqttMessage> Waiting(string file) => !File.Exists(file) ? [] :
        [.. File.ReadLines(file).Select(line => JsonSerializer.Deserialize<MqttMessage>(line)).OfType<MqttMessage>()];

    /// <summary>What the last event says of its stream, for whoever subscribes later.</summary>
    private static string State(IncidentEvent incident) => JsonSerializer.Serialize(new
    {
        state = incident.State == IncidentState.Closed ? "closed" : "open",
        incident.Id,
        incident.IncidentId,
        incident.Stream,
        incident.Kind,
        incident.Severity,
        score = Math.Round(incident.Score, 1),
        max_score = Math.Round(incident.MaxScore, 1),
        incident.Actual,
        incident.Expected,
        incident.Lower,
        incident.Upper,
        incident.Onset,
        detected_at = incident.Time,
        incident.ClosedAt,
        incident.Explanation,
    }, EventJson.Options);

    /// <summary>A stream's name as a topic to publish to: without wildcards.</summary>
    private static string TopicOf(string stream) => stream.AsSpan().IndexOfAny("+#\0") < 0 ? stream : new StringBuilder(stream).Replace('+', '_').Replace('#', '_').Replace('\0', '_').ToString();
}

/// <summary>A message for a broker.</summary>
/// <param name="Topic">Where to.</param>
/// <param name="Payload">What.</param>
/// <param name="IsRetained">Whether the broker keeps it for whoever subscribes later.</param>
internal sealed record MqttMessage(string Topic, string Payload, bool IsRetained);
