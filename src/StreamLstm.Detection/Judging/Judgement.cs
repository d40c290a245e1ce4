using System.Numerics.Tensors;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Detection.Judging;

/// <summary>What a judge says of one observation. It belongs to its judge, and is written anew for each.</summary>
/// <param name="indicators">The most indicators the stream is judged by.</param>
internal sealed class Judgement(int indicators)
{
    private double[] _values = [];   // (indicators), from the first that are judged on
    private double[] _scores = [];

    /// <summary>Evidence where nothing is known, in decades.</summary>
    public const double Unknown = -2;

    /// <summary>Share of the most decades that is nearly as much.</summary>
    private const double NearlyMost = 0.8;

    /// <summary>Whether there is anything to decide on.</summary>
    public bool IsJudged { get; set; }

    /// <summary>What stands for the observation in files and on charts: the value; of a record J; of an event its surprise.</summary>
    public double Value { get; set; }

    /// <summary>How unlike normal operation it is, in decades: the one number that is decided on.</summary>
    public double Evidence { get; set; } = Unknown;

    /// <summary><see cref="Evidence"/> as it were had nobody called a level ordinary; null where nobody has.</summary>
    public double? Plain { get; set; }

    /// <summary>Indicators that had something to say.</summary>
    public int Count { get; set; }

    /// <summary>Room for the indicators: (the most there are).</summary>
    public Span<double> AllValues => _values = _values.Length > 0 ? _values : new double[indicators];

    /// <summary>The same for what they are worth, in decades.</summary>
    public Span<double> AllScores => _scores = _scores.Length > 0 ? _scores : new double[indicators];

    /// <summary>The indicators: (<see cref="Count"/>).</summary>
    public ReadOnlySpan<double> Values => _values.AsSpan(0, Count);

    /// <summary>What they are worth, in decades: (<see cref="Count"/>).</summary>
    public ReadOnlySpan<double> Scores => _scores.AsSpan(0, Count);

    /// <summary>A record's columns: their shares of what is odd.</summary>
    public double[] Shares { get; set; } = [];

    /// <summary>The value that alert rules compare with its forecast; null where there is none.</summary>
    public double? Actual { get; set; }

    /// <summary>Median and 98 % band that were forecast; null where there was no forecast.</summary>
    public (double Median, double Lower, double Upper)? Expected { get; set; }

    /// <summary>Whether it came where it was forecast, or is as likely as ever.</summary>
    public bool IsAsForecast { get; set; }

    /// <summary>Rows the values have not changed for.</summary>
    public int FlatRows { get; set; }

    /// <summary>What an incident that opens with it would be.</summary>
    public IncidentKind Kind { get; set; }

    /// <summary>What an incident has in common with others like it, beside its kind: a column, a template.</summary>
    public int Likeness { get; set; }

    /// <summary>To which side of what was expected it lies: 1, -1, or 0 where there are no sides.</summary>
    public int Side { get; set; }

    public IReadOnlyList<ColumnFigure>? Columns { get; set; }

    public string? Template { get; set; }

    public string? ExpectedTemplate { get; set; }

    /// <summary>The indicator that says most; of those that say nearly as much the first, which is the simplest; -1 where none does.</summary>
    public int Strongest
    {
        get
        {
            ReadOnlySpan<double> scores = Scores;

            if (scores.IsEmpty)
            {
                return -1;
            }

            double most = TensorPrimitives.Max(scores), nearly = most > 0 ? NearlyMost * most : most;
            int strongest = 0;

            while (scores[strongest] < nearly)
            {
                strongest++;
            }

            return strongest;
        }
    }

    /// <summary>Forgets what was said.</summary>
    public void Clear()
    {
        IsJudged = IsAsForecast = false;
        (Value, Evidence, Plain, Count) = (0, Unknown, null, 0);
        (Actual, Expected, FlatRows) = (null, null, 0);
        (Kind, Likeness, Side) = (default, 0, 0);
        (Columns, Template, ExpectedTemplate) = (null, null, null);
        Shares.AsSpan().Clear();
    }

    /// <summary>Writes what may be asked of it before the next observation comes; columns are the judge's.</summary>
    public void Save(BinaryWriter writer)
    {
        writer.Write(IsJudged);
        writer.Write(Count);
        writer.Write((int)Kind);
        writer.Write(Likeness);
        writer.Write(Side);
        writer.Write(FlatRows);
        (double median, double lower, double upper) = Expected ?? (double.NaN, double.NaN, double.NaN);

        foreach (double number in (ReadOnlySpan<double>)
            [Value, Evidence, Plain ?? double.NaN, Actual ?? double.NaN, median, lower, upper, .. Values, .. Scores])
        {
            writer.Write(number);
        }

        writer.Write(Template ?? "");
        writer.Write(ExpectedTemplate ?? "");
    }

    public void Load(BinaryReader reader)
    {
        IsJudged = reader.ReadBoolean();
        Count = reader.ReadInt32();

        if (Count < 0 || Count > indicators)
        {
            throw new InvalidDataException($"judgement: {Count} indicators, expected 0 to {indicators}");
        }

        Kind = (IncidentKind)reader.ReadInt32();
        Likeness = reader.ReadInt32();
        Side = reader.ReadInt32();
        FlatRows = reader.ReadInt32();
        Value = reader.ReadDouble();
        Evidence = reader.ReadDouble();
        Plain = Known(reader.ReadDouble());
        Actual = Known(reader.ReadDouble());
        (double median, double lower, double upper) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        Expected = double.IsNaN(median) ? null : (median, lower, upper);

        for (int i = 0; i < 2 * Count; i++)
        {
            (i < Count ? AllValues : AllScores)[i % Count] = reader.ReadDouble();
        }

        Template = reader.ReadString() is { Length: > 0 } template ? template : null;
        ExpectedTemplate = reader.ReadString() is { Length: > 0 } expected ? expected : null;
    }

    private static double? Known(double number) => double.IsNaN(number) ? null : number;
}
