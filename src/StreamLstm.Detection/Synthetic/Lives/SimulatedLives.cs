namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Lives of streams as machines, buildings, services and sensors produce them, with faults whose rows are known.</summary>
/// <remarks>
/// Everything about a life is drawn anew: levels, noise, seasons, steps, sizes. Families of the two splits are disjoint, so that
/// what is learnt on one can be tried on streams that are made otherwise.
/// </remarks>
internal static class SimulatedLives
{
    /// <summary>Fewer rows leave no place behind what has to be known first.</summary>
    public const int RowsMin = 4000;

    private const int FirstFault = 560;
    private const double FaultlessShare = 1 / 6.0;

    private static readonly SortedDictionary<string, Family> _families = new(
        new[] { BuildingLives.All, MachineLives.All, ServiceLives.All, SignalLives.All }.SelectMany(all => all)
            .ToDictionary(family => family.Name), StringComparer.Ordinal);

    /// <summary>Names of the families one learns from, or of those that are kept to try it on.</summary>
    public static IReadOnlyList<string> Families(bool validation) =>
        [.. _families.Values.Where(family => family.Validation == validation).Select(family => family.Name)];

    /// <summary>A life; the same arguments give the same bits.</summary>
    /// <param name="family">One of <see cref="Families"/>.</param>
    /// <param name="rows">4,000 or more.</param>
    /// <param name="seed">Of everything that is drawn.</param>
    public static SimulatedLife Create(string family, int rows, ulong seed) => Create(family, rows, seed, faulty: true);

    /// <summary>A life, or what it would have been without its faults.</summary>
    public static SimulatedLife Create(string family, int rows, ulong seed, bool faulty)
    {
        (Func<LifeModel> newModel, Dice dice) = Begin(family, rows, seed);
        LifeModel model = newModel();
        var planner = new FaultPlanner(newModel, dice);
        planner.Excused = Excused(model, planner.Life);

        if (faulty && !dice.Chance(FaultlessShare))
        {
            PutFaults(planner, model, dice);
        }

        return new SimulatedLife(family, model.Seconds, planner.Life.Values, [.. planner.Faults.OrderBy(fault => fault.Start)], planner.Excused);
    }

    /// <summary>What the stream of a life does by itself.</summary>
    public static CleanBehaviour Behaviour(string family, int rows, ulong seed)
    {
        (Func<LifeModel> newModel, _) = Begin(family, rows, seed);
        LifeModel model = newModel();
        return new CleanBehaviour(model, LifeRendering.Of(model, new FaultPlan(rows)));
    }

    /// <summary>What makes the model of a life, the same each time, and the dice of its faults.</summary>
    private static (Func<LifeModel> NewModel, Dice Dice) Begin(string family, int rows, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, RowsMin);

        if (!_families.TryGetValue(family, out Family? made))
        {
            throw new ArgumentException($"family is {family}, expected one of {string.Join(", ", _families.Keys)}", nameof(family));
        }

        var dice = new Dice(SeededRandom.Of(family, rows).State ^ new SeededRandom(seed).NextUInt64());
        ulong modelSeed = dice.Seed();
        return (() =>
        {
            var own = new Dice(modelSeed);
            LifeModel model = made.Make(own, rows);
            int row = (int)(own.Between(0.5, 0.9) * rows);
            model.ClockChange = model.Calendar && own.Chance(0.1) ? (row, own.Sign() * model.Hours(1)) : null;
            return model;
        }, dice);
    }

    /// <summary>The first row at which a fault may start: two of the longest season have passed.</summary>
    private static int Warm(LifeModel model) => Math.Max(FirstFault, (int)Math.Ceiling(2 * model.Season) + 20);

    private static void PutFaults(FaultPlanner planner, LifeModel model, Dice dice)
    {
        int warm = Warm(model), span = model.Rows - 120 - warm;

        // A kind that finds no place where it shows leaves the life to another one.
        for (int attempt = 0; attempt < 6 && planner.Faults.Count == 0; attempt++)
        {
            LifeFaultKind kind = Kind(model, dice), other = dice.Chance(0.2) ? Kind(model, dice) : kind;
            int room = Math.Max(planner.Room(kind), planner.Room(other));
            int count = Math.Min(kind == LifeFaultKind.Permanent && other == kind ? dice.Whole(1, 2) : dice.Whole(1, 8), span / room);
            double[] strengths = Strengths(kind, Math.Max(0, count), dice);
            double[] waits = Dice.Every(count + 1, () => 0.3 + dice.Exponential(1));
            double slack = (span - count * room) / waits.Sum(), at = warm;

            for (int i = 0; i < count; i++)
            {
                at += slack * waits[i];
                planner.TryPut(dice.Chance(0.5) ? kind : other, (int)at, (int)at + room - 50, strengths[i]);
                at += room;
            }
        }
    }

    private static LifeFaultKind Kind(LifeModel model, Dice dice)
    {
        LifeFaultKind kind = dice.Of([.. model.Faults]);

        // Kinds that make sense nearly everywhere give way to the others, half of the times.
        bool common = kind is <= LifeFaultKind.Level or LifeFaultKind.Stuck or LifeFaultKind.Dropout;
        return common && dice.Chance(0.5) ? dice.Of([.. model.Faults]) : kind;
    }

    /// <summary>(count) The same, drawn anew each time, growing or shrinking.</summary>
    private static double[] Strengths(LifeFaultKind kind, int count, Dice dice)
    {
        double first = dice.Scale(4, 40), factor = dice.Between(1.25, 1.7);
        double how = kind switch { LifeFaultKind.GrowingSpikes => 0.9, LifeFaultKind.ShrinkingSpikes => 0.75, _ => dice.Between(0, 1) };
        return how switch
        {
            > 0.85 => [.. Enumerable.Range(0, count).Select(i => Math.Min(first, 8) * Math.Pow(factor, i))],
            > 0.7 => [.. Enumerable.Range(0, count).Select(i => Math.Max(first, 15) * Math.Pow(factor, count / 2 - i)).Select(size => Math.Max(5, size))],
            > 0.4 => Dice.Every(count, () => dice.Scale(4, 40)),
            _ => [.. Enumerable.Repeat(first, count)],
        };
    }

    private static List<(int First, int Last)> Excused(LifeModel model, LifeRendering clean)
    {
        List<(int, int)> excused = [];

        if (model.FreeDays.Length > 0)
        {
            // The first free day and the first ordinary one after it, and the first ordinary day after a free beginning.
            bool[] seen = [false, false];
            int begin = (int)(model.BeginSeconds / 86400);
            seen[model.FreeDays[begin % 7] ? 1 : 0] = true;

            for (int day = begin + 1; day <= begin + 14; day++)
            {
                bool free = model.FreeDays[day % 7];

                if (!seen[free ? 1 : 0] || (free && day < begin + 9) || (!free && model.FreeDays[(day + 6) % 7] && day < begin + 9))
                {
                    excused.Add(Rows(model, day * 86400 - model.BeginSeconds, 86400));
                }

                seen[free ? 1 : 0] = true;
            }
        }

        // That a counter starts again is known once it has.
        int restart = model.IsCounter ? Enumerable.Range(1, model.Rows - 1).FirstOrDefault(row => clean.Values[row] < clean.Values[row - 1], -1) : -1;

        if (restart > 0)
        {
            excused.Add((restart, Math.Min(model.Rows - 1, restart + 20)));
        }

        if (model.ClockChange is { } change)
        {
            excused.Add(Rows(model, model.Seconds[change.Row] - model.Seconds[0], 3 * 86400));
        }

        return excused;
    }

    private static (int First, int Last) Rows(LifeModel model, double fromSeconds, double seconds)
    {
        int first = Array.FindIndex(model.Seconds, at => at - model.Seconds[0] >= fromSeconds);
        int last = Array.FindLastIndex(model.Seconds, at => at - model.Seconds[0] < fromSeconds + seconds);
        return (Math.Max(0, first), Math.Max(first, last));
    }
}
