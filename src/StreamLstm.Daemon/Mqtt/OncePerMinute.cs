namespace StreamLstm.Daemon.Mqtt;

/// <summary>Lets the same words through once a minute, and says how often they were said meanwhile.</summary>
internal sealed class OncePerMinute(TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private string? _last;
    private long _toldAt;
    private int _times;

    /// <param name="words">What is to be told.</param>
    /// <param name="times">How often it was to be told since it last was, this time included.</param>
    public bool Tell(string words, out int times)
    {
        lock (_lock)
        {
            times = ++_times;

            if (words == _last && time.GetElapsedTime(_toldAt) < Minute)
            {
                return false;
            }

            times = words == _last ? times : 1;
            (_last, _toldAt, _times) = (words, time.GetTimestamp(), 0);
            return true;
        }
    }
}
