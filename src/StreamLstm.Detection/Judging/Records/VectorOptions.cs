using System.IO.Enumeration;

namespace StreamLstm.Detection.Judging.Records;

/// <summary>What stands in for a value that a record lacks.</summary>
public enum MissingPolicy
{
    /// <summary>Nothing: the column neither helps to find analogies nor raises the score.</summary>
    Ignore,

    /// <summary>The column's last value.</summary>
    Previous,

    /// <summary><see cref="VectorOptions.Fixed"/>.</summary>
    Fixed,

    /// <summary>What the column had in the most similar stretches of the stream's past.</summary>
    Model,
}

/// <summary>How records of some streams are judged.</summary>
public sealed record VectorOptions
{
    /// <summary>Least number of values in a record.</summary>
    public const int ColumnsMin = 2;

    /// <summary>Greatest number of values in a record that are judged.</summary>
    public const int ColumnsMax = 128;

    /// <summary>The score above which a record is abnormal by itself, the same for every stream: that of columns which all are at one in eight.</summary>
    public const double Threshold = 0.9;

    /// <summary>Names of the streams: * stands for any characters, ? for one.</summary>
    public string Streams { get; init; } = "*";

    /// <summary>The columns that are judged, in this order, with the context ones 2 to 128; empty: those of the stream's first 16 records, at most 128.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>Columns that help to find analogies and to forecast, and are not scored themselves.</summary>
    public IReadOnlyList<string> Context { get; init; } = [];

    /// <summary>What stands in for a value that a record lacks.</summary>
    public MissingPolicy Missing { get; init; } = MissingPolicy.Ignore;

    /// <summary>The value of <see cref="MissingPolicy.Fixed"/>.</summary>
    public double Fixed { get; init; }

    /// <summary>Whether the name is one of <see cref="Streams"/>.</summary>
    public bool Matches(string stream) => FileSystemName.MatchesSimpleExpression(Streams, stream, ignoreCase: false);

    /// <summary>The first whose pattern the name matches; null where there is none.</summary>
    internal static VectorOptions? Of(IReadOnlyList<VectorOptions> options, string stream)
    {
        foreach (VectorOptions one in options)
        {
            if (one.Matches(stream))
            {
                return one;
            }
        }

        return null;
    }

    /// <summary>Why such columns cannot be judged together; null where they can.</summary>
    public string? Wrong()
    {
        string[] all = [.. Columns.Union(Context, StringComparer.Ordinal)];

        if (all.Length != Columns.Except(Context, StringComparer.Ordinal).Count() + Context.Count || Columns.Distinct(StringComparer.Ordinal).Count() != Columns.Count)
        {
            return $"columns '{string.Join(", ", Columns)}', context '{string.Join(", ", Context)}': expected each column once";
        }

        if (Columns.Count > 0 && (all.Length is < ColumnsMin or > ColumnsMax || !Columns.Except(Context, StringComparer.Ordinal).Any()))
        {
            return $"columns: {all.Length}, of them {Context.Count} context, expected {ColumnsMin} to {ColumnsMax} and at least one that is scored";
        }

        return double.IsFinite(Fixed) ? null : $"fixed: {Fixed}, expected a finite number";
    }
}
