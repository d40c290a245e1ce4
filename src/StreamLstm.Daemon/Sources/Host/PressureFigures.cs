namespace StreamLstm.Daemon.Sources.Host;

/// <summary>/proc/pressure/{cpu,memory,io}: share of time in which work waited for it (Linux, PSI documentation).</summary>
internal static class PressureFigures
{
    public static readonly string[] Resources = ["cpu", "memory", "io"];

    public static void Parse(string resource, string text, HostSample sample)
    {
        foreach (string[] words in ProcText.Lines(text))
        {
            if (words.Length != 5 || words[0] is not ("some" or "full") || (resource == "cpu" && words[0] == "full"))
            {
                continue;
            }

            // total counts microseconds of waiting: its share of the tick needs no smoothing by the kernel.
            sample.Rate(
                $"pressure/{resource}/{words[0]}", ProcText.Number(words[4].Replace("total=", "", StringComparison.Ordinal)), scale: 1e-4);
            sample.Gauge(
                $"pressure/{resource}/{words[0]}_10s", ProcText.Number(words[1].Replace("avg10=", "", StringComparison.Ordinal)));
        }
    }
}
