using System.Globalization;
using System.Numerics;
using System.Text;
using Avro;
using AvroLogicalSchema = Avro.LogicalSchema;

namespace StreamLstm.Decoding.Schemas;

/// <summary>Records of Avro's binary encoding (avro.apache.org, specification), read by the schema they were written with.</summary>
/// <remarks>
/// The library reads schemas; records are read here, as its decoder makes room for whatever a length claims: five bytes of a record gone
/// wrong would be two gigabytes.
/// </remarks>
internal sealed class AvroRecordSchema : RecordSchema
{
    private const int DecimalMaxBytes = 64;

    private readonly Schema _schema;

    private AvroRecordSchema(Schema schema) => _schema = schema;

    /// <exception cref="InvalidDataException">It is no schema of Avro.</exception>
    public static new AvroRecordSchema Parse(SchemaText schema)
    {
        try
        {
            var names = new SchemaNames();

            foreach ((_, string text) in schema.References)
            {
                if (Schema.Parse(text, names) is NamedSchema named)
                {
                    names.Add(named);
                }
            }

            return new AvroRecordSchema(Schema.Parse(schema.Text, names));
        }
#pragma warning disable CA1031 // the library throws what it likes for what is no schema
        catch (Exception none) when (none is not InvalidDataException)
#pragma warning restore CA1031
        {
            throw new InvalidDataException($"no schema of Avro: {none.Message}", none);
        }
    }

    protected override void Write(ReadOnlySpan<byte> record, SchemaWalk walk)
    {
        var reader = new AvroReader(record);
        Value(_schema, ref reader, walk);

        if (reader.Left > 0)
        {
            throw new InvalidDataException($"{reader.Left} bytes behind the record: it was not written with this schema");
        }
    }

    private static void Value(Schema schema, ref AvroReader reader, SchemaWalk walk)
    {
        walk.Count();

        switch (schema.Tag)
        {
            case Schema.Type.Null:
                walk.Json.WriteNullValue();
                break;
            case Schema.Type.Boolean:
                walk.Json.WriteBooleanValue(reader.Byte() switch
                {
                    0 => false,
                    1 => true,
                    byte other => throw new InvalidDataException($"{other}, expected 0 or 1 for a boolean"),
                });
                break;
            case Schema.Type.Int or Schema.Type.Long:
                walk.Json.WriteNumberValue(reader.Long());
                break;
            case Schema.Type.Float:
                float single = BitConverter.ToSingle(reader.Bytes(sizeof(float)));

                // As it is written, not with the digits that a double would have.
                if (float.IsFinite(single))
                {
                    walk.Json.WriteNumberValue(single);
                }
                else
                {
                    walk.Number(single);
                }

                break;
            case Schema.Type.Double:
                walk.Number(BitConverter.ToDouble(reader.Bytes(sizeof(double))));
                break;
            case Schema.Type.String:
                walk.Json.WriteStringValue(Encoding.UTF8.GetString(reader.Counted()));
                break;
            case Schema.Type.Bytes:
                walk.Json.WriteBase64StringValue(reader.Counted());
                break;
            case Schema.Type.Fixed:
                walk.Json.WriteBase64StringValue(reader.Bytes(((FixedSchema)schema).Size));
                break;
            case Schema.Type.Enumeration:
                var symbols = (EnumSchema)schema;
                walk.Json.WriteStringValue(symbols[reader.Index(symbols.Count, "a symbol")]);
                break;
            case Schema.Type.Union:
                var union = (UnionSchema)schema;
                Value(union[reader.Index(union.Count, "a branch of a union")], ref reader, walk);
                break;
            case Schema.Type.Logical:
                Logical((AvroLogicalSchema)schema, ref reader, walk);
                break;
            case Schema.Type.Record or Schema.Type.Error:
                Record((Avro.RecordSchema)schema, ref reader, walk);
                break;
            case Schema.Type.Array:
                walk.Descend();
                walk.Json.WriteStartArray();
                Schema item = ((ArraySchema)schema).ItemSchema;

                for (long count = reader.BlockCount(); count > 0; count = reader.BlockCount())
                {
                    for (; count > 0; count--)
                    {
                        Value(item, ref reader, walk);
                    }
                }

                walk.Json.WriteEndArray();
                walk.Ascend();
                break;
            case Schema.Type.Map:
                walk.Descend();
                walk.Json.WriteStartObject();
                Schema value = ((MapSchema)schema).ValueSchema;

                for (long count = reader.BlockCount(); count > 0; count = reader.BlockCount())
                {
                    for (; count > 0; count--)
                    {
                        Field(Encoding.UTF8.GetString(reader.Counted()), value, ref reader, walk);
                    }
                }

                walk.Json.WriteEndObject();
                walk.Ascend();
                break;
            default:
                throw new InvalidDataException($"type {schema.Tag}, which is none of a record's");
        }
    }

    private static void Record(Avro.RecordSchema schema, ref AvroReader reader, SchemaWalk walk)
    {
        walk.Descend();
        walk.Json.WriteStartObject();

        foreach (Field field in schema.Fields)
        {
            Field(field.Name, field.Schema, ref reader, walk);
        }

        walk.Json.WriteEndObject();
        walk.Ascend();
    }

    private static void Field(string name, Schema schema, ref AvroReader reader, SchemaWalk walk)
    {
        walk.Json.WritePropertyName(name);
        walk.Enter(name);
        Value(schema, ref reader, walk);
        walk.Leave();
    }

    private static void Logical(AvroLogicalSchema schema, ref AvroReader reader, SchemaWalk walk)
    {
        switch (schema.LogicalTypeName, schema.BaseSchema.Tag)
        {
            case ("timestamp-millis", Schema.Type.Long):
                walk.Time(reader.Long(), 1_000);
                break;
            case ("timestamp-micros", Schema.Type.Long):
                walk.Time(reader.Long(), 1_000_000);
                break;
            case ("timestamp-nanos", Schema.Type.Long):
                walk.Time(reader.Long(), 1_000_000_000);
                break;
            case ("local-timestamp-millis", Schema.Type.Long):
                walk.Time(reader.Long(), 1_000, isLocal: true);
                break;
            case ("local-timestamp-micros", Schema.Type.Long):
                walk.Time(reader.Long(), 1_000_000, isLocal: true);
                break;
            case ("local-timestamp-nanos", Schema.Type.Long):
                walk.Time(reader.Long(), 1_000_000_000, isLocal: true);
                break;
            case ("date", Schema.Type.Int):
                walk.Json.WriteStringValue(DateOf(reader.Long()));
                break;
            case ("time-millis", Schema.Type.Int):
                walk.Json.WriteStringValue(TimeSpan.FromTicks(reader.Long() % 86_400_000 * TimeSpan.TicksPerMillisecond).ToString("c", CultureInfo.InvariantCulture));
                break;
            case ("time-micros", Schema.Type.Long):
                walk.Json.WriteStringValue(TimeSpan.FromTicks(reader.Long() % 86_400_000_000 * TimeSpan.TicksPerMicrosecond).ToString("c", CultureInfo.InvariantCulture));
                break;
            case ("decimal", Schema.Type.Bytes):
                walk.Json.WriteRawValue(DecimalOf(reader.Counted(), ScaleOf(schema)), skipInputValidation: true);
                break;
            case ("decimal", Schema.Type.Fixed):
                walk.Json.WriteRawValue(DecimalOf(reader.Bytes(((FixedSchema)schema.BaseSchema).Size), ScaleOf(schema)), skipInputValidation: true);
                break;
            default:
                Value(schema.BaseSchema, ref reader, walk);
                break;
        }
    }

    private static string DateOf(long days) => days is >= -719_162 and <= 2_932_896
        ? DateOnly.FromDayNumber((int)(days + 719_162)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
        : throw new InvalidDataException($"{days}, expected days since 1970 of the years 1 to 9999");

    private static int ScaleOf(AvroLogicalSchema schema) =>
        int.TryParse(schema.GetProperty("scale"), NumberStyles.None, CultureInfo.InvariantCulture, out int scale) && scale <= 1_000 ? scale : 0;

    private static string DecimalOf(ReadOnlySpan<byte> unscaled, int scale) => unscaled.Length <= DecimalMaxBytes
        ? $"{new BigInteger(unscaled, isBigEndian: true).ToString(CultureInfo.InvariantCulture)}E-{scale.ToString(CultureInfo.InvariantCulture)}"
        : throw new InvalidDataException($"a decimal of {unscaled.Length} bytes, expected at most {DecimalMaxBytes}");

    /// <summary>Reads what a record is made of; no length is believed beyond the bytes that are there.</summary>
    private ref struct AvroReader(ReadOnlySpan<byte> record)
    {
        private ReadOnlySpan<byte> _rest = record;

        public readonly int Left => _rest.Length;

        public byte Byte() => Bytes(1)[0];

        public ReadOnlySpan<byte> Bytes(long count)
        {
            if (count < 0 || count > _rest.Length)
            {
                throw new InvalidDataException($"{count} bytes, of which {_rest.Length} are there");
            }

            ReadOnlySpan<byte> taken = _rest[..(int)count];
            _rest = _rest[(int)count..];
            return taken;
        }

        /// <summary>Bytes behind how many they are.</summary>
        public ReadOnlySpan<byte> Counted() => Bytes(Long());

        /// <summary>A number of variable length, zigzag.</summary>
        public long Long()
        {
            ulong value = 0;

            for (int i = 0; i < 10 && i < _rest.Length; i++)
            {
                value |= (ulong)(_rest[i] & 127) << (7 * i);

                if ((_rest[i] & 128) == 0)
                {
                    _rest = _rest[(i + 1)..];
                    return (long)(value >> 1) ^ -(long)(value & 1);
                }
            }

            throw new InvalidDataException("a number ends within itself");
        }

        public int Index(int count, string what)
        {
            long index = Long();
            return index >= 0 && index < count ? (int)index : throw new InvalidDataException($"{index}, expected {what}, 0 to {count - 1}");
        }

        /// <summary>How many items come next; 0 at the end. Below 0 their size in bytes follows, which nobody needs.</summary>
        public long BlockCount()
        {
            long count = Long();

            if (count < 0)
            {
                Long();
                count = count == long.MinValue ? long.MaxValue : -count;
            }

            return count;
        }
    }
}
