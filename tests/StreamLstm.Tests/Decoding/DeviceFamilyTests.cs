using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;

namespace StreamLstm.Tests.Decoding;

/// <summary>Messages as the makers of six families of devices document them, and the streams that come out.</summary>
public sealed class DeviceFamilyTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 18, 0, 0, TimeSpan.Zero);

    private readonly PayloadDecoder _decoder = new(PayloadFormat.Auto, PayloadRules.Default, []);
    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Fact]
    public void Tasmota_tells_sensors_state_and_whether_it_is_there()
    {
        // tasmota.github.io/docs/MQTT, /docs/Energy-Monitoring... and arendst/Tasmota#6690
        Take("tele/plug/SENSOR", """{"Time":"2026-11-28T14:27:09","ENERGY":{"TotalStartTime":"2019-11-01T10:27:13","Total":0.003,"Yesterday":0.000,"Today":0.003,"Power":12,"ApparentPower":15,"ReactivePower":9,"Factor":0.80,"Voltage":230,"Current":0.065}}""");
        Take("tele/heater/SENSOR", """{"Time":"2026-11-28T14:27:09","DS18B20":{"Id":"000008C4F8C4","Temperature":18.2},"TempUnit":"C"}""");
        Take("tele/plug/STATE", """{"Time":"2026-11-28T14:27:09","Uptime":"0T00:05:40","UptimeSec":340,"Heap":27,"SleepMode":"Dynamic","Sleep":50,"LoadAvg":19,"MqttCount":1,"POWER":"ON","Wifi":{"AP":1,"SSId":"home","BSSId":"00:1D:AA:11:22:33","Channel":6,"Mode":"11n","RSSI":80,"Signal":-60,"LinkCount":1,"Downtime":"0T00:00:03"}}""");
        Take("tele/plug/LWT", "Online");
        Take("stat/plug/POWER", "OFF");
        Take("tele/plug/INFO1", """{"Info1":{"Module":"Sonoff Basic","Version":"14.2.0(tasmota)","FallbackTopic":"cmnd/DVES_112233_fb/","GroupTopic":"cmnd/tasmotas/"}}""");

        Expect(
            "tele/plug/SENSOR/ENERGY/Total 0.003", "tele/plug/SENSOR/ENERGY/Yesterday 0", "tele/plug/SENSOR/ENERGY/Today 0.003", "tele/plug/SENSOR/ENERGY/Power 12",
            "tele/plug/SENSOR/ENERGY/ApparentPower 15", "tele/plug/SENSOR/ENERGY/ReactivePower 9", "tele/plug/SENSOR/ENERGY/Factor 0.8",
            "tele/plug/SENSOR/ENERGY/Voltage 230", "tele/plug/SENSOR/ENERGY/Current 0.065",
            "tele/heater/SENSOR/DS18B20/Temperature 18.2",
            "tele/plug/STATE/Heap 27", "tele/plug/STATE/LoadAvg 19", "tele/plug/STATE/POWER 1", "tele/plug/STATE/Wifi/RSSI 80", "tele/plug/STATE/Wifi/Signal -60",
            "tele/plug/LWT 1", "stat/plug/POWER 0");
        Assert.Equal(new DateTimeOffset(2026, 11, 28, 14, 27, 9, TimeSpan.Zero), _decoded.Observations[0].Time);
        Assert.Empty(_decoded.Errors);
    }

    [Fact]
    public void Tasmotas_local_time_is_that_of_the_zone_told()
    {
        var berlin = new PayloadDecoder(PayloadFormat.Auto, new PayloadRules { Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin") }, []);
        berlin.Decode("tele/heater/SENSOR", "", """{"Time":"2026-11-28T14:27:09","DS18B20":{"Temperature":18.2}}"""u8.ToArray(), _decoded);
        berlin.Decode("a", "", """{"Time":"2026-07-28T14:27:09Z","b":1}"""u8.ToArray(), _decoded);
        Assert.Equal(
            [new DateTimeOffset(2026, 11, 28, 13, 27, 9, TimeSpan.Zero), new DateTimeOffset(2026, 7, 28, 14, 27, 9, TimeSpan.Zero)],
            _decoded.Observations.Select(observation => observation.Time));
    }

    [Fact]
    public void Zigbee2mqtt_tells_what_a_device_measures_and_the_bridge_of_itself()
    {
        // zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html, and devices' pages (WSDCGQ11LM, MCCGQ11LM, TS011F)
        Take("zigbee2mqtt/livingroom/sensor", """{"battery":97,"humidity":52.31,"last_seen":"2026-11-28T17:59:30.000Z","linkquality":115,"pressure":1005,"temperature":21.35,"voltage":2995}""");
        Take("zigbee2mqtt/door", """{"battery":100,"contact":false,"device_temperature":24,"linkquality":60,"power_outage_count":3,"voltage":3025}""");
        Take("zigbee2mqtt/plug", """{"child_lock":"UNLOCK","current":0.05,"energy":1.42,"power":11,"state":"ON","update":{"installed_version":192,"latest_version":192,"state":"idle"},"voltage":231,"last_seen":1764352770000}""");
        Take("zigbee2mqtt/door/availability", """{"state":"online"}""");
        Take("zigbee2mqtt/bridge/state", """{"state":"online"}""");
        Take("zigbee2mqtt/bridge/info", """{"version":"1.40.0","commit":"abc","coordinator":{"ieee_address":"0x1","type":"zStack3x0","meta":{"revision":20240315}}}""");
        Take("zigbee2mqtt/bridge/logging", """{"level":"info","message":"MQTT publish"}""");

        Expect(
            "zigbee2mqtt/livingroom/sensor/battery 97", "zigbee2mqtt/livingroom/sensor/humidity 52.31", "zigbee2mqtt/livingroom/sensor/linkquality 115",
            "zigbee2mqtt/livingroom/sensor/pressure 1005", "zigbee2mqtt/livingroom/sensor/temperature 21.35", "zigbee2mqtt/livingroom/sensor/voltage 2995",
            "zigbee2mqtt/door/battery 100", "zigbee2mqtt/door/contact 0", "zigbee2mqtt/door/device_temperature 24", "zigbee2mqtt/door/linkquality 60",
            "zigbee2mqtt/door/power_outage_count 3", "zigbee2mqtt/door/voltage 3025",
            "zigbee2mqtt/plug/current 0.05", "zigbee2mqtt/plug/energy 1.42", "zigbee2mqtt/plug/power 11", "zigbee2mqtt/plug/state 1", "zigbee2mqtt/plug/voltage 231",
            "zigbee2mqtt/door/availability/state 1", "zigbee2mqtt/bridge/state/state 1");
        Assert.Equal(new DateTimeOffset(2026, 11, 28, 17, 59, 30, TimeSpan.Zero), _decoded.Observations[0].Time);
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1764352770000), _decoded.Observations.Single(o => o.Stream == "zigbee2mqtt/plug/power").Time);
        Assert.Empty(_decoded.Errors);
    }

    [Fact]
    public void Shelly_tells_components_and_notifications_and_the_first_generation_bare_values()
    {
        // shelly-api-docs.shelly.cloud: gen2 Mqtt and Switch, gen1 Shelly1/1PM and H&T
        Take("shellyplus1pm-a8032ab1/status/switch:0", """{"id":0,"source":"init","output":true,"apower":8.9,"voltage":237.5,"current":0.067,"aenergy":{"total":6.532,"by_minute":[45.199,47.141,88.397],"minute_ts":1626935779},"temperature":{"tC":23.5,"tF":74.4}}""");
        Take("shellyplus1pm-a8032ab1/events/rpc", """{"src":"shellyplus1pm-a8032ab1","dst":"shellyplus1pm-a8032ab1/events","method":"NotifyStatus","params":{"ts":1764352770.04,"switch:0":{"id":0,"apower":9.1}}}""");
        Take("shellyplus1pm-a8032ab1/online", "true");
        Take("shellies/shelly1pm-84CCA8/relay/0", "on");
        Take("shellies/shelly1pm-84CCA8/relay/0/power", "12.47");
        Take("shellies/shellyht-AB12CD/sensor/temperature", "21.38");
        Take("shellies/announce", """{"id":"shelly1pm-84CCA8","model":"SHSW-PM","mac":"84CCA8AD7F1B","ip":"192.168.1.9","new_fw":false,"fw_ver":"20230913-112003"}""");

        Expect(
            "shellyplus1pm-a8032ab1/status/switch:0/output 1", "shellyplus1pm-a8032ab1/status/switch:0/apower 8.9", "shellyplus1pm-a8032ab1/status/switch:0/voltage 237.5",
            "shellyplus1pm-a8032ab1/status/switch:0/current 0.067", "shellyplus1pm-a8032ab1/status/switch:0/aenergy/total 6.532",
            "shellyplus1pm-a8032ab1/status/switch:0/aenergy/by_minute/0 45.199", "shellyplus1pm-a8032ab1/status/switch:0/aenergy/by_minute/1 47.141",
            "shellyplus1pm-a8032ab1/status/switch:0/aenergy/by_minute/2 88.397",
            "shellyplus1pm-a8032ab1/status/switch:0/temperature/tC 23.5", "shellyplus1pm-a8032ab1/status/switch:0/temperature/tF 74.4",
            "shellyplus1pm-a8032ab1/events/rpc/switch:0/apower 9.1", "shellyplus1pm-a8032ab1/online 1",
            "shellies/shelly1pm-84CCA8/relay/0 1", "shellies/shelly1pm-84CCA8/relay/0/power 12.47", "shellies/shellyht-AB12CD/sensor/temperature 21.38");
        Assert.Equal(1764352770.04, _decoded.Observations.Single(o => o.Stream.EndsWith("rpc/switch:0/apower", StringComparison.Ordinal)).Time.ToUnixTimeMilliseconds() / 1e3, 3);
        Assert.Empty(_decoded.Errors);
    }

    [Fact]
    public void Esphome_tells_bare_values_and_its_log_is_none()
    {
        // esphome.io/components/mqtt.html, default topics
        Take("livingroom/sensor/temperature/state", "21.5");
        Take("livingroom/sensor/co2/state", "nan");
        Take("livingroom/binary_sensor/window/state", "ON");
        Take("livingroom/switch/pump/state", "OFF");
        Take("livingroom/status", "online");
        Take("livingroom/debug", "\u001b[0;36m[D][sensor:094]: 'temperature': Sending state 21.50000 C with 1 decimals of accuracy\u001b[0m");
        Take("homeassistant/sensor/livingroom/temperature/config", """{"dev_cla":"temperature","unit_of_meas":"°C","stat_t":"livingroom/sensor/temperature/state","uniq_id":"x","dev":{"ids":"a8032ab1"}}""");

        Expect("livingroom/sensor/temperature/state 21.5", "livingroom/binary_sensor/window/state 1", "livingroom/switch/pump/state 0", "livingroom/status 1");
        Assert.Empty(_decoded.Errors);
        Assert.Equal([(LeftOutReason.NotFinite, 1), (LeftOutReason.Rule, 2)], _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)));
    }

    [Fact]
    public void Home_assistants_statestream_tells_states_and_attributes_in_json()
    {
        // home-assistant.io/integrations/mqtt_statestream: publish_attributes, publish_timestamps
        Take("homeassistant/sensor/outside_temperature/state", "7.4");
        Take("homeassistant/sensor/outside_temperature/last_changed", "\"2026-11-28T17:59:30.123456+00:00\"");
        Take("homeassistant/sensor/outside_temperature/last_updated", "\"2026-11-28T17:59:30.123456+00:00\"");
        Take("homeassistant/sensor/outside_temperature/unit_of_measurement", "\"°C\"");
        Take("homeassistant/sensor/outside_temperature/friendly_name", "\"Outside temperature\"");
        Take("homeassistant/binary_sensor/door/state", "off");
        Take("homeassistant/person/anna/state", "not_home");
        Take("homeassistant/climate/bath/current_temperature", "21.5");
        Take("homeassistant/sensor/gone/state", "unavailable");

        // Under another base topic.
        Take("our/statestream/light/lamp/brightness", "128");
        Take("our/statestream/light/lamp/supported_color_modes", "[\"brightness\"]");
        Take("our/statestream/light/lamp/friendly_name", "\"Lamp\"");
        Take("our/statestream/sensor/outside/last_changed", "2026-11-28T17:59:30.123456+00:00");

        Expect(
            "homeassistant/sensor/outside_temperature/state 7.4", "homeassistant/binary_sensor/door/state 0", "homeassistant/person/anna/state 0",
            "homeassistant/climate/bath/current_temperature 21.5", "our/statestream/light/lamp/brightness 128");
        Assert.Empty(_decoded.Errors);
        Assert.Equal([(LeftOutReason.Missing, 1), (LeftOutReason.Rule, 7)], _decoded.LeftOut.Take().Select(left => (left.Reason, left.Count)));
    }

    [Fact]
    public void Chirpstack_and_the_things_stack_tell_what_was_decoded_and_how_it_was_received()
    {
        // chirpstack.io/docs/chirpstack/integrations/events.html; thethingsindustries.com/docs/integrations/mqtt, data formats
        Take("application/ae2012c2-75a1-407d-98ab-1520fb511edf/device/0101010101010101/event/up", """
            {"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2026-11-28T17:59:30.639711+00:00","deviceInfo":{"tenantId":"52f14cd4","tenantName":"ChirpStack","applicationId":"17c82e96","devEui":"0101010101010101","tags":{"key":"value"}},
             "devAddr":"00189440","adr":true,"dr":1,"fCnt":4,"fPort":10,"confirmed":false,"data":"qg==","object":{"temperature":21.5,"battery":{"voltage":3.1},"open":true},
             "rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5,"channel":2}],"txInfo":{"frequency":868100000}}
            """);
        Take("application/ae2012c2-75a1-407d-98ab-1520fb511edf/device/0101010101010101/event/status", """{"deviceInfo":{},"margin":10,"externalPowerSource":false,"batteryLevel":98.0}""");
        Take("v3/app1@tenant1/devices/dev1/up", """
            {"end_device_ids":{"device_id":"dev1","dev_eui":"0004A30B001C0530"},"correlation_ids":["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],"received_at":"2026-11-28T17:59:31.000Z",
             "uplink_message":{"session_key_id":"AXBSH1Pk6Z0G166GCF4xtw==","f_port":1,"f_cnt":42,"frm_payload":"gkHe","decoded_payload":{"temperature":1.0,"luminosity":0.64},
             "rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"rssi":-35,"snr":5,"timestamp":1283325212}],"settings":{"frequency":"868300000","timestamp":1283325212},"received_at":"2026-11-28T17:59:30.5Z"}}
            """);
        Take("v3/app1@tenant1/devices/dev1/join", """{"end_device_ids":{"device_id":"dev1"},"received_at":"2026-11-28T17:59:00Z","join_accept":{"session_key_id":"AXBSH1Pk6Z0G166GCF4xtw=="}}""");

        const string Chirp = "application/ae2012c2-75a1-407d-98ab-1520fb511edf/device/0101010101010101/event/up";
        Expect(
            $"{Chirp}/temperature 21.5", $"{Chirp}/battery/voltage 3.1", $"{Chirp}/open 1", $"{Chirp}/rssi -36", $"{Chirp}/snr 10.5",
            "v3/app1@tenant1/devices/dev1/up/temperature 1", "v3/app1@tenant1/devices/dev1/up/luminosity 0.64", "v3/app1@tenant1/devices/dev1/up/rssi -35",
            "v3/app1@tenant1/devices/dev1/up/snr 5");
        Assert.Equal(
            [new DateTimeOffset(2026, 11, 28, 17, 59, 30, TimeSpan.Zero).AddTicks(6_397_110), new DateTimeOffset(2026, 11, 28, 17, 59, 31, TimeSpan.Zero)],
            _decoded.Observations.Select(observation => observation.Time).Distinct());
        Assert.Empty(_decoded.Errors);
    }

    private void Take(string topic, string payload) => _decoder.Decode(topic, "", Encoding.UTF8.GetBytes(payload), _decoded);

    private void Expect(params string[] streams) => Assert.Equal(
        streams, _decoded.Observations.Select(observation => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{observation.Stream} {observation.Value}")));
}
