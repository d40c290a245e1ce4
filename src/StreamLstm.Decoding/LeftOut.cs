namespace StreamLstm.Decoding;

/// <summary>Why a field of a record that was read became no observation. The names are the values of the metric's <c>reason</c> label.</summary>
internal enum LeftOutReason
{
    /// <summary>It is a text that stands for no number.</summary>
    Text,

    /// <summary>It has no value: null, unknown, unavailable.</summary>
    Missing,

    /// <summary>It is NaN or infinite.</summary>
    NotFinite,

    /// <summary>It lies deeper in the document than is looked.</summary>
    TooDeep,

    /// <summary>The rules of its device's family say that it is no measurement.</summary>
    Rule,

    /// <summary>It is a metric whose name no birth message has told.</summary>
    UnknownAlias,

    /// <summary>The record that it belongs to had to go on without it.</summary>
    NotJoined,

    /// <summary>Its device says that it is bad or stale.</summary>
    BadQuality,
}

/// <summary>Fields that became no observations: how many, by reason, and the last of each.</summary>
internal sealed class LeftOut
{
    private const int FieldsMax = 64;

    private readonly List<LeftOutField> _fields = [];
    private readonly int[] _counts = new int[Enum.GetValues<LeftOutReason>().Length];
    private readonly string[] _last = new string[Enum.GetValues<LeftOutReason>().Length];

    public bool IsEmpty => Array.TrueForAll(_counts, count => count == 0);

    /// <param name="reason">Why.</param>
    /// <param name="field">The way to it.</param>
    /// <param name="shown">What it held; empty where that says nothing.</param>
    /// <param name="expected">What was expected.</param>
    public void Add(LeftOutReason reason, string field, ReadOnlySpan<char> shown, string expected)
    {
        _counts[(int)reason]++;
        string detail = shown.IsEmpty ? $"{field}: {expected}" : $"{field}: {(shown.Length <= 60 ? shown : $"{shown[..60]}...")}, {expected}";
        _last[(int)reason] = detail;

        if (_fields.Count < FieldsMax)
        {
            _fields.Add(new LeftOutField(reason, field, detail));
        }
    }

    /// <summary>The fields themselves, 64 at most, and none of them any more afterwards; to be asked before <see cref="Take"/>.</summary>
    public IReadOnlyList<LeftOutField> TakeFields()
    {
        LeftOutField[] fields = [.. _fields];
        _fields.Clear();
        return fields;
    }

    /// <summary>What there is, and nothing of it any more afterwards.</summary>
    public IEnumerable<(LeftOutReason Reason, int Count, string Last)> Take()
    {
        for (int reason = 0; reason < _counts.Length; reason++)
        {
            if (_counts[reason] > 0)
            {
                yield return ((LeftOutReason)reason, _counts[reason], _last[reason]);
                _counts[reason] = 0;
            }
        }

        _fields.Clear();
    }
}

/// <summary>A field that became no observation.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Field">The way to it.</param>
/// <param name="Detail">For people: the field, what it held and what was expected.</param>
internal readonly record struct LeftOutField(LeftOutReason Reason, string Field, string Detail);
