using StreamLstm.Decoding;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Records of several values that are judged together.</summary>
internal sealed class VectorsOptions
{
    /// <summary>Names of the records' streams, without the field: * stands for any characters, ? for one.</summary>
    [Required]
    public string Streams { get; init; } = "";

    /// <summary>The columns that are judged, in this order, with the context ones 2 to 128; empty = those of the stream's first 16 records, at most 128.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>Columns that help to find analogies and to forecast, and are not scored themselves.</summary>
    public IReadOnlyList<string> Context { get; init; } = [];

    /// <summary>both: the fields also stay streams of their own; joint: they do not.</summary>
    public RecordFields Fields { get; init; } = RecordFields.Both;

    /// <summary>What stands in for a value that a record lacks: ignore, previous, fixed or model.</summary>
    public MissingPolicy Missing { get; init; } = MissingPolicy.Ignore;

    /// <summary>The value of missing: fixed.</summary>
    public double Fixed { get; init; }

    /// <summary>The detector's part.</summary>
    public VectorOptions Detection() => new()
    {
        Streams = Streams,
        Columns = Columns,
        Context = Context,
        Missing = Missing,
        Fixed = Fixed,
    };

    /// <summary>What decoders make of records.</summary>
    /// <param name="vectors">The configuration; the first whose pattern matches counts.</param>
    /// <param name="fields">What becomes of the fields of all of them; null: what each says.</param>
    public static RecordRules Rules(IReadOnlyList<VectorsOptions> vectors, RecordFields? fields = null) =>
        new([.. vectors.Select(rule => (rule.Detection(), fields ?? rule.Fields))]);
}
