using System.Text.Json;
using StreamLstm.Detection;

namespace StreamLstm.Decoding;

/// <summary>Which fields of a device make one record, though they come in messages of their own.</summary>
/// <param name="Fields">(D): the fields, which become the record's columns in this order.</param>
/// <param name="Window">How far apart they may be, and how long a record waits for those that are not here.</param>
internal sealed record JoinRule(string[] Fields, TimeSpan Window)
{
    /// <summary>Fewest and most fields of a record: as many as can be judged together.</summary>
    public const int FieldsMin = 2, FieldsMax = 128;
}

/// <summary>Puts fields that come one by one together into records. One source's, on one thread.</summary>
/// <remarks>
/// A record begins with the first of its fields. It is handed on as soon as it has all of them; or without those that are missing (NaN,
/// each counted as left out) once its window is over by the clock, a field comes that it has already, or one that is further from its
/// first by the device's own time. Its time is that of the latest of its fields: none is newer than the record. What stands in for
/// a missing value is for `vectors.missing` to say, as in any record.
/// <para>
/// Before the journal, as decoding is: what is one record follows from configuration and clock, and neither may be asked again by a replay.
/// So that a field may be acknowledged before its record is whole, records that are open are noted beside the journal's entry that
/// acknowledges their fields (<see cref="TakeNotes"/>), and taken up again from there (<see cref="Restore"/>).
/// </para>
/// </remarks>
/// <param name="rules">Whether fields of a record also stay streams of their own; where nothing is said they do not.</param>
/// <param name="openMax">Records that may be open at once; beyond it the one that waits longest is handed on.</param>
internal sealed class RecordJoin(RecordRules rules, int openMax = 10_000)
{
    private readonly Dictionary<string, Open> _open = new(StringComparer.Ordinal);
    private readonly SortedSet<(TimeSpan Due, long Number, string Stream)> _due = [];
    private readonly HashSet<string> _changed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _noted = new(StringComparer.Ordinal);
    private long _number;

    /// <summary>When the next record is handed on that is not whole by then; null where none is open.</summary>
    public TimeSpan? NextDue => _due.Count > 0 ? _due.Min.Due : null;

    /// <summary>Whether there is something to note.</summary>
    public bool HasNotes => _changed.Count > 0;

    /// <summary>Takes out of what was decoded the fields of a record, and adds the records that are whole by that.</summary>
    /// <param name="stream">The record's stream; observations of STREAM/FIELD are its fields.</param>
    /// <param name="rule">What makes a record.</param>
    /// <param name="decoded">What was decoded.</param>
    /// <param name="from">The first observation to look at.</param>
    /// <param name="now">A clock that never goes back.</param>
    public void Take(string stream, JoinRule rule, Decoded decoded, int from, TimeSpan now)
    {
        Observation[] parts = [.. decoded.Observations[from..]];
        decoded.Observations.RemoveRange(from, decoded.Observations.Count - from);

        foreach (Observation part in parts)
        {
            int field = part.Stream.Length > stream.Length && part.Stream[stream.Length] == '/' && part.Stream.StartsWith(stream, StringComparison.Ordinal)
                ? Array.IndexOf(rule.Fields, part.Stream[(stream.Length + 1)..]) : -1;

            if (part.Stream == stream && part.Record is null && part.Event is null)
            {
                // A value under the record's own name would be another kind of stream.
                decoded.LeftOut.Add(LeftOutReason.NotJoined, stream, $"{part.Value}", $"expected one of its fields {string.Join(", ", rule.Fields)}");
            }
            else if (field < 0)
            {
                decoded.Observations.Add(part);
            }
            else
            {
                if (rules.FieldsOf(stream) == RecordFields.Both)
                {
                    decoded.Observations.Add(part);
                }

                Take(stream, rule, field, part, decoded, now);
            }
        }
    }

    /// <summary>Hands on what is not whole and has waited for long enough.</summary>
    public void Expire(TimeSpan now, Decoded decoded)
    {
        while (_due.Count > 0 && _due.Min.Due <= now)
        {
            HandOn(_due.Min.Stream, decoded);
        }
    }

    /// <summary>Records that have changed since this was last asked: what is to be noted of each; empty where nothing is any more.</summary>
    public IReadOnlyList<(string Stream, string Told)> TakeNotes()
    {
        if (_changed.Count == 0)
        {
            return [];
        }

        List<(string, string)> notes = [];

        foreach (string stream in _changed)
        {
            if (_open.TryGetValue(stream, out Open? open))
            {
                notes.Add((stream, JsonSerializer.Serialize(new Note(open.Rule.Fields, open.Rule.Window.Ticks, open.First, open.Latest, [.. open.Values.Select(value => double.IsNaN(value) ? (double?)null : value)]))));
                _noted.Add(stream);
            }
            else if (_noted.Remove(stream))
            {
                notes.Add((stream, ""));
            }
        }

        _changed.Clear();
        return notes;
    }

    /// <summary>Takes back what <see cref="TakeNotes"/> gave; what is none of it is passed over.</summary>
    public void Restore(string stream, string told, TimeSpan now)
    {
        Note? note = null;

        try
        {
            note = JsonSerializer.Deserialize<Note>(told);
        }
        catch (JsonException)
        {
            // Written by another version.
        }

        if (note is { Fields.Length: >= 1 } && note.Fields.Length == note.Values?.Length && note.WindowTicks >= 0)
        {
            Open open = Begin(stream, new JoinRule(note.Fields, new TimeSpan(note.WindowTicks)), note.First, now);
            open.Latest = note.Latest;

            for (int field = 0; field < note.Values.Length; field++)
            {
                open.Values[field] = note.Values[field] ?? double.NaN;
            }

            _noted.Add(stream);
        }
    }

    private void Take(string stream, JoinRule rule, int field, in Observation part, Decoded decoded, TimeSpan now)
    {
        if (_open.TryGetValue(stream, out Open? open)
            && (!open.Rule.Fields.AsSpan().SequenceEqual(rule.Fields) || !double.IsNaN(open.Values[field]) || (part.Time - open.First).Duration() > rule.Window))
        {
            HandOn(stream, decoded);
            open = null;
        }

        if (open is null)
        {
            if (_open.Count >= openMax)
            {
                HandOn(_due.Min.Stream, decoded);
            }

            open = Begin(stream, rule, part.Time, now);
        }

        open.Values[field] = part.Value;
        open.Latest = part.Time > open.Latest ? part.Time : open.Latest;
        _changed.Add(stream);

        if (!open.Values.AsSpan().Contains(double.NaN))
        {
            HandOn(stream, decoded);
        }
    }

    private Open Begin(string stream, JoinRule rule, DateTimeOffset first, TimeSpan now)
    {
        var open = new Open(rule, first, (now + rule.Window, ++_number, stream));
        _open.Add(stream, open);
        _due.Add(open.Due);
        return open;
    }

    private void HandOn(string stream, Decoded decoded)
    {
        _open.Remove(stream, out Open? open);
        _due.Remove(open!.Due);
        _changed.Add(stream);

        for (int field = 0; field < open.Values.Length; field++)
        {
            if (double.IsNaN(open.Values[field]))
            {
                decoded.LeftOut.Add(LeftOutReason.NotJoined, $"{stream}/{open.Rule.Fields[field]}", "missing", $"not within {Duration.Format(open.Rule.Window)} of the others");
            }
        }

        decoded.Observations.Add(Observation.Of(stream, open.Latest, new ObservedRecord(open.Rule.Fields, open.Values)));
    }

    /// <summary>A record that is not whole.</summary>
    private sealed class Open
    {
        public Open(JoinRule rule, DateTimeOffset first, (TimeSpan, long, string) due)
        {
            (Rule, First, Latest, Due, Values) = (rule, first, first, due, new double[rule.Fields.Length]);
            Array.Fill(Values, double.NaN);
        }

        public JoinRule Rule { get; }

        /// <summary>Time of the field that began it.</summary>
        public DateTimeOffset First { get; }

        public DateTimeOffset Latest { get; set; }

        public (TimeSpan Due, long Number, string Stream) Due { get; }

        /// <summary>(D): NaN for a field that has not come.</summary>
        public double[] Values { get; }
    }

    private sealed record Note(string[] Fields, long WindowTicks, DateTimeOffset First, DateTimeOffset Latest, double?[] Values);
}
