namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>A while in one state: from one level to another, the same for a plateau.</summary>
internal readonly record struct Stay(double Start, double Length, int State, double From, double To)
{
    public double End => Start + Length;
}

/// <summary>States one after the other on a stream's clock.</summary>
internal sealed class Timeline
{
    private readonly List<Stay> _stays = [];

    /// <param name="until">Where on the clock it may end.</param>
    /// <param name="cycle">Adds the next stays.</param>
    public Timeline(double until, Action<Timeline> cycle)
    {
        while (End < until)
        {
            cycle(this);
        }
    }

    public IReadOnlyList<Stay> Stays => _stays;

    private double End => _stays.Count == 0 ? 0 : _stays[^1].End;

    public void Add(double length, int state, double from, double to) => _stays.Add(new Stay(End, length, state, from, to));

    public void Add(double length, int state, double level) => Add(length, state, level, level);

    public Stay At(double clock)
    {
        int low = 0, high = _stays.Count - 1;

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _stays[middle].End <= clock ? (middle + 1, high) : (low, middle);
        }

        return _stays[low];
    }

    public double Level(double clock)
    {
        Stay stay = At(clock);
        return stay.From + (stay.To - stay.From) * Math.Clamp((clock - stay.Start) / stay.Length, 0, 1);
    }

    /// <summary>Clock intervals of a state, shortened at both ends by a share of their length.</summary>
    public IReadOnlyList<(double From, double To)> Of(int state, double margin = 0) =>
        [.. _stays.Where(stay => stay.State == state).Select(stay => (stay.Start + margin * stay.Length, stay.End - margin * stay.Length))];
}

/// <summary>What follows with inertia: the target less e^(-t / tau) of the distance.</summary>
internal sealed class Lag(double tau, double start)
{
    private double _value = start;

    public double Toward(double target, double elapsed) => _value += (target - _value) * (1 - Math.Exp(-elapsed / tau));
}
