using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Mqtt;

/// <summary>Asks nodes of Sparkplug B for a new birth where theirs is not known or a message is missing, each once a minute at most.</summary>
internal sealed class RebirthRequests(TimeProvider time)
{
    private const int NodesMax = 10_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, long> _asked = new(StringComparer.Ordinal);

    /// <summary>The commands that are due now, as topic and payload.</summary>
    /// <param name="sparkplug">Says whose birth is wanted; forgets it with this.</param>
    public IReadOnlyList<(string Topic, byte[] Payload)> Take(SparkplugB sparkplug)
    {
        IReadOnlyList<string> wanted = sparkplug.TakeRebirths();

        if (wanted.Count == 0)
        {
            return [];
        }

        if (_asked.Count > NodesMax)
        {
            _asked.Clear();
        }

        string[] due = [.. wanted.Where(node => !_asked.TryGetValue(node, out long asked) || time.GetElapsedTime(asked) >= Interval)];

        foreach (string node in due)
        {
            _asked[node] = time.GetTimestamp();
        }

        return [.. due.Select(SparkplugB.RebirthRequest)];
    }
}
