using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Waiting that goes on where whoever waits runs, without a detour by the thread pool: in a simulation on its one thread, in an order that its seed gives.</summary>
internal static class InOneContext
{
    /// <summary>Everything that comes, until the channel is completed and drained. As ReadAllAsync but for the detour.</summary>
    public static async IAsyncEnumerable<T> EachAsync<T>(this ChannelReader<T> reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await reader.WaitToReadAsync(cancellationToken))
        {
            while (reader.TryRead(out T? item))
            {
                yield return item;
            }
        }
    }

    /// <summary>The answer, or a cancellation of whoever waits for it. As WaitAsync but for the detour.</summary>
    public static async Task<T> AwaitAsync<T>(this TaskCompletionSource<T> answer, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister((_, cancelled) => answer.TrySetCanceled(cancelled), null);
        return await answer.Task;
    }
}
