using StreamLstm.Detection.Learning;
using StreamLstm.Detection.Scaling;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>A stream's own states, where it has few with next to nothing between them, and how long it stays in each.</summary>
internal sealed class Stays
{
    private const int Bins = 24;
    private const int StatesMax = 6;

    /// <summary>Share of the values that a bin between two states may hold, and that each state must.</summary>
    private const double EmptyShare = 0.003;
    private const double StateShare = 0.08;

    /// <summary>Rows for which a stay that was too short is told: others look at the first rows of a state too.</summary>
    private const int ToldRows = 3;

    /// <summary>Stays in a state that tell how long one is.</summary>
    private const int StaysMin = 3;

    private readonly BoundedSample[] _lengths = [.. Enumerable.Range(0, StatesMax).Select(_ => new BoundedSample())];
    private (double Low, double High)[] _valleys = [];
    private int _state = -1;
    private long _since;
    private double _short;
    private int _told;

    /// <summary>Whether the stream has states.</summary>
    public bool IsKnown => _valleys.Length > 0;

    /// <summary>The numbers it goes between, where those are few.</summary>
    public Places Places { get; } = new();

    /// <summary>Whether anything is said of stays.</summary>
    public bool AreTold => IsKnown || Places.AreKnown;

    /// <summary>Decades by which the present stay is longer than any of this state, or at any place.</summary>
    public double Long { get; private set; }

    /// <summary>Decades by which the last one was shorter.</summary>
    public double Short => _told > 0 ? _short : 0;

    /// <summary>Rows the present stay has taken, and the most so far.</summary>
    public (long Rows, double Longest) Present { get; private set; }

    /// <summary>Rows that the stream usually stays in the state it stays in longest; infinite while that is not known.</summary>
    public double UsualRows
    {
        get
        {
            double longest = double.NegativeInfinity;

            foreach (BoundedSample lengths in _lengths)
            {
                longest = lengths.Count >= StaysMin ? Math.Max(longest, lengths.Median) : longest;
            }

            return IsKnown && double.IsFinite(longest) ? Math.Exp(longest) : double.PositiveInfinity;
        }
    }

    /// <summary>Looks for states among the stream's values: at every doubling of its age, then every 2,048 rows. How long the stream stayed in them is read off the rows it remembers.</summary>
    public void Refresh(SortedReservoir history, ValueRing ring)
    {
        long rows = ring.Count;

        if (rows < 256 || (!long.IsPow2(rows) && rows % 2048 != 0))
        {
            return;
        }

        (double Low, double High)[] valleys = Find(history.Sorted);
        Places.Refresh(history, ring, valleys.Length + 1);

        if (!IsSame(valleys, history.Max - history.Min))
        {
            (_valleys, _state, _since) = (valleys, -1, 0);

            foreach (BoundedSample lengths in _lengths)
            {
                lengths.Clear();
            }

            for (long row = ring.First; row < rows; row++)
            {
                // An incident ends a stay, and none of its own is known.
                if (ring.IsAbnormal(row))
                {
                    (_state, _since) = (-1, 0);
                }
                else
                {
                    Follow(row, ring[row], isSpared: false);
                }
            }

            _told = 0;
        }
    }

    /// <summary>Takes a value; where it ends a stay, its length teaches unless <paramref name="isSpared"/>.</summary>
    public void Observe(long row, double value, bool isSpared)
    {
        Places.Observe(row, value, isSpared);
        (Long, Present) = (Places.Long, Places.Present);
        Follow(row, value, isSpared);
    }

    private void Follow(long row, double value, bool isSpared)
    {
        _told--;

        if (!IsKnown)
        {
            return;
        }

        int state = StateOf(value);

        if (state != _state)
        {
            if (_state >= 0 && _since > 0)
            {
                double length = Math.Log(row - _since);
                _short = _lengths[_state].Below(length);
                _told = ToldRows;

                if (!isSpared)
                {
                    _lengths[_state].Add(length);
                }
            }

            // How long the first one had lasted is not known.
            _since = _state < 0 ? 0 : row;
            _state = state;
        }

        if (_since > 0)
        {
            double decades = _lengths[_state].Above(Math.Log(row - _since + 1));

            if (decades >= Long)
            {
                (Long, Present) = (decades, (row - _since + 1, Math.Exp(_lengths[_state].Greatest)));
            }
        }
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_valleys.Length);

        foreach ((double low, double high) in _valleys)
        {
            writer.Write(low);
            writer.Write(high);
        }

        writer.Write(_state);
        writer.Write(_since);
        writer.Write(_short);
        writer.Write(_told);
        Places.Save(writer);

        foreach (BoundedSample lengths in _lengths)
        {
            lengths.Save(writer);
        }
    }

    public void Load(BinaryReader reader)
    {
        int valleys = reader.ReadInt32();

        if (valleys is < 0 or >= StatesMax)
        {
            throw new InvalidDataException($"stays: {valleys + 1} states, expected 1 to {StatesMax}");
        }

        _valleys = new (double, double)[valleys];

        for (int i = 0; i < valleys; i++)
        {
            _valleys[i] = (reader.ReadDouble(), reader.ReadDouble());
        }

        _state = reader.ReadInt32();
        _since = reader.ReadInt64();
        _short = reader.ReadDouble();
        _told = reader.ReadInt32();
        Places.Load(reader);

        foreach (BoundedSample lengths in _lengths)
        {
            lengths.Load(reader);
        }
    }

    /// <summary>The state a value belongs to; between two it is still the last one.</summary>
    private int StateOf(double value)
    {
        int state = 0;

        while (state < _valleys.Length && value > (_valleys[state].Low + _valleys[state].High) / 2)
        {
            state++;
        }

        bool isBetween = _state >= 0
            && ((state == _state + 1 && value < _valleys[_state].High) || (state == _state - 1 && value > _valleys[state].Low));
        return isBetween ? _state : state;
    }

    /// <summary>Stretches of next to no values, each with a state on either side.</summary>
    private static (double Low, double High)[] Find(ReadOnlySpan<double> sorted)
    {
        int outside = sorted.Length / 200;
        double low = sorted[outside], width = (sorted[^(outside + 1)] - low) / Bins;

        if (!(width > 0))
        {
            return [];
        }

        Span<int> counts = stackalloc int[Bins];
        counts.Clear();

        foreach (double value in sorted)
        {
            counts[(int)Math.Clamp((value - low) / width, 0, Bins - 1)]++;
        }

        var valleys = new List<(double, double)>();
        int total = sorted.Length;
        double empty = EmptyShare * total;
        int start = 0;

        for (int bin = 1; bin < Bins - 1; bin++)
        {
            int end = bin;

            while (end < Bins - 1 && counts[end] <= empty)
            {
                end++;
            }

            if (end - bin >= 2 && Share(counts[start..bin]) >= StateShare && Share(counts[end..]) >= StateShare)
            {
                valleys.Add((low + bin * width, low + end * width));
                start = end;
            }

            bin = Math.Max(bin, end);
        }

        return valleys.Count < StatesMax ? [.. valleys] : [];

        double Share(ReadOnlySpan<int> bins)
        {
            int sum = 0;

            foreach (int count in bins)
            {
                sum += count;
            }

            return (double)sum / total;
        }
    }

    private bool IsSame((double Low, double High)[] valleys, double range)
    {
        bool isSame = valleys.Length == _valleys.Length;

        for (int i = 0; i < valleys.Length && isSame; i++)
        {
            isSame = Math.Abs(valleys[i].Low - _valleys[i].Low) <= 0.2 * range;
        }

        return isSame;
    }
}
