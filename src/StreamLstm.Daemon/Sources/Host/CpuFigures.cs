namespace StreamLstm.Daemon.Sources.Host;

/// <summary>/proc/stat and /proc/loadavg: time per mode and core, switches, forks, run queue, load (proc(5)).</summary>
internal static class CpuFigures
{
    private static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];

    public static void Stat(string text, HostSample sample)
    {
        foreach (string[] words in ProcText.Lines(text))
        {
            switch (words[0])
            {
                case "ctxt":
                    sample.Rate("cpu/context_switches", ProcText.Number(words[1]));
                    break;
                case "intr":
                    sample.Rate("cpu/interrupts", ProcText.Number(words[1]));
                    break;
                case "processes":
                    sample.Rate("cpu/forks", ProcText.Number(words[1]));
                    break;
                case "procs_running":
                    sample.Gauge("cpu/run_queue", ProcText.Number(words[1]));
                    break;
                case "procs_blocked":
                    sample.Gauge("cpu/blocked", ProcText.Number(words[1]));
                    break;
                case { } name when name.StartsWith("cpu", StringComparison.Ordinal) && words.Length > Modes.Length:
                    Core(name == "cpu" ? "total" : name[3..], words, sample);
                    break;
            }
        }
    }

    public static void Load(string text, HostSample sample)
    {
        string[] words = text.Split(' ');

        if (words.Length >= 3)
        {
            sample.Gauge("load/1m", ProcText.Number(words[0]));
            sample.Gauge("load/5m", ProcText.Number(words[1]));
            sample.Gauge("load/15m", ProcText.Number(words[2]));
        }
    }

    /// <summary>Each mode's share of the core's time since the tick before, in percent; busy = all but idle and iowait.</summary>
    private static void Core(string core, string[] words, HostSample sample)
    {
        var growth = new double[Modes.Length];
        bool complete = true;
        double total = 0;

        for (int mode = 0; mode < Modes.Length; mode++)
        {
            double? ticks = sample.Growth($"cpu/{core}/{Modes[mode]}", ProcText.Number(words[mode + 1]));
            complete &= ticks is not null;
            growth[mode] = ticks ?? 0;
            total += growth[mode];
        }

        if (!complete || total <= 0)
        {
            return;
        }

        for (int mode = 0; mode < Modes.Length; mode++)
        {
            // What a core does not do is its busy share's other side: one of them is enough.
            if (Modes[mode] != "idle")
            {
                sample.Gauge($"cpu/{core}/{Modes[mode]}", 100 * growth[mode] / total);
            }
        }

        sample.Gauge($"cpu/{core}/busy", 100 * (total - growth[3] - growth[4]) / total);
    }
}
