using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.TickGenerators;
using StreamLstm.Benchmarks.LongMemory.Networks;
using StreamLstm.Benchmarks.LongMemory.Problems;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>The measured in pictures, at the longest lag.</summary>
internal sealed class LongMemoryPictures(Plan plan, LongMemoryResults results)
{
    private const int Width = 1000;
    private const int Height = 400;

    // Okabe and Ito 2008: told apart by colour-blind readers too.
    private static readonly Color[] Palette =
        [Color.FromHex("#0072B2"), Color.FromHex("#56B4E9"), Color.FromHex("#009E73"), Color.FromHex("#CC79A7"), Color.FromHex("#D55E00")];

    public void Save(string directory)
    {
        Save(Path.Combine(directory, "learning-curves.png"), Curves(plan.Adding), Curves(plan.Copy));
        Save(Path.Combine(directory, "gradient-through-time.png"), Norms(afterLearning: false), Norms(afterLearning: true));
    }

    private Plot Curves(ISequenceProblem problem)
    {
        Plot plot = Empty($"{problem.Name}, lag {plan.LongestLag}, every seed", "updates", $"{problem.ErrorName}, on new sequences");

        for (int i = 0; i < plan.Contenders.Length; i++)
        {
            Contender contender = plan.Contenders[i];

            if (contender == Contender.Gru || contender == Contender.GruChrono)
            {
                continue; // Their curves hide those of the LSTM; the table has them.
            }

            ResultRow row = results.Row(problem, plan.LongestLag, contender);

            foreach (LearningResult seed in row.Seeds)
            {
                ScottPlot.Plottables.Scatter line = plot.Add.ScatterLine(
                    seed.Curve.Select(point => (double)point.Updates).ToArray(),
                    seed.Curve.Select(point => point.Error).ToArray(),
                    Palette[i]);
                line.LineWidth = 1.5f;
                line.LegendText = seed == row.Seeds[0] ? contender.Name : string.Empty;
            }
        }

        plot.Axes.SetLimitsY(0, 1.8 * problem.GuessingError);
        AddLevel(plot, problem.GuessingError, "guessing");
        AddLevel(plot, problem.SolvedError, "solved");
        plot.ShowLegend(Alignment.UpperRight);
        return plot;
    }

    private Plot Norms(bool afterLearning)
    {
        string when = afterLearning ? "after" : "before";
        Plot plot = Empty($"adding, lag {plan.LongestLag}, {when} learning", "step t", "share of dLoss/dh that arrives at step t");

        for (int i = 0; i < plan.Contenders.Length; i++)
        {
            Contender contender = plan.Contenders[i];
            double[] norms = results.Row(plan.Adding, plan.LongestLag, contender).MedianNorms(afterLearning);
            ScottPlot.Plottables.Scatter line = plot.Add.ScatterLine(
                Enumerable.Range(1, norms.Length).Select(step => (double)step).ToArray(),
                norms.Select(norm => Math.Log10(Math.Max(norm, LongMemoryResults.LeastNorm))).ToArray(),
                Palette[i]);
            line.LineWidth = 2;
            line.LegendText = contender.Name;
        }

        plot.Axes.Left.TickGenerator = new NumericAutomatic
        {
            IntegerTicksOnly = true,
            LabelFormatter = exponent => FormattableString.Invariant($"1e{exponent:0}"),
        };
        plot.Axes.SetLimitsY(Math.Log10(LongMemoryResults.LeastNorm) - 1, 3);
        plot.ShowLegend(Alignment.LowerRight);
        return plot;
    }

    private static Plot Empty(string title, string x, string y)
    {
        var plot = new Plot();
        plot.Font.Set("DejaVu Sans"); // another, where it is missing
        plot.Title(title, 15);
        plot.XLabel(x, 13);
        plot.YLabel(y, 13);
        return plot;
    }

    private void AddLevel(Plot plot, double error, string text)
    {
        plot.Add.HorizontalLine(error, 1, Colors.Gray, LinePattern.Dashed);
        ScottPlot.Plottables.Text label = plot.Add.Text(text, plan.Lags[^1].UpdatesMax, error);
        label.LabelAlignment = Alignment.LowerRight;
        label.LabelBackgroundColor = Colors.White;
        label.LabelFontColor = Colors.Gray;
    }

    private static void Save(string path, Plot left, Plot right)
    {
        var picture = new Multiplot();
        picture.RemovePlot(picture.GetPlot(0));
        picture.AddPlot(left);
        picture.AddPlot(right);
        picture.Layout = new Columns();
        picture.SavePng(path, Width, Height);
    }
}
