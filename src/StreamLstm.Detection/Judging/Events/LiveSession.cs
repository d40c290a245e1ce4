using System.Runtime.InteropServices;

namespace StreamLstm.Detection.Judging.Events;

/// <summary>A session that is going on: the network's state for it, and its last events.</summary>
/// <param name="key">What its events have in common; empty for the events of a stream that have no key.</param>
internal sealed class LiveSession(string key)
{
    private readonly float[] _state = new float[EventNetwork.StateSize];
    private readonly float[] _chunkState = new float[EventNetwork.StateSize];
    private readonly byte[] _chunk = NewChunk();
    private int _chunkEvents;
    private bool _isSpoilt;

    public string Key { get; } = key;

    /// <summary>h and c: (StateSize).</summary>
    public Span<float> State => _state;

    /// <summary>What the network is fed with next.</summary>
    public int Last => _chunk[_chunkEvents];

    /// <summary>The template of its last event.</summary>
    public int LastTemplate { get; set; }

    public DateTimeOffset LastTime { get; set; }

    /// <summary>Takes an event the network has just forecast; full pieces go to <paramref name="chunks"/>.</summary>
    public void Add(int place, EventChunks chunks)
    {
        _chunk[++_chunkEvents] = (byte)place;

        if (_chunkEvents == EventChunks.EventsMax)
        {
            HandOver(chunks);
        }
    }

    /// <summary>Nothing is to be learnt of the piece that is being filled.</summary>
    public void Spoil() => _isSpoilt = true;

    /// <summary>What there is of a piece goes to <paramref name="chunks"/>, unless it is spoilt; the next begins here.</summary>
    public void HandOver(EventChunks chunks)
    {
        if (_chunkEvents > 0)
        {
            if (!_isSpoilt)
            {
                chunks.Add(_chunk.AsSpan(0, _chunkEvents + 1), _chunkState);
            }

            _isSpoilt = false;
            _chunk[0] = _chunk[_chunkEvents];
            _chunkEvents = 0;
            _state.CopyTo(_chunkState, 0);
        }
    }

    /// <summary>A place was given to another kind.</summary>
    public void Replace(int place, int by) => _chunk.AsSpan().Replace((byte)place, (byte)by);

    /// <summary>Forgets h and c where they are no numbers any more.</summary>
    public bool ResetUnlessFinite()
    {
        foreach (float value in _state)
        {
            if (!float.IsFinite(value))
            {
                Array.Clear(_state);
                Array.Clear(_chunkState);
                _chunk[0] = EventNetwork.Boundary;
                _chunkEvents = 0;
                return true;
            }
        }

        return false;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Key);
        writer.Write(LastTemplate);
        writer.Write(LastTime.UtcTicks);
        writer.Write(_chunkEvents);
        writer.Write(_isSpoilt);
        writer.Write(_chunk);
        writer.Write(MemoryMarshal.AsBytes(_state.AsSpan()));
        writer.Write(MemoryMarshal.AsBytes(_chunkState.AsSpan()));
    }

    public static LiveSession Load(BinaryReader reader)
    {
        var session = new LiveSession(reader.ReadString())
        {
            LastTemplate = reader.ReadInt32(),
            LastTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero),
        };
        session._chunkEvents = reader.ReadInt32();
        session._isSpoilt = reader.ReadBoolean();

        if (session._chunkEvents is < 0 or >= EventChunks.EventsMax)
        {
            throw new InvalidDataException($"session {session.Key}: a piece of {session._chunkEvents} events, expected 0 to {EventChunks.EventsMax - 1}");
        }

        reader.BaseStream.ReadExactly(session._chunk);
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(session._state.AsSpan()));
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(session._chunkState.AsSpan()));
        return session;
    }

    private static byte[] NewChunk()
    {
        var chunk = new byte[EventChunks.EventsMax + 1];
        chunk[0] = EventNetwork.Boundary;
        return chunk;
    }
}

/// <summary>The sessions of one stream that are open, the one that waited longest first.</summary>
internal sealed class LiveSessions
{
    private readonly Dictionary<string, LinkedListNode<LiveSession>> _byKey = new(StringComparer.Ordinal);
    private readonly LinkedList<LiveSession> _byLastEvent = [];

    public int Count => _byKey.Count;

    /// <summary>The one whose last event is longest ago; null where none is open.</summary>
    public LiveSession? Oldest => _byLastEvent.First?.Value;

    /// <summary>In the order of their last events.</summary>
    public IEnumerable<LiveSession> All => _byLastEvent;

    /// <summary>The session of a key, moved behind all others; null where there is none.</summary>
    public LiveSession? Touch(string key)
    {
        if (!_byKey.TryGetValue(key, out LinkedListNode<LiveSession>? node))
        {
            return null;
        }

        _byLastEvent.Remove(node);
        _byLastEvent.AddLast(node);
        return node.Value;
    }

    public void Add(LiveSession session) => _byKey.Add(session.Key, _byLastEvent.AddLast(session));

    public void Remove(LiveSession session)
    {
        if (_byKey.Remove(session.Key, out LinkedListNode<LiveSession>? node))
        {
            _byLastEvent.Remove(node);
        }
    }
}
