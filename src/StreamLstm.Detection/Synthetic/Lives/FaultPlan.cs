namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>What faults do to a model, row by row: every array has (rows), and its usual value does nothing.</summary>
internal sealed class FaultPlan
{
    public FaultPlan(int rows)
    {
        (Speed, Jump, Cut, Add) = (Filled(rows, 1), new double[rows], new double[rows], new double[rows]);
        (Gain, Lift, Wide, Plus) = (Filled(rows, 1), new double[rows], Filled(rows, 1), new double[rows]);
        (Floor, Ceiling) = (Filled(rows, double.NegativeInfinity), Filled(rows, double.PositiveInfinity));
        (Put, Hold) = (Filled(rows, double.NaN), new bool[rows]);
    }

    private FaultPlan(FaultPlan other)
    {
        (Speed, Jump, Cut, Add) = ([.. other.Speed], [.. other.Jump], [.. other.Cut], [.. other.Add]);
        (Gain, Lift, Wide, Plus) = ([.. other.Gain], [.. other.Lift], [.. other.Wide], [.. other.Plus]);
        (Floor, Ceiling, Put, Hold) = ([.. other.Floor], [.. other.Ceiling], [.. other.Put], [.. other.Hold]);
    }

    /// <summary>How fast the clock runs.</summary>
    public double[] Speed { get; }

    /// <summary>Steps by which the clock jumps before the row.</summary>
    public double[] Jump { get; }

    /// <summary>Share of the activity that is taken away.</summary>
    public double[] Cut { get; }

    /// <summary>Share of a bump that is added.</summary>
    public double[] Add { get; }

    /// <summary>Factor of the mean.</summary>
    public double[] Gain { get; }

    /// <summary>What is added to the mean.</summary>
    public double[] Lift { get; }

    /// <summary>Factor of the noise.</summary>
    public double[] Wide { get; }

    /// <summary>What is added to the value.</summary>
    public double[] Plus { get; }

    /// <summary>No value is told below it.</summary>
    public double[] Floor { get; }

    /// <summary>No value is told above it.</summary>
    public double[] Ceiling { get; }

    /// <summary>The value that is told whatever is true, NaN for none.</summary>
    public double[] Put { get; }

    /// <summary>The row before is told again.</summary>
    public bool[] Hold { get; }

    public FaultPlan Copy() => new(this);

    private static double[] Filled(int rows, double value)
    {
        var values = new double[rows];
        Array.Fill(values, value);
        return values;
    }
}

/// <summary>A model's life under a plan.</summary>
/// <param name="Values">(rows)</param>
/// <param name="Means">(rows) Without noise and without what happens to values only.</param>
/// <param name="Clocks">(rows) In steps.</param>
internal sealed record LifeRendering(double[] Values, double[] Means, double[] Clocks)
{
    /// <summary>Renders a model that was not rendered before.</summary>
    public static LifeRendering Of(LifeModel model, FaultPlan plan)
    {
        double[] values = new double[model.Rows], means = new double[model.Rows], clocks = new double[model.Rows];
        double clock = 0, total = 0;

        for (int row = 0; row < model.Rows; row++)
        {
            double elapsed = row == 0 ? 1 : (model.Seconds[row] - model.Seconds[row - 1]) / model.StepSeconds;
            clock += (row == 0 ? 0 : elapsed * plan.Speed[row]) + plan.Jump[row];
            clock += model.ClockChange is { } change && change.Row == row ? change.Steps : 0;

            // The clock never goes behind its beginning, where models know nothing.
            var moment = new Moment(row, Math.Max(0, clock), elapsed);
            double mean = model.Mean(moment) + (1 - plan.Cut[row]) * model.Activity(moment) + plan.Add[row] * model.BumpSize;
            mean = mean * plan.Gain[row] + plan.Lift[row];
            double value = model.Noise(row, mean, plan.Wide[row]);

            if (model.IsCounter)
            {
                total = model.Restarts.Contains(row) ? 0 : (total + Math.Max(0, value) * elapsed) % model.Modulus;
                value = total;
            }

            value = model.Tidy(Math.Clamp(value + plan.Plus[row], plan.Floor[row], plan.Ceiling[row]));
            value = double.IsNaN(plan.Put[row]) ? value : plan.Put[row];
            values[row] = plan.Hold[row] && row > 0 ? values[row - 1] : value;
            (means[row], clocks[row]) = (mean, clock);
        }

        return new LifeRendering(values, means, clocks);
    }
}
