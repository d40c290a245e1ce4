namespace StreamLstm.Detection.Scoring;

/// <summary>A bounded set of remembered vectors; a new one's novelty is its distance to the nearest of them.</summary>
/// <remarks>
/// A coreset with a growing radius: a vector nearer than the radius to a member is not kept. When full, the radius
/// grows and members are kept greedily, oldest first, while they are at least the radius apart, until a tenth is free.
/// Vectors enter late, so that a vector is never compared with its own neighbours in time.
/// </remarks>
internal sealed class ShapeMemory(int dimension, int capacity, int delay)
{
    private float[] _members = [];                            // (Count, dimension)
    private readonly Queue<float[]> _waiting = new(delay + 1);
    private double _radiusSquared;

    public int Count { get; private set; }

    /// <summary>Distance of <paramref name="vector"/> (dimension) to the nearest member; 0 while there is none.</summary>
    public double Novelty(ReadOnlySpan<float> vector) => Count == 0 ? 0 : Math.Sqrt(NearestSquared(vector, Count));

    /// <summary>Hands in a vector; it is remembered once <c>delay</c> further ones have come.</summary>
    public void Add(ReadOnlySpan<float> vector)
    {
        float[] slot = _waiting.Count >= delay ? _waiting.Dequeue() : [];

        if (slot.Length > 0)
        {
            Remember(slot);
        }
        else
        {
            slot = new float[dimension];
        }

        vector.CopyTo(slot);
        _waiting.Enqueue(slot);
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_radiusSquared);
        writer.Write(Count);
        writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_members.AsSpan(0, Count * dimension)));
        writer.Write(_waiting.Count);

        foreach (float[] vector in _waiting)
        {
            writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(vector.AsSpan()));
        }
    }

    public void Load(BinaryReader reader)
    {
        _radiusSquared = reader.ReadDouble();
        Count = reader.ReadInt32();

        if (Count < 0 || Count > capacity)
        {
            throw new InvalidDataException($"shape memory: {Count} members, expected at most {capacity}");
        }

        _members = new float[Count * dimension];
        reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_members.AsSpan()));
        int waiting = reader.ReadInt32();

        if (waiting < 0 || waiting > delay)
        {
            throw new InvalidDataException($"shape memory: {waiting} waiting vectors, expected at most {delay}");
        }

        _waiting.Clear();

        for (int i = 0; i < waiting; i++)
        {
            var vector = new float[dimension];
            reader.BaseStream.ReadExactly(System.Runtime.InteropServices.MemoryMarshal.AsBytes(vector.AsSpan()));
            _waiting.Enqueue(vector);
        }
    }

    private void Remember(ReadOnlySpan<float> vector)
    {
        if (Count > 0 && NearestSquared(vector, Count) <= _radiusSquared)
        {
            return;
        }

        if (Count == capacity)
        {
            Thin();
        }

        if ((Count + 1) * dimension > _members.Length)
        {
            Array.Resize(ref _members, Math.Min(capacity, Math.Max(16, 2 * Count)) * dimension);
        }

        vector.CopyTo(_members.AsSpan(Count++ * dimension, dimension));
    }

    private void Thin()
    {
        var nearest = new double[Count];

        for (int i = 0; i < Count; i++)
        {
            nearest[i] = NearestSquared(Member(i), Count, except: i);
        }

        Array.Sort(nearest);
        double radius = Math.Max(1.02 * _radiusSquared, nearest[(int)(0.08 * Count)]);

        for (; ; radius = Math.Max(1.2 * radius, 1e-12))
        {
            int kept = 1;

            for (int i = 1; i < Count; i++)
            {
                if (NearestSquared(Member(i), kept) > radius)
                {
                    Member(i).CopyTo(_members.AsSpan(kept++ * dimension, dimension));
                }
            }

            Count = kept;
            _radiusSquared = radius;

            if (kept <= 0.9 * capacity)
            {
                return;
            }
        }
    }

    private Span<float> Member(int index) => _members.AsSpan(index * dimension, dimension);

    private double NearestSquared(ReadOnlySpan<float> vector, int count, int except = -1)
    {
        float nearest = float.PositiveInfinity;

        for (int i = 0; i < count; i++)
        {
            if (i == except)
            {
                continue;
            }

            ReadOnlySpan<float> member = _members.AsSpan(i * dimension, vector.Length);
            float sum = 0;

            for (int d = 0; d < vector.Length; d++)
            {
                float difference = member[d] - vector[d];
                sum = MathF.FusedMultiplyAdd(difference, difference, sum);
            }

            nearest = Math.Min(nearest, sum);
        }

        return nearest;
    }
}
