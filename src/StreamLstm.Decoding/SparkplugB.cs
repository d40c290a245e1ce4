using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>Sparkplug B (Eclipse Sparkplug 3.0): births tell the metrics of an edge node and its devices, data comes under their aliases.</summary>
/// <remarks>
/// A metric is a stream GROUP/NODE/METRIC or GROUP/NODE/DEVICE/METRIC; GROUP/NODE/online is 1 from a birth on and 0 from a death on. Messages
/// of a node are numbered from 0 to 255 and round: where one is missing, or data comes for which no birth was seen, a new birth
/// is to be asked for (<see cref="TakeRebirths"/>). What births told must outlive the program, as they come once only: it is
/// handed out in <see cref="TakeNotes"/> and taken back by <see cref="Restore"/>.
/// </remarks>
internal sealed class SparkplugB
{
    private const string Namespace = "spBv1.0/";

    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _rebirths = new(StringComparer.Ordinal);

    public static bool IsTopic(string topic) => topic.StartsWith(Namespace, StringComparison.Ordinal);

    /// <summary>Nodes of which a birth has told something new, each with what is to be kept of it.</summary>
    public IReadOnlyList<(string Node, string Told)> TakeNotes()
    {
        if (_changed.Count == 0)
        {
            return [];
        }

        (string, string)[] notes = [.. _changed.Select(name => (name, JsonSerializer.Serialize(_nodes[name].Aliases)))];
        _changed.Clear();
        return notes;
    }

    /// <summary>Takes back what <see cref="TakeNotes"/> gave; what is none of it is passed over.</summary>
    public void Restore(string node, string told)
    {
        try
        {
            _nodes[node] = new Node(JsonSerializer.Deserialize<Dictionary<ulong, Metric>>(told) ?? []);
        }
        catch (JsonException)
        {
            // A birth will tell it again.
        }
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

    public void Decode(string topic, string prefix, ReadOnlySpan<byte> payload, Decoded decoded)
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
        string stream = prefix.Length > 0 ? $"{prefix}/{name}" : name;

        try
        {
            switch (levels[2])
            {
                case "NBIRTH":
                    _nodes[node] = new Node([]);
                    Birth(node, stream, payload, decoded);
                    break;
                case "DBIRTH":
                    Birth(node, stream, payload, decoded);
                    break;
                case "NDATA" or "DDATA":
                    Data(node, stream, payload, decoded);
                    break;
                case "NDEATH" or "DDEATH":
                    if (levels[2] == "DDEATH")
                    {
                        CheckSequence(node, Read(payload).Sequence);
                    }

                    decoded.Add($"{stream}/online", null, 0);
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

    private void Birth(string node, string stream, ReadOnlySpan<byte> payload, Decoded decoded)
    {
        Message message = Read(payload);
        Node known = _nodes.TryGetValue(node, out Node? found) ? found : _nodes[node] = new Node([]);

        if (known.Sequence is null)
        {
            known.Sequence = message.Sequence;
        }
        else
        {
            CheckSequence(node, message.Sequence);
        }

        foreach (Reading reading in message.Readings)
        {
            if (reading.Alias is { } alias && reading.Name.Length > 0)
            {
                known.Aliases[alias] = new Metric(reading.Name, reading.Type);
                _changed.Add(node);
            }

            Take(reading.Name, reading.Type, reading, stream, message, decoded);
        }

        decoded.Add($"{stream}/online", message.Time, 1);
    }

    private void Data(string node, string stream, ReadOnlySpan<byte> payload, Decoded decoded)
    {
        Message message = Read(payload);

        if (!_nodes.TryGetValue(node, out Node? known))
        {
            known = _nodes[node] = new Node([]);
            _rebirths.Add(node);
        }

        CheckSequence(node, message.Sequence);

        foreach (Reading reading in message.Readings)
        {
            if (reading.Name.Length > 0)
            {
                Take(reading.Name, reading.Type, reading, stream, message, decoded);
            }
            else if (reading.Alias is { } alias && known.Aliases.TryGetValue(alias, out Metric metric))
            {
                Take(metric.Name, reading.Type == 0 ? metric.Type : reading.Type, reading, stream, message, decoded);
            }
            else
            {
                decoded.LeftOut.Add(LeftOutReason.UnknownAlias, stream, $"alias {reading.Alias}", FieldText.Expectation(LeftOutReason.UnknownAlias));
                _rebirths.Add(node);
            }
        }
    }

    private void CheckSequence(string node, int? sequence)
    {
        if (sequence is { } number && _nodes.TryGetValue(node, out Node? known))
        {
            if (known.Sequence is { } last && number != (last + 1) % 256)
            {
                _rebirths.Add(node);
            }

            known.Sequence = number;
        }
    }

    private static void Take(string name, uint type, Reading reading, string stream, Message message, Decoded decoded)
    {
        if (name is "bdSeq" || name.StartsWith("Node Control/", StringComparison.Ordinal) || name.StartsWith("Device Control/", StringComparison.Ordinal))
        {
            decoded.LeftOut.Add(LeftOutReason.Rule, $"{stream}/{name}", "", "Sparkplug B");
            return;
        }

        double? value = reading.ValueField switch
        {
            10 => type switch { 1 => (sbyte)reading.Number, 2 => (short)reading.Number, 3 => (int)reading.Number, _ => (uint)reading.Number },
            11 => type == 4 ? (long)reading.Number : reading.Number,
            12 => BitConverter.UInt32BitsToSingle((uint)reading.Number),
            13 => BitConverter.UInt64BitsToDouble(reading.Number),
            14 => reading.Number == 0 ? 0 : 1,
            _ => null,
        };

        // A time is no measurement; nor are texts, data sets and templates.
        LeftOutReason? leftOut = reading.IsNull ? LeftOutReason.Missing
            : type == 13 || value is null ? LeftOutReason.Text
            : double.IsFinite(value.Value) ? null
            : LeftOutReason.NotFinite;

        if (leftOut is { } reason)
        {
            decoded.LeftOut.Add(reason, $"{stream}/{name}", "", FieldText.Expectation(reason));
            return;
        }

        decoded.Add($"{stream}/{name}", Time(reading.Time) ?? message.Time, value!.Value);
    }

    /// <summary>Payload: timestamp (1), metrics (2), seq (3).</summary>
    private static Message Read(ReadOnlySpan<byte> payload)
    {
        var reader = new ProtobufReader(payload);
        var message = new Message();

        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    message.Time = Time(reader.Number);
                    break;
                case 2:
                    message.Readings.Add(ReadMetric(reader.Bytes));
                    break;
                case 3:
                    message.Sequence = (int)(reader.Number & 255);
                    break;
            }
        }

        return message;
    }

    /// <summary>Metric: name (1), alias (2), timestamp (3), datatype (4), is_null (7), one value of 10 to 18.</summary>
    private static Reading ReadMetric(ReadOnlySpan<byte> metric)
    {
        var reader = new ProtobufReader(metric);
        var reading = new Reading();

        while (reader.Next())
        {
            reading = reader.Field switch
            {
                1 => reading with { Name = reader.Text },
                2 => reading with { Alias = reader.Number },
                3 => reading with { Time = reader.Number },
                4 => reading with { Type = (uint)reader.Number },
                7 => reading with { IsNull = reader.Number != 0 },
                >= 10 and <= 18 => reading with { ValueField = reader.Field, Number = reader.Number },
                _ => reading,
            };
        }

        return reading;
    }

    private static DateTimeOffset? Time(ulong milliseconds) =>
        milliseconds > 0 && milliseconds < long.MaxValue && Timestamps.TryFromUnix((long)milliseconds, 1_000, out DateTimeOffset time) ? time : null;

    private sealed class Node(Dictionary<ulong, Metric> aliases)
    {
        public Dictionary<ulong, Metric> Aliases { get; } = aliases;

        public int? Sequence { get; set; }
    }

    internal readonly record struct Metric(string Name, uint Type);

    private sealed class Message
    {
        public DateTimeOffset? Time { get; set; }

        public int? Sequence { get; set; }

        public List<Reading> Readings { get; } = [];
    }

    private readonly record struct Reading()
    {
        public string Name { get; init; } = "";

        public ulong? Alias { get; init; }

        public ulong Time { get; init; }

        public uint Type { get; init; }

        public bool IsNull { get; init; }

        public int ValueField { get; init; }

        public ulong Number { get; init; }
    }
}
