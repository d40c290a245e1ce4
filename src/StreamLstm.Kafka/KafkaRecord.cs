using System.Text;
using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>What a reader hears of a partition, in the partition's order.</summary>
internal enum KafkaReadKind
{
    /// <summary>A record that was written for good.</summary>
    Record,

    /// <summary>There is nothing more at present: behind the last record stand only marks of transactions and what was taken back.</summary>
    End,

    /// <summary>What should come next is not there: it was deleted, or the partition ends before it. It is not read any further.</summary>
    OutOfRange,

    /// <summary>The brokers refuse to let it be read, and say why once.</summary>
    Refused,
}

/// <summary>A record, or what a reader hears instead.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Partition">Of which partition.</param>
/// <param name="Offset">The record's; of the others the one that would come next.</param>
internal sealed record KafkaRecord(KafkaReadKind Kind, KafkaPartition Partition, long Offset)
{
    /// <summary>The record's key; null where it has none.</summary>
    public byte[]? Key { get; init; }

    /// <summary>What it says; null where it says that its key is no more.</summary>
    public byte[]? Value { get; init; }

    /// <summary>The term of the leader that wrote it; -1 where that is not known.</summary>
    public int LeaderEpoch { get; init; } = -1;

    /// <summary>When it was written, by its producer or its broker, in milliseconds of Unix time; -1 where that is not known.</summary>
    public long Timestamp { get; init; } = -1;

    /// <summary>What it holds of the memory that a reader may hold.</summary>
    internal int Bytes => 100 + (Key?.Length ?? 0) + (Value?.Length ?? 0);

    /// <summary>Why it is refused.</summary>
    public KafkaTrouble? Trouble { get; init; }

    internal Headers? Headers { get; init; }

    /// <summary>Names and values of its headers, in their order.</summary>
    public IReadOnlyList<(string Name, byte[]? Value)> AllHeaders() => Headers is null ? [] : [.. Headers.Select(header => (header.Key, header.GetValueBytes()))];

    /// <summary>The last header of that name as text; null where there is none.</summary>
    public string? Header(string name) =>
        Headers is not null && Headers.TryGetLastBytes(name, out byte[] value) && value is not null ? Encoding.UTF8.GetString(value) : null;
}

/// <summary>Where reading a partition begins.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The first offset that is wanted.</param>
/// <param name="LeaderEpoch">The term of the leader that wrote the record before it, by which a log that was cut is noticed; -1 where it is not known.</param>
internal readonly record struct KafkaStart(KafkaPartition Partition, long Offset, int LeaderEpoch = -1);
