namespace StreamLstm.Daemon.Doors;

/// <summary>What files say, read again when they change: looked at when somebody asks, once a second at most.</summary>
/// <remarks>
/// Their bytes are compared, not their times: so links are followed, as of mounted secrets. What cannot be read, or is half written,
/// leaves what was there before, is told once, and is tried again.
/// </remarks>
/// <param name="paths">The files, one at least.</param>
/// <param name="parse">Makes of their bytes what they say; throws where that is nothing.</param>
/// <param name="time">For the second.</param>
/// <typeparam name="T">What they say.</typeparam>
internal sealed class RereadFiles<T>(IReadOnlyList<string> paths, Func<IReadOnlyList<byte[]>, T> parse, TimeProvider time)
    where T : class
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private IReadOnlyList<byte[]> _bytes = [];
    private T? _current;
    private string? _told;
    private long _looked;

    /// <summary>Hears that what the files say now counts.</summary>
    public Action<string> Changed { get; set; } = _ => { };

    /// <summary>Hears why they cannot be read, once for each reason.</summary>
    public Action<string> Trouble { get; set; } = _ => { };

    /// <summary>What they say; null where they never said anything.</summary>
    public T? Current
    {
        get
        {
            lock (_lock)
            {
                if (_current is null || time.GetElapsedTime(_looked) >= Interval)
                {
                    _looked = time.GetTimestamp();
                    Look();
                }

                return _current;
            }
        }
    }

    /// <summary>Why the files cannot be used; null where they can.</summary>
    public static string? ProblemOf(IReadOnlyList<string> paths, Func<IReadOnlyList<byte[]>, T> parse)
    {
        try
        {
            parse([.. paths.Select(File.ReadAllBytes)]);
            return null;
        }
#pragma warning disable CA1031 // whatever is wrong with the files is the answer
        catch (Exception wrong)
#pragma warning restore CA1031
        {
            return wrong.Message;
        }
    }

    private void Look()
    {
        try
        {
            byte[][] bytes = [.. paths.Select(File.ReadAllBytes)];

            if (_current is not null && _bytes.Zip(bytes).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second)))
            {
                return;
            }

            bool isFirst = _current is null;
            _current = parse(bytes);
            (_bytes, _told) = (bytes, null);

            if (!isFirst)
            {
                Changed(string.Join(", ", paths));
            }
        }
#pragma warning disable CA1031 // the last good one counts, and why is told
        catch (Exception wrong)
#pragma warning restore CA1031
        {
            if (_told != wrong.Message)
            {
                _told = wrong.Message;
                Trouble($"{string.Join(", ", paths)}: {wrong.Message}; {(_current is null ? "nothing counts until it can be read" : "what it said before counts on")}");
            }
        }
    }
}
