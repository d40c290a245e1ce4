using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Which streams there are, what they weigh, and how long each has been idle: decided by the router alone, in the journal's order.</summary>
/// <remarks>
/// A stream is counted as large as its kind and form can be after as many observations as were routed to it
/// (<see cref="StreamSize"/>), so the sum is a function of the journal: no thread, no collection and no clock changes who gets
/// a place and who loses one. A new stream that does not fit is refused; where those that there are have outgrown the limit,
/// or one has had no observation for too long, the longest idle go at a tick. Time is that of the ticks: it stands still while
/// the program does.
/// </remarks>
internal sealed class StreamPlaces(DetectionOptions detection, StreamLimits limits)
{
    /// <summary>Time between two looks for idle streams: a look goes through all of them.</summary>
    private const double LookSeconds = 60;

    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private double _clockSeconds;
    private int _ownWeights;
    private long _bytes;
    private int _count;

    /// <summary>What holds at present.</summary>
    public StreamLimits Limits { get; private set; } = limits;

    /// <summary>Streams held; may be asked by any thread.</summary>
    public int Streams => Volatile.Read(ref _count);

    /// <summary>What they are counted for; may be asked by any thread.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Other limits hold from here on.</summary>
    public void Limit(StreamLimits limits) => Limits = limits;

    /// <summary>An observation is routed: its stream gets a place if there is one, and grows.</summary>
    /// <returns>For a stream that begins with it, whether it has weights of its own; null for one that is known or gets no place.</returns>
    public bool? Route(in Observation observation)
    {
        string stream = observation.Stream ?? "";

        if (_places.TryGetValue(stream, out Place? known))
        {
            known.Rows++;
            known.SeenSeconds = _clockSeconds;
            Grow(known);
            return null;
        }

        if (DetectionShard.MayNotBegin(observation, detection) is not null || _places.Count >= Limits.Streams)
        {
            return null;
        }

        var place = new Place
        {
            Kind = DetectionShard.KindOf(observation),
            Form = detection.Form,
            OwnWeights = observation.Record is null && _ownWeights < Limits.OwnWeights,
            Columns = Math.Min(observation.Record?.Columns.Count ?? 1, VectorOptions.ColumnsMax),
            Rows = 1,
            SeenSeconds = _clockSeconds,
        };

        if (_bytes + place.Size > Limits.Bytes)
        {
            return null;
        }

        Add(stream, place);
        return place.OwnWeights;
    }

    /// <summary>Time goes on: which streams go.</summary>
    public IReadOnlyList<ForgottenStream> Tick(TimeSpan elapsed)
    {
        double before = _clockSeconds;
        _clockSeconds += elapsed.TotalSeconds;
        bool isFull = _bytes > Limits.Bytes;

        if (Math.Floor(before / LookSeconds) == Math.Floor(_clockSeconds / LookSeconds) && !isFull)
        {
            return [];
        }

        double idle = Limits.IdleAfter > TimeSpan.Zero ? _clockSeconds - Limits.IdleAfter.TotalSeconds : double.NegativeInfinity;
        List<ForgottenStream> forgotten = [];

        // By time and then by name: never by the order of a dictionary.
        foreach ((string stream, Place place) in _places.Where(one => isFull || one.Value.SeenSeconds < idle)
            .OrderBy(one => one.Value.SeenSeconds).ThenBy(one => one.Key, StringComparer.Ordinal).ToArray())
        {
            if (place.SeenSeconds >= idle && _bytes <= Limits.Bytes)
            {
                break;
            }

            Remove(stream);
            forgotten.Add(new ForgottenStream(stream, place.SeenSeconds < idle ? ForgetReason.Idle : ForgetReason.Memory));
        }

        return forgotten;
    }

    /// <summary>A stream goes; false where there is none of that name.</summary>
    public bool Remove(string stream)
    {
        if (!_places.Remove(stream, out Place? place))
        {
            return false;
        }

        _ownWeights -= place.OwnWeights ? 1 : 0;
        Interlocked.Add(ref _bytes, -place.Counted);
        Volatile.Write(ref _count, _places.Count);
        return true;
    }

    public void Save(BinaryWriter writer)
    {
        EntryCodec.Write(writer, Limits);
        writer.Write(_clockSeconds);
        writer.Write(_places.Count);

        foreach ((string stream, Place place) in _places)
        {
            writer.Write(stream);
            Save(writer, place);
        }
    }

    /// <summary>Seconds of ticks so far.</summary>
    public double ClockSeconds => _clockSeconds;

    /// <summary>Goes on from a clock, before any stream.</summary>
    public void Begin(double clockSeconds) => _clockSeconds = clockSeconds;

    /// <summary>Writes one stream's place; false where it has none.</summary>
    public bool SaveStream(BinaryWriter writer, string stream)
    {
        if (!_places.TryGetValue(stream, out Place? place))
        {
            return false;
        }

        Save(writer, place);
        return true;
    }

    /// <summary>Reads what <see cref="SaveStream"/> wrote.</summary>
    public void LoadStream(BinaryReader reader, string stream) => Restore(stream, ReadPlace(reader));

    /// <summary>Reads what <see cref="Save"/> wrote, in place of what is known; without streams of records that are no longer judged together.</summary>
    public void Load(BinaryReader reader)
    {
        Limits = EntryCodec.ReadLimits(reader);
        _clockSeconds = reader.ReadDouble();
        _places.Clear();
        (_ownWeights, _bytes) = (0, 0);

        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            Restore(reader.ReadString(), ReadPlace(reader));
        }
    }

    private void Restore(string stream, Place place)
    {
        if (place.Kind != StreamKind.Records || detection.Vectors.Any(vector => vector.Matches(stream)))
        {
            Add(stream, place);
        }
    }

    private static void Save(BinaryWriter writer, Place place)
    {
        writer.Write((byte)place.Kind);
        writer.Write((byte)place.Form);
        writer.Write(place.OwnWeights);
        writer.Write7BitEncodedInt(place.Columns);
        writer.Write7BitEncodedInt64(place.Rows);
        writer.Write(place.SeenSeconds);
    }

    private static Place ReadPlace(BinaryReader reader) => new()
    {
        Kind = (StreamKind)reader.ReadByte(),
        Form = (StreamForm)reader.ReadByte(),
        OwnWeights = reader.ReadBoolean(),
        Columns = reader.Read7BitEncodedInt(),
        Rows = reader.Read7BitEncodedInt64(),
        SeenSeconds = reader.ReadDouble(),
    };

    private void Add(string stream, Place place)
    {
        _places.Add(stream, place);
        _ownWeights += place.OwnWeights ? 1 : 0;
        Grow(place);
        Volatile.Write(ref _count, _places.Count);
    }

    private void Grow(Place place)
    {
        long size = place.Size;
        Interlocked.Add(ref _bytes, size - place.Counted);
        place.Counted = size;
    }

    private sealed class Place
    {
        public required StreamKind Kind { get; init; }

        public required StreamForm Form { get; init; }

        public required bool OwnWeights { get; init; }

        public required int Columns { get; init; }

        public required long Rows { get; set; }

        public required double SeenSeconds { get; set; }

        public long Counted { get; set; }

        public long Size => StreamSize.Of(Kind, Form, OwnWeights, Columns, Rows);
    }
}
