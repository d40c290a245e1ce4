namespace StreamLstm.Decoding;

/// <summary>A message of Sparkplug B as it stands in its payload: timestamp (1), metrics (2), seq (3).</summary>
/// <param name="Time">Of the metrics that have none of their own; null where it has none either.</param>
/// <param name="Sequence">0 to 255; null where it is not numbered.</param>
/// <param name="Metrics">In their order.</param>
internal sealed record SparkplugMessage(DateTimeOffset? Time, int? Sequence, IReadOnlyList<SparkplugMetric> Metrics)
{
    /// <exception cref="InvalidDataException">It is no protobuf.</exception>
    public static SparkplugMessage Read(ReadOnlySpan<byte> payload)
    {
        var reader = new ProtobufReader(payload);
        DateTimeOffset? time = null;
        int? sequence = null;
        List<SparkplugMetric> metrics = [];

        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    time = TimeOf(reader.Number);
                    break;
                case 2:
                    metrics.Add(SparkplugMetric.Read(reader.Bytes));
                    break;
                case 3:
                    sequence = (int)(reader.Number & 255);
                    break;
            }
        }

        return new SparkplugMessage(time, sequence, metrics);
    }

    internal static DateTimeOffset? TimeOf(ulong milliseconds) =>
        milliseconds > 0 && milliseconds < long.MaxValue && Timestamps.TryFromUnix((long)milliseconds, 1_000, out DateTimeOffset time) ? time : null;
}

/// <summary>A metric: name (1), alias (2), timestamp (3), datatype (4), is_null (7), properties (9), one value of 10 to 18.</summary>
internal readonly record struct SparkplugMetric()
{
    private const int Good = 192;

    private const uint TypeDateTime = 13;

    /// <summary>Empty where it is known by its alias.</summary>
    public string Name { get; init; } = "";

    public ulong? Alias { get; init; }

    public DateTimeOffset? Time { get; init; }

    /// <summary>0 where it is as the birth told.</summary>
    public uint Type { get; init; }

    public bool IsNull { get; init; }

    /// <summary>Whether its device says that the value is bad (0) or stale (500) and not good (192).</summary>
    public bool IsBad { get; init; }

    /// <summary>What its device declares of it; null for nothing.</summary>
    public EngineeringUnit? Unit { get; init; }

    private int ValueField { get; init; }

    private ulong Number { get; init; }

    /// <summary>The value as a number; why not, where it is none.</summary>
    public LeftOutReason? ValueOf(out double value)
    {
        double? number = ValueField switch
        {
            10 => Type switch { 1 => (sbyte)Number, 2 => (short)Number, 3 => (int)Number, _ => (uint)Number },
            11 => Type == 4 ? (long)Number : Number,
            12 => BitConverter.UInt32BitsToSingle((uint)Number),
            13 => BitConverter.UInt64BitsToDouble(Number),
            14 => Number == 0 ? 0 : 1,
            _ => null,
        };
        value = number ?? double.NaN;

        // A time is no measurement; nor are texts, data sets and templates.
        return IsNull ? LeftOutReason.Missing
            : Type == TypeDateTime || number is null ? LeftOutReason.Text
            : IsBad ? LeftOutReason.BadQuality
            : double.IsFinite(value) ? null
            : LeftOutReason.NotFinite;
    }

    public static SparkplugMetric Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        var metric = new SparkplugMetric();

        while (reader.Next())
        {
            metric = reader.Field switch
            {
                1 => metric with { Name = reader.Text },
                2 => metric with { Alias = reader.Number },
                3 => metric with { Time = SparkplugMessage.TimeOf(reader.Number) },
                4 => metric with { Type = (uint)reader.Number },
                7 => metric with { IsNull = reader.Number != 0 },
                9 => metric.With(reader.Bytes),
                >= 10 and <= 18 => metric with { ValueField = reader.Field, Number = reader.Number },
                _ => metric,
            };
        }

        return metric;
    }

    /// <summary>PropertySet: keys (1) and as many values (2). Quality is the specification's, engUnit, engLow and engHigh are those of Ignition's tags.</summary>
    private SparkplugMetric With(ReadOnlySpan<byte> properties)
    {
        List<string> keys = [];
        List<object?> values = [];
        var reader = new ProtobufReader(properties);

        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    keys.Add(reader.Text);
                    break;
                case 2:
                    values.Add(PropertyOf(reader.Bytes));
                    break;
            }
        }

        bool isBad = IsBad;
        EngineeringUnit unit = Unit ?? new EngineeringUnit();

        foreach ((string key, object? value) in keys.Zip(values))
        {
            switch (key.ToUpperInvariant())
            {
                case "QUALITY":
                    isBad = value is double quality && quality != Good;
                    break;
                case "ENGUNIT" or "ENGUNITS" or "UNIT" or "UNITS" when value is string { Length: > 0 } text:
                    unit = unit with { Unit = text };
                    break;
                case "ENGLOW" or "ENGMIN" when value is double low && double.IsFinite(low):
                    unit = unit with { Low = low };
                    break;
                case "ENGHIGH" or "ENGMAX" when value is double high && double.IsFinite(high):
                    unit = unit with { High = high };
                    break;
            }
        }

        return this with { IsBad = isBad, Unit = unit.Checked() };
    }

    /// <summary>PropertyValue: type (1), is_null (2), one value of 3 to 8: a number or a text; null for anything else.</summary>
    private static object? PropertyOf(ReadOnlySpan<byte> property)
    {
        var reader = new ProtobufReader(property);
        uint type = 0;
        object? value = null;

        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    type = (uint)reader.Number;
                    break;
                case 3:
                    value = type <= 3 ? (double)(int)reader.Number : (double)(uint)reader.Number;
                    break;
                case 4:
                    value = type == 4 ? (double)(long)reader.Number : (double)reader.Number;
                    break;
                case 5:
                    value = (double)reader.Float;
                    break;
                case 6:
                    value = reader.Double;
                    break;
                case 8:
                    value = reader.Text;
                    break;
            }
        }

        return value;
    }
}
