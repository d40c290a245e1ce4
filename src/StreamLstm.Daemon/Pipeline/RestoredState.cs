using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>What a former life left: each shard up to a place of its own in the journal, the rest around them.</summary>
internal sealed record RestoredState
{
    /// <summary>The sequence up to which the router's part goes.</summary>
    public required long RouterAt { get; init; }

    /// <summary>The sequence up to which each shard goes.</summary>
    public required IReadOnlyList<long> Cuts { get; init; }

    /// <summary>The sequence up to which groups, books and sinks go.</summary>
    public required long End { get; init; }

    /// <summary>A shard's bytes; null where there are none.</summary>
    public Func<int, byte[]?> Shard { get; init; } = _ => null;

    /// <summary>The router's; empty where there are none.</summary>
    public byte[] Router { get; init; } = [];

    /// <summary>The grouping's; empty where there are none.</summary>
    public byte[] Groups { get; init; } = [];

    public Books Books { get; init; } = new();

    /// <summary>What requests with a key were answered; empty where there were none.</summary>
    public byte[] Receipts { get; init; } = [];

    /// <summary>Where each sink with a promise stood.</summary>
    public IReadOnlyDictionary<string, string> Sinks { get; init; } = new Dictionary<string, string>();

    /// <summary>The base weights that were in service; null for those to start with.</summary>
    public BaseModel? Model { get; init; }

    /// <summary>The journal is read again from behind this sequence.</summary>
    public long ReplayAfter => Math.Min(RouterAt, Cuts.Min());

    /// <summary>What the streams it holds are counted for, in bytes.</summary>
    public long StreamBytes(DetectionOptions detection)
    {
        if (Router.Length == 0)
        {
            return 0;
        }

        var places = new StreamPlaces(detection, new StreamLimits(0, 0, 0, TimeSpan.Zero));
        using var reader = new BinaryReader(new MemoryStream(Router, writable: false), System.Text.Encoding.UTF8);
        places.Load(reader);
        return places.Bytes;
    }

    /// <summary>A first start: nothing was learnt up to the journal's beginning.</summary>
    public static RestoredState Nothing(long nextSequence) => new()
    {
        RouterAt = nextSequence - 1,
        Cuts = [.. Enumerable.Repeat(nextSequence - 1, StreamRouter.ShardCount)],
        End = nextSequence - 1,
    };

    /// <summary>A generation's content; of one whose rows have another layout all but them: books, positions, sinks.</summary>
    /// <exception cref="InvalidDataException">It is not what this program writes.</exception>
    public static RestoredState Of(Generation generation)
    {
        Manifest manifest = generation.Manifest;
        var around = new RestoredState
        {
            RouterAt = manifest.End,
            Cuts = [.. Enumerable.Repeat(manifest.End, StreamRouter.ShardCount)],
            End = manifest.End,
            Books = Books.Read(generation.Read(Parts.Books) ?? throw new InvalidDataException("no books")),
            Receipts = generation.Read(Parts.Receipts) ?? [],
            Sinks = manifest.Sinks,
        };

        if (manifest.Layout != Generations.Layout)
        {
            return around;
        }

        BaseModel model = ModelBytes.Read(generation.Read(Parts.Model) ?? throw new InvalidDataException("no base weights"));

        if (manifest.Cuts.Count != StreamRouter.ShardCount)
        {
            throw new InvalidDataException($"{manifest.Cuts.Count} shards, expected {StreamRouter.ShardCount}");
        }

        return around with
        {
            RouterAt = manifest.RouterAt,
            Cuts = manifest.Cuts,
            Shard = shard => generation.Read(Parts.Shard, shard),
            Router = generation.Read(Parts.Router) ?? [],
            Groups = generation.Read(Parts.Groups) ?? [],
            Model = model,
        };
    }

    /// <summary>The shard as it was, or an empty one.</summary>
    public DetectionShard NewShard(
        int number, DetectionOptions options, BaseModel model, DetectionScratch scratch)
    {
        // Who has a place is the router's to say, see StreamPlaces.
        var shard = new DetectionShard(options, new StreamQuota(int.MaxValue, int.MaxValue), number, StreamRouter.ShardCount, scratch);

        if (Shard(number) is { } state)
        {
            using var reader = new BinaryReader(new MemoryStream(state, writable: false));
            shard.Load(reader, model);
        }

        return shard;
    }
}

/// <summary>What the parts of a snapshot are called.</summary>
internal static class Parts
{
    public const string Shard = "shard";
    public const string Router = "router";
    public const string Groups = "groups";
    public const string Books = "books";
    public const string Receipts = "receipts";
    public const string Model = "model";
}
