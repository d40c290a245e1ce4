namespace StreamLstm.Detection.Scoring;

/// <summary>A coreset of four-dimensional vectors, every second of which enters 30 rows late: never compared with its own neighbours in time.</summary>
internal sealed class DelayedCoreset
{
    private const int Dimension = 4;
    private const int DelayRows = 30;

    private readonly Coreset _memory;
    private float[] _waiting = [];   // (rows, dimension), from the first row on

    /// <param name="membersMax">Vectors remembered.</param>
    public DelayedCoreset(int membersMax)
    {
        _memory = new Coreset(Dimension, membersMax, step: 1 / 24.0);
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
        if (_waiting.Length == 0)
        {
            _waiting = new float[DelayRows * Dimension];
            Array.Fill(_waiting, float.NaN);
        }

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
        for (long row = Math.Max(firstRow, nextRow - DelayRows); row < endRow && _waiting.Length > 0; row++)
        {
            _waiting[row % DelayRows * Dimension] = float.NaN;
        }
    }

    /// <summary>Remembers so many vectors from now on.</summary>
    public void Resize(int members) => _memory.Resize(members);

    public void Save(BinaryWriter writer)
    {
        _memory.Save(writer);
        writer.Write(_waiting.Length > 0);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_waiting.AsSpan()));
    }

    public void Load(BinaryReader reader)
    {
        _memory.Load(reader);
        _waiting = reader.ReadBoolean() ? new float[DelayRows * Dimension] : [];
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_waiting.AsSpan()));
    }
}
