namespace StreamLstm.Detection.Judging.Records;

/// <summary>The columns of a stream of records, as configured or as its first records show them, and which value of a record goes where.</summary>
/// <param name="options">What is configured.</param>
internal sealed class ColumnTable(VectorOptions options)
{
    /// <summary>Records that are waited for where no columns are configured: one alone may lack some.</summary>
    public const int GatheredRows = 16;

    /// <summary>Longer names are no column.</summary>
    private const int NameMaxChars = 256;

    private readonly List<ObservedRecord> _gathered = [];
    private readonly Dictionary<string, int> _placeOf = new(StringComparer.Ordinal);
    private string[] _names = [];
    private string[] _mapped = [];
    private int[] _places = [];

    /// <summary>Names of the columns, the scored ones first; empty while they are not known.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>How many of them, from the first, are scored.</summary>
    public int Scored { get; private set; }

    /// <summary>Whether the columns are settled.</summary>
    public bool IsKnown => _names.Length > 0;

    /// <summary>Records that came before the columns were settled.</summary>
    public IReadOnlyList<ObservedRecord> Gathered => _gathered;

    /// <summary>Settles the columns where they are configured.</summary>
    public void UseConfigured()
    {
        if (options.Columns.Count > 0)
        {
            Settle(options.Columns.Except(options.Context, StringComparer.Ordinal), options.Context);
        }
    }

    /// <summary>Whether the stream, with this record, would still have too few columns, though it had time to show them.</summary>
    public bool HasTooFewWith(ObservedRecord record)
    {
        if (IsKnown || _gathered.Count < GatheredRows)
        {
            return false;
        }

        (List<string> scored, List<string> context) = Shown(_gathered.Append(record));
        return scored.Count == 0 || scored.Count + context.Count < VectorOptions.ColumnsMin;
    }

    /// <summary>Keeps a record until the columns are settled, the last 16.</summary>
    /// <returns>Whether they are now.</returns>
    public bool Gather(ObservedRecord record)
    {
        if (_gathered.Count == GatheredRows)
        {
            _gathered.RemoveAt(0);
        }

        _gathered.Add(record);
        (List<string> scored, List<string> context) = Shown(_gathered);

        if (_gathered.Count < GatheredRows || scored.Count == 0 || scored.Count + context.Count < VectorOptions.ColumnsMin)
        {
            return false;
        }

        Settle(scored, context);
        return true;
    }

    /// <summary>Forgets the records that were kept.</summary>
    public void ClearGathered() => _gathered.Clear();

    /// <summary>Puts a record's values where they belong, NaN where it has none.</summary>
    /// <param name="record">Any record of the stream.</param>
    /// <param name="values">(D).</param>
    /// <returns>How many values belong to no column.</returns>
    public int Place(ObservedRecord record, Span<double> values)
    {
        if (!record.HasColumnsOf(_mapped))
        {
            Map(record.ColumnArray);
        }

        values.Fill(double.NaN);
        int unknown = 0;

        for (int i = 0; i < record.Values.Length; i++)
        {
            double value = record.Values[i];

            if (_places[i] >= 0)
            {
                values[_places[i]] = value;
            }
            else if (!double.IsNaN(value))
            {
                unknown++;
            }
        }

        return unknown;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(Scored);
        Write(writer, _names);
        writer.Write(_gathered.Count);

        foreach (ObservedRecord record in _gathered)
        {
            Save(writer, record);
        }
    }

    public void Load(BinaryReader reader)
    {
        int scored = reader.ReadInt32();
        string[] names = ReadNames(reader);

        if (scored < 0 || scored > names.Length || (names.Length > 0 && scored == 0))
        {
            throw new InvalidDataException($"columns: {scored} of {names.Length} scored, expected at least one and at most all");
        }

        _gathered.Clear();

        for (int left = Bounded(reader.ReadInt32(), GatheredRows, "records"); left > 0; left--)
        {
            _gathered.Add(LoadRecord(reader));
        }

        if (names.Length > 0)
        {
            Settle(names.Take(scored), names.Skip(scored));
        }
    }

    public static void Save(BinaryWriter writer, ObservedRecord record)
    {
        Write(writer, record.ColumnArray);

        foreach (double value in record.Values)
        {
            writer.Write(value);
        }
    }

    public static ObservedRecord LoadRecord(BinaryReader reader)
    {
        string[] names = ReadNames(reader);
        var values = new double[names.Length];

        for (int i = 0; i < values.Length; i++)
        {
            values[i] = reader.ReadDouble();
        }

        return names.Length > 0
            ? new ObservedRecord(names, values)
            : throw new InvalidDataException("record: no columns, expected at least one");
    }

    /// <summary>The columns that records show, in the order of their first sight, the context ones apart.</summary>
    private (List<string> Scored, List<string> Context) Shown(IEnumerable<ObservedRecord> records)
    {
        List<string> scored = [], context = [];

        foreach (string name in records.SelectMany(record => record.Columns))
        {
            List<string> those = options.Context.Contains(name) ? context : scored;

            if (name.Length <= NameMaxChars && scored.Count + context.Count < VectorOptions.ColumnsMax && !those.Contains(name))
            {
                those.Add(name);
            }
        }

        return (scored, context);
    }

    private void Settle(IEnumerable<string> scored, IEnumerable<string> context)
    {
        _names = [.. scored];
        Scored = _names.Length;
        _names = [.. _names, .. context];
        _placeOf.Clear();
        _mapped = [];

        for (int column = 0; column < _names.Length; column++)
        {
            _placeOf[_names[column]] = column;
        }
    }

    /// <summary>Where the values of records of these columns go; of two of one name the first counts.</summary>
    private void Map(string[] columns)
    {
        Array.Resize(ref _places, Math.Max(_places.Length, columns.Length));
        Span<bool> taken = stackalloc bool[VectorOptions.ColumnsMax];
        taken.Clear();

        for (int i = 0; i < columns.Length; i++)
        {
            _places[i] = _placeOf.TryGetValue(columns[i], out int place) && !taken[place] ? place : -1;

            if (_places[i] >= 0)
            {
                taken[place] = true;
            }
        }

        _mapped = columns;
    }

    private static void Write(BinaryWriter writer, string[] names)
    {
        writer.Write(names.Length);
        Array.ForEach(names, writer.Write);
    }

    private static string[] ReadNames(BinaryReader reader)
    {
        var names = new string[Bounded(reader.ReadInt32(), 1 << 20, "columns")];

        for (int i = 0; i < names.Length; i++)
        {
            names[i] = reader.ReadString();
        }

        return names;
    }

    private static int Bounded(int value, int max, string what) => value >= 0 && value <= max
        ? value
        : throw new InvalidDataException($"columns: {value} {what}, expected 0 to {max}");
}
