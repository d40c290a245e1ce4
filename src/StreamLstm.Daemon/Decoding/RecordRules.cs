using StreamLstm.Daemon.Configuration;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Daemon.Decoding;

/// <summary>Which records of several values are judged together.</summary>
/// <param name="vectors">The configuration; the first whose pattern matches counts.</param>
/// <param name="fields">What becomes of the fields of all of them; null: what each says.</param>
internal sealed class RecordRules(IReadOnlyList<VectorsOptions> vectors, RecordFields? fields = null)
{
    /// <summary>None are.</summary>
    public static readonly RecordRules None = new([]);

    /// <summary>All are, and their fields are no streams of their own.</summary>
    public static readonly RecordRules All = new([new VectorsOptions { Streams = "*" }], RecordFields.Joint);

    private readonly (VectorOptions Detection, RecordFields Fields)[] _rules =
        [.. vectors.Select(rule => (rule.Detection(), fields ?? rule.Fields))];

    /// <summary>Whether no record is.</summary>
    public bool IsEmpty => _rules.Length == 0;

    /// <summary>What becomes of the fields of a stream's records; null where they are not judged together.</summary>
    public RecordFields? FieldsOf(string stream)
    {
        foreach ((VectorOptions detection, RecordFields kept) in _rules)
        {
            if (detection.Matches(stream))
            {
                return kept;
            }
        }

        return null;
    }
}
