using System.Globalization;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Durability;

/// <summary>What a generation holds, and up to where in the journal: its presence makes the generation count.</summary>
/// <param name="Format">Of the files.</param>
/// <param name="Layout">Of the rows within them.</param>
/// <param name="Program">The version that wrote it.</param>
/// <param name="CreatedAt">When.</param>
/// <param name="RouterAt">The sequence up to which the router's part goes; what is behind it is routed again.</param>
/// <param name="Cuts">The sequence up to which each shard goes, by its number.</param>
/// <param name="End">The sequence up to which the parts behind the shards go: groups, books and what sinks were given.</param>
/// <param name="FileBytes">Length of the snapshot file.</param>
/// <param name="Sections">Where each part is in it.</param>
/// <param name="Positions">Up to where each source had been read.</param>
/// <param name="Sinks">Where each sink with a promise stood.</param>
internal sealed record Manifest(
    int Format,
    int Layout,
    string Program,
    DateTimeOffset CreatedAt,
    long RouterAt,
    IReadOnlyList<long> Cuts,
    long End,
    long FileBytes,
    IReadOnlyList<ManifestSection> Sections,
    IReadOnlyDictionary<string, string> Positions,
    IReadOnlyDictionary<string, string> Sinks)
{
    public const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Readable = new(EventJson.Options) { WriteIndented = true };

    /// <summary>Behind it the journal is read again.</summary>
    public long ReplayAfter => Math.Min(RouterAt, Cuts.Count == 0 ? long.MaxValue : Cuts.Min());

    /// <summary>JSON for people, and its checksum in a last line.</summary>
    public byte[] ToBytes(long generation)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this, Readable);
        return [.. json, (byte)'\n', .. Encoding.ASCII.GetBytes(Seal(json, generation))];
    }

    /// <exception cref="InvalidDataException">It is not what was written.</exception>
    public static Manifest Read(ReadOnlySpan<byte> bytes, long generation)
    {
        int end = bytes.LastIndexOf((byte)'\n');
        ReadOnlySpan<byte> json = end < 0 ? bytes : bytes[..end];

        if (end < 0 || !bytes[(end + 1)..].SequenceEqual(Encoding.ASCII.GetBytes(Seal(json, generation))))
        {
            throw new InvalidDataException("the checksum does not match: the manifest is damaged or incomplete");
        }

        return JsonSerializer.Deserialize<Manifest>(json, EventJson.Options) is { Format: CurrentFormat } manifest
            ? manifest
            : throw new InvalidDataException($"expected format {CurrentFormat}");
    }

    private static string Seal(ReadOnlySpan<byte> json, long generation) =>
        string.Create(CultureInfo.InvariantCulture, $"xxh3:{XxHash3.HashToUInt64(json, generation):x16}");
}

/// <summary>One part of a snapshot file.</summary>
/// <param name="Kind">What it is: shard, router, groups, books, model, live.</param>
/// <param name="Number">The shard's; 0 for others.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Hash">XXH3 of its bytes, seeded with its offset.</param>
internal sealed record ManifestSection(string Kind, int Number, long Offset, long Length, string Hash);
