using System.Globalization;

namespace StreamLstm.Benchmarks;

/// <summary>Processor time of this process's threads by their names, as Linux counts it (proc(5), /proc/PID/task/TID/stat).</summary>
internal static class ThreadTimes
{
    private const double MicrosecondsPerTick = 1e6 / 100;   // USER_HZ is 100 on every Linux that .NET runs on

    /// <summary>Microseconds so far, of the threads that live.</summary>
    public static Dictionary<string, double> Now()
    {
        var times = new Dictionary<string, double>(StringComparer.Ordinal);

        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                // The name stands in brackets and may hold spaces; user and system time are the 12th and 13th field behind it.
                string stat = File.ReadAllText(Path.Combine(task, "stat"));
                int from = stat.IndexOf('(', StringComparison.Ordinal) + 1, to = stat.LastIndexOf(')');
                string[] fields = stat[(to + 2)..].Split(' ');
                string name = stat[from..to];
                name = name.StartsWith("rdk:", StringComparison.Ordinal) ? "librdkafka" : name;
                times[name] = times.GetValueOrDefault(name) + ((double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) * MicrosecondsPerTick);
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return times;
    }

    /// <summary>What each took between two readings, most first.</summary>
    public static IEnumerable<(string Name, double Microseconds)> Between(IReadOnlyDictionary<string, double> before, IReadOnlyDictionary<string, double> after) =>
        after.Select(now => (now.Key, now.Value - before.GetValueOrDefault(now.Key))).Where(part => part.Item2 > 0).OrderByDescending(part => part.Item2);
}
