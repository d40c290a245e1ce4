using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sources.Host;

/// <summary>Collects one tick's figures: gauges as they are, counters as their rate since the tick before.</summary>
/// <param name="prefix">Before the names of streams.</param>
/// <param name="rules">Which groups of figures (those under one name, as PREFIX/cpu/total) are judged together.</param>
internal sealed class HostSample(string prefix, RecordRules rules)
{
    private readonly Dictionary<string, (double Counter, long Tick)> _counters = new(StringComparer.Ordinal);
    private readonly List<Observation> _observations = [];
    private DateTimeOffset _time;
    private double _elapsedSeconds;
    private long _tick;

    /// <summary>Starts a tick.</summary>
    /// <param name="time">Stamp of its observations.</param>
    /// <param name="elapsedSeconds">Since the tick before, by a clock that does not jump; 0 for the first.</param>
    public void Begin(DateTimeOffset time, double elapsedSeconds)
    {
        _observations.Clear();
        _time = time;
        _elapsedSeconds = elapsedSeconds;
        _tick++;
    }

    public void Gauge(string name, double value)
    {
        if (double.IsFinite(value))
        {
            _observations.Add(new Observation($"{prefix}/{name}", _time, value));
        }
    }

    /// <summary>The counter's growth per second, times <paramref name="scale"/>; nothing at its first sight and after it went back.</summary>
    public void Rate(string name, double counter, double scale = 1)
    {
        if (Growth(name, counter) is { } growth && _elapsedSeconds > 0)
        {
            Gauge(name, growth / _elapsedSeconds * scale);
        }
    }

    /// <summary>The counter's growth since the tick before; null at its first sight, after a gap, and after it went back (reset, wrap).</summary>
    public double? Growth(string name, double counter)
    {
        bool known = _counters.TryGetValue(name, out (double Counter, long Tick) last);
        _counters[name] = (counter, _tick);
        return known && last.Tick == _tick - 1 && counter >= last.Counter ? counter - last.Counter : null;
    }

    public Observation[] End() => rules.IsEmpty ? [.. _observations] : Grouped();

    /// <summary>The figures, and those of a group as one record where they are judged together.</summary>
    private Observation[] Grouped()
    {
        List<Observation> all = [];

        foreach (IGrouping<string, Observation> group in _observations.GroupBy(figure => figure.Stream[..figure.Stream.LastIndexOf('/')], StringComparer.Ordinal))
        {
            RecordFields? fields = group.Skip(1).Any() ? rules.FieldsOf(group.Key) : null;

            if (fields is not null)
            {
                all.Add(Observation.Of(group.Key, _time, new ObservedRecord(
                    [.. group.Select(figure => figure.Stream[(group.Key.Length + 1)..])], [.. group.Select(figure => figure.Value)])));
            }

            if (fields != RecordFields.Joint)
            {
                all.AddRange(group);
            }
        }

        return [.. all];
    }
}
