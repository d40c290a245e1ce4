using System.Runtime.InteropServices;
using System.Text;
using StreamLstm.Detection;

namespace StreamLstm.Decoding;

/// <summary>What a decoder could not read: where, why, and the record itself.</summary>
/// <param name="Line">Counting from 1; 0 where it stands in no line of its own.</param>
/// <param name="Reason">For the books.</param>
/// <param name="Detail">For people: the field, the value and what was expected.</param>
/// <param name="Payload">The record's beginning.</param>
internal sealed record DecodeError(int Line, RejectionReason Reason, string Detail, byte[] Payload);

/// <summary>Collects what decoders read; they never throw for what the world sends.</summary>
/// <param name="stamp">Times records that carry none.</param>
/// <param name="rules">Which records of several values are judged together; null for none.</param>
internal sealed class Decoded(IngestStamp stamp, RecordRules? rules = null)
{
    /// <summary>Most values of a record: each may be a stream, and a record gone wrong must not take all the places there are.</summary>
    public const int FieldsMax = 4096;

    private const int PayloadKeptBytes = 1024;
    private const int DetailMaxChars = 300;

    /// <summary>More than a stream's name may have (256 bytes).</summary>
    private const int NameMaxChars = 300;

    private readonly List<string> _names = [];
    private readonly List<double> _values = [];
    private string[] _columns = [];
    private int _fields;

    public List<Observation> Observations { get; } = [];

    public List<DecodeError> Errors { get; } = [];

    /// <summary>Fields of what was read that became no observations.</summary>
    public LeftOut LeftOut { get; } = new();

    /// <summary>Whether records are streams of their fields now, whatever the rules say: who joins them afterwards makes the records.</summary>
    public bool TakesRecordsApart { get; set; }

    /// <summary>A time for a record that carries none.</summary>
    public DateTimeOffset NextStamp() => stamp.Next();

    public void Add(string stream, DateTimeOffset? time, double value) =>
        Observations.Add(new Observation(stream, time ?? stamp.Next(), value));

    public void Add(string stream, DateTimeOffset? time, TextEvent what) =>
        Observations.Add(Observation.Of(stream, time ?? stamp.Next(), what));

    /// <summary>Adds a value to the record that <see cref="EndRecord"/> ends.</summary>
    public void AddField(string name, double value)
    {
        if (_fields++ < FieldsMax)
        {
            _names.Add(name);
            _values.Add(value);
        }
    }

    /// <summary>Ends a record of named values: each a stream STREAM/NAME, all of them one stream STREAM, or both, as the rules say.</summary>
    /// <returns>How many values it had; with more than <see cref="FieldsMax"/> none was taken.</returns>
    public int EndRecord(string stream, DateTimeOffset? time)
    {
        int fieldCount = _fields;
        int count = fieldCount > FieldsMax ? 0 : fieldCount;
        RecordFields? fields = count == 0 || TakesRecordsApart ? null : rules?.FieldsOf(stream);

        if (fields is not null)
        {
            // One record, one time.
            time ??= stamp.Next();

            // Records in a row that have the same columns share their names.
            if (!_columns.AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(_names)))
            {
                _columns = [.. _names];
            }

            Observations.Add(Observation.Of(stream, time.Value, new ObservedRecord(_columns, [.. _values])));
        }

        if (fields != RecordFields.Joint)
        {
            for (int i = 0; i < count; i++)
            {
                Add($"{Shortened(stream)}/{Shortened(_names[i])}", time, _values[i]);
            }
        }

        DropRecord();
        return fieldCount;
    }

    /// <summary>Forgets the fields of a record that turns out to be unreadable.</summary>
    public void DropRecord()
    {
        _names.Clear();
        _values.Clear();
        _fields = 0;
    }

    public void Reject(int line, string detail, ReadOnlySpan<byte> payload, RejectionReason reason = RejectionReason.Malformed) =>
        Errors.Add(new DecodeError(line, reason, detail.Length <= DetailMaxChars ? detail : detail[..DetailMaxChars] + "...", Kept(payload[..Math.Min(payload.Length, PayloadKeptBytes)])));

    /// <summary>Rejects a record that had more than <see cref="FieldsMax"/> values.</summary>
    public void RejectFields(int line, int fields, ReadOnlySpan<byte> payload) =>
        Reject(line, $"{fields} values in a record, expected at most {FieldsMax}", payload, RejectionReason.Oversize);

    /// <summary>A name that is too long for a stream stays too long: it is rejected, and need not be built for each of its values.</summary>
    private static string Shortened(string name) => name.Length <= NameMaxChars ? name : name[..NameMaxChars];

    /// <summary>The errors of one document share its beginning.</summary>
    private byte[] Kept(ReadOnlySpan<byte> beginning) =>
        Errors.Count > 0 && beginning.SequenceEqual(Errors[^1].Payload) ? Errors[^1].Payload : beginning.ToArray();

    public void Reject(int line, string detail, string payload) => Reject(line, detail, Encoding.UTF8.GetBytes(payload));
}

/// <summary>The time of records that carry none: now, but never the same twice, so that two of one stream are no conflict.</summary>
internal class IngestStamp(TimeProvider time)
{
    private long _lastTicks;

    public virtual DateTimeOffset Next()
    {
        long now = time.GetUtcNow().UtcTicks;
        long last, next;

        do
        {
            last = Volatile.Read(ref _lastTicks);
            next = Math.Max(now, last + 1);
        }
        while (Interlocked.CompareExchange(ref _lastTicks, next, last) != last);

        return new DateTimeOffset(next, TimeSpan.Zero);
    }
}
