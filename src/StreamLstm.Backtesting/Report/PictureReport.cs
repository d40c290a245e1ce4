using ScottPlot;
using ScottPlot.Plottables;

namespace StreamLstm.Backtesting.Report;

/// <summary>A PNG picture for a stream: value with its band above, score below, incidents red, labels green.</summary>
/// <remarks>Times in UTC. The drawing library is built without fontconfig: it finds the fonts of the system's folders by itself.</remarks>
internal static class PictureReport
{
    private const int Width = 1400;
    private const int Height = 700;

    private static readonly Color Value = Color.FromHex("#1b4f8a");
    private static readonly Color Band = Color.FromHex("#9cc4ee");
    private static readonly Color Score = Color.FromHex("#b35900");
    private static readonly Color Incident = Color.FromHex("#c62828");
    private static readonly Color Label = Color.FromHex("#1a7f4b");

    private const int PicturesMax = 100;

    /// <summary>Draws the streams with the worst incidents, each as NAME.png.</summary>
    public static void WriteAll(string directory, IEnumerable<StreamCourse> courses)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

        foreach (StreamCourse course in courses
            .OrderByDescending(course => course.Incidents.Select(incident => incident.Score).DefaultIfEmpty(-1).Max()).Take(PicturesMax))
        {
            string safe = string.Concat(course.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')).TrimStart('.');
            string name = safe;

            for (int i = 2; !names.Add(name); i++)
            {
                name = $"{safe}-{i}";
            }

            Write(System.IO.Path.Combine(directory, name + ".png"), course);
        }
    }

    private static void Write(string path, StreamCourse course)
    {
        var pictures = new Multiplot();
        pictures.AddPlots(2);
        Plot values = pictures.GetPlot(0), scores = pictures.GetPlot(1);
        pictures.Layout = new ScottPlot.MultiplotLayouts.CustomGrid();
        ((ScottPlot.MultiplotLayouts.CustomGrid)pictures.Layout).Set(values, new GridCell(0, 0, 3, 1, 2, 1));
        ((ScottPlot.MultiplotLayouts.CustomGrid)pictures.Layout).Set(scores, new GridCell(2, 0, 3, 1));
        DrawValues(values, course);
        DrawScores(scores, course);
        double left = At(course, course.First), right = At(course, course.Last);

        foreach (Plot plot in (Plot[])[values, scores])
        {
            Spans(plot, course.Labels.Select(label => (label.Start, label.End)), Label, "label");
            Spans(plot, course.Incidents.Select(incident => (incident.Onset, incident.Closed ?? course.Last)), Incident, "incident");
            plot.Axes.Left.MinimumSize = 80;
            plot.Axes.Left.MaximumSize = 80;

            if (course.IsTimed)
            {
                plot.Axes.DateTimeTicksBottom().TickGenerator = new ScottPlot.TickGenerators.DateTimeAutomatic { LabelFormatter = time => Tick(time, right - left) };
            }

            plot.Axes.SetLimitsX(left, right > left ? right : left + 1);
            // As the pages; where it is not installed the library takes what it finds.
            plot.Font.Set("DejaVu Sans");
        }

        scores.Axes.SetLimitsY(0, 100);
        values.ShowLegend(Alignment.UpperLeft, Orientation.Horizontal);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        pictures.SavePng(path, Width, Height);

        void Spans(Plot plot, IEnumerable<(DateTimeOffset From, DateTimeOffset To)> spans, Color colour, string name)
        {
            bool first = true;

            foreach ((DateTimeOffset from, DateTimeOffset to) in spans)
            {
                HorizontalSpan span = plot.Add.HorizontalSpan(At(course, from), At(course, to));
                span.FillColor = colour.WithAlpha(0.18);
                span.LineColor = colour.WithAlpha(0.9);
                span.LineWidth = 1.2f;
                span.LegendText = first && plot == values ? name : "";
                first = false;
            }
        }
    }

    private static void DrawValues(Plot plot, StreamCourse course)
    {
        CourseBucket[] judged = [.. course.Buckets.Where(bucket => !double.IsNaN(bucket.Lower) && !double.IsNaN(bucket.Upper))];
        plot.Title($"{course.Name}: {course.Rows:N0} rows, {course.Incidents.Count} incident{(course.Incidents.Count == 1 ? "" : "s")}");

        if (judged.Length > 1)
        {
            FillY band = plot.Add.FillY(Xs(judged), [.. judged.Select(bucket => bucket.Lower)], [.. judged.Select(bucket => bucket.Upper)]);
            band.FillColor = Band.WithAlpha(0.5);
            band.LineWidth = 0;
            band.MarkerSize = 0;
            band.LegendText = "98 % band";
        }

        CourseBucket[] known = [.. course.Buckets.Where(bucket => !double.IsNaN(bucket.Low))];
        Scatter line = plot.Add.ScatterLine(
            known.SelectMany(bucket => new[] { At(course, bucket.Time), At(course, bucket.Time) }).ToArray(),
            known.SelectMany(bucket => new[] { bucket.Low, bucket.High }).ToArray(),
            Value);
        line.LineWidth = 1.4f;
        line.LegendText = course.Columns == 1 ? "value" : $"value, first of {course.Columns}";

        double[] Xs(CourseBucket[] buckets) => [.. buckets.Select(bucket => At(course, bucket.Time))];
    }

    private static void DrawScores(Plot plot, StreamCourse course)
    {
        Scatter line = plot.Add.ScatterLine(
            course.Buckets.Select(bucket => At(course, bucket.Time)).ToArray(), course.Buckets.Select(bucket => bucket.Score).ToArray(), Score);
        line.LineWidth = 1.4f;
        line.FillY = true;
        line.FillYColor = Score.WithAlpha(0.2);
        plot.YLabel("score");
    }

    private static string Tick(DateTime time, double days) =>
        time.ToString(days > 4 ? "yyyy-MM-dd" : "MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture);

    private static double At(StreamCourse course, DateTimeOffset time) =>
        course.IsTimed ? time.UtcDateTime.ToOADate() : (time - DateTimeOffset.UnixEpoch).TotalSeconds;
}
