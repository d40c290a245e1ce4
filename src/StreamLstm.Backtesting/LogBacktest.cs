using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting;

/// <summary>Runs one log through the daemon's detector: a row of results for every line.</summary>
/// <param name="detection">The detector's settings.</param>
/// <param name="directory">Where results go.</param>
internal sealed class LogBacktest(DetectionOptions detection, string directory)
{
    private const int LinesPerReport = 256;

    private static readonly string[] Columns =
        ["line", "timestamp", "key", "surprise", "evidence", "anomaly_score", "alert", "template", "expected", "top"];

    /// <summary>Lines before this time are not read; null for all.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Lines from this time on are not read; null for all.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <exception cref="SeriesException">The file is empty, is no text, or holds no line that could be taken.</exception>
    public BacktestResult Run(BacktestJob job, SeriesInput input, Action<long> progress, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(input.Stream);
        using var file = new PartialFile(Path.Combine(directory, job.Output!));
        using var csv = new CsvWriter(file.Writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\n" }, leaveOpen: true);
        var lines = new LineReader(reader, input.Problems);
        var engine = new AnomalyDetector(detection);
        long rows = 0, alerts = 0, bytes = 0;
        DateTimeOffset first = default, last = default;
        bool isTimed = false;
        bool isOpen = false;
        Write(csv, Columns);

        for (string? text = lines.ReadFirst("a log"); text is not null; text = lines.Read())
        {
            if (lines.Line % LinesPerReport == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                progress(input.Stream.Position - bytes);
                bytes = input.Stream.Position;
            }

            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }

            if (text.Contains('\0', StringComparison.Ordinal))
            {
                input.Problems.Add(lines.Line, "malformed", "holds a NUL character, expected text");
                continue;
            }

            (DateTimeOffset? own, TextEvent what) = job.Log!.Read(text);
            isTimed |= own is not null;

            if (!isTimed && (Since ?? Until) is not null)
            {
                throw input.Problems.Fatal(lines.Line, "carries no time, which --since and --until need");
            }

            DateTimeOffset time = own ?? RowTime.Of(rows);

            if (time < Since || time >= Until)
            {
                continue;
            }

            if (engine.Score(Observation.Of(job.Stream, time, what)) is not { } scored)
            {
                // The daemon goes on with the stream as a new one; a measurement must not hide that.
                if (engine.LastOutput.Faults is [(_, Exception fault), ..])
                {
                    throw new InvalidOperationException($"line {lines.Line}: {fault.Message}", fault);
                }

                input.Problems.Note(lines.Line, "rejected", "not scored");
                continue;
            }

            bool opened = false;

            foreach (IncidentEvent incident in engine.LastOutput.Incidents)
            {
                opened |= incident.State == IncidentState.Opened;
                isOpen = incident.State != IncidentState.Closed;
            }

            first = rows == 0 ? time : first;
            last = time > last ? time : last;
            rows++;
            alerts += opened ? 1 : 0;
            string number = (rows - 1).ToString(CultureInfo.InvariantCulture);
            Write(
                csv,
                lines.Line.ToString(CultureInfo.InvariantCulture),
                own is null ? "" : RowTime.Text(time),
                what.Key ?? "",
                Number(scored.Value),
                Number(scored.Evidence),
                Number(scored.AnomalyScore),
                opened ? "1" : "0",
                scored.Template ?? "",
                scored.ExpectedTemplate ?? "",
                scored.Channel);
            job.Observer?.Add(new ReportedRow(
                new SeriesRow(lines.Line, own is null ? number : RowTime.Text(time), time, "", [scored.Value]),
                new RowVerdict
                {
                    Evidence = scored.Evidence,
                    AnomalyScore = scored.AnomalyScore,
                    IsAlert = opened,
                    IsAbnormal = isOpen,
                    Channel = scored.Channel,
                    Incidents = engine.LastOutput.Incidents.Count > 0 ? [.. engine.LastOutput.Incidents] : null,
                },
                scored.Channel));
        }

        if (rows == 0)
        {
            throw input.Problems.Lines.FirstOrDefault() is { } problem ? new SeriesException(problem) : input.Problems.Fatal("no line was read");
        }

        csv.Dispose();
        file.Complete();
        progress(input.Stream.Length - bytes);
        return new BacktestResult
        {
            Name = job.Name,
            Rows = rows,
            Values = rows,
            Alerts = alerts,
            StreamDays = isTimed ? (last - first).TotalDays : null,
            Problems = [.. input.Problems.Lines],
        };
    }

    private static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";

    private static void Write(CsvWriter csv, params ReadOnlySpan<string> fields)
    {
        foreach (string field in fields)
        {
            csv.WriteField(field);
        }

        csv.NextRecord();
    }
}
