using System.Globalization;
using System.Text;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sinks.Kafka;

/// <summary>Incidents and scores as records: the stream as key; id, type and schema_version as headers.</summary>
internal static class KafkaEvents
{
    /// <param name="options">Which topics.</param>
    /// <param name="batch">What there is to tell.</param>
    /// <param name="place">Where it came from, the same whenever it is told: part of a score's id.</param>
    public static List<KafkaMessage> Of(KafkaSinkOptions options, ScoredBatch batch, string place)
    {
        List<KafkaMessage> messages = [];

        foreach (IncidentEvent incident in batch.Incidents)
        {
            messages.Add(Message(options.Topic, incident.Stream, EventJson.Incident(incident), "incident", incident.Id));
        }

        if (options.ScoresTopic.Length > 0)
        {
            for (int i = 0; i < batch.Observations.Count; i++)
            {
                ScoredObservation scored = batch.Observations[i];
                messages.Add(Message(options.ScoresTopic, scored.Stream, EventJson.Score(scored), "score", string.Create(CultureInfo.InvariantCulture, $"{place}-{i}")));
            }
        }

        return messages;
    }

    private static KafkaMessage Message(string topic, string stream, string body, string type, string id) => new(
        topic, Encoding.UTF8.GetBytes(stream), Encoding.UTF8.GetBytes(body),
        [("id", Encoding.UTF8.GetBytes(id)), ("type", Encoding.UTF8.GetBytes(type)), ("schema_version", "1"u8.ToArray())]);
}
