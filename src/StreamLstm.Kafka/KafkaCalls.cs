using Confluent.Kafka;

namespace StreamLstm.Kafka;

/// <summary>What a client is asked, in this project's words; the client is ended behind its answers.</summary>
/// <remarks>
/// librdkafka answers into memory that the end of a client frees: where a question for topics, a commit or a transaction was still under
/// way the process died of it (exit code 139, once in eight stops just behind a broker's return). So each owner of a client counts its
/// questions here and calls <see cref="End"/> before it frees the client. Every question has a time limit of its own, so that wait has an end.
/// </remarks>
internal sealed class KafkaCalls
{
    private static readonly KafkaTrouble Ended = new(KafkaConcern.Brokers, "the connection is being closed");

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

    /// <summary>The same, of what blocks: on a thread of the pool.</summary>
    /// <exception cref="KafkaTroubleException">It refuses, or the client is being ended.</exception>
    public Task AskAsync(Action ask) => AskAsync(() => Task.Run(() =>
    {
        ask();
        return true;
    }));

    /// <summary>Takes no question any more, and waits for the answers to those there are.</summary>
    public void End()
    {
        lock (_lock)
        {
            _isEnded = true;

            while (_underWay > 0)
            {
                Monitor.Wait(_lock);
            }
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
