using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>Sparkplug B (Eclipse Sparkplug 3.0): births tell the metrics of an edge node and its devices, data comes under their aliases.</summary>
/// <remarks>
/// A metric is a stream GROUP/NODE/METRIC or GROUP/NODE/DEVICE/METRIC; GROUP/NODE/online is 1 from a birth on and 0 from a death on. Messages
/// of a node are numbered from 0 to 255 and round: where one is missing, or data comes for which no birth was seen, a new birth
/// is to be asked for (<see cref="TakeRebirths"/>). One that comes ahead of its turn waits for those before it, for the specification's
/// reorder timeout at most (<see cref="SparkplugOrder"/>). What births told must outlive the program, as they come once only: aliases are
/// handed out in <see cref="TakeNotes"/> and taken back by <see cref="Restore"/>; units and ranges, which are no part of decoding, in <see cref="TakeUnits"/>.
/// </remarks>
/// <param name="nameOf">The name of a stream, by the prefix and the name above; null for PREFIX/NAME.</param>
/// <param name="reorderTimeout">How long a message waits for those before it.</param>
internal sealed class SparkplugB(Func<string, string, string>? nameOf = null, TimeSpan reorderTimeout = default)
{
    private const string Namespace = "spBv1.0/";

    private readonly Func<string, string, string> _nameOf = nameOf ?? ((prefix, name) => prefix.Length > 0 ? $"{prefix}/{name}" : name);
    private readonly Dictionary<string, Dictionary<ulong, Metric>> _aliasesOf = new(StringComparer.Ordinal);
    private readonly SparkplugOrder _order = new(reorderTimeout);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _rebirths = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _unitsOf = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changedUnits = new(StringComparer.Ordinal);

    public static bool IsTopic(string topic) => topic.StartsWith(Namespace, StringComparison.Ordinal);

    /// <summary>When the next message has waited for long enough; null where none waits.</summary>
    public TimeSpan? NextDue => _order.NextDue;

    /// <summary>Nodes of which a birth has told something new, each with what is to be kept of it.</summary>
    public IReadOnlyList<(string Node, string Told)> TakeNotes()
    {
        if (_changed.Count == 0)
        {
            return [];
        }

        (string, string)[] notes = [.. _changed.Select(name => (name, JsonSerializer.Serialize(_aliasesOf[name])))];
        _changed.Clear();
        return notes;
    }

    /// <summary>Takes back what <see cref="TakeNotes"/> gave; what is none of it is passed over.</summary>
    public void Restore(string node, string told)
    {
        try
        {
            _aliasesOf[node] = JsonSerializer.Deserialize<Dictionary<ulong, Metric>>(told) ?? [];
        }
        catch (JsonException)
        {
            // A birth will tell it again.
        }
    }

    /// <summary>Nodes and devices whose birth has told other units or ranges than the one before, each with what <see cref="EngineeringUnit.Write"/> gives; empty where it has none.</summary>
    public IReadOnlyList<(string Of, string Told)> TakeUnits()
    {
        (string, string)[] units = [.. _changedUnits.Select(of => (of, _unitsOf[of]))];
        _changedUnits.Clear();
        return units;
    }

    /// <summary>Nodes, as GROUP/NODE, that are to be asked for a new birth.</summary>
    public IReadOnlyList<string> TakeRebirths()
    {
        if (_rebirths.Count == 0)
        {
            return [];
        }

        string[] rebirths = [.. _rebirths];
        _rebirths.Clear();
        return rebirths;
    }

    /// <summary>The topic and payload that ask a node for a new birth: NCMD with "Node Control/Rebirth" = true.</summary>
    public static (string Topic, byte[] Payload) RebirthRequest(string node)
    {
        (string group, string edge) = (node[..node.IndexOf('/', StringComparison.Ordinal)], node[(node.IndexOf('/', StringComparison.Ordinal) + 1)..]);
        ReadOnlySpan<byte> name = "Node Control/Rebirth"u8;

        // Payload.metrics (2) of one Metric: name (1), datatype (4) Boolean, boolean_value (14).
        byte[] metric = [0x0A, (byte)name.Length, .. name, 0x20, 11, 0x70, 1];
        return ($"{Namespace}{group}/NCMD/{edge}", [0x12, (byte)metric.Length, .. metric]);
    }

    /// <param name="topic">The topic.</param>
    /// <param name="prefix">Before the names of streams; empty for none.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="decoded">Where observations, what was left out and errors go, also those of messages that waited for this one.</param>
    /// <param name="now">A clock that never goes back, where the message may wait for those before it; null where it is to be taken at once.</param>
    public void Decode(string topic, string prefix, ReadOnlySpan<byte> payload, Decoded decoded, TimeSpan? now = null)
    {
        string[] levels = topic.Split('/');

        if (levels.Length is not (4 or 5) || !IsTopic(topic))
        {
            if (topic.StartsWith($"{Namespace}STATE/", StringComparison.Ordinal))
            {
                decoded.LeftOut.Add(LeftOutReason.Rule, topic, "", "the state of a host application");
                return;
            }

            decoded.Reject(1, $"topic {topic}, expected spBv1.0/GROUP/TYPE/NODE or spBv1.0/GROUP/TYPE/NODE/DEVICE", payload);
            return;
        }

        string node = $"{levels[1]}/{levels[3]}";
        string name = levels.Length == 5 ? $"{node}/{levels[4]}" : node;

        try
        {
            switch (levels[2])
            {
                case "NBIRTH":
                    SparkplugMessage birth = SparkplugMessage.Read(payload);

                    // What waits is of the life before.
                    Take(_order.Release(node), decoded);
                    _order.Begin(node, birth.Sequence);
                    _aliasesOf[node] = [];
                    Take(new SparkplugTurn(levels[2], node, name, prefix, birth), decoded);
                    break;
                case "DBIRTH" or "NDATA" or "DDATA" or "DDEATH":
                    var turn = new SparkplugTurn(levels[2], node, name, prefix, SparkplugMessage.Read(payload));
                    Take(_order.Take(turn, payload.Length, now, out bool isMissing), decoded);

                    if (isMissing)
                    {
                        _rebirths.Add(node);
                    }

                    break;
                case "NDEATH":
                    Take(_order.Release(node), decoded);
                    decoded.Add(_nameOf(prefix, $"{name}/online"), null, 0);
                    break;
                default:
                    decoded.LeftOut.Add(LeftOutReason.Rule, topic, "", "a command");
                    break;
            }
        }
        catch (InvalidDataException malformed)
        {
            decoded.Reject(1, $"not Sparkplug B: {malformed.Message}", payload);
        }
    }

    /// <summary>Takes what has waited for long enough, and has the births asked for of those that were waited for.</summary>
    public void Expire(TimeSpan now, Decoded decoded)
    {
        foreach (string node in _order.Overdue(now))
        {
            Take(_order.Release(node), decoded);
            _rebirths.Add(node);
        }
    }

    private void Take(IReadOnlyList<SparkplugTurn> turns, Decoded decoded)
    {
        foreach (SparkplugTurn turn in turns)
        {
            Take(turn, decoded);
        }
    }

    private void Take(SparkplugTurn turn, Decoded decoded)
    {
        switch (turn.Type)
        {
            case "NBIRTH" or "DBIRTH":
                Birth(turn, decoded);
                break;
            case "DDEATH":
                decoded.Add(_nameOf(turn.Prefix, $"{turn.Name}/online"), null, 0);
                break;
            default:
                Data(turn, decoded);
                break;
        }
    }

    private void Birth(SparkplugTurn birth, Decoded decoded)
    {
        Dictionary<ulong, Metric> aliases = _aliasesOf.TryGetValue(birth.Node, out Dictionary<ulong, Metric>? known) ? known : _aliasesOf[birth.Node] = [];
        var units = new Dictionary<string, EngineeringUnit>(StringComparer.Ordinal);

        foreach (SparkplugMetric metric in birth.Message.Metrics)
        {
            if (metric.Alias is { } alias && metric.Name.Length > 0)
            {
                aliases[alias] = new Metric(metric.Name, metric.Type);
                _changed.Add(birth.Node);
            }

            if (metric.Unit is { } unit)
            {
                units[_nameOf(birth.Prefix, $"{birth.Name}/{metric.Name}")] = unit;
            }

            Take(metric, birth, decoded);
        }

        string told = EngineeringUnit.Write(units);

        if (!_unitsOf.TryGetValue(birth.Name, out string? before) || before != told)
        {
            _unitsOf[birth.Name] = told;
            _changedUnits.Add(birth.Name);
        }

        decoded.Add(_nameOf(birth.Prefix, $"{birth.Name}/online"), birth.Message.Time, 1);
    }

    private void Data(SparkplugTurn data, Decoded decoded)
    {
        if (!_aliasesOf.TryGetValue(data.Node, out Dictionary<ulong, Metric>? aliases))
        {
            aliases = _aliasesOf[data.Node] = [];
            _rebirths.Add(data.Node);
        }

        foreach (SparkplugMetric metric in data.Message.Metrics)
        {
            if (metric.Name.Length > 0)
            {
                Take(metric, data, decoded);
            }
            else if (metric.Alias is { } alias && aliases.TryGetValue(alias, out Metric known))
            {
                Take(metric with { Name = known.Name, Type = metric.Type == 0 ? known.Type : metric.Type }, data, decoded);
            }
            else
            {
                decoded.LeftOut.Add(
                    LeftOutReason.UnknownAlias, _nameOf(data.Prefix, data.Name), $"alias {metric.Alias}", FieldText.Expectation(LeftOutReason.UnknownAlias));
                _rebirths.Add(data.Node);
            }
        }
    }

    private void Take(SparkplugMetric metric, SparkplugTurn turn, Decoded decoded)
    {
        string stream = _nameOf(turn.Prefix, $"{turn.Name}/{metric.Name}");

        if (metric.Name is "bdSeq" || metric.Name.StartsWith("Node Control/", StringComparison.Ordinal) || metric.Name.StartsWith("Device Control/", StringComparison.Ordinal))
        {
            decoded.LeftOut.Add(LeftOutReason.Rule, stream, "", "no measurement of Sparkplug B");
        }
        else if (metric.ValueOf(out double value) is { } reason)
        {
            decoded.LeftOut.Add(reason, stream, "", FieldText.Expectation(reason));
        }
        else
        {
            decoded.Add(stream, metric.Time ?? turn.Message.Time, value);
        }
    }

    internal readonly record struct Metric(string Name, uint Type);
}
