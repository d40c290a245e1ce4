using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Puts faults into a life, one after the other, each only where it can be seen, and labels what differs.</summary>
/// <remarks>
/// Every fault is tried out: the life is rendered with it and without it, from the same draws. Where the difference is not larger
/// than what the stream does by itself, the fault is taken back and tried elsewhere.
/// </remarks>
internal sealed class FaultPlanner
{
    private const int Tries = 8;

    private readonly Func<LifeModel> _newModel;
    private readonly LifeModel _model;
    private readonly CleanBehaviour _clean;
    private readonly Dice _dice;
    private readonly bool _aboveAll;
    private readonly double _sentinel;
    private readonly double _sign;
    private readonly List<LifeFault> _faults = [];
    private FaultPlan _plan;
    private double? _repeated;

    /// <param name="newModel">The same model before its first row, each time.</param>
    /// <param name="dice">Of the faults alone.</param>
    public FaultPlanner(Func<LifeModel> newModel, Dice dice)
    {
        (_newModel, _model, _dice) = (newModel, newModel(), dice);
        _plan = new FaultPlan(_model.Rows);
        Life = LifeRendering.Of(newModel(), _plan);
        _clean = new CleanBehaviour(_model, Life);
        (_aboveAll, _sign) = (dice.Chance(0.5) && !_model.Trending, dice.Sign());
        _sentinel = dice.Of([.. _model.Sentinels]);
    }

    /// <summary>A fault as it was planned, before anybody looked whether it shows.</summary>
    /// <param name="First">The first row it touches.</param>
    /// <param name="Last">The last one.</param>
    /// <param name="Strength">Null for one counted in sigmas of the difference.</param>
    /// <param name="Exact">Whether it is labelled from First to Last, and not only where it is seen.</param>
    private readonly record struct Draft(int First, int Last, double? Strength = null, bool Exact = false);

    public IReadOnlyList<LifeFault> Faults => _faults;

    /// <summary>The life with the faults that were put so far.</summary>
    public LifeRendering Life { get; private set; }

    /// <summary>Rows to be left for a fault of this kind, and a pause after it.</summary>
    public int Room(LifeFaultKind kind) => 150 + kind switch
    {
        Level or Stuck or Quieter or Variance => 350,
        Permanent => 700,
        Drift => 2300,
        Leak => 1400,
        Oscillation or Rate => 400,
        Missing or Extra => (int)Math.Min(1.6 * Math.Max(_model.Period, 150), 2500),
        Phase => (int)(2.6 * _model.Period),
        Fast or Slow => (int)(6 * _model.Period),
        Shape or Clipped => (int)(2.6 * Math.Max(_model.Period, 100)),
        Dwell => 900,
        _ => 60,
    };

    /// <summary>Puts a fault at a row, or not far behind it.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="row">Where it is wanted.</param>
    /// <param name="limit">The row that it may not reach.</param>
    /// <param name="strength">4 to 40: sigmas for faults that have a size; others make their own measure of it.</param>
    public bool TryPut(LifeFaultKind kind, int row, int limit, double strength)
    {
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            int at = row + (int)(attempt * _dice.Between(5, 60));
            FaultPlan plan = _plan.Copy();

            if (Apply(plan, kind, at, limit, strength) is not { } draft || draft.Last >= limit)
            {
                continue;
            }

            LifeRendering after = LifeRendering.Of(_newModel(), plan);

            if (Label(kind, draft, after) is { } fault)
            {
                _faults.Add(fault);
                (_plan, Life) = (plan, after);
                _repeated = kind == RepeatedSpike ? _repeated ?? after.Values[draft.First] : _repeated;
                return true;
            }
        }

        return false;
    }

    private Draft? Apply(FaultPlan plan, LifeFaultKind kind, int at, int limit, double strength) => kind switch
    {
        Spike or GrowingSpikes or ShrinkingSpikes or RepeatedSpike => OneRow(plan, kind, at, strength),
        Dip => OneRow(plan, kind, at, -strength),
        Dropout => NoValue(plan, at),
        Stuck => Held(plan, at),
        Level or Permanent => Shifted(plan, kind == Permanent, at, strength),
        Drift => Drifted(plan, at, _dice.Whole(300, Math.Clamp(limit - at - 350, 300, 2000)), _dice.Whole(1, 300), strength),
        Leak => Leaked(plan, at, strength),
        Variance => Noisy(plan, at, _dice.Whole(40, 200), 2 * Math.Pow(3, Math.Log(strength / 4, 10))),
        Quieter => Noisy(plan, at, _dice.Whole(60, 250), 0.4 * Math.Pow(0.2, Math.Log(strength / 4, 10))),
        NoiseBurst => Burst(plan, at, Math.Min(strength, 15)),
        Oscillation => Rippled(plan, at, Math.Min(strength, 15)),
        Missing => Bump(plan.Cut, _model.Bumps, at, _dice.Chance(0.5) ? 1 : _dice.Between(0.5, 1), flat: true),
        Extra => Bump(plan.Add, _model.Holes, at, _dice.Between(0.5, 1), flat: _model.States is not null),
        Phase => Jumped(plan, at),
        Fast or Slow => Hurried(plan, kind == Fast, at),
        Dwell => Lasting(plan, at),
        Clipped => Limited(plan, at),
        Rate => Rated(plan, at, strength),
        Shape => Deformed(plan, at),
        _ => throw new InvalidOperationException($"kind is {kind}, expected one of {nameof(LifeFaultKind)}"),
    };

    private Draft OneRow(FaultPlan plan, LifeFaultKind kind, int at, double size)
    {
        bool aboveAll = kind == RepeatedSpike ? !_model.Trending : _aboveAll && kind is GrowingSpikes or ShrinkingSpikes;
        double above = _clean.Max + size * _clean.Unit(at);

        if (aboveAll)
        {
            plan.Put[at] = kind == RepeatedSpike && _repeated is { } value ? value : _model.Tidy(above);
        }
        else
        {
            plan.Plus[at] = size * _clean.Unit(at);
        }

        return new Draft(at, at, Exact: true);
    }

    private Draft? NoValue(FaultPlan plan, int at)
    {
        int length = _dice.Whole(1, 6);

        for (int row = at; row < at + length; row++)
        {
            if (Math.Abs(Life.Values[row] - _sentinel) < 5 * _clean.Unit(row))
            {
                return null;
            }

            plan.Put[row] = _sentinel;
        }

        return new Draft(at, at + length - 1, Exact: true);
    }

    private Draft? Held(FaultPlan plan, int at)
    {
        int length = (int)Math.Max(_dice.Scale(30, 200), 2.5 * _clean.LongestRun);

        if (length > 300 || Life.Values[at] <= _clean.Min || Life.Values[at] >= _clean.Max)
        {
            return null;
        }

        Array.Fill(plan.Hold, true, at + 1, length);
        return new Draft(at + 1, at + length, (double)length / _clean.LongestRun, Exact: true);
    }

    private Draft Shifted(FaultPlan plan, bool forGood, int at, double strength)
    {
        int length = forGood ? _model.Rows - at : (int)_dice.Scale(10, 150);
        int edge = _dice.Chance(0.7) ? 0 : length / _dice.Whole(6, 12);
        double size = Size(at, Math.Min(length, 100), strength) * (_dice.Chance(0.8) ? _sign : -_sign);

        for (int k = 0; k < length; k++)
        {
            double share = edge == 0 ? 1 : Math.Min(1, (k + 1.0) / edge);
            plan.Lift[at + k] += size * share * (forGood || edge == 0 ? 1 : Math.Min(1, (double)(length - k) / edge));
        }

        return new Draft(at, forGood ? Math.Min(_model.Rows, at + 301) - 1 : at + length - 1);
    }

    /// <summary>Away in so many rows, by a power of time, and back in others.</summary>
    private Draft Drifted(FaultPlan plan, int at, int away, int back, double strength, double? sign = null)
    {
        double size = Size(at, away / 3, strength) * (sign ?? _dice.Sign()), power = _dice.Of(1, 1, 0.6, 1.7);

        for (int k = 0; k < away + back; k++)
        {
            plan.Lift[at + k] += size * (k < away ? Math.Pow((k + 1.0) / away, power) : (double)(away + back - k - 1) / back);
        }

        return new Draft(at, at + away + back - 1);
    }

    /// <summary>Sigmas, and more where a level wanders by itself.</summary>
    private double Size(int at, int rows, double strength) =>
        Math.Max(strength * _clean.Sigma(at), (1 + strength / 10) * _clean.Unsteadiness(rows));

    private Draft? Leaked(FaultPlan plan, int at, double strength)
    {
        if (_model.LeakingState < 0 || _model.States is null)
        {
            return Drifted(plan, at, _dice.Whole(150, 1000), 1, strength, sign: -1);
        }

        double speed = _dice.Between(1.8, 5);
        int cycles = _dice.Whole(3, 7), row = at;

        // The clock of these rows changes as they are sped up: walked, not looked up.
        for (double clock = Life.Clocks[at]; cycles > 0 && row < Math.Min(at + 1200, _model.Rows - 1); row++)
        {
            Stay stay = _model.States.At(clock);
            plan.Speed[row] = stay.State == _model.LeakingState ? speed : 1;
            clock += plan.Speed[row];
            cycles -= clock >= stay.End && stay.State == _model.LeakingState ? 1 : 0;
        }

        return new Draft(at, row, speed);
    }

    private static Draft Noisy(FaultPlan plan, int at, int rows, double factor)
    {
        Array.Fill(plan.Wide, factor, at, rows);
        return new Draft(at, at + rows - 1, factor, Exact: true);
    }

    private Draft Burst(FaultPlan plan, int at, double strength)
    {
        int rows = _dice.Whole(5, 40);

        for (int row = at; row < at + rows; row++)
        {
            plan.Plus[row] = strength * _clean.Unit(at) * _dice.Normal();
        }

        return new Draft(at, at + rows - 1);
    }

    private Draft Rippled(FaultPlan plan, int at, double strength)
    {
        int rows = _dice.Whole(60, 400);
        double period = _dice.Scale(4, Math.Min(40, rows / 4.0)), size = Math.Max(strength * _clean.Sigma(at), _clean.Unsteadiness((int)period));

        for (int k = 0; k < rows; k++)
        {
            plan.Lift[at + k] += size * Math.Min(1, k / (0.1 * rows)) * Math.Sin(2 * Math.PI * k / period);
        }

        return new Draft(at, at + rows - 1);
    }

    private Draft? Bump(double[] shares, IReadOnlyList<(double From, double To)> places, int at, double share, bool flat)
    {
        (double from, double to) = places.FirstOrDefault(place => place.From >= Life.Clocks[at]);
        int first = RowAt(from, at), last = RowAt(to, at) - 1;

        if (to <= 0 || last < first || last >= _model.Rows - 1)
        {
            return null;
        }

        for (int row = first; row <= last; row++)
        {
            shares[row] = share * (flat ? 1 : Math.Sin(Math.PI * (row - first + 0.5) / (last - first + 1)));
        }

        return new Draft(first, last);
    }

    private Draft? Jumped(FaultPlan plan, int at)
    {
        double share = _dice.Between(1 / 12.0, 1 / 3.0) * _dice.Sign();
        plan.Jump[at] = share * _model.Period;
        return new Draft(at, (int)(at + 2 * _model.Period), Math.Abs(share));
    }

    /// <summary>One to three cycles more, or less, than there would have been: afterwards the phase is what it was.</summary>
    private Draft Hurried(FaultPlan plan, bool fast, int at)
    {
        double speed = fast ? _dice.Between(1.5, 3) : _dice.Between(0.35, 0.65);
        int cycles = _dice.Whole(1, 3), rows = Math.Max(5, (int)Math.Round(cycles * _model.Period / Math.Abs(speed - 1)));
        rows = rows > 5 * _model.Period ? (int)Math.Round(_model.Period / Math.Abs(speed - 1)) : rows;
        rows = Math.Min(rows, _model.Rows - at - 1);
        Array.Fill(plan.Speed, speed, at, rows);
        return new Draft(at, at + rows - 1, speed);
    }

    private Draft? Lasting(FaultPlan plan, int at)
    {
        double clock = Life.Clocks[at];
        Stay stay = _model.States!.Stays.FirstOrDefault(stay => stay.Start >= clock && stay.Start < clock + 500);
        double[] lengths = [.. _model.States.Stays.Where(other => other.State == stay.State && other.Start < _model.Length).Select(other => other.Length).Order()];

        if (lengths.Length < 8)
        {
            return null;
        }

        int start = RowAt(stay.Start, at);

        if (_dice.Chance(0.5) && lengths[^1] < 350)
        {
            int pause = (int)(_dice.Between(1.5, 2.5) * lengths[^1] - 0.8 * stay.Length) + 5, from = start + (int)(0.8 * stay.Length);

            if (from + pause >= _model.Rows - 20)
            {
                return null;
            }

            Array.Fill(plan.Speed, 0, from, pause);
            int known = start + (int)Math.Ceiling(Math.Max(stay.Length, 1.1 * lengths[^1]));
            return new Draft(known, from + pause + (int)(0.2 * stay.Length), (pause + stay.Length) / lengths[^1]);
        }

        double left = _dice.Between(0.1, 0.45) * lengths[0];

        if (lengths[0] < 8 || stay.From != stay.To)
        {
            return null;
        }

        int end = start + (int)Math.Ceiling(left);
        plan.Jump[end] = stay.End - stay.Start - left;
        return new Draft(end, end + (int)Math.Clamp(stay.Length - left, 1, 20), left / lengths[0]);
    }

    private Draft Limited(FaultPlan plan, int at)
    {
        int rows = (int)(_model.Period > 30 ? _dice.Between(1.1, 2.4) * _model.Period : _dice.Between(80, 300));
        rows = Math.Min(rows, _model.Rows - at - 2);
        double[] sorted = [.. Life.Values.Skip(at).Take(rows).Order()];
        bool above = _dice.Chance(0.7);
        double limit = CleanBehaviour.Quantile(sorted, above ? _dice.Between(0.55, 0.85) : _dice.Between(0.15, 0.45));
        Array.Fill(above ? plan.Ceiling : plan.Floor, limit, at, rows);
        return new Draft(at, at + rows - 1);
    }

    private Draft? Rated(FaultPlan plan, int at, double strength)
    {
        int rows = (int)_dice.Scale(20, 250);
        double gain = _dice.Whole(0, 3) switch { 0 => 0, 1 => _dice.Between(0.1, 0.4), _ => 1.5 + strength / 5 };

        // Standing still is not new to a counter that does so for as long every night.
        rows = gain == 0 && 1.3 * _clean.LongestRun > rows ? (int)(1.3 * _clean.LongestRun) : rows;

        if (rows > 300)
        {
            return null;
        }

        Array.Fill(plan.Gain, gain, at, rows);
        return new Draft(at, at + rows - 1, gain);
    }

    private Draft? Deformed(FaultPlan plan, int at)
    {
        int rows = (int)_model.Period, how = _dice.Whole(0, 4);

        if (rows < 8)
        {
            return null;
        }

        double[] cycle = Life.Means[at..(at + rows)], sorted = [.. cycle.Order()];
        double middle = (sorted[0] + sorted[^1]) / 2, share = _dice.Between(0.1, 0.5), high = CleanBehaviour.Quantile(sorted, 0.6);

        for (int k = 0; k < rows; k++)
        {
            double wanted = how switch
            {
                0 => 2 * middle - cycle[k],
                1 => middle + share * (cycle[k] - middle),
                2 => cycle[rows - 1 - k],
                3 => cycle[(k + rows / 4) % rows],
                _ => Math.Min(cycle[k], high),
            };
            plan.Lift[at + k] += wanted - cycle[k];
        }

        return new Draft(at, at + rows - 1);
    }

    /// <summary>The first row whose clock has reached a place.</summary>
    private int RowAt(double clock, int from)
    {
        int row = from;

        while (row < _model.Rows - 1 && Life.Clocks[row] < clock)
        {
            row++;
        }

        return row;
    }

    /// <summary>The label, or null for a fault that does not show.</summary>
    private LifeFault? Label(LifeFaultKind kind, Draft draft, LifeRendering after)
    {
        int first = -1, last = -1, seen = 0;
        double most = 0;

        for (int row = draft.First; row <= draft.Last; row++)
        {
            double sigmas = Math.Abs(after.Values[row] - Life.Values[row]) / _clean.Sigma(row);

            if (sigmas > 0.5)
            {
                (first, last) = (first < 0 ? row : first, row);
                seen++;
            }

            most = Math.Max(most, sigmas);
        }

        if (first < 0 || !Shows(kind, draft, after, most, seen))
        {
            return null;
        }

        (first, last) = draft.Exact ? (draft.First, draft.Last) : (first, last);
        last = kind switch
        {
            Phase => Math.Min(_model.Rows - 1, first + (int)(2 * _model.Period)),
            Permanent => Math.Min(_model.Rows - 1, first + 300),
            _ => last,
        };
        int within = kind switch
        {
            Spike or Dip or RepeatedSpike or GrowingSpikes or ShrinkingSpikes => 10,
            Dropout => last - first + 8,
            Permanent => last - first,
            Phase => (int)_model.Period,
            Level or Stuck or NoiseBurst => last - first + 5,
            Variance or Quieter or Oscillation => last - first + 10,
            _ => last - first + 20,
        };
        return new LifeFault(first, last, within, kind, draft.Strength ?? most, 1 + _faults.Count(fault => fault.Kind == kind));
    }

    /// <summary>Whether a person would see it, knowing what the stream does by itself.</summary>
    private bool Shows(LifeFaultKind kind, Draft draft, LifeRendering after, double most, int seen)
    {
        int first = draft.First, last = draft.Last, rows = last - first + 1;

        switch (kind)
        {
            case Spike or Dip or RepeatedSpike or GrowingSpikes or ShrinkingSpikes:
                return Math.Abs(CleanBehaviour.Excursion(after.Values, first)) >= 3.5 * _clean.Unit(first);
            case Dropout:
                return true;
            case Stuck:
                return most > 3 && seen > 0.3 * rows;
            case Variance or Quieter or NoiseBurst:
                double factor = CleanBehaviour.Roughness(after.Values, first, last) / Math.Max(1e-12, CleanBehaviour.Roughness(Life.Values, first, last));
                return kind == Quieter ? factor < 0.6 && factor > 0 : factor > 1.6;
            case Rate when _model.IsCounter:
                return most > 5 * Math.Sqrt(rows);
            case Level or Permanent or Drift or Leak or Oscillation or Clipped or Rate or Missing or Extra:
                return most > 3.5 && seen >= Math.Min(8, 0.5 * rows);
            case Phase:
                return most > 4 && seen > 0.05 * rows;
            default:
                return most > 4 && seen >= 2;
        }
    }
}
