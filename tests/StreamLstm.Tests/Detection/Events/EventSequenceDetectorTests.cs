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

    [Theory]
    [InlineData(400, 30, 800, 30)] // more sessions
    [InlineData(200, 126, 200, 252)] // longer ones
    [InlineData(200, 63, 200, 127)]
    public void Learning_and_judging_cost_no_more_than_the_events_there_are(int few, int shorter, int many, int longer)
    {
        (long learnt, long judged, long compared) = Work(few, shorter);
        (long learntMore, long judgedMore, long comparedMore) = Work(many, longer);
        double events = (double)many * (longer + 1) / (few * (shorter + 1));

        // Learning is so many pieces of sessions, however many there are, and how long: only passes are whole.
        Assert.InRange((double)learntMore / learnt, 0.8, 1.25);
        Assert.Equal(events, (double)judgedMore / judged, 2);
        Assert.InRange((double)comparedMore / compared, 0, (double)many / few * Math.Min(many, 4096) / few);

        static (long Learnt, long Judged, long Compared) Work(int sessions, int events) => EventSequenceDetector.Train(
            Loops(sessions, events), Small with { TrainingSteps = 240 }, cancellationToken: TestContext.Current.CancellationToken).Work;
    }

    [Fact]
    public void A_session_far_longer_than_the_others_costs_its_own_events_only()
    {
        string[][] alike = Loops(96, 30);
        long without = Learnt(alike);
        long with = Learnt([.. alike, .. Loops(1, 960)]);

        // Not 960 events of each session of its batch.
        Assert.InRange(with, without, 2 * without);

        static long Learnt(string[][] sessions) => EventSequenceDetector.Train(
            sessions, Small with { TrainingSteps = 40 }, cancellationToken: TestContext.Current.CancellationToken).Work.Learnt;
    }

    [Fact]
    public void Scores_are_those_of_the_program_before_learning_went_by_pieces()
    {
        // Recorded with sessions of up to 64 events, at which nothing was to change.
        Assert.Equal(
            6.6473554590353805,
            Trained.Value.Score("open write ack write write ack ack close close".Split(' ')).Score);
    }

    [Fact]
    public void Threads_change_no_score()
    {
        var session = "open write ack write write ack ack close".Split(' ');
        double Score(int threads) => EventSequenceDetector.Train(
            Normal(3, 200), Small with { TrainingSteps = 60, Threads = threads }, cancellationToken: TestContext.Current.CancellationToken).Score(session).Surprise;

        Assert.Equal(Score(1), Score(3));
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

    /// <summary>So many events each, one of four kinds after another; every other session begins elsewhere.</summary>
    private static string[][] Loops(int sessions, int events) =>
        [.. Enumerable.Range(0, sessions).Select(session => Enumerable.Range(session % 2, events).Select(step => $"E{step % 4}").ToArray())];

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
