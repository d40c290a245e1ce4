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
}

/// <summary>Fields that became no observations: how many, by reason, and the last of each.</summary>
internal sealed class LeftOut
{
    private readonly int[] _counts = new int[Enum.GetValues<LeftOutReason>().Length];
    private readonly string[] _last = new string[Enum.GetValues<LeftOutReason>().Length];

    public bool IsEmpty => Array.TrueForAll(_counts, count => count == 0);

    public void Add(LeftOutReason reason, string field, ReadOnlySpan<char> shown, string expected)
    {
        _counts[(int)reason]++;
        _last[(int)reason] = $"{field}: {(shown.Length <= 60 ? shown : $"{shown[..60]}...")}, {expected}";
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
    }
}
