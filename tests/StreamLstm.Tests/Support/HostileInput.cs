using System.Text;

namespace StreamLstm.Tests.Support;

/// <summary>What the world may send, by a seed: valid structures with hostile leaves, and now and then a byte that is wrong.</summary>
internal sealed class HostileInput(int seed)
{
    private static readonly string[] Keys =
    [
        "stream", "value", "values", "timestamp", "ts", "time", "Time", "_time", "", "a/b", "\\ud800", "\\n", "\\u001b[2J", "\\u0000", "__proto__", "specversion", "data",
        "n", "v", "bn", "bt", "u", "metrics", "ENERGY", "StatusSNS", "uplink_message", "object", new('k', 3_000),
    ];

    private static readonly string[] Leaves =
    [
        "1", "-0", "1e400", "-1e308", "5e-324", "123456789012345678901234567890123456789012345678901234567890", "NaN", "-Infinity", "true", "null", "\"\"", "\"21,5\"", "\"on\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\u0000\"", "\"\\n\\u001b[31mFORGED\"", "\"a\"", "\"plant/boiler\"", "\"2026-05-01T10:00:00Z\"", "\"2026-13-45T99:99\"",
        "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999Z\"", "1777629600", "1777629600000000000", "253402300800", "-62135596801", "1e18", "[]", "{}", "\"\\ufffe💥\"",
        new('9', 2_000), $"\"{new string('x', 4_000)}\"", new string('[', 60) + new string(']', 60), string.Concat(Enumerable.Repeat("{\"a\":", 30)) + "1" + new string('}', 30),
    ];

    private readonly Random _random = new(seed);

    public int Next(int below) => _random.Next(below);

    public T Of<T>(params IReadOnlyList<T> these) => these[_random.Next(these.Count)];

    /// <summary>A text in one of the layouts, as bytes.</summary>
    public byte[] Text()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(_random.Next(6) switch
        {
            0 => Json(4),
            1 => string.Join('\n', Enumerable.Range(0, _random.Next(6)).Select(_ => Json(2))),
            2 => Csv(),
            3 => Influx(),
            4 => $"[{string.Join(',', Enumerable.Repeat(Of(Leaves), _random.Next(400)))}]",
            _ => string.Join('\n', Enumerable.Range(0, _random.Next(6)).Select(_ => $"May  1 10:00:00 host app[{_random.Next()}]: {Of(Leaves)} {Of(Keys)}")),
        });
        return _random.Next(4) == 0 ? Damaged(bytes) : bytes;
    }

    /// <summary>Bytes as of Protocol Buffers: fields of any number and kind, lengths that lie.</summary>
    public byte[] Protobuf(int depth = 3)
    {
        using var bytes = new MemoryStream();

        for (int i = _random.Next(8); i > 0; i--)
        {
            int kind = Of(0, 1, 2, 2, 2, 5, 7);
            bytes.Write(Proto.Varint((ulong)(_random.Next(1, 24) << 3 | kind)));
            byte[] inner = depth > 0 && _random.Next(2) == 0 ? Protobuf(depth - 1) : Encoding.UTF8.GetBytes(Of(Leaves));

            switch (kind)
            {
                case 0:
                    bytes.Write(Proto.Varint((ulong)_random.NextInt64()));
                    break;
                case 1 or 5:
                    bytes.Write(new byte[kind == 1 ? 8 : 4]);
                    break;
                default:
                    bytes.Write(Proto.Varint(_random.Next(8) == 0 ? (ulong)_random.NextInt64() : (ulong)inner.Length));
                    bytes.Write(inner);
                    break;
            }
        }

        return bytes.ToArray();
    }

    /// <summary>A request of OpenTelemetry as JSON, with leaves of any kind.</summary>
    public byte[] Otlp()
    {
        string Points() => string.Join(',', Enumerable.Range(0, _random.Next(4)).Select(_ =>
            $"{{\"{Of("asInt", "asDouble", "count", "sum", "flags")}\":{Of(Leaves)},\"timeUnixNano\":{Of(Leaves)},\"attributes\":[{{\"key\":{Of(Leaves)},\"value\":{{\"{Of("stringValue", "intValue", "arrayValue")}\":{Of(Leaves)}}}}}]}}"));
        string Metrics() => string.Join(',', Enumerable.Range(0, _random.Next(4)).Select(_ =>
            $"{{\"name\":{Of(Leaves)},\"{Of("gauge", "sum", "histogram", "summary", "exponentialHistogram")}\":{{\"aggregationTemporality\":{Of(Leaves)},\"dataPoints\":[{Points()}]}}}}"));
        return Encoding.UTF8.GetBytes(
            $"{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":{Of(Leaves)}}}}}]}},\"scopeMetrics\":[{{\"metrics\":[{Metrics()}]}}]}}]}}");
    }

    public string Leaf() => Of(Leaves).Trim('"');

    private string Json(int depth) => _random.Next(depth > 0 ? 3 : 1) switch
    {
        1 => $"{{{string.Join(',', Enumerable.Range(0, _random.Next(6)).Select(_ => $"\"{Of(Keys)}\":{Json(depth - 1)}"))}}}",
        2 => $"[{string.Join(',', Enumerable.Range(0, _random.Next(6)).Select(_ => Json(depth - 1)))}]",
        _ => Of(Leaves),
    };

    private string Csv()
    {
        char separator = Of(',', ';', '\t');
        int columns = _random.Next(1, 6);
        IEnumerable<string> Row(Func<string> cell) => Enumerable.Range(0, _random.Next(8) == 0 ? _random.Next(9) : columns).Select(_ => cell());
        return string.Join('\n', Enumerable.Range(0, _random.Next(1, 8)).Select(row => string.Join(separator, Row(() => Of(row == 0 ? Keys : Leaves)))));
    }

    private string Influx() => string.Join('\n', Enumerable.Range(0, _random.Next(1, 5)).Select(_ =>
        $"{Of("m", "", "a\\ b", "\u001b")}{Of("", $",{Of(Keys)}={Of(Leaves)}", ",=")} {Of(Keys)}={Of(Leaves)}{Of("", "i", "u")}{Of("", $",{Of(Keys)}={Of(Leaves)}")} {Of("", "1777629600000000000", Of(Leaves))}"));

    private byte[] Damaged(byte[] bytes)
    {
        for (int i = _random.Next(1, 4); i > 0 && bytes.Length > 0; i--)
        {
            int at = _random.Next(bytes.Length);

            switch (_random.Next(3))
            {
                case 0:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 1:
                    bytes = bytes[..at];
                    break;
                default:
                    bytes = [.. bytes[..at], .. bytes[_random.Next(at, bytes.Length)..], .. bytes[..at]];
                    break;
            }
        }

        return bytes;
    }
}
