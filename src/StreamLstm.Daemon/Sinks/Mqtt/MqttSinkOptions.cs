using StreamLstm.Daemon.Mqtt;

namespace StreamLstm.Daemon.Sinks.Mqtt;

/// <summary>Incidents as messages of an MQTT broker.</summary>
internal sealed class MqttSinkOptions : MqttBrokerOptions
{
    /// <summary>Its name in metrics and logs; empty = mqtt, mqtt.1 and so on, by its place in the list.</summary>
    public string Name { get; init; } = "";

    /// <summary>Messages go to TOPIC/incidents (each event), TOPIC/state/STREAM (retained) and TOPIC/status (online or offline, retained).</summary>
    public string Topic { get; init; } = "streamlstm";

    /// <summary>Also publish every scored observation to TOPIC/scores/STREAM, with QoS 0: what comes while there is no connection is not published.</summary>
    public bool Scores { get; init; }

    /// <summary>Whether Home Assistant is told of a binary sensor for each stream that has had an incident.</summary>
    public bool HomeAssistant { get; init; }

    /// <summary>Home Assistant's own prefix for that.</summary>
    public string HomeAssistantPrefix { get; init; } = "homeassistant";

    /// <summary>Messages that may wait for the broker; beyond it all waits.</summary>
    [Range(100, 10_000_000)]
    public int WaitingMax { get; init; } = 10_000;
}
