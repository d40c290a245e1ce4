using System.Buffers;
using System.IO.Hashing;
using StreamLstm.Daemon.Durability;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Where each stream's bytes stand in the snapshot that a round wrote, so that the next one copies those of streams that have not changed.</summary>
/// <remarks>
/// Copied and not referred to: each generation is whole by itself, and one that rots takes no other with it. R7: a copy whose
/// checksum is not that of what was written ends the round, and the next one encodes all.
/// </remarks>
/// <param name="round">The round.</param>
/// <param name="generation">The generation it writes.</param>
internal sealed class CarriedRows(long round, long generation)
{
    // By shard: those of the former round are let go of as the next one comes past them, so that of a million there are never two.
    private readonly Dictionary<int, Dictionary<string, (long Offset, int Length, ulong Hash)>> _shards = [];

    public long Round => round;

    /// <summary>How many streams were carried over, of this round.</summary>
    public int Carried { get; private set; }

    /// <summary>Writes a shard as it was cut.</summary>
    /// <param name="writer">The generation.</param>
    /// <param name="generations">Where the former one is.</param>
    /// <param name="shard">The shard's number.</param>
    /// <param name="cut">The shard.</param>
    /// <param name="former">The round that the cut carries over from.</param>
    /// <exception cref="InvalidDataException">What is carried over is not what was written.</exception>
    public void Write(GenerationWriter writer, Generations generations, int shard, ShardCut cut, CarriedRows? former)
    {
        var written = new Dictionary<string, (long Offset, int Length, ulong Hash)>(cut.Rows.Count, StringComparer.Ordinal);
        Dictionary<string, (long Offset, int Length, ulong Hash)>? before = null;
        former?._shards.Remove(shard, out before);
        using Stream? source = cut.Rows.Any(row => row.Buffer is null) && former is not null ? generations.OpenRows(former.Generation) : null;

        try
        {
            writer.Begin(Parts.Shard, shard);
            writer.Append(cut.Head.Span);

            foreach (CutRow row in cut.Rows)
            {
                if (row.Buffer is not null)
                {
                    Append(row.Stream, row.Buffer.AsSpan(0, row.Length));
                    continue;
                }

                (long offset, int length, ulong hash) = before![row.Stream];
                byte[] copy = ArrayPool<byte>.Shared.Rent(length);

                try
                {
                    source!.Position = offset;
                    source.ReadExactly(copy, 0, length);

                    if (XxHash3.HashToUInt64(copy.AsSpan(0, length)) != hash)
                    {
                        throw new InvalidDataException($"generation {former!.Generation}: stream {row.Stream} does not match its checksum, and is not carried over");
                    }

                    Append(row.Stream, copy.AsSpan(0, length));
                    Carried++;
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(copy);
                }
            }

            writer.End();
            _shards[shard] = written;
        }
        finally
        {
            foreach (CutRow row in cut.Rows)
            {
                if (row.Buffer is not null)
                {
                    ArrayPool<byte>.Shared.Return(row.Buffer);
                }
            }
        }

        void Append(string stream, ReadOnlySpan<byte> bytes)
        {
            written[stream] = (writer.Bytes, bytes.Length, XxHash3.HashToUInt64(bytes));
            writer.Append(bytes);
        }
    }

    private long Generation => generation;
}
