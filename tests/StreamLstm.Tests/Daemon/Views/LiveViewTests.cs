using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Views;

/// <summary>What the page shows of many streams: bounded, in order, and read beside its writer.</summary>
public sealed class LiveViewTests : IAsyncDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly LiveView _live = new();
    private int _row;

    public ValueTask DisposeAsync() => _live.DisposeAsync();

    [Fact]
    public async Task Streams_beyond_those_that_keep_points_keep_them_once_somebody_looks()
    {
        const int Streams = 12_600;
        await RowsAsync(700, "s0");
        await RowsAsync(1, [.. Enumerable.Range(0, Streams).Select(stream => $"s{stream}")]);
        await RowsAsync(80, "s2000", "s12500");

        Assert.Equal((600, 60, 0), (Points("s0"), Spark("s2000"), Spark("s12500")));

        await RowsAsync(80, "s12500");
        Assert.Equal(60, Spark("s12500"));
        Assert.Equal(60, Points("s12500"));
        await RowsAsync(80, "s12500");
        Assert.Equal(140, Points("s12500"));

        // Others that are looked at take the room of the one that was looked at longest ago.
        for (int other = 0; other < 512; other++)
        {
            Spark($"s{12_001 + other % 499}");
            Points($"s{2_000 + other}");
        }

        Assert.Empty(_live.Points("s12500", DateTimeOffset.MinValue)!);
        Assert.Equal(60, Spark("s2000"));
    }

    [Fact]
    public async Task Streams_come_in_the_order_of_names_and_by_rank_in_that_of_names_among_equals()
    {
        await RowsAsync(1, "b/2", "a/1", "b/10", "c");
        Assert.Equal(["a/1", "b/10", "b/2", "c"], Names(_live.Lines()));
        StreamLines before = _live.Lines();
        await RowsAsync(1, "b/1", "a/1");

        Assert.Equal(["a/1", "b/1", "b/10", "b/2", "c"], Names(_live.Lines()));
        Assert.Equal(["a/1", "b/10", "b/2", "c"], Names(before));
        Assert.Equal(["b/1", "b/10", "b/2"], Names(_live.Lines().Under("b/")));
        Assert.Empty(_live.Lines().Under("d"));
        Assert.Equal(["b/10", "b/1", "b/2", "a/1", "c"], Names(_live.Lines().ByRank(line => line.Stream == "b/10" ? 2 : line.Stream[0] == 'b' ? 1 : 0, 3)));
        Assert.Equal(["b/2", "c"], Names(_live.Lines().Where(line => line.Stream is "c" or "b/2")));
        Assert.Equal((2, null), (_live.Lines().Under("b/").PlaceOf("b/2"), _live.Lines().Under("b/").PlaceOf("c")));
    }

    [Fact]
    public async Task Lifecycles_are_counted_as_streams_come_change_and_go()
    {
        await RowsAsync(1, "a", "b", "c");
        await _live.WriteAsync(Batch([Scored("a") with { Lifecycle = Lifecycle.Active }]), TestContext.Current.CancellationToken);
        await _live.WriteAsync(Batch([]) with { Forgotten = [new ForgottenStream("b", ForgetReason.Asked), new ForgottenStream("x", ForgetReason.Asked)] }, TestContext.Current.CancellationToken);

        Assert.Equal((1, 1), (_live.CountByLifecycle()[Lifecycle.Active], _live.CountByLifecycle()[Lifecycle.Learning]));
        Assert.Equal(["a", "c"], Names(_live.Lines()));
    }

    [Fact]
    public async Task What_is_shown_of_the_last_observation_is_what_it_said()
    {
        ScoredObservation learning = Scored("a") with { Progress = 0.25, WarmUp = new WarmUp(100, 400, 1.5, IsAfterGap: true), Channel = "warm" };
        ScoredObservation active = Scored("a") with
        {
            Lifecycle = Lifecycle.Active, AnomalyScore = 0.75, Expected = 3, Lower = 2, Upper = 4, Alerts = new AlertRate(null, 3, 70), Template = "t",
        };

        foreach (ScoredObservation scored in new[] { learning, active })
        {
            await _live.WriteAsync(Batch([scored]), TestContext.Current.CancellationToken);
            LiveStreamState state = _live.State("a")!;
            Assert.Equal(
                (scored.Lifecycle, scored.Progress, scored.Time, scored.Value, scored.Score, scored.Expected, scored.Lower, scored.Upper),
                (state.Lifecycle, state.Progress, state.Time, state.Value, state.Score, state.Expected, state.Lower, state.Upper));
            Assert.Equal((scored.WarmUp, scored.Alerts, scored.Template, scored.Channel), (state.WarmUp, state.Alerts, state.Template, state.Channel));
        }
    }

    private static string[] Names(StreamLines lines) => [.. lines.Select(line => line.Stream)];

    private static ScoredBatch Batch(ScoredObservation[] scored) => new(scored, [], [], Start);

    private int Points(string stream) => _live.Points(stream, DateTimeOffset.MinValue)!.Count;

    private int Spark(string stream) => _live.Spark(stream).Count;

    private ScoredObservation Scored(string stream) => new(stream, Start.AddSeconds(_row++), _row, Lifecycle.Learning, 0, 1);

    private async Task RowsAsync(int rows, params string[] streams)
    {
        for (int row = 0; row < rows; row++)
        {
            await _live.WriteAsync(Batch([.. streams.Select(Scored)]), TestContext.Current.CancellationToken);
        }
    }
}
