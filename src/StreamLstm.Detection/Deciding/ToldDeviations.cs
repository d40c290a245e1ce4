namespace StreamLstm.Detection.Deciding;

/// <summary>How far from what was expected the incidents lay that were told, and what they were worth: one that lies further out is worth no less.</summary>
/// <remarks>
/// What was told is in the tails, once, so a fault that comes again and grows would be worth less each time. Bounded: the last 16 that
/// were worth more than any nearer one; none behind a new normal.
/// </remarks>
internal sealed class ToldDeviations
{
    /// <summary>Those of a stream where none were; not to be changed.</summary>
    public static readonly ToldDeviations None = new();

    private const int Max = 16;

    private readonly List<(int Side, double Deviation, double Evidence)> _told = [];

    /// <summary>The evidence that a deviation has at least; 0 where nothing nearer was told.</summary>
    /// <param name="side">1 above what was expected, -1 below.</param>
    /// <param name="deviation">Distance from it, in the stream's unit.</param>
    public double Least(int side, double deviation)
    {
        double least = 0;

        foreach ((int toldSide, double told, double evidence) in _told)
        {
            least = toldSide == side && told <= deviation ? Math.Max(least, evidence) : least;
        }

        return least;
    }

    /// <summary>An incident is told.</summary>
    public void Tell(int side, double deviation, double evidence)
    {
        if (Least(side, deviation) >= evidence)
        {
            return;
        }

        // What lies further out and was worth less says nothing any more.
        _told.RemoveAll(told => told.Side == side && told.Deviation >= deviation && told.Evidence <= evidence);
        _told.Add((side, deviation, evidence));

        if (_told.Count > Max)
        {
            _told.RemoveAt(0);
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write((byte)_told.Count);

        foreach ((int side, double deviation, double evidence) in _told)
        {
            writer.Write((sbyte)side);
            writer.Write(deviation);
            writer.Write(evidence);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    public static ToldDeviations Load(BinaryReader reader)
    {
        if (reader.ReadByte() is var count && count > Max)
        {
            throw new InvalidDataException($"told deviations: {count}, expected at most {Max}");
        }

        ToldDeviations told = count > 0 ? new ToldDeviations() : None;

        for (int i = 0; i < count; i++)
        {
            told._told.Add((reader.ReadSByte(), reader.ReadDouble(), reader.ReadDouble()));
        }

        return told;
    }
}
