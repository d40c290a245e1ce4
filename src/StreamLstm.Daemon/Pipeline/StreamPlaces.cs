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
/// the program does. Where forms follow from need (<see cref="FormRules"/>), streams become smaller before any is refused or
/// forgotten, the least active first, and the most active larger again where there is room.
/// </remarks>
internal sealed class StreamPlaces(DetectionOptions detection, StreamLimits limits)
{
    /// <summary>Time between two looks for idle streams: a look goes through all of them.</summary>
    private const double LookSeconds = 60;

    // A place is a row of one array: a look goes through all of them, and there may be a million.
    private readonly Dictionary<string, int> _rows = new(StringComparer.Ordinal);
    private readonly Stack<int> _free = new();
    private Place[] _places = new Place[16];
    private readonly List<ResizedStream> _resized = [];
    private readonly int[] _byForm = new int[Enum.GetValues<StreamForm>().Length];
    private int _shrinkable;    // streams that could become smaller
    private int _used;          // rows that are taken or free again
    private PlacesCut? _cut;    // under way
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

    /// <summary>How many streams have which form, by its number; may be asked by any thread.</summary>
    public IReadOnlyList<int> ByForm => _byForm;

    /// <summary>Other limits hold from here on.</summary>
    public void Limit(StreamLimits limits) => Limits = limits;

    /// <summary>An observation is routed: its stream gets a place if there is one, and grows.</summary>
    /// <returns>For a stream that begins with it, what it begins with; null for one that is known or gets no place.</returns>
    public StreamBirth? Route(in Observation observation)
    {
        string stream = observation.Stream ?? "";

        if (_rows.TryGetValue(stream, out int row))
        {
            Change(row);
            ref Place known = ref _places[row];
            known.Rows++;
            known.Recent = known.RecentAt(_clockSeconds) + 1;
            known.SeenSeconds = _clockSeconds;
            Grow(ref known);

            // Many that are young grow manifold between two ticks, behind which much may wait.
            if (Limits.IsFormByNeed && _bytes > Limits.Bytes && _shrinkable > 0)
            {
                MakeSmaller();
            }

            return null;
        }

        if (DetectionShard.MayNotBegin(observation, detection) is not null || _rows.Count >= Limits.Streams)
        {
            return null;
        }

        var place = new Place
        {
            Stream = stream,
            Kind = DetectionShard.KindOf(observation),
            Form = detection.Form,
            OwnWeights = observation.Record is null && _ownWeights < Limits.OwnWeights,
            Columns = Math.Min(observation.Record?.Columns.Count ?? 1, VectorOptions.ColumnsMax),
            Rows = 1,
            Recent = 1,
            SeenSeconds = _clockSeconds,
            ResizedSeconds = _clockSeconds,
        };

        if (Limits.IsFormByNeed)
        {
            place.Form = FormRules.AtBirth(place.Kind, _bytes, place.SizeIn, Limits);
            place.OwnWeights &= place.Form == StreamForm.Full;

            // Whoever finds all as small as they can be is refused without a look at each.
            if (_bytes + place.Size > Limits.Bytes && _shrinkable > 0)
            {
                MakeSmaller();
            }
        }

        if (_bytes + place.Size > Limits.Bytes)
        {
            return null;
        }

        Add(place);
        return new StreamBirth(place.Form, place.OwnWeights);
    }

    /// <summary>Streams that have another form since this was last asked, each with the one it has now, in the order in which that was decided.</summary>
    public IReadOnlyList<ResizedStream> TakeResized()
    {
        if (_resized.Count == 0)
        {
            return [];
        }

        ResizedStream[] resized = [.. _resized];
        _resized.Clear();
        return resized;
    }

    /// <summary>Time goes on: which streams go.</summary>
    public IReadOnlyList<ForgottenStream> Tick(TimeSpan elapsed)
    {
        double before = _clockSeconds;
        _clockSeconds += elapsed.TotalSeconds;
        bool looks = Math.Floor(before / LookSeconds) != Math.Floor(_clockSeconds / LookSeconds);

        if (Limits.IsFormByNeed && _bytes > FormRules.TightShare * Limits.Bytes)
        {
            MakeSmaller();
        }
        else if (Limits.IsFormByNeed && looks)
        {
            MakeLarger();
        }

        bool isFull = _bytes > Limits.Bytes;

        if (!looks && !isFull)
        {
            return [];
        }

        double idle = Limits.IdleAfter > TimeSpan.Zero ? _clockSeconds - Limits.IdleAfter.TotalSeconds : double.NegativeInfinity;
        List<ForgottenStream> forgotten = [];

        // By time and then by name: never by the order of rows, which a restart changes.
        foreach (int row in Rows(row => isFull || _places[row].SeenSeconds < idle)
            .OrderBy(row => _places[row].SeenSeconds).ThenBy(row => _places[row].Stream, StringComparer.Ordinal))
        {
            (string stream, double seen) = (_places[row].Stream!, _places[row].SeenSeconds);

            if (seen >= idle && _bytes <= Limits.Bytes)
            {
                break;
            }

            Remove(stream);
            forgotten.Add(new ForgottenStream(stream, seen < idle ? ForgetReason.Idle : ForgetReason.Memory));
        }

        return forgotten;
    }

    /// <summary>A stream goes; false where there is none of that name.</summary>
    public bool Remove(string stream)
    {
        if (!_rows.Remove(stream, out int row))
        {
            return false;
        }

        Change(row);
        _ownWeights -= _places[row].OwnWeights ? 1 : 0;
        CountForm(_places[row], -1);
        Interlocked.Add(ref _bytes, -_places[row].Counted);
        _places[row] = default;
        _free.Push(row);
        Volatile.Write(ref _count, _rows.Count);
        return true;
    }

    /// <summary>
    /// Cuts the places as they are now: they are written a few at a time, and one that changes meanwhile first. One cut at a time, which is whole
    /// once <see cref="GoOnWithCut"/> says so.
    /// </summary>
    public PlacesCut Cut()
    {
        _cut = new PlacesCut(_used);
        EntryCodec.Write(_cut.Writer, Limits);
        _cut.Writer.Write(Limits.IsFormByNeed);
        _cut.Writer.Write(_clockSeconds);
        _cut.Writer.Write(_rows.Count);
        return _cut;
    }

    /// <summary>Writes so many more rows of the cut that is under way; whether it is whole, or there is none.</summary>
    public bool GoOnWithCut(int rows)
    {
        for (; rows > 0 && _cut is { IsWhole: false } cut; rows--)
        {
            Write(cut, cut.Next);
        }

        _cut = _cut is { IsWhole: false } ? _cut : null;
        return _cut is null;
    }

    /// <summary>Seconds of ticks so far.</summary>
    public double ClockSeconds => _clockSeconds;

    /// <summary>Goes on from a clock, before any stream.</summary>
    public void Begin(double clockSeconds) => _clockSeconds = clockSeconds;

    /// <summary>Writes one stream's place; false where it has none.</summary>
    public bool SaveStream(BinaryWriter writer, string stream)
    {
        if (!_rows.TryGetValue(stream, out int row))
        {
            return false;
        }

        Save(writer, _places[row]);
        return true;
    }

    /// <summary>Reads what <see cref="SaveStream"/> wrote.</summary>
    public void LoadStream(BinaryReader reader, string stream) => Restore(ReadPlace(reader, stream));

    /// <summary>Reads what a cut wrote, in place of what is known; without streams of records that are no longer judged together.</summary>
    /// <param name="reader">At its beginning.</param>
    /// <param name="names">Names that are in memory already, so that each is there once.</param>
    public void Load(BinaryReader reader, HashSet<string>? names = null)
    {
        Limits = EntryCodec.ReadLimits(reader) with { IsFormByNeed = reader.ReadBoolean() };
        _clockSeconds = reader.ReadDouble();
        _rows.Clear();
        _free.Clear();
        (_used, _ownWeights, _bytes) = (0, 0, 0);
        Array.Clear(_byForm);
        _shrinkable = 0;
        int left = reader.ReadInt32();
        _rows.EnsureCapacity(left);

        for (; left > 0; left--)
        {
            string stream = reader.ReadString();
            Restore(ReadPlace(reader, names is not null && names.TryGetValue(stream, out string? held) ? held : stream));
        }
    }

    private void Restore(in Place place)
    {
        string stream = place.Stream!;

        if (place.Kind != StreamKind.Records || detection.Vectors.Any(vector => vector.Matches(stream)))
        {
            Add(place);
        }
    }

    private static void Save(BinaryWriter writer, in Place place)
    {
        writer.Write((byte)place.Kind);
        writer.Write((byte)place.Form);
        writer.Write(place.OwnWeights);
        writer.Write7BitEncodedInt(place.Columns);
        writer.Write7BitEncodedInt64(place.Rows);
        writer.Write(place.SeenSeconds);
        writer.Write7BitEncodedInt(place.Recent);
        writer.Write(place.ResizedSeconds);
    }

    private static Place ReadPlace(BinaryReader reader, string stream) => new()
    {
        Stream = stream,
        Kind = (StreamKind)reader.ReadByte(),
        Form = (StreamForm)reader.ReadByte(),
        OwnWeights = reader.ReadBoolean(),
        Columns = reader.Read7BitEncodedInt(),
        Rows = reader.Read7BitEncodedInt64(),
        SeenSeconds = reader.ReadDouble(),
        Recent = reader.Read7BitEncodedInt(),
        ResizedSeconds = reader.ReadDouble(),
    };

    private void Add(in Place place)
    {
        if (!_free.TryPop(out int row))
        {
            row = _used++;

            if (row == _places.Length)
            {
                Array.Resize(ref _places, 2 * row);
            }
        }

        // It was free when a cut under way began.
        Change(row);
        _rows.Add(place.Stream!, row);
        _places[row] = place;
        _ownWeights += place.OwnWeights ? 1 : 0;
        CountForm(place, 1);
        Grow(ref _places[row]);
        Volatile.Write(ref _count, _rows.Count);
    }

    private void Grow(ref Place place)
    {
        long size = place.Size;
        Interlocked.Add(ref _bytes, size - place.Counted);
        place.Counted = size;
    }

    /// <summary>Streams become one form smaller, the least active first and of those the longest idle, until they take no more than they should.</summary>
    private void MakeSmaller()
    {
        long enough = (long)(FormRules.EasyShare * Limits.Bytes);

        for (StreamForm form = StreamForm.Full; form < StreamForm.Shared && _bytes > enough; form++)
        {
            foreach (int row in Rows(row => _places[row].Form == form && _places[row].Kind == StreamKind.Values)
                .OrderBy(row => _places[row].RecentAt(_clockSeconds)).ThenBy(row => _places[row].SeenSeconds).ThenBy(row => _places[row].Stream, StringComparer.Ordinal))
            {
                if (_bytes <= enough)
                {
                    return;
                }

                Resize(row, form + 1);
            }
        }
    }

    /// <summary>The most active of those that are not full become one form larger, where there is room for it.</summary>
    private void MakeLarger()
    {
        if (!FormRules.HasRoom(StreamForm.Lean, _bytes, Limits))
        {
            return;
        }

        foreach (int row in Rows(row => _places[row] is { Form: > StreamForm.Full, Kind: StreamKind.Values } place && _clockSeconds - place.ResizedSeconds >= FormRules.DwellSeconds)
            .OrderByDescending(row => _places[row].RecentAt(_clockSeconds)).ThenBy(row => _places[row].Stream, StringComparer.Ordinal).Take(FormRules.LargerAtOnce))
        {
            StreamForm larger = _places[row].Form - 1;

            if (FormRules.HasRoom(larger, _bytes - _places[row].Size + _places[row].SizeIn(larger), Limits))
            {
                Resize(row, larger);
            }
        }
    }

    private void Resize(int row, StreamForm form)
    {
        Change(row);
        ref Place place = ref _places[row];
        CountForm(place, -1);
        _ownWeights -= place.OwnWeights ? 1 : 0;
        (place.Form, place.OwnWeights, place.ResizedSeconds) = (form, false, _clockSeconds);
        CountForm(place, 1);
        Grow(ref place);
        _resized.Add(new ResizedStream(place.Stream!, form));
    }

    private void CountForm(in Place place, int by)
    {
        _byForm[(int)place.Form] += by;
        _shrinkable += place.Kind == StreamKind.Values && place.Form < StreamForm.Shared ? by : 0;
    }

    /// <summary>Rows that are taken, and of which something is so.</summary>
    private List<int> Rows(Func<int, bool> isSo)
    {
        List<int> found = [];

        for (int row = 0; row < _used; row++)
        {
            if (_places[row].Stream is not null && isSo(row))
            {
                found.Add(row);
            }
        }

        return found;
    }

    /// <summary>A row is about to change: a cut under way writes it first.</summary>
    private void Change(int row)
    {
        if (_cut is not null && _cut.Lacks(row))
        {
            Write(_cut, row);
        }
    }

    private void Write(PlacesCut cut, int row)
    {
        if (_places[row].Stream is { } stream)
        {
            cut.Writer.Write(stream);
            Save(cut.Writer, _places[row]);
        }

        cut.Take(row);
    }

    private struct Place
    {
        private const double RecentSeconds = 600;

        /// <summary>The stream's name; null where the row is free.</summary>
        public string? Stream;

        public long Rows;
        public long Counted;
        public double SeenSeconds;
        public double ResizedSeconds;

        /// <summary>Observations, of former stretches of ten minutes each time half.</summary>
        public int Recent;

        public int Columns;
        public StreamKind Kind;
        public StreamForm Form;
        public bool OwnWeights;

        public readonly long Size => StreamSize.Of(Kind, Form, OwnWeights, Columns, Rows);

        public readonly long SizeIn(StreamForm form) => StreamSize.Of(Kind, form, OwnWeights && form == StreamForm.Full, Columns, Rows);

        public readonly int RecentAt(double clockSeconds) =>
            Recent >> (int)Math.Min(31, Math.Floor(clockSeconds / RecentSeconds) - Math.Floor(SeenSeconds / RecentSeconds));
    }
}
