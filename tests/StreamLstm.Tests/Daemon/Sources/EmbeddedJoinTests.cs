using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources;

/// <summary>Templates at the broker inside: names, and fields that come one by one.</summary>
public sealed class EmbeddedJoinTests : IDisposable
{
    private readonly CaughtIntake _caught = new();
    private readonly DaemonMetrics _metrics;

    public EmbeddedJoinTests() => _metrics = new DaemonMetrics(_caught.Ledger);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_topic_is_named_by_its_template()
    {
        await using Life life = await LiveAsync(new TopicTemplateOptions { Topic = "plant/{site}/{device}", Stream = "{device}/{site}" });

        await life.PublishAsync("plant/hamburg/pump3/flow", "1.5");

        Assert.Equal([("pump3/hamburg/flow", 1.5)], _caught.TakeAll().Select(observation => (observation.Stream, observation.Value)));
    }

    [Fact]
    public async Task Fields_are_joined_over_a_kill_between_them_and_a_field_that_was_acknowledged_is_not_asked_for_again()
    {
        await using (Life first = await LiveAsync(Joined()))
        {
            await first.PublishAsync("plant/pump/flow", "1.5");
            Assert.Empty(_caught.TakeAll());
        }

        await using Life second = await LiveAsync(Joined());
        await second.PublishAsync("plant/pump/pressure", "2.5");

        Assert.Equal(["plant/pump: 1.5 2.5"], Records());
        Assert.Empty(_caught.Positions.Under("mqtt_embedded:open:"));
    }

    [Fact]
    public async Task A_field_that_was_refused_is_not_in_the_record_until_it_is_sent_again()
    {
        await using Life life = await LiveAsync(Joined());
        _caught.Refusal = "disk full";
        await Assert.ThrowsAnyAsync<Exception>(() => life.PublishAsync("plant/pump/flow", "1"));
        _caught.Refusal = null;
        await life.ConnectAsync();
        await life.PublishAsync("plant/pump/pressure", "2.5");
        Assert.Empty(Records());

        await life.PublishAsync("plant/pump/flow", "1.5");

        Assert.Equal(["plant/pump: 1.5 2.5"], Records());
    }

    [Fact]
    public async Task A_record_whose_window_is_over_is_handed_in_though_nothing_else_comes()
    {
        await using Life life = await LiveAsync(Joined(TimeSpan.FromMilliseconds(50)));
        await life.PublishAsync("plant/pump/flow", "1.5");

        Observation whole = Assert.Single(await _caught.TakeAsync(1));

        Assert.Equal([1.5, double.NaN], whole.Record!.Values.ToArray());
        Assert.Equal(LeftOutReason.NotJoined, Assert.Single(_caught.Ledger.LeftOut()).Reason);
    }

    [Fact]
    public async Task Fields_of_two_clients_at_once_make_whole_records_in_every_order()
    {
        const int Rows = 300;
        await using Life life = await LiveAsync(Joined());
        using IMqttClient other = await life.ClientAsync();
        DateTimeOffset start = DateTimeOffset.UtcNow.AddHours(-1);
        await Task.WhenAll(SendAsync(life.Client, "flow", 0), SendAsync(other, "pressure", 1_000));

        Observation[] records = [.. _caught.TakeAll()];
        // Which message comes first is chance; that no value is lost or told twice is not.
        Assert.Equal(Enumerable.Range(0, Rows).Select(row => (double)row), Values(0));
        Assert.Equal(Enumerable.Range(0, Rows).Select(row => 1_000d + row), Values(1));

        async Task SendAsync(IMqttClient client, string field, int offset)
        {
            for (int row = 0; row < Rows; row++)
            {
                string payload = string.Create(CultureInfo.InvariantCulture, $"{{\"timestamp\":\"{start.AddSeconds(10 * row):O}\",\"value\":{offset + row}}}");
                await client.PublishStringAsync($"plant/pump/{field}", payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);
            }
        }

        IEnumerable<double> Values(int column) =>
            records.Select(record => record.Record!.Values[column]).Concat(Open(column)).Where(value => !double.IsNaN(value)).Order();

        IEnumerable<double> Open(int column) => _caught.Positions.Under("mqtt_embedded:open:")
            .Select(open => System.Text.Json.JsonDocument.Parse(open.At).RootElement.GetProperty("Values")[column])
            .Select(value => value.ValueKind == System.Text.Json.JsonValueKind.Null ? double.NaN : value.GetDouble());
    }

    public void Dispose() => _metrics.Dispose();

    private static TopicTemplateOptions Joined(TimeSpan? window = null) => new()
    {
        Topic = "plant/{device}/{field}",
        Join = new JoinOptions { Fields = ["flow", "pressure"], Window = window ?? TimeSpan.FromHours(1) },
    };

    private string[] Records() =>
    [
        .. _caught.TakeAll().Select(observation => $"{observation.Stream}: {string.Join(' ', observation.Record!.Values.ToArray().Select(value => value.ToString(CultureInfo.InvariantCulture)))}"),
    ];

    private async Task<Life> LiveAsync(TopicTemplateOptions template)
    {
        var source = new MqttEmbeddedSource(
            new MqttEmbeddedOptions { Port = 0, Templates = [template] }, RecordRules.None, _metrics, TimeProvider.System, NullLogger<MqttEmbeddedSource>.Instance);
        var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task running = source.RunAsync(_caught.Intake, stopping.Token);
        var life = new Life(await source.BoundPort, stopping, running);
        await life.ConnectAsync();
        return life;
    }

    /// <summary>One life of the source with a client, until it is disposed.</summary>
    private sealed class Life(int port, CancellationTokenSource stopping, Task running) : IAsyncDisposable
    {
        public IMqttClient Client { get; private set; } = null!;

        public async Task ConnectAsync()
        {
            Client?.Dispose();
            Client = await ClientAsync();
        }

        public async Task<IMqttClient> ClientAsync()
        {
            IMqttClient client = new MqttClientFactory().CreateMqttClient();
            await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).Build(), Cancellation);
            return client;
        }

        public Task<MqttClientPublishResult> PublishAsync(string topic, string payload) => Client.PublishStringAsync(topic, payload, MqttQualityOfServiceLevel.AtLeastOnce, cancellationToken: Cancellation);

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await stopping.CancelAsync();
            await running;
            stopping.Dispose();
        }
    }
}
