using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.SelfTest;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm selftest</c>: kills and damages this program on the user's own disk, and says whether it keeps what it promises.</summary>
internal static class SelfTestCommand
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(5);

    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var directory = new Option<string?>("--directory", "-d")
        {
            Description = "A directory on the disk to try; one of its own is made in it, and removed. Without it, beside the storage directory.",
            HelpName = "DIRECTORY",
        };
        var minutes = new Option<double>("--minutes", "-m") { Description = "How long, 0.1 to 1440; half of it for kills.", HelpName = "M", DefaultValueFactory = _ => 1 };
        var seed = new Option<int>("--seed") { Description = "Where kills and damages fall.", HelpName = "S", DefaultValueFactory = _ => 1 };
        var command = new Command(
            "selftest",
            """
            Kill this program again and again while observations come in, damage what it keeps, and say whether all was kept.

            A running daemon is not touched: the trial has processes, ports and a directory of its own.

            Examples:
              streamlstm selftest
              streamlstm selftest --directory /mnt/usb --minutes 10
            """)
        {
            directory, minutes, seed,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            double asked = parsed.GetValue(minutes);

            if (asked is not (>= 0.1 and <= 1440))
            {
                error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"--minutes: {asked}, expected 0.1 to 1440"));
                return CommandLine.WrongUsage;
            }

            string? place = parsed.GetValue(directory);
            int code = place is null ? withOptions(parsed, options => place = Path.GetDirectoryName(StorageDirectory.Resolve(options.Storage.Directory))) : 0;
            return code != 0 ? code : await RunAsync(place!, TimeSpan.FromMinutes(asked), parsed.GetValue(seed), output, error, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(string place, TimeSpan length, int seed, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        string directory = Path.Combine(place, $"streamlstm-selftest-{Environment.ProcessId}");

        try
        {
            Directory.CreateDirectory(directory);
            output.WriteLine($"trying {place}");
            var since = Stopwatch.StartNew();
            KillFindings killed = await KillAsync(directory, length / 2, seed, output, cancellation);
            output.WriteLine($"kills done: {killed}");
            CorruptionFindings damaged = Damage(directory, length - since.Elapsed, seed, output, cancellation);
            return Verdict(killed, damaged, output);
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("stopped before it came to a verdict");
            return CommandLine.Failed;
        }
        catch (Exception failed) when (failed is SelfTestException or IOException or UnauthorizedAccessException or HttpRequestException)
        {
            error.WriteLine($"--directory: the trial could not be made in {place}: {failed.Message}");
            return CommandLine.Failed;
        }
        finally
        {
            if (Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private static async Task<KillFindings> KillAsync(string directory, TimeSpan length, int seed, TextWriter output, CancellationToken cancellation)
    {
        // A kill takes a second and more, and each life shall have some rows.
        var trial = new KillTrial(directory, seed, KillTrial.RowsMin + (int)(10 * length.TotalSeconds));
        var report = Stopwatch.StartNew();
        return await trial.RunAsync(
            kills: Math.Max(3, (int)length.TotalSeconds), points: [], trial.OverHttp, ["sources.mqtt_embedded.enabled=false"], length,
            new Inline(progress =>
            {
                if (report.Elapsed > ReportInterval)
                {
                    output.WriteLine($"killed {progress.Kills} times, {progress.Acknowledged} observations acknowledged");
                    report.Restart();
                }
            }),
            cancellation);
    }

    private static CorruptionFindings Damage(string directory, TimeSpan length, int seed, TextWriter output, CancellationToken cancellation)
    {
        var trial = new CorruptionTrial(Path.Combine(directory, "state"), Path.Combine(directory, "damaged"));
        var random = new Random(seed);
        var since = Stopwatch.StartNew();
        var report = Stopwatch.StartNew();

        while (trial.Found.Tried < 100 || since.Elapsed < length)
        {
            cancellation.ThrowIfCancellationRequested();
            trial.Random(random);

            if (report.Elapsed > ReportInterval)
            {
                output.WriteLine($"damaged {trial.Found.Tried} times");
                report.Restart();
            }
        }

        return trial.Found;
    }

    private static int Verdict(KillFindings killed, CorruptionFindings damaged, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Killed {killed.Kills} times, {killed.AtStart} of them while it started: of {killed.Acknowledged} acknowledged observations {killed.Lost} things were lost, {killed.Duplicated} told twice, {killed.Different} told with other bits."));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Damaged {damaged.Tried} times (bits turned, files cut): {damaged.Tried - damaged.Wrong - damaged.EndedEarlier} noticed or harmless, {damaged.Wrong + damaged.EndedEarlier} not noticed."));

        if (killed.IsClean && damaged.Wrong + damaged.EndedEarlier == 0)
        {
            output.WriteLine("PASSED: on this disk a kill loses nothing, and damage is noticed. Whether the disk keeps what it was told to sync over a power loss, only pulling the plug shows.");
            return 0;
        }

        output.WriteLine($"FAILED: {(killed.First.Length > 0 ? killed.First : damaged.FirstWrong)}. Please report this, with the lines above and the file system of this disk.");
        return CommandLine.Failed;
    }

    private sealed class Inline(Action<KillProgress> report) : IProgress<KillProgress>
    {
        public void Report(KillProgress value) => report(value);
    }
}
