namespace StreamLstm.Detection.Events;

/// <summary>Gathers interleaved events into sessions by their key.</summary>
/// <remarks>
/// A session ends when it is closed, when it holds as many events as one may, or when it waited longest and another needs
/// its place: what is kept is bounded, and every event is handed out in exactly one session.
/// </remarks>
/// <param name="openMax">Sessions that are open at once.</param>
/// <param name="eventsMax">Events of one session.</param>
public sealed class EventSessions(int openMax = 10_000, int eventsMax = 1_000)
{
    private readonly Dictionary<string, LinkedListNode<EventSession>> _open = new(StringComparer.Ordinal);
    private readonly LinkedList<EventSession> _byLastEvent = [];

    /// <summary>Takes an event; gives the session that ended by it, or null.</summary>
    public EventSession? Add(string key, string kind)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        EventSession? ended = null;

        if (_open.TryGetValue(key, out LinkedListNode<EventSession>? node))
        {
            _byLastEvent.Remove(node);
        }
        else
        {
            ended = _open.Count >= openMax ? Close(_byLastEvent.First!.Value.Key) : null;
            _open.Add(key, node = new LinkedListNode<EventSession>(new EventSession(key, [])));
        }

        _byLastEvent.AddLast(node);
        node.Value.Events.Add(kind);
        return ended ?? (node.Value.Events.Count >= eventsMax ? Close(key) : null);
    }

    /// <summary>Ends a session; null where there is none of that key.</summary>
    public EventSession? Close(string key)
    {
        if (!_open.Remove(key, out LinkedListNode<EventSession>? node))
        {
            return null;
        }

        _byLastEvent.Remove(node);
        return node.Value;
    }

    /// <summary>Ends all, the one that waited longest first.</summary>
    public IReadOnlyList<EventSession> CloseAll()
    {
        EventSession[] all = [.. _byLastEvent];
        _open.Clear();
        _byLastEvent.Clear();
        return all;
    }
}

/// <summary>Events that belong together.</summary>
/// <param name="Key">What they have in common.</param>
/// <param name="Events">Their kinds, in order.</param>
public sealed record EventSession(string Key, IList<string> Events);
