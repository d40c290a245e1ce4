using StreamLstm.Daemon.Configuration;
using StreamLstm.Detection.Multivariate;

namespace StreamLstm.Daemon.Decoding;

/// <summary>Which records of several values are judged together.</summary>
internal sealed class RecordRules(IReadOnlyList<VectorsOptions> vectors)
{
    /// <summary>None are.</summary>
    public static readonly RecordRules None = new([]);

    private readonly (VectorOptions Detection, RecordFields Fields)[] _rules =
        [.. vectors.Select(rule => (rule.Detection(), rule.Fields))];

    /// <summary>Whether no record is.</summary>
    public bool IsEmpty => _rules.Length == 0;

    /// <summary>What becomes of the fields of a stream's records; null where they are not judged together.</summary>
    public RecordFields? FieldsOf(string stream)
    {
        foreach ((VectorOptions detection, RecordFields fields) in _rules)
        {
            if (detection.Matches(stream))
            {
                return fields;
            }
        }

        return null;
    }
}
