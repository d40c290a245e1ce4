using System.Globalization;
using System.Numerics.Tensors;
using System.Text.Json;
using System.Text.Json.Serialization;
using StreamLstm.Detection.Reconstructing;
using StreamLstm.Model;

namespace StreamLstm.Backtesting.Report;

/// <summary>One page that needs nothing but itself: data, style, script and the chart library are in it.</summary>
internal static class HtmlReport
{
    private const int DaysMax = 3653;
    private const int IncidentsMax = 200;
    private const int StreamsMax = 100;

    /// <summary>Streams whose strongest incident is reconstructed: that takes half a second for each.</summary>
    private const int ReconstructedMax = 20;

    /// <summary>What a gate is counted in: a byte holds it.</summary>
    private const int GateSteps = 255;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { NumberHandling = JsonNumberHandling.Strict };

    /// <summary>Writes the page.</summary>
    /// <param name="path">Where.</param>
    /// <param name="courses">All streams; the ones with the worst incidents are drawn.</param>
    /// <param name="comparison">Files under two configurations, or null.</param>
    public static void Write(string path, IReadOnlyCollection<StreamCourse> courses, ComparisonTable? comparison)
    {
        ReportFigures figures = ReportFigures.Of(courses);
        StreamCourse[] drawn =
        [
            .. courses.OrderByDescending(course => course.Incidents.Select(incident => incident.Score).DefaultIfEmpty(-1).Max())
                .ThenBy(course => course.Name, StringComparer.Ordinal).Take(StreamsMax),
        ];
        var data = new
        {
            Headline = Headline(figures, courses),
            Span = Span(courses),
            Tiles = Tiles(figures),
            figures,
            Timed = figures.StreamDays is not null,
            Streams = drawn.Select((course, index) => Stream(course, index < ReconstructedMax)),
            Incidents = courses
                .SelectMany(course => course.Incidents.Select(incident => (course, incident)))
                .OrderByDescending(one => one.incident.Score).ThenBy(one => one.incident.Onset).Take(IncidentsMax)
                .Select(one => Incident(one.incident, one.course, Array.IndexOf(drawn, one.course))),
            Days = figures.StreamDays is null ? [] : Days(courses),
            Comparison = comparison is null ? null : new { comparison.Columns, comparison.Rows },
        };
        string page = Resource("report.html")
            .Replace("/*style*/", Resource("report.css"), StringComparison.Ordinal)
            .Replace("/*script*/", Resource("report.js"), StringComparison.Ordinal)
            .Replace("/*echarts*/", Script(), StringComparison.Ordinal)
            .Replace("/*data*/", JsonSerializer.Serialize(data, Json), StringComparison.Ordinal);
        using var file = new PartialFile(path);
        file.Writer.Write(page);
        file.Complete();
    }

    private static string Headline(ReportFigures figures, IReadOnlyCollection<StreamCourse> courses)
    {
        if (figures.Incidents == 0)
        {
            return $"No incident in {Count(figures.Rows)} rows of {Plural(figures.Streams, "stream")}.";
        }

        ReportedIncident worst = courses.SelectMany(course => course.Incidents).OrderByDescending(incident => incident.Score).ThenBy(incident => incident.Onset).First();
        int hit = courses.Count(course => course.Incidents.Count > 0);
        return $"{Plural(figures.Incidents, "incident")} in {hit} of {Plural(figures.Streams, "stream")}; the worst in {worst.Stream}, score {worst.Score.ToString("0", CultureInfo.InvariantCulture)}.";
    }

    private static string Span(IReadOnlyCollection<StreamCourse> courses) => courses.Count == 0 || !courses.All(course => course.IsTimed)
        ? ""
        : $"{RowTime.Text(courses.Min(course => course.First))} to {RowTime.Text(courses.Max(course => course.Last))}, times in UTC";

    private static List<string[]> Tiles(ReportFigures figures)
    {
        List<string[]> tiles = [["streams", Count(figures.Streams)], ["rows", Count(figures.Rows)], ["incidents", Count(figures.Incidents)]];

        if (figures.AlertsPerStreamDay is { } alerts)
        {
            tiles.Add(["alerts per stream-day", alerts.ToString("0.###", CultureInfo.InvariantCulture)]);
        }

        if (figures.Recall is { } recall)
        {
            tiles.Add(["recall", $"{Percent(recall)} ({figures.WindowsFound} of {Plural(figures.Windows, "labelled window")})"]);
            tiles.Add(["precision", figures.Precision is { } precision ? $"{Percent(precision)} ({figures.IncidentsRight} of {Plural(figures.IncidentsLabelled, "incident")})" : "-"]);
        }

        return tiles;
    }

    private static object Stream(StreamCourse course, bool isReconstructed) => new
    {
        course.Name,
        course.Columns,
        Timed = course.IsTimed,
        Incidents = course.Incidents.Count,
        RowsPerPoint = course.RowsPerBucket,
        Step = course.Rows > 1 ? (course.Last - course.First).TotalMilliseconds / (course.Rows - 1) : 1000,
        T = course.Buckets.Select(bucket => bucket.Time.ToUnixTimeMilliseconds()),
        Low = course.Buckets.Select(bucket => Number(bucket.Low)),
        High = course.Buckets.Select(bucket => Number(bucket.High)),
        Lower = course.Buckets.Select(bucket => Number(bucket.Lower)),
        Upper = course.Buckets.Select(bucket => Number(bucket.Upper)),
        Expected = course.Buckets.Select(bucket => Number(bucket.Expected)),
        Score = course.Buckets.Select(bucket => Math.Round(bucket.Score, 1)),
        Gates = course.Closeup?.Gates is { } trace ? Gates(trace, course.Closeup.GatesUntil) : null,
        Should = isReconstructed && course.Closeup?.Excerpt is { } excerpt ? Should(excerpt.Reconstruct()) : null,
        Labels = course.Labels.Select(label => (long[])[label.Start.ToUnixTimeMilliseconds(), label.End.ToUnixTimeMilliseconds()]),
    };

    /// <summary>Bytes (steps, cells) in base 64: of a gate its 255th parts, of the cell state where it lies between minus and plus its largest size.</summary>
    private static object Gates(GateTrace trace, DateTimeOffset until)
    {
        float most = Math.Max(1e-6f, Math.Abs(TensorPrimitives.MaxMagnitude(trace.Cell.Span)));
        return new
        {
            trace.Cells,
            trace.Steps,
            Until = until.ToUnixTimeMilliseconds(),
            Forget = Bytes(trace.Forget.Span, value => value),
            Input = Bytes(trace.Input.Span, value => value),
            Output = Bytes(trace.Output.Span, value => value),
            Cell = Bytes(trace.Cell.Span, value => (value / most + 1) / 2),
        };

        static string Bytes(ReadOnlySpan<float> values, Func<float, float> share)
        {
            byte[] bytes = new byte[values.Length];

            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)Math.Clamp(MathF.Round(GateSteps * share(values[i])), 0, GateSteps);
            }

            return Convert.ToBase64String(bytes);
        }
    }

    /// <summary>What a stretch should have looked like; a counter's changes have no place in a chart of what it has counted.</summary>
    private static object? Should(Reconstruction reconstruction) => reconstruction.IsRate ? null : new
    {
        T = reconstruction.Rows.Select(row => row.Time.ToUnixTimeMilliseconds()),
        Expected = reconstruction.Rows.Select(row => Number(row.Expected)),
        reconstruction.InBand,
    };

    private static object Incident(ReportedIncident incident, StreamCourse course, int drawn) => new
    {
        Course = drawn,
        incident.Stream,
        Severity = incident.Severity.ToString().ToLowerInvariant(),
        Why = incident.Explanation,
        Onset = incident.Onset.ToUnixTimeMilliseconds(),
        Closed = incident.Closed?.ToUnixTimeMilliseconds(),
        Score = Math.Round(incident.Score, 1),
        Labelled = course.Labels.Exists(label => incident.Overlaps(label.Start, label.End)),
    };

    /// <summary>Every day from the first to the last, those without an alert among them; of a longer time its last ten years.</summary>
    private static IEnumerable<object[]> Days(IReadOnlyCollection<StreamCourse> courses)
    {
        if (courses.Count == 0)
        {
            yield break;
        }

        var counts = courses.SelectMany(course => course.Incidents).GroupBy(incident => incident.Opened.UtcDateTime.Date).ToDictionary(day => day.Key, day => day.Count());
        DateTime last = courses.Max(course => course.Last).UtcDateTime.Date;
        int days = Math.Min((last - courses.Min(course => course.First).UtcDateTime.Date).Days, DaysMax - 1);

        for (int ago = days; ago >= 0; ago--)
        {
            DateTime day = last.AddDays(-ago);
            yield return [day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), counts.GetValueOrDefault(day)];
        }
    }

    /// <summary>Seven digits: what a picture can show.</summary>
    private static double? Number(double value) =>
        double.IsFinite(value) ? double.Parse(value.ToString("G7", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Plural(int count, string noun) => $"{Count(count)} {noun}{(count == 1 ? "" : "s")}";

    private static string Percent(double share) => share.ToString("0 %", CultureInfo.InvariantCulture);

    /// <summary>The chart library the live page uses; no text in it may end the page's script.</summary>
    private static string Script() => Embedded("echarts.js").Replace("</script", "<\\/script", StringComparison.OrdinalIgnoreCase);

    private static string Resource(string name) => Embedded($"report/{name}");

    private static string Embedded(string name)
    {
        using var reader = new StreamReader(typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

/// <summary>Cells of the comparison, as the summary prints them.</summary>
internal sealed record ComparisonTable(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);
