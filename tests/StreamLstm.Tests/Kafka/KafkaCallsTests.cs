using Confluent.Kafka;
using StreamLstm.Kafka;

namespace StreamLstm.Tests.Kafka;

/// <summary>A client ends behind the answers to what it was asked: librdkafka answers into memory that the end frees.</summary>
public sealed class KafkaCallsTests
{
    [Fact]
    public async Task The_end_waits_for_what_is_under_way_and_lets_nothing_more_begin()
    {
        var calls = new KafkaCalls();
        var first = new TaskCompletionSource<int>();
        var second = new TaskCompletionSource<int>();
        Task<int> one = calls.AskAsync(() => first.Task), two = calls.AskAsync(() => second.Task);
        using var begun = new ManualResetEventSlim();
        Task ending = Task.Run(
            () =>
            {
                begun.Set();
                calls.End();
            },
            TestContext.Current.CancellationToken);
        begun.Wait(TestContext.Current.CancellationToken);
        first.SetResult(1);
        Assert.Equal(1, await one);

        // From when on is the ending thread's to say; before that a question is answered.
        KafkaTroubleException? refused = null;

        while (refused is null)
        {
            refused = await Record.ExceptionAsync(() => calls.AskAsync(() => Task.FromResult(3))) as KafkaTroubleException;
        }

        Assert.Equal("the connection is being closed", refused.Message);
        Assert.False(ending.IsCompleted);
        second.SetException(new KafkaException(ErrorCode.Local_TimedOut));
        await Assert.ThrowsAsync<KafkaTroubleException>(() => two);
        await ending;
    }

    [Fact]
    public async Task Nothing_under_way_ends_at_once_and_a_refusal_counts_as_an_answer()
    {
        var calls = new KafkaCalls();
        KafkaTroubleException refused = await Assert.ThrowsAsync<KafkaTroubleException>(() => calls.AskAsync(() => throw new KafkaException(ErrorCode.TopicAuthorizationFailed)));
        Assert.Equal(KafkaConcern.Topics, refused.Trouble.Concern);
        await Assert.ThrowsAsync<ArgumentException>(() => calls.AskAsync<int>(() => throw new ArgumentException("not Kafka's")));
        Assert.True(calls.End());
    }
}
