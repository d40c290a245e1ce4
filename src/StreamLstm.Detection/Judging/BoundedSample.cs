namespace StreamLstm.Detection.Judging;

/// <summary>The last 64 of what comes seldom, such as the lengths of stays, and how far beyond all of them something new is.</summary>
/// <remarks>
/// Beyond the outermost an exponential tail is assumed whose mean excess is that of the outer quarter, its uncertainty
/// integrated out (Lomax). Something new teaches at most half that quarter's width beyond what was: an extreme counts, and
/// is not the measure at once.
/// </remarks>
internal sealed class BoundedSample
{
    /// <summary>Members before anything is said.</summary>
    public const int CountMin = 10;

    private const int CountMax = 64;

    /// <summary>Excesses that the prior is worth, and the least that any quarter is taken to be wide.</summary>
    private const double PriorCount = 4;
    private const double PriorExcess = 0.1;
    private const double LeastStep = 0.05;

    private float[] _inOrder = [];    // of arrival: the oldest is overwritten
    private float[] _sorted = [];
    private int _next;

    /// <summary>Members.</summary>
    public int Count { get; private set; }

    /// <summary>The largest; 0 while there is none.</summary>
    public double Greatest => Count > 0 ? _sorted[Count - 1] : 0;

    /// <summary>The smallest; 0 while there is none.</summary>
    public double Least => Count > 0 ? _sorted[0] : 0;

    /// <summary>The middle one; 0 while there is none.</summary>
    public double Median => Count > 0 ? _sorted[Count / 2] : 0;

    /// <summary>Whether enough is known.</summary>
    public bool IsKnown => Count >= CountMin;

    /// <summary>Decades by which the value lies above all members: that one in so many would.</summary>
    public double Above(double value) => Beyond(value - Greatest, fromTop: true);

    /// <summary>The same below them.</summary>
    public double Below(double value) => Beyond(Least - value, fromTop: false);

    /// <summary>Takes a value in.</summary>
    public void Add(double value)
    {
        if (IsKnown)
        {
            int quarter = Count / 4;
            double up = _sorted[Count - 1] - _sorted[Count - quarter], down = _sorted[quarter - 1] - _sorted[0];
            value = Math.Clamp(value, Least - 0.5 * down - LeastStep, Greatest + 0.5 * up + LeastStep);
        }

        if (Count == _inOrder.Length && Count < CountMax)
        {
            Array.Resize(ref _inOrder, Math.Clamp(2 * Count, 16, CountMax));
            Array.Resize(ref _sorted, _inOrder.Length);
        }

        if (Count == CountMax)
        {
            int gone = Array.BinarySearch(_sorted, 0, Count, _inOrder[_next]);
            Array.Copy(_sorted, gone + 1, _sorted, gone, Count - gone - 1);
            Count--;
        }

        _inOrder[_next] = (float)value;
        _next = (_next + 1) % CountMax;
        int place = Array.BinarySearch(_sorted, 0, Count, (float)value);
        place = place < 0 ? ~place : place;
        Array.Copy(_sorted, place, _sorted, place + 1, Count - place);
        _sorted[place] = (float)value;
        Count++;
    }

    /// <summary>Measures all members anew, in their order: <paramref name="measure"/> must not fall.</summary>
    /// <param name="scales">What the measure is told beside the member: so that it need not be made anew each time.</param>
    /// <param name="measure">Gives the new measure of a member.</param>
    public void Map<TScales>(TScales scales, Func<TScales, double, double> measure)
    {
        for (int i = 0; i < Count; i++)
        {
            _inOrder[i] = (float)measure(scales, _inOrder[i]);
            _sorted[i] = (float)measure(scales, _sorted[i]);
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => (Count, _next) = (0, 0);

    public void Save(BinaryWriter writer)
    {
        writer.Write(Count);
        writer.Write(_next);

        foreach (float value in _inOrder.AsSpan(0, Count))
        {
            writer.Write(value);
        }
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32(), next = reader.ReadInt32();

        if (count is < 0 or > CountMax || next < 0 || next > Math.Min(count, CountMax - 1))
        {
            throw new InvalidDataException($"sample: {count} members, the next at {next}, expected at most {CountMax}");
        }

        _inOrder = new float[Math.Min(CountMax, Math.Max(16, 1 << (int)Math.Ceiling(Math.Log2(Math.Max(1, count)))))];

        for (int i = 0; i < count; i++)
        {
            _inOrder[i] = reader.ReadSingle();
        }

        _sorted = [.. _inOrder];
        Array.Sort(_sorted, 0, count);
        (Count, _next) = (count, next);
    }

    private double Beyond(double excess, bool fromTop)
    {
        if (!IsKnown || excess <= 0)
        {
            return 0;
        }

        int outer = Math.Clamp(Count / 4, 2, 12);
        double sum = 0;

        for (int i = 0; i < outer; i++)
        {
            sum += fromTop ? _sorted[Count - 1 - i] - _sorted[Count - 1 - outer] : _sorted[outer] - _sorted[i];
        }

        double known = outer + PriorCount;
        double meanExcess = (sum + PriorCount * PriorExcess) / known;
        return Math.Log10(Count + 1) - 1 + known * Math.Log10(1 + excess / (known * meanExcess));
    }
}
