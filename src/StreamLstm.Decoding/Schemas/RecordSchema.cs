using System.Text.Json;

namespace StreamLstm.Decoding.Schemas;

/// <summary>A schema as a registry holds it.</summary>
/// <param name="Type">AVRO, PROTOBUF or JSON.</param>
/// <param name="Text">Its definition.</param>
/// <param name="References">What it refers to, by the names that it uses; each before those that refer to it.</param>
internal sealed record SchemaText(string Type, string Text, IReadOnlyList<(string Name, string Text)> References);

/// <summary>Reads records that are laid out by a schema, and writes them as JSON: what is made of names, times and nesting is the same for all formats.</summary>
internal abstract class RecordSchema
{
    /// <summary>The reader of a schema.</summary>
    /// <exception cref="InvalidDataException">It is none, or of a type that says nothing of bytes.</exception>
    public static RecordSchema Parse(SchemaText schema) => schema.Type switch
    {
        "AVRO" => AvroRecordSchema.Parse(schema),
        "PROTOBUF" => ProtobufRecordSchema.Parse(schema),
        _ => throw new InvalidDataException($"schema type {schema.Type}, expected AVRO or PROTOBUF"),
    };

    /// <summary>Writes a record as JSON: times in RFC 3339, enumerations by their names, bytes in base 64, numbers that are none as "NaN".</summary>
    /// <param name="record">The record, behind what names its schema.</param>
    /// <param name="json">Gets one value.</param>
    /// <exception cref="InvalidDataException">It is not laid out so; the message says which field.</exception>
    public void Write(ReadOnlySpan<byte> record, Utf8JsonWriter json)
    {
        var walk = new SchemaWalk(json, record.Length);

        try
        {
            Write(record, walk);
        }
        catch (InvalidDataException wrong) when (walk.Path.Length > 0)
        {
            throw new InvalidDataException($"field {walk.Path}: {wrong.Message}", wrong);
        }
    }

    protected abstract void Write(ReadOnlySpan<byte> record, SchemaWalk walk);
}

/// <summary>Where one record's reading stands, and how much it may still bring forth: a few bytes may claim a million empty items.</summary>
internal sealed class SchemaWalk(Utf8JsonWriter json, int recordBytes)
{
    private const int ItemsBeyondBytes = 65_536;

    /// <summary>As deep as <see cref="JsonDecoder"/> goes.</summary>
    private const int DepthMax = 16;

    private readonly List<string> _path = [];
    private long _itemsLeft = (long)recordBytes + ItemsBeyondBytes;
    private int _depth;

    public Utf8JsonWriter Json { get; } = json;

    /// <summary>The way to what is read, a/b/c; empty for the record itself.</summary>
    public string Path => string.Join('/', _path);

    /// <summary>Counts one value more.</summary>
    /// <exception cref="InvalidDataException">There are too many.</exception>
    public void Count()
    {
        if (--_itemsLeft < 0)
        {
            throw new InvalidDataException($"more values than {ItemsBeyondBytes} and one for each byte");
        }
    }

    /// <summary>Goes on to a field.</summary>
    public void Enter(string name) => _path.Add(name);

    /// <summary>Comes back from it.</summary>
    public void Leave() => _path.RemoveAt(_path.Count - 1);

    /// <summary>Goes into an object or array.</summary>
    /// <exception cref="InvalidDataException">It is too deep.</exception>
    public void Descend()
    {
        if (++_depth > DepthMax)
        {
            throw new InvalidDataException($"nested deeper than {DepthMax}");
        }
    }

    /// <summary>Comes back from it.</summary>
    public void Ascend() => _depth--;

    /// <summary>Writes a number; JSON has neither NaN nor infinities.</summary>
    public void Number(double number)
    {
        if (double.IsFinite(number))
        {
            Json.WriteNumberValue(number);
        }
        else
        {
            Json.WriteStringValue("NaN");
        }
    }

    /// <summary>Writes a time.</summary>
    /// <param name="count">Since 1970.</param>
    /// <param name="unitsPerSecond">How many a second has.</param>
    /// <param name="isLocal">Whether it says no offset.</param>
    /// <exception cref="InvalidDataException">No calendar has it.</exception>
    public void Time(long count, long unitsPerSecond, bool isLocal = false)
    {
        // Down, also before 1970: what is finer than 100 ns is left away.
        Int128 ticks = (Int128)count * TimeSpan.TicksPerSecond;
        ticks = ticks >= 0 || ticks % unitsPerSecond == 0 ? ticks / unitsPerSecond : (ticks / unitsPerSecond) - 1;
        ticks += DateTime.UnixEpoch.Ticks;

        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            throw new InvalidDataException($"{count}, expected a time of the years 1 to 9999 in 1/{unitsPerSecond} s");
        }

        Json.WriteStringValue(new DateTime((long)ticks, DateTimeKind.Unspecified).ToString(
            isLocal ? "yyyy-MM-ddTHH:mm:ss.FFFFFFF" : "yyyy-MM-ddTHH:mm:ss.FFFFFFF'Z'", System.Globalization.CultureInfo.InvariantCulture));
    }
}
