using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using StreamLstm.Daemon.Kafka;
using StreamLstm.Decoding.Schemas;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Schemas that records name by id, in the layout of Confluent's serializers: a byte 0, the id as four bytes, and the record.</summary>
/// <remarks>
/// An id is never given to another schema, so what was once found is kept. An id that the registry does not know is the record's fault: it is
/// a dead letter, and stops nothing. A registry that does not answer is not: <see cref="LoadAsync"/> ends once it does, and whoever
/// reads waits. One for all partitions of a source, on any thread.
/// </remarks>
internal sealed class KafkaSchemas : IDisposable
{
    private const byte Magic = 0;
    private const int HeadBytes = 5;
    private const int KeptMax = 1_000;

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    /// <summary>After which it is asked again for an id that there was not.</summary>
    private static readonly TimeSpan UnknownKept = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private Dictionary<int, Known> _known = [];
    private Dictionary<int, Known> _former = [];   // those before them: what is used is never let go of
    private readonly Dictionary<int, Task> _loading = [];
    private readonly SchemaRegistry? _registry;
    private readonly string _type;
    private readonly string _key;
    private readonly TimeProvider _time;
    private volatile string? _trouble;

    /// <param name="options">The source's.</param>
    /// <param name="key">The key of its options, for what is told.</param>
    /// <param name="time">For waiting.</param>
    /// <exception cref="SchemaRegistryTroubleException">A file of its certificates cannot be read.</exception>
    public KafkaSchemas(KafkaSourceOptions options, string key, TimeProvider time)
    {
        (_key, _time) = (key, time);
        _type = options.Format switch
        {
            KafkaFormat.Avro => "AVRO",
            KafkaFormat.Protobuf => "PROTOBUF",
            _ => "JSON",
        };

        // JSON says itself how it is laid out.
        _registry = _type == "JSON" ? null : new SchemaRegistry(options.SchemaRegistry, $"{key}.schema_registry");
    }

    /// <summary>Why the registry is waited for; null where it is not.</summary>
    public string? Trouble => _trouble;

    /// <summary>Whether records of this format name their schemas.</summary>
    public static bool AreNamedBy(KafkaFormat format) => format is KafkaFormat.Avro or KafkaFormat.JsonSchema or KafkaFormat.Protobuf;

    /// <summary>Whether a key or value begins as one that names its schema does.</summary>
    public static bool IsNamed(ReadOnlySpan<byte> bytes) => bytes.Length >= HeadBytes && bytes[0] == Magic;

    /// <summary>Whether all is known that reading a record takes.</summary>
    public bool Has(KafkaRecord record) => Missing(record) is null;

    /// <summary>Asks for what reading a record takes, for as long as it takes.</summary>
    public async Task LoadAsync(KafkaRecord record, CancellationToken cancellationToken)
    {
        while (Missing(record) is { } id)
        {
            Task loading;

            lock (_lock)
            {
                if (!_loading.TryGetValue(id, out loading!) || loading.IsCompleted)
                {
                    _loading[id] = loading = FindAsync(id, cancellationToken);
                }
            }

            // Whoever asked for it first may have been told to end.
            await loading.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Writes a key or value as JSON.</summary>
    /// <param name="bytes">As it came.</param>
    /// <param name="to">Gets the JSON.</param>
    /// <exception cref="InvalidDataException">It names no schema, or one that is not there, or is not laid out so.</exception>
    public void Write(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> to)
    {
        if (!IsNamed(bytes))
        {
            throw new InvalidDataException(bytes.Length < HeadBytes
                ? $"{bytes.Length} bytes, expected a byte 0, a schema's id of four bytes, and the record ({_key}.format)"
                : $"first byte {bytes[0]}, expected 0 before a schema's id: what was not written with a Schema Registry's serializer has another format ({_key}.format)");
        }

        int id = IdOf(bytes);

        if (_registry is null)
        {
            to.Write(bytes[HeadBytes..]);
            return;
        }

        Known? known;

        lock (_lock)
        {
            known = KnownOf(id);
        }

        if (known?.Schema is not { } schema)
        {
            throw new InvalidDataException($"schema {id}: {known?.Wrong ?? "it was not asked for"}");
        }

        using var json = new Utf8JsonWriter(to, new JsonWriterOptions { SkipValidation = true });

        try
        {
            schema.Write(bytes[HeadBytes..], json);
        }
        catch (InvalidDataException wrong)
        {
            throw new InvalidDataException($"schema {id}: {wrong.Message}", wrong);
        }
    }

    public void Dispose() => _registry?.Dispose();

    private static int IdOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32BigEndian(bytes[1..]);

    /// <summary>The first schema that is missing to read a record; null where none is.</summary>
    private int? Missing(KafkaRecord record)
    {
        if (_registry is null)
        {
            return null;
        }

        lock (_lock)
        {
            return MissingOf(record.Value) ?? MissingOf(record.Key);
        }

        int? MissingOf(byte[]? bytes) => IsNamed(bytes) && !IsKnown(IdOf(bytes)) ? IdOf(bytes) : null;
    }

    private bool IsKnown(int id) => KnownOf(id) is { } known && (known.Schema is not null || _time.GetElapsedTime(known.At) < UnknownKept);

    private Known? KnownOf(int id)
    {
        if (!_known.TryGetValue(id, out Known? known) && _former.Remove(id, out known))
        {
            Keep(id, known);
        }

        return known;
    }

    private void Keep(int id, Known known)
    {
        if (_known.Count >= KeptMax)
        {
            (_former, _known) = (_known, []);
        }

        _known[id] = known;
    }

    private async Task FindAsync(int id, CancellationToken cancellationToken)
    {
        for (TimeSpan wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            try
            {
                Known known = await AskAsync(id, cancellationToken);
                _trouble = null;

                lock (_lock)
                {
                    Keep(id, known);
                    _loading.Remove(id);
                }

                return;
            }
            catch (SchemaRegistryTroubleException trouble)
            {
                _trouble = trouble.Message;
            }

            try
            {
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble()), _time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Nobody waits any more.
                _trouble = null;
                throw;
            }
        }
    }

    private async Task<Known> AskAsync(int id, CancellationToken cancellationToken)
    {
        try
        {
            return await _registry!.FindAsync(id, cancellationToken) switch
            {
                null => Unknown("the registry has no schema of that id"),
                { } schema when schema.Type != _type => Unknown($"it is of type {schema.Type}, expected {_type} ({_key}.format)"),
                { } schema => new Known(RecordSchema.Parse(schema), null, 0),
            };
        }
        catch (InvalidDataException wrong)
        {
            return Unknown(wrong.Message);
        }

        Known Unknown(string wrong) => new(null, wrong, _time.GetTimestamp());
    }

    /// <summary>What is known of an id: its schema, or why it has none.</summary>
    private sealed record Known(RecordSchema? Schema, string? Wrong, long At);
}
