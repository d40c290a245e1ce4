using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>What a client is asked, in this project's words; the client is ended behind its answers.</summary>
/// <remarks>
/// librdkafka answers into memory that the end of a client frees: where a question for topics, a commit or a transaction was still under
/// way the process died of it (exit code 139, once in eight stops just behind a broker's return). So each owner of a client counts its
/// questions here and calls <see cref="End"/> before it frees the client. Should one never be answered, it holds
/// nothing up for ever: the client is left as it is then, and its memory with it.
/// </remarks>
internal sealed class KafkaCalls
{
    private static readonly KafkaTrouble Ended = new(KafkaConcern.Brokers, "the connection is being closed");

    /// <summary>Longer than the limit of any single question to librdkafka; what asks several, one behind the other, may take longer, and its client stays unfreed.</summary>
    private static readonly TimeSpan AnswersMax = TimeSpan.FromSeconds(40);

    private readonly object _lock = new();   // pulsed as the last answer is there
    private int _underWay;
    private bool _isEnded;

    /// <summary>Asks something that librdkafka may refuse.</summary>
    /// <exception cref="KafkaTroubleException">It refuses, or the client is being ended.</exception>
    public async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        Enter();

        try
        {
            return await ask();
        }
        catch (ProduceException<byte[]?, byte[]?> unwritten)
        {
            var why = KafkaTrouble.Of(unwritten.Error);
            throw new KafkaTroubleException(why.Concern == KafkaConcern.Topics ? why with { Detail = $"'{unwritten.DeliveryResult.Topic}': {why.Detail}" } : why, unwritten);
        }
        catch (KafkaException refused)
        {
            throw new KafkaTroubleException(KafkaTrouble.Of(refused.Error), refused);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>The same, for so long at most: an answer that never comes holds nobody up.</summary>
    /// <exception cref="KafkaTroubleException">It refuses, does not answer, or the client is being ended.</exception>
    public async Task<T> AskAsync<T>(Func<Task<T>> ask, TimeSpan atMost)
    {
        try
        {
            return await AskAsync(ask).WaitAsync(atMost);
        }
        catch (TimeoutException late)
        {
            throw new KafkaTroubleException(new KafkaTrouble(KafkaConcern.Brokers, $"no answer within {atMost.TotalSeconds:0} s"), late);
        }
    }

    /// <summary>The same, of what blocks: on a thread of the pool.</summary>
    /// <exception cref="KafkaTroubleException">It refuses, or the client is being ended.</exception>
    public Task AskAsync(Action ask) => AskAsync(() => Task.Run(() =>
    {
        ask();
        return true;
    }));

    /// <summary>Takes no question any more, and waits for the answers to those there are.</summary>
    /// <returns>Whether they came; where not, the client must not be freed.</returns>
    public bool End()
    {
        long until = Environment.TickCount64 + (long)AnswersMax.TotalMilliseconds;

        lock (_lock)
        {
            _isEnded = true;

            while (_underWay > 0)
            {
                long left = until - Environment.TickCount64;

                if (left <= 0 || !Monitor.Wait(_lock, TimeSpan.FromMilliseconds(left)))
                {
                    return _underWay == 0;
                }
            }

            return true;
        }
    }

    private void Enter()
    {
        lock (_lock)
        {
            if (_isEnded)
            {
                throw new KafkaTroubleException(Ended);
            }

            _underWay++;
        }
    }

    private void Leave()
    {
        lock (_lock)
        {
            if (--_underWay == 0)
            {
                Monitor.PulseAll(_lock);
            }
        }
    }
}
