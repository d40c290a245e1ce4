using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Decoding;

/// <summary>What becomes of the fields of a record that is judged as a whole.</summary>
internal enum RecordFields
{
    /// <summary>They stay streams of their own beside it.</summary>
    Both,

    /// <summary>They are judged together only.</summary>
    Joint,
}

/// <summary>Which records of several values are judged together.</summary>
/// <param name="rules">Records, and what becomes of their fields; the first whose pattern matches counts.</param>
internal sealed class RecordRules(IReadOnlyList<(VectorOptions Detection, RecordFields Fields)> rules)
{
    /// <summary>None are.</summary>
    public static readonly RecordRules None = new([]);

    /// <summary>All are, and their fields are no streams of their own.</summary>
    public static readonly RecordRules All = new([(new VectorOptions { Streams = "*" }, RecordFields.Joint)]);

    /// <summary>Whether no record is.</summary>
    public bool IsEmpty => rules.Count == 0;

    /// <summary>What becomes of the fields of a stream's records; null where they are not judged together.</summary>
    public RecordFields? FieldsOf(string stream)
    {
        foreach ((VectorOptions detection, RecordFields kept) in rules)
        {
            if (detection.Matches(stream))
            {
                return kept;
            }
        }

        return null;
    }
}
