using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>A fault as it was planned, before anybody looked whether it shows.</summary>
/// <param name="First">The first row it touches.</param>
/// <param name="Last">The last one.</param>
/// <param name="Strength">Null for one counted in sigmas of the difference.</param>
/// <param name="Exact">Whether it is labelled from First to Last, and not only where it is seen.</param>
internal readonly record struct FaultDraft(int First, int Last, double? Strength = null, bool Exact = false);

/// <summary>What each kind of fault does to a plan.</summary>
internal sealed class FaultDrafts(LifeModel model, CleanBehaviour clean, Dice dice)
{
    private readonly bool _aboveAll = dice.Chance(0.5) && !model.Trending;
    private readonly double _sentinel = dice.Of([.. model.Sentinels]);
    private readonly bool _onlyUp = !model.Faults.Contains(Dip);
    private readonly double _sign = model.Faults.Contains(Dip) ? dice.Sign() : 1;
    private double? _repeated;
    private LifeRendering _life = new([], [], []);

    /// <summary>Writes a fault into a plan; null where it has no place.</summary>
    /// <param name="plan">Of the life with this fault.</param>
    /// <param name="life">Before it.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="at">The row where it is wanted.</param>
    /// <param name="limit">The row that it may not reach.</param>
    /// <param name="strength">4 to 40.</param>
    public FaultDraft? Put(FaultPlan plan, LifeRendering life, LifeFaultKind kind, int at, int limit, double strength)
    {
        _life = life;
        return Put(plan, kind, at, limit, strength);
    }

    private FaultDraft? Put(FaultPlan plan, LifeFaultKind kind, int at, int limit, double strength) => kind switch
    {
        Spike or GrowingSpikes or ShrinkingSpikes or RepeatedSpike => OneRow(plan, kind, at, strength),
        Dip => OneRow(plan, kind, at, -strength),
        Dropout => NoValue(plan, at),
        Stuck => Held(plan, at),
        Level or Permanent => Shifted(plan, kind == Permanent, at, strength),
        Drift => Drifted(plan, at, dice.Whole(300, Math.Clamp(limit - at - 350, 300, 2000)), dice.Whole(1, 300), strength),
        Leak => Leaked(plan, at, strength),
        Variance => Noisy(plan, at, dice.Whole(40, 200), 2 * Math.Pow(3, Math.Log(strength / 4, 10))),
        Quieter => Noisy(plan, at, dice.Whole(60, 250), 0.4 * Math.Pow(0.2, Math.Log(strength / 4, 10))),
        NoiseBurst => Burst(plan, at, Math.Min(strength, 15)),
        Oscillation => Rippled(plan, at, Math.Min(strength, 15)),
        Missing => Bump(plan.Cut, model.Bumps, at, dice.Chance(0.5) ? 1 : dice.Between(model.CutMin, 1), flat: true),
        Extra => Bump(plan.Add, model.Holes, at, dice.Between(0.5, 1), flat: model.States is not null),
        Phase => Jumped(plan, at),
        Fast or Slow => Hurried(plan, kind == Fast, at),
        Dwell => Lasting(plan, at),
        Clipped => Limited(plan, at),
        Rate => Rated(plan, at, strength),
        Shape => Deformed(plan, at),
        _ => throw new InvalidOperationException($"kind is {kind}, expected one of {nameof(LifeFaultKind)}"),
    };

    private FaultDraft OneRow(FaultPlan plan, LifeFaultKind kind, int at, double size)
    {
        bool aboveAll = kind == RepeatedSpike ? !model.Trending : _aboveAll && kind is GrowingSpikes or ShrinkingSpikes;
        double above = clean.Max + size * clean.Unit(at);

        if (aboveAll)
        {
            plan.Put[at] = kind == RepeatedSpike ? _repeated ??= model.Tidy(above) : model.Tidy(above);
        }
        else
        {
            plan.Plus[at] = size * clean.Unit(at);
        }

        return new FaultDraft(at, at, Exact: true);
    }

    private FaultDraft? NoValue(FaultPlan plan, int at)
    {
        int length = dice.Whole(1, 6);

        for (int row = at; row < at + length; row++)
        {
            if (Math.Abs(_life.Values[row] - _sentinel) < 5 * clean.Unit(row))
            {
                return null;
            }

            plan.Put[row] = _sentinel;
        }

        return new FaultDraft(at, at + length - 1, Exact: true);
    }

    private FaultDraft? Held(FaultPlan plan, int at)
    {
        int length = (int)Math.Max(dice.Scale(30, 200), 2.5 * clean.LongestRun);

        if (length > 300 || _life.Values[at] <= clean.Min || _life.Values[at] >= clean.Max)
        {
            return null;
        }

        Array.Fill(plan.Hold, true, at + 1, length);
        return new FaultDraft(at + 1, at + length, (double)length / clean.LongestRun, Exact: true);
    }

    private FaultDraft Shifted(FaultPlan plan, bool forGood, int at, double strength)
    {
        int length = forGood ? model.Rows - at : (int)dice.Scale(10, 150);
        int edge = dice.Chance(0.7) ? 0 : Math.Min(length / dice.Whole(6, 12), 20);
        double size = Size(at, Math.Min(length, 100), strength) * Sign();

        for (int k = 0; k < length; k++)
        {
            double share = edge == 0 ? 1 : Math.Min(1, (k + 1.0) / edge);
            plan.Lift[at + k] += size * share * (forGood || edge == 0 ? 1 : Math.Min(1, (double)(length - k) / edge));
        }

        return new FaultDraft(at, forGood ? Math.Min(model.Rows, at + 301) - 1 : at + length - 1);
    }

    /// <summary>Away in so many rows, by a power of time, and back in others.</summary>
    private FaultDraft Drifted(FaultPlan plan, int at, int away, int back, double strength, double? sign = null)
    {
        double size = Size(at, away / 3, strength) * (sign ?? Sign()), power = dice.Of(1, 1, 0.6, 1.7);

        for (int k = 0; k < away + back; k++)
        {
            plan.Lift[at + k] += size * (k < away ? Math.Pow((k + 1.0) / away, power) : (double)(away + back - k - 1) / back);
        }

        return new FaultDraft(at, at + away + back - 1);
    }

    /// <summary>Sigmas, and more where a level wanders by itself.</summary>
    private double Size(int at, int rows, double strength) =>
        Math.Min(model.LiftMax, Math.Max(strength * clean.Sigma(at), (1 + strength / 10) * clean.Unsteadiness(rows)));

    /// <summary>Mostly the same in one life; never down where less is no fault.</summary>
    private double Sign() => _onlyUp || dice.Chance(0.8) ? _sign : -_sign;

    private FaultDraft? Leaked(FaultPlan plan, int at, double strength)
    {
        if (model.LeakingState < 0 || model.States is null)
        {
            return Drifted(plan, at, dice.Whole(150, 1000), 1, strength, sign: -1);
        }

        double speed = dice.Between(1.8, 5);
        int cycles = dice.Whole(3, 7), row = at;

        // The clock of these rows changes as they are sped up: walked, not looked up.
        for (double clock = _life.Clocks[at]; cycles > 0 && row < Math.Min(at + 1200, model.Rows - 1); row++)
        {
            Stay stay = model.States.At(clock);
            plan.Speed[row] = stay.State == model.LeakingState ? speed : 1;
            clock += plan.Speed[row];
            cycles -= clock >= stay.End && stay.State == model.LeakingState ? 1 : 0;
        }

        return new FaultDraft(at, row, speed);
    }

    private static FaultDraft Noisy(FaultPlan plan, int at, int rows, double factor)
    {
        Array.Fill(plan.Wide, factor, at, rows);
        return new FaultDraft(at, at + rows - 1, factor, Exact: true);
    }

    private FaultDraft Burst(FaultPlan plan, int at, double strength)
    {
        int rows = dice.Whole(5, 40);

        for (int row = at; row < at + rows; row++)
        {
            plan.Plus[row] = strength * clean.Unit(at) * dice.Normal();
        }

        return new FaultDraft(at, at + rows - 1);
    }

    private FaultDraft Rippled(FaultPlan plan, int at, double strength)
    {
        int rows = dice.Whole(60, 400);
        double period = dice.Scale(4, Math.Min(40, rows / 4.0)), size = Math.Max(strength * clean.Sigma(at), clean.Unsteadiness((int)period));

        for (int k = 0; k < rows; k++)
        {
            plan.Lift[at + k] += size * Math.Min(1, k / (0.1 * rows)) * Math.Sin(2 * Math.PI * k / period);
        }

        return new FaultDraft(at, at + rows - 1);
    }

    private FaultDraft? Bump(double[] shares, IReadOnlyList<(double From, double To)> places, int at, double share, bool flat)
    {
        (double from, double to) = places.FirstOrDefault(place => place.From >= _life.Clocks[at]);
        int first = RowAt(from, at), last = RowAt(to, at) - 1;

        if (to <= 0 || last < first || last >= model.Rows - 1)
        {
            return null;
        }

        for (int row = first; row <= last; row++)
        {
            shares[row] = share * (flat ? 1 : Math.Sin(Math.PI * (row - first + 0.5) / (last - first + 1)));
        }

        return new FaultDraft(first, last);
    }

    private FaultDraft? Jumped(FaultPlan plan, int at)
    {
        double share = dice.Between(1 / 12.0, 1 / 3.0) * dice.Sign();
        plan.Jump[at] = share * model.Period;
        return new FaultDraft(at, (int)(at + 2 * model.Period), Math.Abs(share));
    }

    /// <summary>One to three cycles more, or less, than there would have been: afterwards the phase is what it was.</summary>
    private FaultDraft Hurried(FaultPlan plan, bool fast, int at)
    {
        double speed = fast ? dice.Between(1.6, 3) : dice.Between(0.33, 0.6);
        int cycles = dice.Whole(1, 3), rows = Math.Max(5, (int)Math.Round(cycles * model.Period / Math.Abs(speed - 1)));
        rows = rows > 5 * model.Period ? (int)Math.Round(model.Period / Math.Abs(speed - 1)) : rows;
        rows = Math.Min(rows, model.Rows - at - 1);
        Array.Fill(plan.Speed, speed, at, rows);
        return new FaultDraft(at, at + rows - 1, speed);
    }

    private FaultDraft? Lasting(FaultPlan plan, int at)
    {
        double clock = _life.Clocks[at];
        Stay stay = model.States!.Stays.FirstOrDefault(stay => stay.Start >= clock && stay.Start < clock + 500);
        double[] lengths = [.. model.States.Stays.Where(other => other.State == stay.State && other.Start < model.Length).Select(other => other.Length).Order()];

        if (lengths.Length < 8)
        {
            return null;
        }

        int start = RowAt(stay.Start, at);

        if (dice.Chance(0.5) && lengths[^1] < 350)
        {
            int pause = (int)(dice.Between(1.5, 2.5) * lengths[^1] - 0.8 * stay.Length) + 5, from = start + (int)(0.8 * stay.Length);

            if (from + pause >= model.Rows - 20)
            {
                return null;
            }

            Array.Fill(plan.Speed, 0, from, pause);
            int known = start + (int)Math.Ceiling(Math.Max(stay.Length, 1.1 * lengths[^1]));
            return new FaultDraft(known, from + pause + (int)(0.2 * stay.Length), (pause + stay.Length) / lengths[^1]);
        }

        double left = dice.Between(0.1, 0.45) * lengths[0];

        if (lengths[0] < 8 || stay.From != stay.To)
        {
            return null;
        }

        int end = start + (int)Math.Ceiling(left);
        plan.Jump[end] = stay.End - stay.Start - left;
        return new FaultDraft(end, end + (int)Math.Clamp(stay.Length - left, 1, 20), left / lengths[0]);
    }

    private FaultDraft Limited(FaultPlan plan, int at)
    {
        int rows = (int)(model.Period > 30 ? dice.Between(1.1, 2.4) * model.Period : dice.Between(80, 300));
        rows = Math.Min(rows, model.Rows - at - 2);
        double[] sorted = [.. _life.Values.Skip(at).Take(rows).Order()];
        bool above = dice.Chance(0.7);
        double limit = CleanBehaviour.Quantile(sorted, above ? dice.Between(0.55, 0.85) : dice.Between(0.15, 0.45));
        Array.Fill(above ? plan.Ceiling : plan.Floor, limit, at, rows);
        return new FaultDraft(at, at + rows - 1);
    }

    private FaultDraft? Rated(FaultPlan plan, int at, double strength)
    {
        int rows = (int)dice.Scale(20, 250);
        double gain = dice.Whole(0, 3) switch { 0 => 0, 1 => dice.Between(0.1, 0.4), _ => 1.5 + strength / 5 };

        // Standing still is not new to a counter that does so for as long every night.
        rows = gain == 0 && 1.3 * clean.LongestRun > rows ? (int)(1.3 * clean.LongestRun) : rows;

        if (rows > 300)
        {
            return null;
        }

        Array.Fill(plan.Gain, gain, at, rows);
        return new FaultDraft(at, at + rows - 1, gain);
    }

    private FaultDraft? Deformed(FaultPlan plan, int at)
    {
        int rows = (int)model.Period, how = dice.Whole(0, 4);

        if (rows < 8)
        {
            return null;
        }

        double[] cycle = _life.Means[at..(at + rows)], sorted = [.. cycle.Order()];
        double middle = (sorted[0] + sorted[^1]) / 2, share = dice.Between(0.1, 0.5), high = CleanBehaviour.Quantile(sorted, 0.6);

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

        return new FaultDraft(at, at + rows - 1);
    }

    /// <summary>The first row whose clock has reached a place.</summary>
    private int RowAt(double clock, int from)
    {
        int row = from;

        while (row < model.Rows - 1 && _life.Clocks[row] < clock)
        {
            row++;
        }

        return row;
    }
}
