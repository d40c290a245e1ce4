using System.Diagnostics;
using System.Globalization;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.SelfTest;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kill;

// kill -9 at random instants while observations come in and while the daemon starts, by each way in; then all that was said is held
// against a run that nobody killed. STREAMLSTM_TEST_KILLS sets how many kills a way gets, STREAMLSTM_TEST_SEED where they fall,
// STREAMLSTM_TEST_PROGRAM another build of the program (published ReadyToRun it starts three times as fast). A class for each way: they run beside each other.

public sealed class HttpKillTests
{
    [Fact]
    public async Task Nothing_that_http_answered_202_is_lost_nothing_is_told_twice_and_every_score_is_the_same()
    {
        using var directory = new TemporaryDirectory();
        KillTrial trial = Killing.Trial(directory.Path);
        await Killing.RunAsync("http", trial, trial.OverHttp, ["sources.mqtt_embedded.enabled=false"]);
    }
}

public sealed class BrokerKillTests
{
    [Fact]
    public async Task Nothing_that_the_broker_acknowledged_is_lost_nothing_is_told_twice_and_every_score_is_the_same()
    {
        string publisher = Parts.Require("mosquitto_pub", "mosquitto-clients");
        using var directory = new TemporaryDirectory();
        KillTrial trial = Killing.Trial(directory.Path);
        await Killing.RunAsync("mqtt", trial, (daemon, from, count, cancellation) => PublishAsync(publisher, trial, daemon, from, count, cancellation), []);
    }

    private static async Task PublishAsync(string publisher, KillTrial trial, ChildDaemon daemon, int from, int count, CancellationToken cancellation)
    {
        int port = await daemon.MqttPortAsync(cancellation);
        var start = new ProcessStartInfo(publisher, ["-h", "127.0.0.1", "-p", $"{port}", "-q", "1", "-t", "boiler", "-l"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;

        try
        {
            await process.StandardInput.WriteAsync(string.Concat(Enumerable.Range(from, count).Select(row => trial.Payload(row) + "\n")));
            process.StandardInput.Close();

            // With a broker that has gone it would try for ever.
            while (!process.HasExited && !daemon.HasExited)
            {
                await Task.WhenAny(process.WaitForExitAsync(cancellation), Task.Delay(20, cancellation));
            }
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        if (process.ExitCode != 0)
        {
            throw new IOException($"mosquitto_pub ended with {process.ExitCode}");
        }
    }
}

public sealed class FileKillTests
{
    [Fact]
    public async Task No_line_of_a_followed_file_is_lost_or_taken_twice_and_every_score_is_the_same()
    {
        using var directory = new TemporaryDirectory();
        KillTrial trial = Killing.Trial(directory.Path);
        (KillTrial.Sender sender, string[] settings) = trial.IntoAFile();
        await Killing.RunAsync("file", trial, sender, ["sources.mqtt_embedded.enabled=false", .. settings]);
    }
}

public sealed class KillPointTests
{
    [Fact]
    public async Task Killed_at_every_named_point_nothing_is_lost_nothing_is_told_twice_and_every_score_is_the_same()
    {
        using var directory = new TemporaryDirectory();
        int rounds = Killing.Number("STREAMLSTM_TEST_POINT_ROUNDS", 1);
        var trial = new KillTrial(directory.Path, Killing.Number("STREAMLSTM_TEST_SEED", 1), rows: 2_500 * rounds);
        string[] points = [.. Enumerable.Range(1, rounds).SelectMany(round => KillPoint.All.Select(point => $"{point}:{round}"))];
        await Killing.RunAsync("points", trial, trial.OverHttp, ["sources.mqtt_embedded.enabled=false"], kills: 0, points);
    }
}

/// <summary>One trial, its figures, and what they must be.</summary>
internal static class Killing
{
    /// <summary>STREAMLSTM_TEST_MINUTES: a long run ends then, with the kills it made.</summary>
    private static readonly TimeSpan AtMost = TimeSpan.FromMinutes(Number("STREAMLSTM_TEST_MINUTES", 1_000));

    public static int Kills { get; } = Number("STREAMLSTM_TEST_KILLS", 20);

    public static KillTrial Trial(string directory) =>
        new(directory, Number("STREAMLSTM_TEST_SEED", 1), KillTrial.RowsMin + 4 * Kills);

    public static Task RunAsync(string way, KillTrial trial, KillTrial.Sender sender, string[] settings) => RunAsync(way, trial, sender, settings, Kills, []);

    public static async Task RunAsync(string way, KillTrial trial, KillTrial.Sender sender, string[] settings, int kills, string[] points)
    {
        // To a file, where a long run is looked at: the test platform says what a test printed only when it has ended.
        var progress = new Inline<KillProgress>(one =>
        {
            if (one.Kills % 10 == 0 && Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PROGRESS") is { Length: > 0 } file)
            {
                File.AppendAllText($"{file}.{way}", FormattableString.Invariant($"{DateTime.UtcNow:T} {one.Kills} of {one.Of} kills, {one.Acknowledged} of {one.Rows} acknowledged\n"));
            }
        });
        KillFindings found = await trial.RunAsync(kills, points, sender, settings, AtMost, progress, TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage("{0}: {1}", way, found);

        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PROGRESS") is { Length: > 0 } to)
        {
            File.AppendAllText($"{to}.{way}", $"{found}\n");
        }

        Assert.True(found.IsClean, found.ToString());
        Assert.InRange(found.Kills, points.Length + Math.Min(kills, 1), kills + points.Length);
    }

    public static int Number(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int number) ? number : otherwise;

    private sealed class Inline<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
