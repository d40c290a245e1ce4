namespace StreamLstm.Detection.Scoring;

/// <summary>A coreset of four-dimensional vectors, every second of which enters 30 rows late: never compared with its own neighbours in time.</summary>
internal sealed class DelayedCoreset
{
    private const int Dimension = 4;
    private const int DelayRows = 30;

    private readonly Coreset _memory;
    private readonly float[] _waiting = new float[DelayRows * Dimension];

    /// <param name="membersMax">Vectors remembered.</param>
    public DelayedCoreset(int membersMax)
    {
        _memory = new Coreset(Dimension, membersMax, step: 1 / 24.0);
        Array.Fill(_waiting, float.NaN);
    }

    /// <summary>The vector's distance to the nearest remembered one.</summary>
    /// <param name="vector">(4).</param>
    /// <param name="row">Its row.</param>
    /// <param name="teaches">Whether it may be remembered later.</param>
    public double Novelty(ReadOnlySpan<float> vector, long row, bool teaches)
    {
        double novelty = _memory.Novelty(vector);
        Span<float> slot = _waiting.AsSpan((int)(row % DelayRows) * Dimension, Dimension);

        if (row % 2 == 0 && !float.IsNaN(slot[0]))
        {
            _memory.Add(slot);
        }

        vector.CopyTo(slot);

        if (!teaches)
        {
            slot[0] = float.NaN;
        }

        return novelty;
    }

    public void Save(BinaryWriter writer)
    {
        _memory.Save(writer);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_waiting.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        _memory.Load(reader);
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_waiting.AsSpan()));
    }
}
