using System.IO.Hashing;
using System.Text;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Durability;

/// <summary>What a snapshot brings back.</summary>
/// <param name="State">Every shard's bytes.</param>
/// <param name="Model">The base weights that were in service.</param>
internal sealed record Snapshot(RestoredState State, BaseModel Model);

/// <summary>Snapshots of all state: one checksummed file a generation, the last two kept.</summary>
/// <remarks>
/// Written to a temporary name, fsynced, renamed, the directory fsynced: a kill at any instant leaves the last whole one.
/// Between two snapshots a kill forgets what was learnt since, at most one interval; journals that forget nothing are
/// a later step. Layout: magic, layout number, model version, weights, then per shard its number, length, XXH3, bytes;
/// then, where a version that groups has written it, what it knows of groups; at the end XXH3 of all before it.
/// </remarks>
internal sealed class SnapshotStore(StorageDirectory storage, ILogger<SnapshotStore> logger)
{
    private const ulong Magic = 0x314D545354534C53; // "SLSTSTM1"

    /// <summary>Changes whenever a row's layout does: another layout is set aside, never misread.</summary>
    private const int Layout = 21;

    private string Current => storage.FileIn("snapshot.sls");

    private string Previous => storage.FileIn("snapshot.1.sls");

    /// <summary>Writes a generation; the former one stays as the previous.</summary>
    /// <param name="model">The base weights in service.</param>
    /// <param name="shards">Each shard's bytes.</param>
    /// <param name="groups">Those of the grouping stage.</param>
    /// <returns>Its size in bytes.</returns>
    /// <exception cref="IOException">The disk is full or fails; the former generations are untouched.</exception>
    public long Write(BaseModel model, IReadOnlyList<(int Shard, byte[] State)> shards, ReadOnlySpan<byte> groups = default)
    {
        string temporary = storage.FileIn("snapshot.tmp");
        long size;

        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16))
        {
            var hash = new XxHash3();
            using var buffer = new MemoryStream();
            using (var writer = new BinaryWriter(buffer, Encoding.UTF8, leaveOpen: true))
            {
                writer.Write(Magic);
                writer.Write(Layout);
                writer.Write(model.Version);
                using var weights = new MemoryStream();
                WeightsFile.Write(weights, model.Weights, new Dictionary<string, string>());
                writer.Write((int)weights.Length);
                writer.Write(weights.GetBuffer().AsSpan(0, (int)weights.Length));
                writer.Write(shards.Count);
            }

            Append(file, hash, buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
            Span<byte> head = stackalloc byte[16];

            foreach ((int shard, byte[] state) in shards)
            {
                BitConverter.TryWriteBytes(head, shard);
                BitConverter.TryWriteBytes(head[4..], state.Length);
                BitConverter.TryWriteBytes(head[8..], XxHash3.HashToUInt64(state));
                Append(file, hash, head);
                Append(file, hash, state);
            }

            BitConverter.TryWriteBytes(head, groups.Length);
            Append(file, hash, head[..4]);
            Append(file, hash, groups);
            BitConverter.TryWriteBytes(head, hash.GetCurrentHashAsUInt64());
            file.Write(head[..8]);
            file.Flush(flushToDisk: true);
            size = file.Length;
        }

        if (File.Exists(Current))
        {
            File.Move(Current, Previous, overwrite: true);
        }

        File.Move(temporary, Current);
        StorageDirectory.Sync(storage.Path);
        return size;

        static void Append(FileStream file, XxHash3 hash, ReadOnlySpan<byte> bytes)
        {
            hash.Append(bytes);
            file.Write(bytes);
        }
    }

    /// <summary>The newest generation that is whole; null at a first start, and after a change of layout.</summary>
    /// <exception cref="StorageException">There are snapshots, and none can be read: the daemon does not quietly start from nothing.</exception>
    public Snapshot? Read()
    {
        string[] generations = [.. new[] { Current, Previous }.Where(File.Exists)];
        List<string> reasons = [];

        foreach (string generation in generations)
        {
            try
            {
                return Read(File.ReadAllBytes(generation));
            }
            catch (OtherLayoutException other)
            {
                string aside = $"{generation}.layout{other.Found}";
                File.Move(generation, aside, overwrite: true);
                LogMessages.SnapshotOtherLayout(logger, generation, other.Found, Layout, aside);
            }
            catch (Exception unreadable) when (unreadable is IOException or InvalidDataException or ArgumentException or OverflowException)
            {
                reasons.Add($"{generation}: {unreadable.Message}");
                LogMessages.SnapshotUnreadable(logger, generation, unreadable.Message);
            }
        }

        return reasons.Count == 0
            ? null
            : throw new StorageException(
                $"no snapshot can be read ({string.Join("; ", reasons)}); restore one from a backup, or move them away to let every stream learn anew");
    }

    private static Snapshot Read(byte[] bytes)
    {
        if (bytes.Length < 32)
        {
            throw new InvalidDataException($"{bytes.Length} bytes, expected at least 32");
        }

        using var reader = new BinaryReader(new MemoryStream(bytes, 0, bytes.Length - 8, writable: false));

        if (reader.ReadUInt64() != Magic)
        {
            throw new InvalidDataException("not a snapshot: the first eight bytes are wrong");
        }

        int layout = reader.ReadInt32();

        if (layout != Layout)
        {
            throw new OtherLayoutException(layout);
        }

        if (XxHash3.HashToUInt64(bytes.AsSpan(0, bytes.Length - 8)) != BitConverter.ToUInt64(bytes, bytes.Length - 8))
        {
            throw new InvalidDataException("the checksum does not match: the file is damaged or incomplete");
        }

        long version = reader.ReadInt64();
        using var weightBytes = new MemoryStream(reader.ReadBytes(reader.ReadInt32()), writable: false);
        ForecastWeights weights = WeightsFile.Read(weightBytes, out _);

        if (weights.Shape != BaseModel.Shape)
        {
            throw new InvalidDataException($"weights of shape {weights.Shape}, expected {BaseModel.Shape}");
        }

        var shards = new Dictionary<int, byte[]>();

        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            int shard = reader.ReadInt32();
            int length = reader.ReadInt32();
            ulong hash = reader.ReadUInt64();
            byte[] state = reader.ReadBytes(length);

            if (XxHash3.HashToUInt64(state) != hash)
            {
                throw new InvalidDataException($"shard {shard}: the checksum does not match");
            }

            shards.Add(shard, state);
        }

        byte[] groups = reader.BaseStream.Position < reader.BaseStream.Length ? reader.ReadBytes(reader.ReadInt32()) : [];
        return new Snapshot(new RestoredState(shards) { Groups = groups }, new BaseModel(version, weights));
    }

    private sealed class OtherLayoutException(int found) : Exception
    {
        public int Found { get; } = found;
    }
}
