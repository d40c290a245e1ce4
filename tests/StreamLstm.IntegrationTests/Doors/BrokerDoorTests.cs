using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Doors;

public sealed class BrokerDoorTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_broker_inside_takes_users_of_a_file_of_mosquitto_passwd_and_those_that_are_added_while_it_runs()
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients"), passwords = Parts.Require("mosquitto_passwd", "mosquitto");
        string users = Path.Combine(_directory.Path, "users");
        await Command.RunAsync(passwords, "-c", "-b", users, "plant", "correct horse");
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path, $"sources.mqtt_embedded.password_file={users}");

        async Task<(int Code, string Said)> PublishAsync(params string[] who) => await Command.RunAsync(
            publisher, ["-h", "127.0.0.1", "-p", $"{daemon.MqttPort}", "-q", "1", "-t", "plant/boiler", "-m", "71.3", .. who]);

        Assert.Equal(0, (await PublishAsync("-u", "plant", "-P", "correct horse")).Code);
        Assert.NotEqual(0, (await PublishAsync()).Code);
        Assert.NotEqual(0, (await PublishAsync("-u", "plant", "-P", "wrong")).Code);
        Assert.NotEqual(0, (await PublishAsync("-V", "mqttv5", "-u", "second", "-P", "battery")).Code);

        await Command.RunAsync(passwords, "-b", users, "second", "battery");
        await daemon.UntilAsync(async () => (await PublishAsync("-V", "mqttv5", "-u", "second", "-P", "battery")).Code == 0, "the second user taken");
        Assert.Equal(2, (await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("received").GetInt64());
    }

    [Fact]
    public async Task The_broker_inside_speaks_tls_and_nothing_else_on_its_port()
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients");
        using Authority authority = Authority.Create(_directory.Path, "authority");
        using Authority between = authority.Between("between");
        (string certificate, string key) = between.Issue("server", ["127.0.0.1"]);
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, $"sources.mqtt_embedded.tls.certificate_file={certificate}", $"sources.mqtt_embedded.tls.key_file={key}");
        string[] publish = ["-h", "127.0.0.1", "-p", $"{daemon.MqttPort}", "-q", "1", "-t", "plant/boiler", "-m", "71.3"];

        Assert.Equal((0, ""), await Command.RunAsync(publisher, [.. publish, "--cafile", authority.CaFile]));
        Assert.NotEqual(0, (await Command.RunAsync(publisher, publish)).Code);
        await daemon.UntilScoredAsync(1);
        Assert.Contains("MQTT with TLS on 127.0.0.1", daemon.Output, StringComparison.Ordinal);
    }
}
