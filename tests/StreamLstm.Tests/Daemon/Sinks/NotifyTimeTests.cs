using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Notify;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Tests.Daemon.Sinks;

/// <summary>What is told later than it was heard, by a clock of the test's own, against a receiver on loopback.</summary>
public sealed class NotifyTimeTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Night = new(2026, 5, 1, 23, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(Night);
    private readonly ConcurrentQueue<(string Key, JsonElement Body)> _got = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-notify-").FullName;
    private readonly DaemonMetrics _metrics = new(new Ledger());
    private WebApplication _receiver = null!;
    private long _sequence;
    private int _status = 204;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _receiver = builder.Build();
        _receiver.Urls.Add("http://127.0.0.1:0");
        _receiver.MapPost("/hook", async (HttpContext context) =>
        {
            _got.Enqueue((context.Request.Headers["Idempotency-Key"].ToString(), (await JsonDocument.ParseAsync(context.Request.Body)).RootElement));
            context.Response.StatusCode = _status;
        });
        await _receiver.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _metrics.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task What_quiet_hours_kept_back_is_one_message_when_they_end_and_the_end_of_what_goes_on_is_told()
    {
        await using (NotifySink sink = Sink(TimeSpan.Zero))
        {
            await TellAsync(sink, Group("a", 0, GroupState.Opened, IncidentSeverity.Warning));
            await TellAsync(sink, Group("b", 0, GroupState.Opened, IncidentSeverity.Info));
            await TellAsync(sink, Group("b", 1, GroupState.Closed, IncidentSeverity.Info));
            await TellAsync(sink, Group("c", 0, GroupState.Opened, IncidentSeverity.Info));
            await TellAsync(sink, Group("c", 1, GroupState.Continued, IncidentSeverity.Critical));
            Assert.Equal(["opened"], States());
            await sink.MarkAsync(Cancellation);
        }

        // A life more, and a receiver that is away when they end.
        _status = 503;
        await using (NotifySink sink = Sink(TimeSpan.Zero))
        {
            await AdvanceUntilAsync(TimeSpan.FromHours(8.5), () => _got.Count >= 2);
            Assert.NotNull(await TroubleAsync(sink));
        }

        _status = 204;
        await using (NotifySink sink = Sink(TimeSpan.Zero))
        {
            // However often it was tried in vain.
            int before = _got.Count;
            await AdvanceUntilAsync(TimeSpan.FromMinutes(2), () => _got.Count > before);
            Assert.Single(_got.Skip(1).Select(one => one.Key).Distinct());
            JsonElement summary = _got.Last().Body;
            Assert.Equal(("summary", 2), (summary.GetProperty("state").GetString(), summary.GetProperty("size").GetInt32()));
            Assert.Equal("2 incidents were kept back in quiet hours, one goes on", summary.GetProperty("title").GetString());

            await TellAsync(sink, Group("a", 1, GroupState.Closed, IncidentSeverity.Warning));
            Assert.Equal("resolved", States()[^1]);
            await AdvanceUntilAsync(TimeSpan.FromMinutes(1), () => true);
        }

        string[] states = [.. States()];
        Assert.Equal(["opened", "summary", "resolved"], states.Distinct());
        Assert.Equal(("opened", "resolved"), (states[0], Assert.Single(states, state => state == "resolved")));
    }

    [Fact]
    public async Task What_joins_within_the_wait_is_in_the_first_message_and_what_is_over_before_is_told_at_once()
    {
        _time.SetUtcNow(Night.AddHours(12));

        await using (NotifySink sink = Sink(TimeSpan.FromSeconds(30)))
        {
            await TellAsync(sink, Group("a", 0, GroupState.Opened, IncidentSeverity.Info));
            await TellAsync(sink, Group("a", 1, GroupState.Joined, IncidentSeverity.Warning, size: 3));
            Assert.Empty(_got);
        }

        await using (NotifySink sink = Sink(TimeSpan.FromSeconds(30)))
        {
            await AdvanceUntilAsync(TimeSpan.FromSeconds(31), () => !_got.IsEmpty);
            JsonElement told = Assert.Single(_got).Body;
            Assert.Equal(("opened", "warning", 3), (told.GetProperty("state").GetString(), told.GetProperty("severity").GetString(), told.GetProperty("size").GetInt32()));

            await TellAsync(sink, Group("b", 0, GroupState.Opened, IncidentSeverity.Info));
            await TellAsync(sink, Group("b", 1, GroupState.Closed, IncidentSeverity.Info));
            await TellAsync(sink, Group("a", 2, GroupState.Closed, IncidentSeverity.Warning));
        }

        Assert.Equal(["opened", "opened", "resolved", "resolved"], States());
    }

    private NotifySink Sink(TimeSpan groupWait) => new(
        new NotifyOptions
        {
            Url = $"{_receiver.Urls.First()}/hook", Template = "json", Name = "hook", GroupWait = groupWait,
            Quiet = new QuietHoursOptions { From = "22:00", To = "07:00" },
        },
        0, Path.Combine(_directory, "hook.cursor"), _metrics, _time, NullLogger.Instance);

    private async Task TellAsync(NotifySink sink, GroupEvent group) =>
        await sink.WriteAsync(new ScoredBatch([], [], [], _time.GetUtcNow()) { Groups = [group], Sequence = ++_sequence }, Cancellation);

    /// <summary>Lets the clock go on, then second by second until something is so: the sink looks each second, on a thread of its own.</summary>
    private async Task AdvanceUntilAsync(TimeSpan by, Func<bool> condition)
    {
        _time.Advance(by);

        for (int tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 2_000, $"never; got {string.Join(", ", States())}");
            await Task.Delay(10, Cancellation);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    private static async Task<string?> TroubleAsync(NotifySink sink)
    {
        for (int tries = 0; sink.Trouble is null && tries < 500; tries++)
        {
            await Task.Delay(10, Cancellation);
        }

        return sink.Trouble;
    }

    private string[] States() => [.. _got.Select(one => one.Body.GetProperty("state").GetString()!)];

    private static GroupEvent Group(string id, int revision, GroupState state, IncidentSeverity severity, int size = 1) => new(
        id, revision, state, Night, Night.AddSeconds(revision), state == GroupState.Closed ? Night.AddMinutes(1) : null, severity, IsMoreSevere: false, 60, size,
        state == GroupState.Closed ? 0 : size, $"{id} and others", [new GroupMember($"plant/{id}", id, IncidentKind.Point, severity, 60, Night, "97 (expected 3 to 12)", "It rose.", true, 1)], Incident: null);
}
