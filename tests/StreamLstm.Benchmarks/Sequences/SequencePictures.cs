using ScottPlot;
using StreamLstm.Backtesting.Demonstrations;

namespace StreamLstm.Benchmarks.Sequences;

/// <summary>What a demonstration has to show, as a picture.</summary>
internal static class SequencePictures
{
    private const int Width = 640;
    private const int Height = 360;

    // Okabe and Ito 2008: told apart by colour-blind readers too.
    private static readonly Color[] Palette = [Color.FromHex("#0072B2"), Color.FromHex("#D55E00"), Color.FromHex("#009E73"), Color.FromHex("#CC79A7"), Color.FromHex("#999999")];

    public static void Save(DemonstrationPicture picture, string path)
    {
        var plot = new Plot();
        plot.Font.Set("DejaVu Sans");
        plot.Title(picture.Title, 15);
        plot.XLabel(picture.X, 13);
        plot.YLabel(picture.Y, 13);

        foreach ((double from, double to) in picture.Faults)
        {
            plot.Add.HorizontalSpan(from, to, Palette[1].WithAlpha(0.2));
        }

        foreach ((int i, DemonstrationLine line) in picture.Lines.Index())
        {
            ScottPlot.Plottables.Scatter drawn = plot.Add.ScatterLine(line.Xs, line.Ys, Palette[i % Palette.Length]);
            drawn.LineWidth = 2;
            drawn.LegendText = line.Name;
        }

        plot.ShowLegend(picture.Lines.Count > 1 ? Alignment.LowerRight : Alignment.UpperRight);
        plot.SavePng(path, Width, Height);
    }
}
