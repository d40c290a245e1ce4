using System.Net;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Commands;
using StreamLstm.Daemon.Commands.Load;

namespace StreamLstm.Tests.Daemon.Commands.Load;

public sealed class LoadRunTests
{
    [Fact]
    public void A_schedule_rounds_nothing_up_and_moves_on_by_what_was_held_up_for_more_than_a_second()
    {
        var time = new FakeTimeProvider();
        List<string> told = [];
        var schedule = new TokenSchedule(3, time, told.Add);

        for (int second = 1; second <= 100; second++)
        {
            int taken = 0;

            for (; schedule.Wait <= TimeSpan.Zero; taken++)
            {
                schedule.Take();
            }

            Assert.Equal(second == 1 ? 1 : 3, taken);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Empty(told);
        time.Advance(TimeSpan.FromSeconds(9));
        int late = 0;

        for (; schedule.Wait <= TimeSpan.Zero; late++)
        {
            schedule.Take();
        }

        // Of the thirty that were missed those of a second are made up for.
        Assert.InRange(late, 3, 5);
        Assert.InRange(schedule.Lost, TimeSpan.FromSeconds(8), TimeSpan.FromSeconds(9));
        Assert.Equal("109 s: the target does not take 3 observations a second; what it takes is sent", Assert.Single(told));
    }

    [Fact]
    public void Percentiles_are_right_to_a_hundredth()
    {
        var latencies = new Latencies();
        Assert.Null(latencies.Percentile(0.5));

        for (int i = 1; i <= 1000; i++)
        {
            latencies.Add(TimeSpan.FromMilliseconds(i));
        }

        Assert.InRange(latencies.Percentile(0.5)!.Value.TotalMilliseconds, 495, 505);
        Assert.InRange(latencies.Percentile(0.99)!.Value.TotalMilliseconds, 980, 1000);
    }

    [Fact]
    public async Task A_stream_keeps_its_order_and_what_is_refused_is_told()
    {
        var target = new CatchingTarget(refuse: row => row.Stream == "s3");
        var run = new LoadRun(target, null, TimeProvider.System);
        long next = 0;

        await run.RunAsync(due => Row(next++, due), 1000, TimeSpan.MaxValue, null, TestContext.Current.CancellationToken);

        foreach (IGrouping<string, LoadRow> stream in target.Taken.GroupBy(row => row.Stream))
        {
            long[] numbers = [.. stream.Select(row => long.Parse(Encoding.UTF8.GetString(row.Line), System.Globalization.CultureInfo.InvariantCulture))];
            Assert.Equal(numbers.Order(), numbers);
        }

        Assert.Equal(1000, target.Taken.Count);
        Assert.False(run.IsComplete);
        Assert.Contains("sent 1,000, acknowledged 800, refused 200; ", run.Report(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_target_that_is_too_slow_does_not_make_it_longer()
    {
        var time = new FakeTimeProvider();
        var run = new LoadRun(new CatchingTarget(refuse: _ => false), null, time);
        long next = 0;

        await run.RunAsync(
            due =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Row(next++, due);
            },
            1000, TimeSpan.FromSeconds(10), null, TestContext.Current.CancellationToken);

        Assert.Equal(10, next);
        Assert.True(run.IsComplete);
    }

    [Fact]
    public async Task A_target_that_fails_ends_it_and_what_was_not_answered_is_told()
    {
        var target = new CatchingTarget(refuse: _ => false) { FailsAfter = 300 };
        var run = new LoadRun(target, null, TimeProvider.System);
        long next = 0;

        var failed = await Assert.ThrowsAsync<IOException>(() => run.RunAsync(due => Row(next++, due), 1_000_000, TimeSpan.MaxValue, null, TestContext.Current.CancellationToken));

        Assert.Equal("gone", failed.Message);
        Assert.Contains(", unanswered ", run.Report(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_asks_to_wait_gets_the_same_request_again_under_the_same_key()
    {
        var time = new FakeTimeProvider();
        var daemon = new ScriptedDaemon(
            (HttpStatusCode.ServiceUnavailable, "{}", TimeSpan.FromSeconds(7)),
            (HttpStatusCode.TooManyRequests, "{}", null),
            (HttpStatusCode.Accepted, """{"accepted":2,"rejected":1}""", null));
        await using var target = new HttpTarget(new Uri("http://daemon:1/"), "word", time, daemon);
        List<bool> answers = [];
        Task sending = target.SendAsync(
            0, [Row(1, 0).Row, Row(2, 0).Row, Row(3, 0).Row], (_, isTaken) => answers.Add(isTaken), TestContext.Current.CancellationToken);

        await daemon.UntilAskedAsync(1);
        time.Advance(TimeSpan.FromSeconds(6.9));
        Assert.Single(daemon.Asked);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await daemon.UntilAskedAsync(2);
        time.Advance(TimeSpan.FromSeconds(1));
        await sending;

        Assert.Equal(3, daemon.Asked.Count);
        Assert.Equal(("http://daemon:1/api/v1/observations", "Bearer word", "1\n2\n3\n"), (daemon.Asked[0].Url, daemon.Asked[0].Authorization, daemon.Asked[0].Body));
        Assert.All(daemon.Asked, one => Assert.Equal(daemon.Asked[0], one));
        Assert.Equal([false, true, true], answers);
        Assert.Equal(2, target.Waits);
    }

    [Fact]
    public async Task A_daemon_that_lets_nobody_in_ends_it()
    {
        await using var target = new HttpTarget(
            new Uri("http://daemon:1/"), "", TimeProvider.System, new ScriptedDaemon((HttpStatusCode.Unauthorized, """{"error":"no token"}""", null)));

        var refused = await Assert.ThrowsAsync<IOException>(() => target.SendAsync(0, [Row(1, 0).Row], (_, _) => { }, TestContext.Current.CancellationToken));

        Assert.Equal("""--to http://daemon:1/api/v1/observations: answers 401 {"error":"no token"}""", refused.Message);
    }

    [Fact]
    public async Task At_a_rate_each_observation_has_the_time_at_which_it_is_due()
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new();

        int code = await CommandLine.InvokeAsync(["simulate", "--streams", "3", "--rate", "200", "--for", "150ms"], output, error);

        Assert.True(code == 0, error.ToString());
        DateTimeOffset[] times = [.. output.ToString().Split('\n')[..^1].Select(line => JsonDocument.Parse(line).RootElement.GetProperty("timestamp").GetDateTimeOffset())];
        Assert.Equal(30, times.Length);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.InRange((pair.Second - pair.First).TotalMilliseconds, 4.9, 5.1));
        Assert.InRange(times[0], DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow);
        Assert.Contains("sent 30, acknowledged 30, refused 0; ", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("3 streams of 10 rows, 0 faults", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_row_says_is_there_without_its_stream_too()
    {
        var fleet = new SimulatedFleet(1, 1, 0);
        string name = fleet.Name;
        string line = fleet.Next("2026-01-01T00:00:00Z").ToString();

        string without = Encoding.UTF8.GetString(SimulatedFleet.WithoutStream(new LoadRow(name, Encoding.UTF8.GetBytes(line), 0)));

        Assert.StartsWith("{\"timestamp\":\"2026-01-01T00:00:00Z\",\"value\":", without, StringComparison.Ordinal);
        Assert.Equal(line, without.Replace("{", $"{{\"stream\":\"{name}\",", StringComparison.Ordinal));
    }

    private static (int Number, LoadRow Row) Row(long number, long due) =>
        ((int)(number % 5), new LoadRow($"s{number % 5}", Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{number}")), due));

    private sealed class CatchingTarget(Func<LoadRow, bool> refuse) : ILoadTarget
    {
        private readonly Lock _lock = new();

        public List<LoadRow> Taken { get; } = [];

        public int FailsAfter { get; init; } = int.MaxValue;

        public int Lanes => 3;

        public int BatchMax => 7;

        public long Waits => 0;

        public async Task SendAsync(int lane, IReadOnlyList<LoadRow> rows, Action<LoadRow, bool> answered, CancellationToken cancellationToken)
        {
            await Task.Yield();

            lock (_lock)
            {
                if (Taken.Count >= FailsAfter)
                {
                    throw new IOException("gone");
                }

                Taken.AddRange(rows);
            }

            rows.ToList().ForEach(row => answered(row, !refuse(row)));
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed record Asked(string Url, string? Authorization, string Key, string Body);

    private sealed class ScriptedDaemon(params (HttpStatusCode Status, string Body, TimeSpan? RetryAfter)[] answers) : HttpMessageHandler
    {
        private readonly SemaphoreSlim _asked = new(0);
        private int _told;

        public List<Asked> Asked { get; } = [];

        public async Task UntilAskedAsync(int times)
        {
            while (_told < times)
            {
                await _asked.WaitAsync(TestContext.Current.CancellationToken);
                _told++;
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            (HttpStatusCode status, string body, TimeSpan? wait) = answers[Asked.Count];
            Asked.Add(new Asked(
                request.RequestUri!.ToString(), request.Headers.Authorization?.ToString(), request.Headers.GetValues("Idempotency-Key").Single(),
                await request.Content!.ReadAsStringAsync(cancellationToken)));
            var response = new HttpResponseMessage(status) { Content = new StringContent(body) };
            response.Headers.RetryAfter = wait is { } time ? new System.Net.Http.Headers.RetryConditionHeaderValue(time) : null;
            _asked.Release();
            return response;
        }
    }
}
