using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>The webhook against a real HTTP server: refusals, and a kill between the delivery and its mark.</summary>
public sealed class WebhookTests
{
    private const string Token = "Bearer canary-7f3a";

    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_receiver_that_answers_500_for_a_while_gets_every_event_in_order_and_no_secret_is_logged()
    {
        await using Receiver receiver = await Receiver.StartAsync(request => request <= 3 ? 500 : 204);
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, receiver.Settings);
        await SpikeAsync(daemon);
        await daemon.UntilSettledAsync("webhook");

        (string Key, JsonElement Body, string Authorization)[] got = [.. receiver.Got];
        Assert.True(got.Length > 3);
        Assert.Equal([got[0].Key, got[0].Key, got[0].Key], got.Take(3).Select(one => one.Key));
        Assert.Equal(got.Length - 3, got.Select(one => one.Key).Distinct().Count());
        Assert.Equal("opened", got[0].Body.GetProperty("state").GetString());
        Assert.StartsWith(got[0].Body.GetProperty("incident_id").GetString()!, got[0].Key, StringComparison.Ordinal);
        Assert.All(got, one => Assert.Equal(Token, one.Authorization));
        Assert.Contains("Sink webhook takes nothing", daemon.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", daemon.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", daemon.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_between_a_delivery_and_its_mark_it_delivers_again_with_the_same_key()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Receiver receiver = await Receiver.StartAsync(
            _ => 204,
            async request =>
            {
                if (request == 1)
                {
                    arrived.TrySetResult();
                    await killed.Task;
                }
            });
        using var directory = new TemporaryDirectory();

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, receiver.Settings))
        {
            await SpikeAsync(daemon);
            await arrived.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            await daemon.KillAsync();
            killed.TrySetResult();
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path, receiver.Settings);
        await again.UntilSettledAsync("webhook");
        string[] keys = [.. receiver.Got.Select(one => one.Key)];
        Assert.Equal(keys[0], keys[1]);
        Assert.Equal(keys.Length - 1, keys.Distinct().Count());
        await again.KillAsync();

        // What was marked is not delivered once more.
        await using DaemonProcess third = await DaemonProcess.StartAsync(directory.Path, receiver.Settings);
        await third.UntilSettledAsync("webhook");
        Assert.Equal(keys, receiver.Got.Select(one => one.Key));
    }

    [Fact]
    public async Task Where_it_may_drop_a_receiver_that_takes_nothing_holds_nothing_up_and_what_it_missed_is_counted()
    {
        const int Spikes = 6, Apart = 700;
        await using Receiver receiver = await Receiver.StartAsync(_ => 500);
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            directory.Path, [.. receiver.Settings, "sinks.webhook.when_full=drop", "pipeline.channel_capacity=1"]);
        double[] values = Series.Daily(3, 900 + Apart * Spikes);
        await daemon.PostAsync("boiler", values[..900], Start);

        for (int spike = 0, row = 900; spike < Spikes; spike++, row += Apart)
        {
            // An event in the queue, one in the sink's hand: of the others there is no place.
            values[row + 20 + 97 * spike * spike % 400] = 60 + 20 * spike;
            await daemon.PostAsync("boiler", values[row..(row + Apart)], Start.AddSeconds(row));
        }

        await daemon.UntilScoredAsync(values.Length);
        await daemon.UntilSettledAsync("history");
        int told = (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents").GetArrayLength();
        Match dropped = Regex.Match(
            await daemon.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken), "streamlstm_sink_dropped_total{[^}]*sink=\"webhook\"[^}]*} (?<count>[0-9]+)");
        Assert.InRange(told, 4, Spikes);

        // Each is told when it opens and when it closes.
        Assert.InRange(int.Parse(dropped.Groups["count"].Value, CultureInfo.InvariantCulture), told - 2, 3 * told);
    }

    private static async Task SpikeAsync(DaemonProcess daemon)
    {
        double[] values = Series.Daily(3, 950);
        values[899] = 60;
        await daemon.PostAsync("boiler", values, Start);
        await daemon.UntilScoredAsync(950);
    }

    private sealed class Receiver(WebApplication application, int port) : IAsyncDisposable
    {
        public ConcurrentQueue<(string Key, JsonElement Body, string Authorization)> Got { get; } = new();

        public string[] Settings =>
        [
            "sinks.webhook.enabled=true", $"sinks.webhook.url=http://127.0.0.1:{port}/secret-path", $"sinks.webhook.authorization={Token}",
            "storage.snapshot_interval=1h",
        ];

        public static async Task<Receiver> StartAsync(Func<int, int> status, Func<int, Task>? before = null)
        {
            int port = DaemonProcess.FreePort();
            WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            WebApplication application = builder.Build();
            application.Urls.Add($"http://127.0.0.1:{port}");
            var receiver = new Receiver(application, port);
            int requests = 0;
            application.MapPost("/secret-path", async (HttpContext context) =>
            {
                JsonElement body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
                int request = Interlocked.Increment(ref requests);
                receiver.Got.Enqueue((context.Request.Headers["Idempotency-Key"].ToString(), body, context.Request.Headers.Authorization.ToString()));

                if (before is not null)
                {
                    await before(request);
                }

                context.Response.StatusCode = status(request);
            });
            await application.StartAsync(TestContext.Current.CancellationToken);
            return receiver;
        }

        public ValueTask DisposeAsync() => application.DisposeAsync();
    }
}
