using System.Buffers;
using System.Runtime.CompilerServices;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection;

/// <summary>A cut holds a shard as it was, whatever happens to it while its bytes are taken.</summary>
public sealed class ShardCutTests
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DetectionShard _shard = NewShard();
    private readonly ShardOutput _output = new();
    private int _row;

    [Fact]
    public void Streams_that_change_while_their_shard_is_cut_are_in_it_as_they_were()
    {
        Feed(150, "a", "b", "c");
        byte[] whole = Saved(_shard);
        ShardCut cut = _shard.Cut(1, carriedFrom: 0);
        cut.TakeNext();
        Feed(40, "b", "c", "new");
        _shard.Forget("c", "asked", _output);
        _shard.Tick(Start, TimeSpan.FromSeconds(1), _output);

        while (!cut.IsDone)
        {
            cut.TakeNext();
        }

        Assert.Equal(whole, Saved(Loaded(cut)));
    }

    [Fact]
    public void A_stream_is_carried_over_only_while_its_bytes_are_what_they_were()
    {
        Feed(700, "a", "b");
        Dictionary<string, byte[]> former = Taken(_shard.Cut(1, carriedFrom: 0), []);
        long round = 1;

        // Whatever can change a stream, alone.
        (string What, Action Do)[] changes =
        [
            ("nothing", () => { }),
            ("an observation", () => Feed(1, "a")),
            ("a refused observation", () => _shard.Apply([new Observation("a", Start, 1)], Start, BaseModel.Pretrained, _output, NoneBegin)),
            ("an accepted level", () => _shard.Accept("a", _output)),
            ("a label", () => _shard.Label("a", "0123456789abcdef-12-o", StreamLstm.Detection.Deciding.IncidentLabel.Real, Start, _output)),
            ("silence", () => _shard.Tick(Start.AddHours(9), TimeSpan.FromHours(9), _output)),
        ];

        foreach ((string what, Action change) in changes)
        {
            change();
            ShardCut cut = _shard.Cut(++round, carriedFrom: round - 1);
            former = Taken(cut, former);
            Assert.True(Saved(_shard).AsSpan().SequenceEqual(Joined(cut.Head, former)), $"after {what} a stale stream was carried over");
        }

        Assert.Contains(_output.Incidents, incident => incident.Stream == "b");
    }

    [Fact]
    public void A_stream_that_has_not_changed_is_not_encoded_again()
    {
        Feed(100, "a", "b", "c");
        Taken(_shard.Cut(1, carriedFrom: 0), []);
        Feed(1, "b");
        ShardCut cut = _shard.Cut(2, carriedFrom: 1);

        while (!cut.IsDone)
        {
            cut.TakeNext();
        }

        Assert.Equal(["a", "c"], cut.Rows.Where(row => row.Buffer is null).Select(row => row.Stream).Order());

        // Of a round that failed nothing is at hand.
        Assert.All(Rows(_shard.Cut(3, carriedFrom: 1)), row => Assert.NotNull(row.Buffer));
    }

    [Fact]
    public void Of_a_cut_that_is_whole_the_shard_keeps_nothing()
    {
        Feed(3, "a", "b");
        WeakReference cut = WholeCut(_shard);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Assert.False(cut.IsAlive);
        Assert.Equal(2, _shard.Rows.Count);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference WholeCut(DetectionShard shard)
        {
            ShardCut cut = shard.Cut(1, carriedFrom: 0);

            while (!cut.IsDone)
            {
                cut.TakeNext();
            }

            return new WeakReference(cut);
        }
    }

    private static readonly Dictionary<string, StreamBirth> NoneBegin = [];

    private static DetectionShard NewShard() => new(new DetectionOptions(), new StreamQuota(10, 2), 0, 1, new DetectionScratch());

    private void Feed(int rows, params string[] streams)
    {
        for (int i = 0; i < rows; i++, _row++)
        {
            foreach (string stream in streams)
            {
                DateTimeOffset time = Start.AddSeconds(_row);
                _shard.Apply([new Observation(stream, time, 20 + 5 * Math.Sin(_row / 8.0) + _row % 3)], time, BaseModel.Pretrained, _output);
            }
        }
    }

    private static IReadOnlyList<CutRow> Rows(ShardCut cut)
    {
        while (!cut.IsDone)
        {
            cut.TakeNext();
        }

        return cut.Rows;
    }

    private static Dictionary<string, byte[]> Taken(ShardCut cut, Dictionary<string, byte[]> former)
    {
        Dictionary<string, byte[]> taken = [];

        foreach (CutRow row in Rows(cut))
        {
            taken[row.Stream] = row.Buffer is null ? former[row.Stream] : row.Buffer[..row.Length];

            if (row.Buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(row.Buffer);
            }
        }

        return taken;
    }

    private static byte[] Joined(ReadOnlyMemory<byte> head, Dictionary<string, byte[]> rows) =>
        [.. head.Span, .. rows.OrderBy(row => row.Key, StringComparer.Ordinal).SelectMany(row => row.Value)];

    private static DetectionShard Loaded(ShardCut cut)
    {
        DetectionShard shard = NewShard();
        shard.Load(new BinaryReader(new MemoryStream(Joined(cut.Head, Taken(cut, [])))), BaseModel.Pretrained);
        return shard;
    }

    private static byte[] Saved(DetectionShard shard)
    {
        using var buffer = new MemoryStream();
        shard.Save(new BinaryWriter(buffer));
        return buffer.ToArray();
    }
}
