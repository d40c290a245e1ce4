using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>TLS, certificates, passwords and tokens against a real mosquitto, and each way in which they are wrong.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Password = "hunter2-secret";
    private const string Token = "eyJhbGciOi-secret-token";

    private readonly TemporaryDirectory _directory = new();
    private readonly Authority _ours;
    private readonly Authority _between;
    private readonly Authority _others;
    private readonly int _tls = DaemonProcess.FreePort();
    private readonly int _mutual = DaemonProcess.FreePort();
    private readonly int _web = DaemonProcess.FreePort();
    private readonly int _expired = DaemonProcess.FreePort();

    public TlsTests()
    {
        _ours = Authority.Create(_directory.Path, "ours");
        _between = _ours.Between("between");
        _others = Authority.Create(_directory.Path, "others");
        File.WriteAllText(TokenFile, $"{Token}\n");
        File.WriteAllText(WrongTokenFile, "another-secret-token");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string TokenFile => Path.Combine(_directory.Path, "token");

    private string WrongTokenFile => Path.Combine(_directory.Path, "wrong-token");

    [Fact]
    public async Task What_is_published_comes_over_tls_with_a_certificate_a_password_a_token_and_a_websocket()
    {
        await using Mosquitto broker = await BrokerAsync();
        (string certificate, string key) = _between.Issue("client");
        string[] settings =
        [
            .. Source(0, $"mqtts://127.0.0.1:{_tls}", "username=reader", $"password={Password}", $"tls.ca_file={_ours.CaFile}"),
            .. Source(1, $"mqtts://localhost:{_mutual}", $"tls.ca_file={_ours.CaFile}", $"tls.certificate_file={certificate}", $"tls.key_file={key}", "version=v311"),
            .. Source(2, $"wss://localhost:{_web}/mqtt", "username=reader", $"password={Password}", $"tls.ca_file={_ours.CaFile}"),
            .. Source(3, $"wss://127.0.0.1:{_web}/mqtt", "username=bearer", $"token_file={TokenFile}", $"tls.ca_file={_ours.CaFile}", "tls.server_name=localhost"),
        ];
        await using DaemonProcess daemon = await StartAsync(settings);
        await PublishAsync(broker, async received => await received() == 4, daemon);

        Assert.Equal("""{"ready":true,"degraded":false,"reasons":["watching"]}""", await daemon.Http.GetStringAsync("/health/ready", Cancellation));
        Assert.Equal(0, await daemon.TerminateAsync());
        AssertNoSecret(daemon.Output);
    }

    [Fact]
    public async Task Whatever_is_wrong_is_told_once_with_its_setting_and_no_secret_and_the_sources_that_are_right_go_on()
    {
        await using Mosquitto broker = await BrokerAsync();
        await using Mosquitto strict = await StrictBrokerAsync();
        (string foreign, string foreignKey) = _others.Issue("stranger");
        string ca = $"tls.ca_file={_ours.CaFile}", reader = "username=reader", password = $"password={Password}";
        int nobody = DaemonProcess.FreePort();
        (string[] Settings, string Told)[] wrong =
        [
            (Source(1, $"mqtts://127.0.0.1:{_tls}", reader, password, $"tls.ca_file={_others.CaFile}"),
                $"sources.mqtt.1.tls.ca_file: the certificate of mqtts://127.0.0.1:{_tls} is signed by nobody in {_others.CaFile}, or not valid now (PartialChain)"),
            (Source(2, $"mqtts://127.0.0.1:{_tls}", reader, password, ca, "tls.server_name=broker.example"),
                $"sources.mqtt.2.tls.server_name: the certificate of mqtts://127.0.0.1:{_tls} is for another name than broker.example"),
            (Source(3, $"mqtts://127.0.0.1:{_expired}", reader, password, ca),
                $"sources.mqtt.3.tls.ca_file: the certificate of mqtts://127.0.0.1:{_expired} is signed by nobody in {_ours.CaFile}, or not valid now (NotTimeValid)"),
            (Source(4, $"mqtts://127.0.0.1:{_tls}", reader, "password=wrong-secret", ca),
                $"sources.mqtt.4.password: mqtts://127.0.0.1:{_tls} refuses user 'reader' (NotAuthorized)"),
            (Source(5, $"mqtts://127.0.0.1:{_tls}", ca), $"sources.mqtt.5.username: mqtts://127.0.0.1:{_tls} refuses a client without username (NotAuthorized)"),
            (Source(6, $"mqtts://127.0.0.1:{_mutual}", ca), $"sources.mqtt.6.tls.certificate_file: mqtts://127.0.0.1:{_mutual} ends the TLS session; it may ask for a client's certificate ("),
            (Source(7, $"mqtts://127.0.0.1:{_mutual}", ca, $"tls.certificate_file={foreign}", $"tls.key_file={foreignKey}"),
                $"sources.mqtt.7.tls.certificate_file: mqtts://127.0.0.1:{_mutual} ends the TLS session; it may not accept {foreign} ("),
            (Source(8, $"mqtts://127.0.0.1:{_mutual}", ca, $"tls.certificate_file={foreign}", $"tls.key_file={_directory.Path}/missing.key"),
                $"sources.mqtt.8.tls.certificate_file: {foreign} cannot be read ("),
            (Source(9, $"mqtt://127.0.0.1:{nobody}"), $"sources.mqtt.9.url: mqtt://127.0.0.1:{nobody} cannot be reached (Connection refused)"),
            (Source(10, $"mqtt://127.0.0.1:{strict.Port}", "topics.1=secret/#", reader, password), $"sources.mqtt.10.topics: mqtt://127.0.0.1:{strict.Port} refuses 'secret/#' (NotAuthorized)"),
            (Source(11, $"mqtts://127.0.0.1:{_tls}", "username=bearer", $"token_file={_directory.Path}/none", ca), $"sources.mqtt.11.token_file: {_directory.Path}/none cannot be read ("),
            (Source(12, $"mqtts://127.0.0.1:{_tls}", "username=bearer", $"token_file={WrongTokenFile}", ca), $"sources.mqtt.12.token_file: mqtts://127.0.0.1:{_tls} refuses user 'bearer' (NotAuthorized)"),
            (Source(13, $"wss://localhost:{_web}/mqtt", reader, password, $"tls.ca_file={_others.CaFile}"),
                $"sources.mqtt.13.tls.ca_file: the certificate of wss://localhost:{_web}/mqtt is signed by nobody in {_others.CaFile}, or not valid now (PartialChain)"),
            (Source(14, $"ws://127.0.0.1:{broker.Port}/mqtt"), $"sources.mqtt.14.url: ws://127.0.0.1:{broker.Port}/mqtt does not open a WebSocket ("),
            (Source(15, $"mqtt://127.0.0.1:{_tls}"), $"sources.mqtt.15.url: mqtt://127.0.0.1:{_tls} does not answer in MQTT 3.1.1"),
            (Source(16, $"mqtts://127.0.0.1:{broker.Port}"), $"sources.mqtt.16.tls: mqtts://127.0.0.1:{broker.Port} ends the TLS session ("),
        ];
        await using DaemonProcess daemon = await StartAsync(
            [.. Source(0, $"mqtts://127.0.0.1:{_tls}", reader, password, ca), .. wrong.SelectMany(source => source.Settings)]);
        await daemon.UntilAsync(
            async () => JsonDocument.Parse(await daemon.Http.GetStringAsync("/health/ready", Cancellation)).RootElement.GetProperty("reasons")[0].GetString() is { } reasons
                && wrong.All(source => reasons.Contains(source.Told, StringComparison.Ordinal)),
            "told all that is wrong");
        await PublishAsync(broker, async received => await received() == 1, daemon);

        Assert.Equal(0, await daemon.TerminateAsync());
        string[] told = [.. daemon.Output.Split('\n').Where(line => line.Contains("\"EventId\":102", StringComparison.Ordinal))];
        Assert.All(wrong, source => Assert.Single(told, line => Unescaped(line).Contains(source.Told, StringComparison.Ordinal)));
        Assert.DoesNotContain(told.Select(Unescaped), line => !wrong.Any(source => line.Contains(source.Told, StringComparison.Ordinal)));
        AssertNoSecret(daemon.Output);
    }

    public void Dispose()
    {
        _ours.Dispose();
        _between.Dispose();
        _others.Dispose();
        _directory.Dispose();
    }

    private static string Unescaped(string line) => JsonDocument.Parse(line).RootElement.GetProperty("Message").GetString() ?? "";

    private static void AssertNoSecret(string output) => Assert.DoesNotContain("secret", output.Replace("secret/#", "", StringComparison.Ordinal), StringComparison.Ordinal);

    private static string[] Source(int index, string url, params string[] settings)
    {
        string[] all = [$"url={url}", $"name=broker{index}", "topics.0=plant/#", .. settings];
        return [.. all.Select(setting => $"sources.mqtt.{index}.{setting}")];
    }

    private Task<DaemonProcess> StartAsync(string[] settings) => DaemonProcess.StartAsync(
        Path.Combine(_directory.Path, "state"), ["retrain.enabled=false", "sources.mqtt_embedded.enabled=false", .. settings]);

    /// <summary>Publishes a value until as many sources as are right have taken one in: a new session knows nothing of what came before it.</summary>
    private static async Task PublishAsync(Mosquitto broker, Func<Func<Task<int>>, Task<bool>> isEnough, DaemonProcess daemon)
    {
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(
            new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).WithCredentials("reader", Password).Build(), Cancellation);
        await daemon.UntilAsync(
            async () =>
            {
                await client.PublishStringAsync("plant/boiler", "1.5", MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);
                return await isEnough(async () => (await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("received_by_source").EnumerateObject()
                    .Count(source => source.Name.StartsWith("broker", StringComparison.Ordinal) && source.Value.GetInt64() > 0));
            },
            "taken in what was published");
    }

    /// <summary>With a listener of each kind; the users are reader, and bearer with a token.</summary>
    private Task<Mosquitto> BrokerAsync()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_directory.Path, "broker")).FullName;
        File.WriteAllText(Path.Combine(folder, "passwords"), $"reader:{Hashed(Password)}\nbearer:{Hashed(Token)}\n");
        (string certificate, string key) = _between.Issue("server", ["127.0.0.1", "localhost"]);
        (string old, string oldKey) = _ours.Issue("old", ["127.0.0.1"], DateTimeOffset.UtcNow.AddDays(-1));
        return Mosquitto.StartAsync(
            folder,
            $"""
            allow_anonymous false
            password_file {folder}/passwords
            listener {_tls} 127.0.0.1
            certfile {certificate}
            keyfile {key}
            listener {_mutual} 127.0.0.1
            certfile {certificate}
            keyfile {key}
            cafile {_ours.CaFile}
            require_certificate true
            use_identity_as_username true
            listener {_expired} 127.0.0.1
            certfile {old}
            keyfile {oldKey}
            listener {_web} 127.0.0.1
            protocol websockets
            certfile {certificate}
            keyfile {key}
            """);
    }

    /// <summary>A broker that lets nobody subscribe but to plant/#.</summary>
    private Task<Mosquitto> StrictBrokerAsync()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_directory.Path, "strict")).FullName;
        string plugin = Parts.RequireFile("/usr/lib", "mosquitto_dynamic_security.so", "mosquitto");
        byte[] salt = RandomNumberGenerator.GetBytes(12);
        File.WriteAllText(
            Path.Combine(folder, "security.json"),
            $$"""
            {
              "defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true},
              "clients": [{"username": "reader", "textName": "", "roles": [{"rolename": "plant"}], "salt": "{{Convert.ToBase64String(salt)}}", "iterations": 101,
                "password": "{{Convert.ToBase64String(Rfc2898DeriveBytes.Pbkdf2(Password, salt, 101, HashAlgorithmName.SHA512, 64))}}"}],
              "groups": [],
              "roles": [{"rolename": "plant", "acls": [{"acltype": "subscribePattern", "topic": "plant/#", "priority": 0, "allow": true}]}]
            }
            """);
        return Mosquitto.StartAsync(folder, $"allow_anonymous false\nplugin {plugin}\nplugin_opt_config_file {folder}/security.json");
    }

    /// <summary>As mosquitto_passwd writes it: PBKDF2 with SHA-512.</summary>
    private static string Hashed(string password)
    {
        byte[] salt = RandomNumberGenerator.GetBytes(12);
        byte[] hash = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, 101, HashAlgorithmName.SHA512, 64);
        return string.Create(CultureInfo.InvariantCulture, $"$7$101${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
    }
}
