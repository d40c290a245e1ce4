namespace StreamLstm.Daemon.Sources.Host;

/// <summary>/proc/diskstats: operations, bytes, busy time, latency and queue of whole disks (Linux, iostats documentation).</summary>
internal static class DiskFigures
{
    private const double SectorBytes = 512;

    /// <param name="isWholeDisk">Whether a device is a disk and no partition: /sys/block lists those.</param>
    public static void Parse(string text, Func<string, bool> isWholeDisk, HostSample sample)
    {
        foreach (string[] words in ProcText.Lines(text))
        {
            if (words.Length < 14)
            {
                continue;
            }

            string disk = words[2];

            if (disk.StartsWith("loop", StringComparison.Ordinal) || disk.StartsWith("ram", StringComparison.Ordinal)
                || disk.StartsWith("zram", StringComparison.Ordinal) || !isWholeDisk(disk))
            {
                continue;
            }

            double[] figures = [.. words.Skip(3).Select(ProcText.Number)];
            sample.Rate($"disk/{disk}/reads", figures[0]);
            sample.Rate($"disk/{disk}/read_bytes", figures[2], SectorBytes);
            sample.Rate($"disk/{disk}/writes", figures[4]);
            sample.Rate($"disk/{disk}/write_bytes", figures[6], SectorBytes);
            sample.Gauge($"disk/{disk}/in_flight", figures[8]);
            sample.Rate($"disk/{disk}/busy", figures[9], scale: 0.1); // milliseconds a second -> percent
            sample.Rate($"disk/{disk}/queue", figures[10], scale: 1e-3);
            Latency(disk, "read", figures[0], figures[3], sample);
            Latency(disk, "write", figures[4], figures[7], sample);
        }
    }

    /// <summary>Milliseconds an operation took; 0 where there was none, as iostat shows it: an idle disk is no silent one.</summary>
    private static void Latency(string disk, string kind, double operations, double milliseconds, HostSample sample)
    {
        double? count = sample.Growth($"disk/{disk}/{kind}_latency_ms", operations);
        double? time = sample.Growth($"disk/{disk}/{kind}_time", milliseconds);

        if (count is { } done && time is { } total)
        {
            sample.Gauge($"disk/{disk}/{kind}_latency_ms", done > 0 ? total / done : 0);
        }
    }
}
