using StreamLstm.Detection.Events;

namespace StreamLstm.Tests.Detection.Events;

public sealed class EventSequenceDetectorTests
{
    private static readonly EventDetectorOptions Small = new() { HiddenSize = 16, TrainingSteps = 400 };

    private static readonly Lazy<EventSequenceDetector> Trained = new(() => EventSequenceDetector.Train(Normal(3, 2000), Small));

    [Theory]
    [InlineData("open write write write ack ack ack close", false)]
    [InlineData("open write ack write ack write ack close", false)]
    [InlineData("open write write ack ack close", true)] // a write and its ack are missing
    [InlineData("open write write write ack ack ack", true)] // ends too early
    [InlineData("open", true)] // hardly began
    [InlineData("open write write write ack ack ack close close", true)] // one event too many
    [InlineData("open write write write ack ack ack ack close", true)] // an acknowledgement too many
    [InlineData("open write ack write ack write ack write ack close", true)] // a write and its ack too many
    [InlineData("ack ack ack open write write write close", true)] // right counts, wrong order
    [InlineData("open write ack ack write write ack close", true)] // acknowledged before it was written
    [InlineData("open write write write ack ack ack panic close", true)] // never seen
    public void What_normal_sessions_do_not_do_is_abnormal(string session, bool abnormal)
    {
        SessionScore score = Trained.Value.Score(session.Split(' '));

        Assert.True(score.IsAnomaly == abnormal, $"{score}");
        Assert.Equal(score.Score >= 3, score.IsAnomaly);
    }

    [Fact]
    public void It_says_which_event_surprised_and_which_count_is_off()
    {
        SessionScore order = Trained.Value.Score("ack ack ack open write write write close".Split(' '));
        SessionScore count = Trained.Value.Score("open write write write ack ack ack close close".Split(' '));

        // The first acknowledgement, or the opening that comes after three of them.
        Assert.InRange(order.Event, 0, 3);
        Assert.Equal((0.0, null), (order.CountDistance, order.OddKind));
        Assert.InRange(order.CountSurprise, 0, 0.1);
        Assert.InRange(order.Rank, 1, 5);
        Assert.Equal("close", count.OddKind);
        Assert.InRange(count.CountSurprise, 3, 20);
        Assert.Equal(8, count.Event);
    }

    [Fact]
    public void Fresh_normal_sessions_are_hardly_ever_flagged()
    {
        int flagged = Normal(77, 3000).Count(session => Trained.Value.Score(session).IsAnomaly);

        Assert.InRange(flagged, 0, 15);
    }

    [Fact]
    public void The_same_seed_gives_the_same_scores_and_another_seed_others()
    {
        var session = "open write ack write write ack ack close".Split(' ');
        double Score(ulong seed) => EventSequenceDetector.Train(
            Normal(3, 200), Small with { TrainingSteps = 60, Seed = seed }, cancellationToken: TestContext.Current.CancellationToken).Score(session).Surprise;

        double first = Score(1);

        Assert.Equal(first, Score(1));
        Assert.NotEqual(first, Score(2));
    }

    [Fact]
    public void Too_few_sessions_are_refused()
    {
        var few = Assert.Throws<ArgumentException>(() => EventSequenceDetector.Train(Normal(1, 7), Small, cancellationToken: TestContext.Current.CancellationToken));

        Assert.Contains("7 sessions, expected at least 8", few.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Interleaved_events_are_gathered_by_key_and_none_is_lost()
    {
        var sessions = new EventSessions(openMax: 2, eventsMax: 3);
        List<EventSession> ended = [];

        foreach (string one in (string[])["a1", "b1", "a2", "c1", "a3", "c2"])
        {
            if (sessions.Add(one[..1], one) is { } session)
            {
                ended.Add(session);
            }
        }

        ended.AddRange(sessions.CloseAll());
        Assert.Equal(["b: b1", "a: a1 a2 a3", "c: c1 c2"], ended.Select(session => $"{session.Key}: {string.Join(' ', session.Events)}"));
    }

    /// <summary>Open, three writes each acknowledged some time later, close.</summary>
    private static string[][] Normal(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            List<string> session = ["open"];

            for (int writes = 0, acks = 0; acks < 3;)
            {
                bool write = writes == acks || (writes < 3 && random.Next(2) == 0);
                session.Add(write ? "write" : "ack");
                (writes, acks) = write ? (writes + 1, acks) : (writes, acks + 1);
            }

            return session.Append("close").ToArray();
        })];
    }
}
