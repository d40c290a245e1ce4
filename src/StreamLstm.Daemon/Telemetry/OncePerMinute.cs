namespace StreamLstm.Daemon.Telemetry;

/// <summary>Lets one line about a setting through a minute, and says how often there was one meanwhile.</summary>
/// <remarks>By the setting and not by the words: one and the same trouble ends now in a reset, now in a broken pipe.</remarks>
internal sealed class OncePerMinute(TimeProvider time)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long At, int Times)> _told = new(StringComparer.Ordinal);   // as many as there are settings

    /// <param name="words">What is to be told: the setting, a colon, and what is wrong with it.</param>
    /// <param name="times">How often something was to be told of the setting since it last was, this time included.</param>
    public bool Tell(string words, out int times)
    {
        string setting = words.Split(": ", 2)[0];

        lock (_lock)
        {
            bool isKnown = _told.TryGetValue(setting, out (long At, int Times) told);
            times = told.Times + 1;

            if (isKnown && time.GetElapsedTime(told.At) < Minute)
            {
                _told[setting] = told with { Times = times };
                return false;
            }

            _told[setting] = (time.GetTimestamp(), 0);
            return true;
        }
    }
}
