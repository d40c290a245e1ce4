namespace StreamLstm.Daemon.Sources.Host;

/// <summary>/proc/meminfo and /proc/vmstat: memory, swap, faults, paging (proc(5)).</summary>
internal static class MemoryFigures
{
    private const double KiB = 1024;

    private static readonly Dictionary<string, string> Sizes = new(StringComparer.Ordinal)
    {
        ["MemFree:"] = "memory/free_bytes",
        ["MemAvailable:"] = "memory/available_bytes",
        ["Buffers:"] = "memory/buffers_bytes",
        ["Cached:"] = "memory/cached_bytes",
        ["Dirty:"] = "memory/dirty_bytes",
        ["Writeback:"] = "memory/writeback_bytes",
        ["AnonPages:"] = "memory/anonymous_bytes",
        ["Slab:"] = "memory/slab_bytes",
        ["Committed_AS:"] = "memory/committed_bytes",
    };

    private static readonly Dictionary<string, string> Counters = new(StringComparer.Ordinal)
    {
        ["pgfault"] = "memory/page_faults",
        ["pgmajfault"] = "memory/major_faults",
        ["pgpgin"] = "memory/paged_in_kib",
        ["pgpgout"] = "memory/paged_out_kib",
        ["pswpin"] = "swap/pages_in",
        ["pswpout"] = "swap/pages_out",
    };

    public static void MemInfo(string text, HostSample sample)
    {
        double total = double.NaN, available = double.NaN, swapTotal = 0, swapFree = 0;

        foreach (string[] words in ProcText.Lines(text))
        {
            if (words.Length < 2)
            {
                continue;
            }

            double bytes = KiB * ProcText.Number(words[1]);

            switch (words[0])
            {
                case "MemTotal:":
                    total = bytes;
                    break;
                case "SwapTotal:":
                    swapTotal = bytes;
                    break;
                case "SwapFree:":
                    swapFree = bytes;
                    break;
            }

            if (words[0] == "MemAvailable:")
            {
                available = bytes;
            }

            if (Sizes.TryGetValue(words[0], out string? name))
            {
                sample.Gauge(name, bytes);
            }
        }

        sample.Gauge("memory/used_percent", 100 * (1 - available / total));

        if (swapTotal > 0)
        {
            sample.Gauge("swap/used_percent", 100 * (1 - swapFree / swapTotal));
        }
    }

    public static void VmStat(string text, HostSample sample)
    {
        foreach (string[] words in ProcText.Lines(text))
        {
            if (words.Length == 2 && Counters.TryGetValue(words[0], out string? name))
            {
                sample.Rate(name, ProcText.Number(words[1]));
            }
        }
    }
}
