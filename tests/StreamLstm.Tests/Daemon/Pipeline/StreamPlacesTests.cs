using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Pipeline;

/// <summary>Who gets a place and who loses one, by the journal alone.</summary>
public sealed class StreamPlacesTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly StreamBirth? s_full = new(StreamForm.Full, OwnWeights: false);
    private static readonly long OneStream = StreamSize.Of(StreamKind.Values, StreamForm.Full, ownWeights: false, 1, 1);

    [Fact]
    public void A_new_stream_beyond_the_bytes_is_refused_and_takes_its_place_when_another_has_gone()
    {
        StreamPlaces places = NewPlaces(bytes: 2 * OneStream);

        Assert.Equal(s_full, places.Route(Value("a")));
        Assert.Equal(s_full, places.Route(Value("b")));
        Assert.Null(places.Route(Value("c")));
        Assert.Equal((2, 2 * OneStream), (places.Streams, places.Bytes));

        Assert.True(places.Remove("a"));
        Assert.Equal(s_full, places.Route(Value("c")));
        Assert.Equal(2, places.Streams);
    }

    [Fact]
    public void A_stream_grows_as_its_kind_and_form_do()
    {
        StreamPlaces places = NewPlaces(bytes: long.MaxValue, ownWeights: 1);

        for (int row = 1; row <= 3_000; row++)
        {
            places.Route(Value("a"));
        }

        Assert.Equal(StreamSize.Of(StreamKind.Values, StreamForm.Full, ownWeights: true, 1, 3_000), places.Bytes);
        Assert.True(places.Bytes > 8 * OneStream);
    }

    [Fact]
    public void What_has_outgrown_the_bytes_goes_at_a_tick_the_longest_idle_first()
    {
        StreamPlaces places = NewPlaces(bytes: 6 * OneStream);
        Route(places, "a", "b", "c");
        places.Tick(Second);
        Route(places, "a", "b");
        places.Tick(Second);

        for (int row = 0; row < 350; row++)
        {
            places.Route(Value("a"));
        }

        ForgottenStream[] gone = [.. places.Tick(Second)];

        Assert.Equal(["c", "b"], gone.Select(one => one.Stream));
        Assert.All(gone, one => Assert.Equal(ForgetReason.Memory, one.Reason));
        Assert.True(places.Bytes <= 6 * OneStream);
    }

    [Fact]
    public void A_stream_without_observations_for_too_long_goes_by_the_ticks_and_not_by_a_clock()
    {
        StreamPlaces places = NewPlaces(bytes: long.MaxValue, idleAfter: TimeSpan.FromMinutes(10));
        Route(places, "a", "b");
        List<string> gone = [];

        for (int second = 0; second < 660; second++)
        {
            if (second % 60 == 0)
            {
                places.Route(Value("b"));
            }

            gone.AddRange(places.Tick(Second).Select(one => $"{one.Stream} {one.Reason}"));
        }

        Assert.Equal(["a Idle"], gone);
        Assert.Equal(1, places.Streams);
    }

    [Fact]
    public void What_was_written_decides_the_same_from_there_on()
    {
        StreamPlaces whole = NewPlaces(bytes: 6 * OneStream, idleAfter: TimeSpan.FromMinutes(2));
        Route(whole, "a", "b", "c", "d");
        whole.Tick(Second);
        StreamPlaces read = NewPlaces(bytes: 1);
        read.Load(new BinaryReader(new MemoryStream(Written(whole))));

        Assert.Equal(Fate(whole), Fate(read));
        Assert.Equal((whole.Streams, whole.Bytes), (read.Streams, read.Bytes));

        static List<string> Fate(StreamPlaces places)
        {
            List<string> told = [];

            for (int second = 0; second < 300; second++)
            {
                told.Add($"{places.Route(Value($"n{second % 7}"))} {places.Bytes}");
                told.AddRange(places.Tick(Second).Select(one => $"{second} {one.Stream} {one.Reason}"));
            }

            return told;
        }
    }

    [Fact]
    public void A_cut_holds_the_places_as_they_were_whatever_comes_while_it_is_written()
    {
        string[] names = [.. Enumerable.Range(0, 90).Select(i => $"n{i}")];
        StreamPlaces places = NewPlaces(bytes: long.MaxValue), still = NewPlaces(bytes: long.MaxValue);
        Route(places, [.. names, "gone"]);
        Route(still, [.. names, "gone"]);
        places.Remove("gone");
        still.Remove("gone");
        byte[] expected = Written(still);
        PlacesCut cut = places.Cut();

        // One that grows, one that goes, one that comes into its row, one that comes into the row that was free, and one behind all.
        for (int step = 0; !places.GoOnWithCut(7); step++)
        {
            Route(places, $"n{80 - step}", $"n{step}");
            Assert.True(places.Remove($"n{89 - step}"));
            Route(places, $"x{step}", $"y{step}");
            places.Tick(Second);
        }

        Assert.Equal(Sorted(expected), Sorted(Whole(cut)));

        static (string, long)[] Sorted(byte[] written)
        {
            StreamPlaces read = NewPlaces(bytes: 1);
            read.Load(new BinaryReader(new MemoryStream(written)));
            return [.. Enumerable.Range(0, 90).Select(i => $"n{i}").Append("gone").Append("x0").Where(read.Remove).Select(name => (name, read.Bytes))];
        }
    }

    private static byte[] Written(StreamPlaces places)
    {
        PlacesCut cut = places.Cut();
        Assert.True(places.GoOnWithCut(int.MaxValue));
        return Whole(cut);
    }

    private static byte[] Whole(PlacesCut cut) => [.. cut.End().SelectMany(piece => piece.ToArray())];

    private static StreamPlaces NewPlaces(long bytes, int ownWeights = 0, TimeSpan idleAfter = default) =>
        new(new DetectionOptions(), new StreamLimits(200, ownWeights, bytes, idleAfter));

    private static void Route(StreamPlaces places, params string[] streams)
    {
        foreach (string stream in streams)
        {
            places.Route(Value(stream));
        }
    }

    private static Observation Value(string stream) => new(stream, DateTimeOffset.UnixEpoch, 1);
}
