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
    public double Novelty(ReadOnlySpan<float> vector) => _memory.Novelty(vector);

    /// <summary>Takes a row's vector: it enters 30 rows later.</summary>
    /// <param name="vector">(4).</param>
    /// <param name="row">Its row.</param>
    /// <param name="teaches">Whether it may.</param>
    public void Remember(ReadOnlySpan<float> vector, long row, bool teaches)
    {
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
    }

    /// <summary>Lets rows that wait never enter.</summary>
    /// <param name="firstRow">The first of them.</param>
    /// <param name="endRow">The one behind the last.</param>
    /// <param name="nextRow">The one behind the last that was remembered.</param>
    public void Spare(long firstRow, long endRow, long nextRow)
    {
        for (long row = Math.Max(firstRow, nextRow - DelayRows); row < endRow; row++)
        {
            _waiting[row % DelayRows * Dimension] = float.NaN;
        }
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
