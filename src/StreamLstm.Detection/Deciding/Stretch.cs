namespace StreamLstm.Detection.Deciding;

/// <summary>Rows in a row that are part of an incident or suspicious, a decade below the threshold at most, but for gaps shorter than those that end one.</summary>
internal sealed class Stretch
{
    /// <summary>That of a stream in which none is on; not to be changed.</summary>
    public static readonly Stretch None = new();

    public bool IsOn;

    /// <summary>Whether it comes where it always does.</summary>
    public bool IsRegular;

    /// <summary>Whether it was noted as one that came.</summary>
    public bool HasBeat;

    public long FirstRow;
    public long LastRow;
    public long OnsetRow;

    /// <summary>The last row at which it went one way; the first one where it never did.</summary>
    public long MovedRow;
    public DateTimeOffset OnsetTime;
    public double Highest;
    public Signature Signature;

    public void Save(BinaryWriter writer)
    {
        writer.Write(IsOn);

        if (!IsOn)
        {
            return;
        }

        writer.Write(IsRegular);
        writer.Write(HasBeat);
        writer.Write(FirstRow);
        writer.Write(LastRow);
        writer.Write(OnsetRow);
        writer.Write(MovedRow);
        writer.Write(OnsetTime.UtcTicks);
        writer.Write(Highest);
        writer.Write(Signature.Likeness);
        writer.Write(Signature.Side);
    }

    public static Stretch Load(BinaryReader reader) => !reader.ReadBoolean() ? None : new()
    {
        IsOn = true,
        IsRegular = reader.ReadBoolean(),
        HasBeat = reader.ReadBoolean(),
        FirstRow = reader.ReadInt64(),
        LastRow = reader.ReadInt64(),
        OnsetRow = reader.ReadInt64(),
        MovedRow = reader.ReadInt64(),
        OnsetTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero),
        Highest = reader.ReadDouble(),
        Signature = new Signature(reader.ReadInt32(), reader.ReadInt32()),
    };
}
