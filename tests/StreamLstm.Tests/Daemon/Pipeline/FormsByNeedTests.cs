using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Pipeline;

/// <summary>Which form a stream has where that follows from need, by the journal alone.</summary>
public sealed class FormsByNeedTests
{
    private const long Bytes = 4L << 20;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_small_fleet_is_full_and_what_comes_beyond_half_of_the_bytes_is_smaller()
    {
        StreamPlaces places = NewPlaces(Bytes);
        StreamForm[] born = [.. Enumerable.Range(0, 400).Select(i => places.Route(Value($"s{i}"))!.Value.Form)];

        Assert.Equal(born.Order(), born);
        Assert.Equal(3, born.Distinct().Count());
        int full = born.Count(form => form == StreamForm.Full);
        Assert.InRange(full * SizeOf(StreamForm.Full, 1), Bytes / 2 - SizeOf(StreamForm.Full, 1), Bytes / 2);
        Assert.Equal([full, born.Count(form => form == StreamForm.Lean), born.Count(form => form == StreamForm.Shared)], places.ByForm);
    }

    [Fact]
    public void A_newcomer_is_refused_only_where_all_are_as_small_as_they_can_be()
    {
        StreamPlaces places = NewPlaces(Bytes);
        int taken = 0;

        while (places.Route(Value($"s{taken}")) is not null)
        {
            Assert.True(places.Bytes <= Bytes);
            taken++;
        }

        Assert.Equal([0, 0, taken], places.ByForm);
        Assert.Equal(Bytes / SizeOf(StreamForm.Shared, 1), taken);
    }

    [Fact]
    public void Streams_that_outgrow_the_bytes_become_smaller_the_least_active_first_and_none_is_forgotten()
    {
        StreamPlaces places = NewPlaces(Bytes);

        for (int i = 0; i < 40; i++)
        {
            places.Route(Value($"s{i}"));
        }

        Route(places, 4_000, "s0", "s1");
        Route(places, 1_000, [.. Enumerable.Range(2, 30).Select(i => $"s{i}")]);

        // At the observation that outgrows them, and not only when time goes on.
        Assert.InRange(places.Bytes, 0, Bytes);
        Assert.Empty(places.Tick(Second));

        IReadOnlyList<ResizedStream> resized = places.TakeResized();
        Assert.Empty(places.TakeResized());
        Assert.DoesNotContain(resized, one => one.Stream is "s0" or "s1" && one.Form == StreamForm.Shared);
        Assert.InRange(places.Bytes, 0, (long)(FormRules.TightShare * Bytes));
        Assert.Equal(40, places.Streams);

        // The idle ones went first.
        Assert.Subset(resized.Take(20).Select(one => one.Stream).ToHashSet(), Enumerable.Range(32, 4).Select(i => $"s{i}").ToHashSet());
    }

    [Fact]
    public void The_most_active_become_larger_again_where_there_is_room_and_no_stream_goes_back_and_forth()
    {
        StreamPlaces places = NewPlaces(30 * SizeOf(StreamForm.Shared, 1));
        Route(places, 1, [.. Enumerable.Range(0, 30).Select(i => $"s{i}")]);
        Assert.Equal([0, 0, 30], places.ByForm);
        places.Limit(places.Limits with { Bytes = 3 * Bytes / 4 });
        places.TakeResized();
        List<(int Second, ResizedStream What)> resized = [];

        for (int second = 0; second < 7_200; second++)
        {
            Route(places, 1, "s20", "s21");
            Route(places, second % 10 == 0 ? 1 : 0, [.. Enumerable.Range(0, 20).Select(i => $"s{i}")]);
            Assert.Empty(places.Tick(Second));
            resized.AddRange(places.TakeResized().Select(what => (second, what)));
            Assert.True(places.Bytes <= 3 * Bytes / 4);
        }

        Assert.Contains(resized, one => one.What == new ResizedStream("s20", StreamForm.Full));
        Assert.Contains(resized, one => one.What.Form > StreamForm.Full && one.Second > 1_300);

        foreach (IGrouping<string, (int Second, ResizedStream What)> stream in resized.GroupBy(one => one.What.Stream))
        {
            int turns = stream.Zip(stream.Skip(1).Zip(stream.Skip(2))).Count(three => three.First.What.Form == three.Second.Second.What.Form);
            Assert.True(turns <= 1, $"{stream.Key}: {string.Join(' ', stream.Select(one => $"{one.Second}:{one.What.Form}"))}");
        }
    }

    [Fact]
    public void What_was_written_decides_the_same_from_there_on()
    {
        StreamPlaces whole = NewPlaces(Bytes), read = NewPlaces(1);

        for (int i = 0; i < 150; i++)
        {
            Route(whole, 1 + i % 7 * 40, $"s{i}");
            whole.Tick(Second);
        }

        whole.TakeResized();
        PlacesCut cut = whole.Cut();
        Assert.True(whole.GoOnWithCut(int.MaxValue));
        read.Load(new BinaryReader(new MemoryStream([.. cut.End().SelectMany(piece => piece.ToArray())])));
        Assert.Equal(whole.ByForm, read.ByForm);
        Assert.Equal(Fate(whole), Fate(read));

        static List<string> Fate(StreamPlaces places)
        {
            List<string> told = [];

            for (int second = 0; second < 1_500; second++)
            {
                told.Add($"{places.Route(Value($"s{second % 170}"))} {places.Bytes}");
                told.AddRange(places.Tick(Second).Select(one => $"{one}"));
                told.AddRange(places.TakeResized().Select(one => $"{second} {one}"));
            }

            return told;
        }
    }

    private static long SizeOf(StreamForm form, long rows) => StreamSize.Of(StreamKind.Values, form, ownWeights: false, 1, rows);

    private static StreamPlaces NewPlaces(long bytes) =>
        new(new DetectionOptions(), new StreamLimits(100_000, 0, bytes, TimeSpan.Zero) { IsFormByNeed = true });

    private static Observation Value(string stream) => new(stream, DateTimeOffset.UnixEpoch, 1);

    private static void Route(StreamPlaces places, int rows, params string[] streams)
    {
        for (int row = 0; row < rows; row++)
        {
            foreach (string stream in streams)
            {
                places.Route(Value(stream));
            }
        }
    }
}
