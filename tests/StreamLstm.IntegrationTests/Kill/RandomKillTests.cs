using System.Diagnostics;
using System.Globalization;
using System.Net;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kill;

/// <summary>kill -9 at random instants while observations come in, by each way in; then all that was said is held against a run that nobody killed.</summary>
/// <remarks>STREAMLSTM_TEST_KILLS sets how many kills a way gets, STREAMLSTM_TEST_SEED where they fall.</remarks>
public sealed class RandomKillTests
{
    private const int Rows = 900;

    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-2);
    private static readonly string[] Settings = ["sinks.jsonl.enabled=true", "sinks.jsonl.scores=true", "retrain.enabled=false"];

    private readonly int _kills = Number("STREAMLSTM_TEST_KILLS", 5);
    private readonly Random _random = new(Number("STREAMLSTM_TEST_SEED", 1));
    private readonly double[] _values = Series.Daily(7, Rows);

    public RandomKillTests()
    {
        foreach (int row in (int[])[640, 700, 820])
        {
            _values[row] += 60;
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_that_http_answered_202_is_lost_nothing_is_told_twice_and_every_score_is_the_same()
    {
        using var killed = new TemporaryDirectory();
        await KillingAsync(killed.Path, [], async (daemon, row) =>
        {
            using var content = new StringContent(Line(row), null, "application/x-ndjson");
            using HttpResponseMessage answer = await daemon.Http.PostAsync("/api/v1/observations", content, Cancellation);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        });

        await HoldAgainstAsync(killed.Path);
    }

    [Fact]
    public async Task Nothing_that_the_broker_acknowledged_is_lost_nothing_is_told_twice_and_every_score_is_the_same()
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients");
        using var killed = new TemporaryDirectory();
        await KillingAsync(killed.Path, [], (daemon, row) => PublishAsync(publisher, daemon, row));

        await HoldAgainstAsync(killed.Path);
    }

    [Fact]
    public async Task No_line_of_a_followed_file_is_lost_or_taken_twice_and_every_score_is_the_same()
    {
        using var killed = new TemporaryDirectory();
        string file = Path.Combine(killed.Path, "boiler.csv");
        File.WriteAllText(file, "timestamp,temperature\n");
        string[] followed = [$"sources.files.0.path={file}", "sources.files.0.follow=true"];
        await KillingAsync(killed.Path, followed, async (_, row) =>
        {
            await File.AppendAllTextAsync(file, Csv(row), Cancellation);
            await Task.Delay(2, Cancellation);
        });

        await HoldAgainstAsync(killed.Path);
    }

    /// <summary>Sends every row, again until it is acknowledged, while the daemon is killed at random; then lets it end in order.</summary>
    private async Task KillingAsync(string directory, string[] settings, Func<DaemonProcess, int, Task> send)
    {
        string state = Path.Combine(directory, "state");
        int[] kills = [.. Enumerable.Range(0, _kills).Select(_ => _random.Next(10, Rows)).Order()];
        DaemonProcess daemon = await DaemonProcess.StartAsync(state, [.. Settings, .. settings]);
        int killed = 0;

        try
        {
            for (int row = 0; row < Rows;)
            {
                Task? killing = killed < kills.Length && row >= kills[killed] ? KillAsync(daemon, TimeSpan.FromMilliseconds(_random.Next(60))) : null;

                do
                {
                    try
                    {
                        await send(daemon, row);
                        row++;
                    }
                    catch (Exception unanswered) when (killing is not null && unanswered is HttpRequestException or IOException or TaskCanceledException)
                    {
                        // Not acknowledged: sent again.
                    }
                }
                while (killing is { IsCompleted: false } && row < Rows);

                if (killing is not null)
                {
                    await killing;
                    await daemon.DisposeAsync();
                    killed++;
                    daemon = await DaemonProcess.StartAsync(state, [.. Settings, .. settings]);
                }
            }

            await daemon.UntilAsync(
                async () => (await daemon.GetAsync("/api/v1/status")).GetProperty("total").GetProperty("scored").GetInt64() >= Rows, $"scored {Rows} in all lives");
            Assert.Equal(0, await daemon.TerminateAsync());
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        Assert.Equal(_kills, killed);
    }

    private async Task HoldAgainstAsync(string directory)
    {
        using var whole = new TemporaryDirectory();

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(whole.Path, Settings))
        {
            await daemon.PostAsync("boiler", _values, Start);
            await daemon.UntilScoredAsync(Rows);
            Assert.Equal(0, await daemon.TerminateAsync());
        }

        // Scores and incidents each in their order; which of them come together depends on what was posted together.
        foreach (string type in (string[])["score", "incident"])
        {
            string[] expected = Said(whole.Path, type);
            Assert.NotEmpty(expected);
            Assert.Equal(expected, Said(Path.Combine(directory, "state"), type));
        }
    }

    private static string[] Said(string state, string type) =>
        [.. File.ReadAllLines(Path.Combine(state, "events.jsonl")).Where(line => line.StartsWith($"{{\"type\":\"{type}\"", StringComparison.Ordinal))];

    private string Line(int row) =>
        FormattableString.Invariant($"{{\"stream\":\"boiler\",\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{_values[row]}}}\n");

    private string Csv(int row) => string.Create(CultureInfo.InvariantCulture, $"{Start.AddSeconds(row):O},{_values[row]}\n");

    private async Task PublishAsync(string publisher, DaemonProcess daemon, int row)
    {
        string payload = FormattableString.Invariant($"{{\"timestamp\":\"{Start.AddSeconds(row):O}\",\"value\":{_values[row]}}}");
        var start = new ProcessStartInfo(publisher, ["-h", "127.0.0.1", "-p", $"{daemon.MqttPort}", "-q", "1", "-t", "boiler", "-m", payload])
        {
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync(Cancellation);

        if (process.ExitCode != 0)
        {
            throw new IOException($"mosquitto_pub ended with {process.ExitCode}");
        }
    }

    private static async Task KillAsync(DaemonProcess daemon, TimeSpan after)
    {
        await Task.Delay(after, Cancellation);
        await daemon.KillAsync();
    }

    private static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
