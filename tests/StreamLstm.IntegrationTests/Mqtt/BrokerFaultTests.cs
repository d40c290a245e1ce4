using System.Globalization;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>A real mosquitto, a publisher that sends each value until the broker has it, and faults between: every value is scored once.</summary>
/// <remarks>STREAMLSTM_TEST_FAULTS sets how many faults a test gets, STREAMLSTM_TEST_SEED where they fall.</remarks>
public sealed class BrokerFaultTests : IDisposable
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);
    private static readonly string[] Settings =
        ["sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false", "sources.mqtt_embedded.enabled=false"];

    private readonly int _faults = Number("STREAMLSTM_TEST_FAULTS", 4);
    private readonly SemaphoreSlim _publishing = new(1);
    private readonly Random _random = new(Number("STREAMLSTM_TEST_SEED", 1));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_that_is_restarted_under_load_costs_nothing()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        await using DaemonProcess daemon = await StartAsync(directory, broker.Port);
        int rows = await PublishDuringAsync(broker, () => broker.RestartAsync(kill: false));
        await HoldAgainstAsync(daemon, directory, rows, rejectedMax: rows / 20);
    }

    [Fact]
    public async Task A_broker_that_is_restarted_with_deliveries_under_way_sends_them_again_and_they_count_once()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        using var proxy = new FaultProxy(broker.Port);
        await using DaemonProcess daemon = await StartAsync(directory, proxy.Port);
        int rows = await PublishDuringAsync(broker, async () =>
        {
            proxy.Fault = Fault.Stall;
            await Task.Delay(200, Cancellation);
            await broker.RestartAsync(kill: false);
            proxy.Reset();
            proxy.Fault = Fault.None;
        });
        await HoldAgainstAsync(daemon, directory, rows, rejectedMax: rows / 20);
    }

    /// <summary>
    /// mosquitto 2.0.11 acknowledges to the publisher a moment before it saves, and saves nothing of what is on its way to a subscriber, autosave
    /// or not: what it loses of those in a kill is its own. So publishing rests for a moment before it.
    /// </summary>
    [Fact]
    public async Task A_broker_that_is_killed_costs_nothing_of_what_it_has_saved()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        await using DaemonProcess daemon = await StartAsync(directory, broker.Port);
        int rows = await PublishDuringAsync(broker, async () =>
        {
            await _publishing.WaitAsync(Cancellation);
            await Task.Delay(1_000, Cancellation);
            await broker.RestartAsync(kill: true);
            _publishing.Release();
        });
        await HoldAgainstAsync(daemon, directory, rows, rejectedMax: rows / 20);
    }

    [Fact]
    public async Task A_connection_that_is_cut_stalls_or_trickles_costs_nothing()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        using var proxy = new FaultProxy(broker.Port);
        await using DaemonProcess daemon = await StartAsync(directory, proxy.Port);
        int fault = 0;
        int rows = await PublishDuringAsync(broker, async () =>
        {
            switch (fault++ % 5)
            {
                case 0:
                    proxy.CutAfter(_random.Next(1, 3_000));
                    break;
                case 1:
                    proxy.Reset();
                    break;
                case 2:
                    proxy.Fault = Fault.Trickle;
                    break;
                case 3:
                    proxy.Fault = Fault.Latency;
                    break;
                default:
                    proxy.Fault = Fault.Stall;
                    break;
            }

            await Task.Delay(500, Cancellation);
            proxy.Fault = Fault.None;

            if (_random.Next(2) == 0)
            {
                proxy.Reset();
            }
        });
        await HoldAgainstAsync(daemon, directory, rows, rejectedMax: 0);
    }

    [Fact]
    public async Task A_daemon_that_is_killed_between_disk_and_acknowledgement_takes_nothing_twice()
    {
        using var directory = new TemporaryDirectory();
        await using Mosquitto broker = await Mosquitto.StartAsync(Path.Combine(directory.Path, "broker"));
        DaemonProcess daemon = await StartAsync(directory, broker.Port);

        try
        {
            int rows = await PublishDuringAsync(broker, async () =>
            {
                // Under load there is always something on the disk that is not acknowledged yet.
                await Task.Delay(_random.Next(100), Cancellation);
                await daemon.KillAsync();
                await daemon.DisposeAsync();
                daemon = await StartAsync(directory, broker.Port);
            });
            await HoldAgainstAsync(daemon, directory, rows, rejectedMax: 0);
        }
        finally
        {
            await daemon.DisposeAsync();
        }
    }

    [Fact]
    public async Task Wrong_credentials_are_told_once_with_the_setting_and_without_the_password_and_other_sources_go_on()
    {
        using var directory = new TemporaryDirectory();
        string folder = Directory.CreateDirectory(Path.Combine(directory.Path, "broker")).FullName;

        // A password file in which nobody is.
        File.WriteAllText(Path.Combine(folder, "passwords"), "");
        await using Mosquitto broker = await Mosquitto.StartAsync(folder, $"allow_anonymous false\npassword_file {folder}/passwords");
        await using DaemonProcess daemon = await StartAsync(
            directory, broker.Port, "sources.mqtt.0.username=me", "sources.mqtt.0.password=hunter2");
        await daemon.UntilAsync(
            async () => (await daemon.Http.GetStringAsync("/health/ready", Cancellation)).Contains("sources.mqtt.0.password", StringComparison.Ordinal), "degraded with its reason");
        await daemon.PostAsync("other", [1, 2, 3], DateTimeOffset.UtcNow.AddMinutes(-1));
        await daemon.UntilScoredAsync(3);
        Assert.Equal(0, await daemon.TerminateAsync());
        Assert.DoesNotContain("hunter2", daemon.Output, StringComparison.Ordinal);
        Assert.Single(daemon.Output.Split('\n'), line => line.Contains("\"EventId\":102", StringComparison.Ordinal));
    }

    public void Dispose() => _publishing.Dispose();

    private static Task<DaemonProcess> StartAsync(TemporaryDirectory directory, int port, params string[] settings) => DaemonProcess.StartAsync(
        Path.Combine(directory.Path, "state"), [.. Settings, $"sources.mqtt.0.url=mqtt://127.0.0.1:{port}", "sources.mqtt.0.topics.0=plant/#", .. settings]);

    /// <summary>Publishes, and between the publications lets faults happen; gives how many values the broker has acknowledged.</summary>
    private async Task<int> PublishDuringAsync(Mosquitto broker, Func<Task> fault)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task<int> publishing = PublishAsync(broker, done.Token);

        for (int i = 0; i < _faults; i++)
        {
            await Task.Delay(_random.Next(200, 600), Cancellation);
            await fault();
        }

        await Task.Delay(300, Cancellation);
        await done.CancelAsync();
        return await publishing;
    }

    private async Task<int> PublishAsync(Mosquitto broker, CancellationToken done)
    {
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        MqttClientOptions options = new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", broker.Port).WithClientId("publisher").WithCleanSession(false).WithTimeout(TimeSpan.FromSeconds(5)).Build();
        int row = 0;

        while (!done.IsCancellationRequested)
        {
            await _publishing.WaitAsync(Cancellation);

            try
            {
                if (!client.IsConnected)
                {
                    await client.ConnectAsync(options, Cancellation);
                }

                string payload = string.Create(
                    CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{row}}}");
                await client.PublishStringAsync("plant/row", payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);
                row++;
            }
            catch (Exception lost) when (lost is not OperationCanceledException || !Cancellation.IsCancellationRequested)
            {
                // Not acknowledged: published again.
                await Task.Delay(20, Cancellation);
            }
            finally
            {
                _publishing.Release();
            }
        }

        return row;
    }

    /// <summary>Each value stands in the file once, and in order.</summary>
    /// <param name="daemon">The daemon.</param>
    /// <param name="directory">Where it is.</param>
    /// <param name="rows">How many values the broker has acknowledged.</param>
    /// <param name="rejectedMax">Repeats that only their time tells: a broker that was restarted sends some without marking them, a source that was not knows all.</param>
    private static async Task HoldAgainstAsync(DaemonProcess daemon, TemporaryDirectory directory, int rows, int rejectedMax)
    {
        // Until all is scored, or nothing more comes for longer than the source waits between two tries: then the figures say what is missing.
        long before = -1;

        for (int quiet = 0; quiet < 80 && before < rows; await Task.Delay(500, Cancellation))
        {
            JsonElement total = (await daemon.GetAsync("/api/v1/status")).GetProperty("total");
            long scoredSoFar = total.GetProperty("scored").GetInt64();
            quiet = scoredSoFar == before ? quiet + 1 : 0;
            before = scoredSoFar;
        }

        JsonElement books = (await daemon.GetAsync("/api/v1/status")).GetProperty("total");
        long rejected = books.GetProperty("rejected").GetInt64();
        Assert.Equal(0, await daemon.TerminateAsync());
        double[] scored = Assert.Single(Scored.In(Path.Combine(directory.Path, "state"))).Value;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{rows} acknowledged by the broker, {scored.Length} scored, {rows - scored.Distinct().Count()} lost, {scored.Length - scored.Distinct().Count()} twice, {rejected} rejected;"
            + $" lost: {string.Join(' ', Enumerable.Range(0, rows).Select(row => (double)row).Except(scored).Take(40))}");
        Assert.Equal(Enumerable.Range(0, rows).Select(row => (double)row), scored.Take(rows));
        Assert.InRange(scored.Length, rows, rows + 1);
        Assert.InRange(rejected, 0, rejectedMax);
        Assert.All(books.GetProperty("rejected_by_reason").EnumerateObject(), reason => Assert.Contains(reason.Name, (string[])["late", "duplicate"]));
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
