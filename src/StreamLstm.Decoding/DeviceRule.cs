using System.Text.RegularExpressions;

namespace StreamLstm.Decoding;

/// <summary>What is known of the messages of a family of devices: where their values and times are, and which numbers are no measurements.</summary>
/// <param name="Name">The family.</param>
/// <param name="Topics">Matches its topics; null where the message itself shows whose it is.</param>
/// <param name="NoMeasurements">Matches the ways to fields that are left out; null for none.</param>
internal sealed record DeviceRule(string Name, Regex? Topics, Regex? NoMeasurements = null)
{
    /// <summary>Where in the document values are, and what their names begin with; empty: everywhere.</summary>
    public IReadOnlyList<(string Path, string Name)> Values { get; init; } = [];

    /// <summary>Where in the document the time is; empty: under a usual name.</summary>
    public string Time { get; init; } = "";

    /// <summary>Whether messages on these topics are none of measurements, but for bare numbers.</summary>
    public bool IsPassedOver { get; init; }

    public bool IsNoMeasurement(string path) => NoMeasurements?.IsMatch(path) == true;
}

/// <summary>The families that are known, as their makers document them. The first whose topics match counts.</summary>
internal static partial class DeviceRules
{
    public static readonly IReadOnlyList<DeviceRule> All =
    [
        // Tasmota (tasmota.github.io/docs/MQTT): tele/DEVICE/SENSOR and STATE nest values; INFO1 to 3 tell of the firmware.
        new("Tasmota", TasmotaInfo()) { IsPassedOver = true },
        new("Tasmota", Tasmota(), TasmotaCounters()),

        // Zigbee2MQTT (zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages): a device's state in one object; the bridge tells of itself.
        new("Zigbee2MQTT", ZigbeeBridge()) { IsPassedOver = true },
        new("Zigbee2MQTT", Zigbee(), ZigbeeUpdate()),

        // Shelly, second generation (shelly-api-docs.shelly.cloud/gen2): DEVICE/status/COMPONENT, and notifications with the components in params.
        new("Shelly", ShellyNotifications(), ShellyNumbers()) { Values = [("params", "")], Time = "params/ts" },
        new("Shelly", ShellyStatus(), ShellyNumbers()),

        // Shelly, first generation (shelly-api-docs.shelly.cloud/gen1): announcements and settings beside bare values.
        new("Shelly", ShellyAnnouncements()) { IsPassedOver = true },

        // Home Assistant: statestream (home-assistant.io/integrations/mqtt_statestream) and discovery.
        new("Home Assistant", HomeAssistantOther()) { IsPassedOver = true },

        // ESPHome (esphome.io/components/mqtt): the log of a device.
        new("ESPHome", EsphomeLog()) { IsPassedOver = true },

        // ChirpStack 4 (chirpstack.io/docs, integrations, events): values in object, radio in rxInfo.
        new("ChirpStack", ChirpStack()) { Values = [("object", ""), ("rxInfo/0/rssi", "rssi"), ("rxInfo/0/snr", "snr")], Time = "time" },
        new("ChirpStack", ChirpStackOther()) { IsPassedOver = true },

        // The Things Stack 3 (thethingsindustries.com/docs, MQTT): values in uplink_message.decoded_payload, radio in rx_metadata.
        new("The Things Stack", TheThings())
        {
            Values = [("uplink_message/decoded_payload", ""), ("uplink_message/rx_metadata/0/rssi", "rssi"), ("uplink_message/rx_metadata/0/snr", "snr")],
            Time = "received_at",
        },
        new("The Things Stack", TheThingsOther()) { IsPassedOver = true },
    ];

    /// <summary>The envelope of CloudEvents 1.0 in JSON: what is told is in data.</summary>
    public static readonly DeviceRule CloudEvent = new("CloudEvents", null) { Values = [("data", "")], Time = "time" };

    /// <summary>The rule for a topic; null where none is.</summary>
    public static DeviceRule? Of(string topic)
    {
        foreach (DeviceRule rule in All)
        {
            if (rule.Topics!.IsMatch(topic))
            {
                return rule;
            }
        }

        return null;
    }

    [GeneratedRegex("(^|/)(tele/[^/]+|[^/]+/tele)/INFO[0-9]?$", RegexOptions.CultureInvariant)]
    private static partial Regex TasmotaInfo();

    [GeneratedRegex("(^|/)((tele|stat)/[^/]+|[^/]+/(tele|stat))/(SENSOR|STATE|STATUS[0-9]*|RESULT|MARGINS)$", RegexOptions.CultureInvariant)]
    private static partial Regex Tasmota();

    [GeneratedRegex("^(.+/)?(Id|Address|SSId|BSSId|AP|Channel|LinkCount|Downtime|Uptime|UptimeSec|MqttCount|SleepMode|Sleep|TotalStartTime|Epoch|TempUnit|PressureUnit|SpeedUnit)$", RegexOptions.CultureInvariant)]
    private static partial Regex TasmotaCounters();

    [GeneratedRegex("^zigbee2mqtt/(bridge/(?!state$).*|.*/(get|set|availability/set)$)", RegexOptions.CultureInvariant)]
    private static partial Regex ZigbeeBridge();

    [GeneratedRegex("^zigbee2mqtt/.+", RegexOptions.CultureInvariant)]
    private static partial Regex Zigbee();

    [GeneratedRegex("^(update|update_available|device|color_options|last_seen)(/|$)", RegexOptions.CultureInvariant)]
    private static partial Regex ZigbeeUpdate();

    [GeneratedRegex("^[^/]+(/[^/]+)*/events/rpc$", RegexOptions.CultureInvariant)]
    private static partial Regex ShellyNotifications();

    [GeneratedRegex("/status/(switch|cover|light|rgb|rgbw|cct|input|em|em1|emdata|em1data|pm1|temperature|humidity|illuminance|voltmeter|devicepower|smoke|flood|presence|sys|wifi|eth|cloud|mqtt|ble|ws|script|thermostat|bthomesensor|bthomedevice)(:[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex ShellyStatus();

    [GeneratedRegex("^(.+/)?(id|minute_ts|ts|unixtime|last_sync_ts|cfg_rev|kvs_rev|schedule_rev|webhook_rev|available_updates|uptime)(/|$)", RegexOptions.CultureInvariant)]
    private static partial Regex ShellyNumbers();

    [GeneratedRegex("^shellies/(announce|command|[^/]+/(announce|info|settings|command))$", RegexOptions.CultureInvariant)]
    private static partial Regex ShellyAnnouncements();

    // The base topic is the user's to choose: a domain of entities and an attribute that is no measurement tell it, of discovery its usual name.
    [GeneratedRegex(
        "^homeassistant/(.+/config|status)$|^.+/(air_quality|alarm_control_panel|automation|binary_sensor|button|camera|climate|cover|device_tracker|event|fan|group|humidifier|input_[a-z]+|lawn_mower|light|lock|"
        + "media_player|number|person|plant|remote|scene|script|select|sensor|siren|sun|switch|text|timer|update|vacuum|valve|water_heater|weather|zone)/[^/]+/"
        + "(last_changed|last_updated|last_triggered|friendly_name|icon|device_class|state_class|unit_of_measurement|attribution|entity_picture|supported_features|restored|assumed_state|options|event_types|"
        + "entity_id|id|user_id|editable|[a-z]+_color|color_mode|[a-z_]+_(list|modes))$",
        RegexOptions.CultureInvariant)]
    private static partial Regex HomeAssistantOther();

    [GeneratedRegex("^[^/]+/debug$", RegexOptions.CultureInvariant)]
    private static partial Regex EsphomeLog();

    [GeneratedRegex("(^|/)application/[^/]+/device/[^/]+/event/up$", RegexOptions.CultureInvariant)]
    private static partial Regex ChirpStack();

    [GeneratedRegex("(^|/)application/[^/]+/device/[^/]+/(event|command)/.+", RegexOptions.CultureInvariant)]
    private static partial Regex ChirpStackOther();

    [GeneratedRegex("^v3/[^/]+/devices/[^/]+/up$", RegexOptions.CultureInvariant)]
    private static partial Regex TheThings();

    [GeneratedRegex("^v3/[^/]+/devices/[^/]+/.+", RegexOptions.CultureInvariant)]
    private static partial Regex TheThingsOther();
}
