using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Sinks.Mqtt;

/// <summary>Tells Home Assistant of a stream (home-assistant.io/integrations/mqtt, discovery; binary_sensor.mqtt).</summary>
internal static class HomeAssistant
{
    /// <summary>A binary sensor that is on while the stream has an open incident; score, expected value and sentence are its attributes.</summary>
    public static MqttMessage Announcement(MqttSinkOptions options, string instance, string stream, string stateTopic)
    {
        string id = $"streamlstm_{instance}_{XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(stream)):x16}";
        return new MqttMessage(
            $"{options.HomeAssistantPrefix}/binary_sensor/{id}/config",
            JsonSerializer.Serialize(new
            {
                name = stream,
                unique_id = id,
                device_class = "problem",
                state_topic = stateTopic,
                value_template = "{{ value_json.state }}",
                payload_on = "open",
                payload_off = "closed",
                json_attributes_topic = stateTopic,
                availability_topic = $"{options.Topic}/status",
                device = new { identifiers = new[] { $"streamlstm_{instance}" }, name = "StreamLstm", manufacturer = "StreamLstm" },
            }, EventJson.Options),
            IsRetained: true);
    }
}
