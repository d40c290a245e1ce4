using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sources.Host;

/// <summary>This computer as streams: what /proc and /sys tell, once a second. What is absent is left out.</summary>
internal sealed class HostSource(HostSourceOptions options, RecordRules rules, TimeProvider time, ILogger<HostSource> logger) : IObservationSource
{
    private readonly HashSet<string> _absent = new(StringComparer.Ordinal);
    private readonly HostSample _sample = new(options.StreamPrefix(), rules);

    public string Name => "host";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        if (!File.Exists(Path.Combine(options.ProcPath, "stat")))
        {
            throw new SourceException(
                $"sources.host: {options.ProcPath}/stat is not there, and this source reads Linux's /proc; "
                + "set sources.host.enabled: false, or sources.host.proc_path to where the host's /proc is mounted");
        }

        LogMessages.SourceStarted(logger, Name, $"this computer, every {options.Interval.TotalSeconds:0.###} s");
        using var timer = new PeriodicTimer(options.Interval, time);
        long last = time.GetTimestamp();
        bool first = true;

        try
        {
            do
            {
                double elapsed = first ? 0 : time.GetElapsedTime(last).TotalSeconds;
                last = time.GetTimestamp();
                first = false;
                Observation[] observations = Take(time.GetUtcNow(), elapsed);

                if (observations.Length > 0)
                {
                    using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity("ingest host");
                    await TakeInAsync(intake, new ObservationBatch(Name, observations, time.GetUtcNow(), span?.Context ?? default), stopping);
                }
            }
            while (await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop.
        }
    }

    private static async Task TakeInAsync(ObservationIntake intake, ObservationBatch batch, CancellationToken stopping)
    {
        try
        {
            await await intake.AcceptAsync(batch, stopping);
        }
        catch (NotTakenException)
        {
            // The disk is full or fails, which is said where it is written. The sample is gone; the next one may be taken.
        }
    }

    /// <summary>One tick's observations.</summary>
    internal Observation[] Take(DateTimeOffset now, double elapsedSeconds)
    {
        _sample.Begin(now, elapsedSeconds);
        With(Proc("stat"), CpuFigures.Stat);
        With(Proc("loadavg"), CpuFigures.Load);
        With(Proc("meminfo"), MemoryFigures.MemInfo);
        With(Proc("vmstat"), MemoryFigures.VmStat);
        With(Proc("net/dev"), NetworkFigures.Interfaces);
        With(Proc("net/sockstat"), NetworkFigures.Sockets);
        With(Proc("net/snmp"), NetworkFigures.Snmp);
        With(Proc("diskstats"), (text, sample) => DiskFigures.Parse(text, IsWholeDisk, sample));

        foreach (string resource in PressureFigures.Resources)
        {
            With(Proc($"pressure/{resource}"), (text, sample) => PressureFigures.Parse(resource, text, sample));
        }

        Filesystems();
        Temperatures();
        return _sample.End();
    }

    private string Proc(string name) => Path.Combine(options.ProcPath, name);

    private bool IsWholeDisk(string device) => Directory.Exists(Path.Combine(options.SysPath, "block", device));

    private void With(string file, Action<string, HostSample> parse)
    {
        if (_absent.Contains(file))
        {
            return;
        }

        try
        {
            parse(File.ReadAllText(file), _sample);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            LeaveOut(file, unreadable.Message);
        }
    }

    private void Filesystems()
    {
        foreach (DriveInfo drive in DriveInfo.GetDrives())
        {
            try
            {
                // Fixed = backed by a disk: proc, sysfs, tmpfs and the like say Ram or Unknown.
                if (drive.DriveType == DriveType.Fixed && drive.TotalSize > 0 && !_absent.Contains(drive.Name))
                {
                    string name = drive.Name == "/" ? "root" : drive.Name.Trim('/').Replace('/', '_');
                    _sample.Gauge($"filesystem/{name}/used_percent", 100 * (1 - (double)drive.TotalFreeSpace / drive.TotalSize));
                }
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                LeaveOut(drive.Name, unreadable.Message);
            }
        }
    }

    private void Temperatures()
    {
        string zones = Path.Combine(options.SysPath, "class", "thermal");
        string chips = Path.Combine(options.SysPath, "class", "hwmon");

        foreach ((string root, string pattern) in new[] { (zones, "thermal_zone*"), (chips, "hwmon*") })
        {
            if (!Directory.Exists(root))
            {
                continue;
            }

            foreach (string device in Directory.GetDirectories(root, pattern))
            {
                string[] inputs = root == zones ? [Path.Combine(device, "temp")] : Directory.GetFiles(device, "temp*_input");

                foreach (string input in inputs)
                {
                    string name = root == zones
                        ? Path.GetFileName(device)
                        : $"{Path.GetFileName(device)}_{Path.GetFileName(input).Replace("_input", "", StringComparison.Ordinal)}";
                    With(input, (text, sample) => sample.Gauge($"temperature/{name}", ProcText.Number(text.Trim()) / 1000));
                }
            }
        }
    }

    private void LeaveOut(string what, string why)
    {
        if (_absent.Add(what))
        {
            LogMessages.HostFigureAbsent(logger, what, why);
        }
    }
}
