using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Backtesting;

/// <summary>Results as CSV: time (or row), stream, values, evidence, anomaly_score, score_settled, alert, expected, lower, upper, top; pred and cp.</summary>
/// <remarks>
/// anomaly_score is what was said of the row when it came. score_settled is the verdict revised within 64 rows: rows from
/// an incident's onset to its opening have the opening's score, where that is higher. So a row is written 64 rows late.
/// </remarks>
internal sealed class ResultFile : IRowObserver, IDisposable
{
    /// <summary>Rows within which a verdict may be revised.</summary>
    private const int SettledRows = 64;

    private static readonly HashSet<string> OwnNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "timestamp", "row", "stream", "evidence", "anomaly_score", "score_settled", "alert", "expected", "lower", "upper", "top", "pred", "cp",
    };

    private readonly PartialFile _file;
    private readonly CsvWriter _csv;
    private readonly Series _series;
    private readonly bool _flags;
    private readonly bool _scoresAlerts;
    private readonly List<Waiting> _waiting = [];
    private bool? _lastFlag;

    /// <param name="path">Where it stands once it is complete.</param>
    /// <param name="series">What it holds.</param>
    /// <param name="scoresAlerts">Whether anomaly_score is that of rows that opened an incident, 0 elsewhere.</param>
    /// <param name="flags">Whether it has the columns pred (the row belongs to an incident) and cp (an incident began or ended).</param>
    public ResultFile(string path, Series series, bool flags, bool scoresAlerts)
    {
        _file = new PartialFile(path);
        _csv = new CsvWriter(_file.Writer, new CsvConfiguration(CultureInfo.InvariantCulture) { NewLine = "\n" }, leaveOpen: true);
        _series = series;
        _flags = flags;
        _scoresAlerts = scoresAlerts;
        WriteHeader();
    }

    public void Add(in ReportedRow reported)
    {
        // The reader's row is its own array: it is the next row's then.
        _waiting.Add(new Waiting(
            reported with { Row = reported.Row with { Values = [.. reported.Row.Values] } }, reported.Verdict.AnomalyScore));

        foreach (IncidentEvent incident in reported.Verdict.Incidents ?? [])
        {
            if (incident.State == IncidentState.Opened)
            {
                Settle(reported.Row.Stream, incident.Onset, reported.Verdict.AnomalyScore);
            }
        }

        if (_waiting.Count > SettledRows)
        {
            Write(_waiting[0]);
            _waiting.RemoveAt(0);
        }
    }

    /// <summary>Everything is in it: it takes its place.</summary>
    public void Complete()
    {
        _waiting.ForEach(Write);
        _waiting.Clear();
        _csv.Dispose();
        _file.Complete();
    }

    public void Dispose()
    {
        _csv.Dispose();
        _file.Dispose();
    }

    /// <summary>What led to an incident is worth what opened it.</summary>
    private void Settle(string stream, DateTimeOffset onset, double score)
    {
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            (ReportedRow reported, double settled) = _waiting[i];

            if (reported.Row.Stream == stream && reported.Row.Time >= onset)
            {
                _waiting[i] = new Waiting(reported, Math.Max(settled, score));
            }
        }
    }

    private void Write(Waiting waiting)
    {
        (SeriesRow row, RowVerdict verdict, string top) = waiting.Reported;
        _csv.WriteField(row.Label);

        if (_series.NamesStreams)
        {
            _csv.WriteField(row.Stream);
        }

        foreach (double value in row.Values)
        {
            Write(double.IsNaN(value) ? null : value);
        }

        Write(verdict.Evidence);
        Write(_scoresAlerts && !verdict.IsAlert ? 0 : verdict.AnomalyScore);
        Write(waiting.Settled);
        Write(verdict.IsAlert);
        Write(verdict.Expected);
        Write(verdict.Lower);
        Write(verdict.Upper);
        _csv.WriteField(top);

        if (_flags)
        {
            WriteFlags(verdict);
        }

        _csv.NextRecord();
    }

    private void WriteHeader()
    {
        _csv.WriteField(_series.IsTimed ? "timestamp" : "row");

        if (_series.NamesStreams)
        {
            _csv.WriteField("stream");
        }

        foreach (string column in _series.Columns)
        {
            _csv.WriteField(OwnNames.Contains(column) ? $"input.{column}" : column);
        }

        foreach (string name in (string[])["evidence", "anomaly_score", "score_settled", "alert", "expected", "lower", "upper", "top"])
        {
            _csv.WriteField(name);
        }

        if (_flags)
        {
            _csv.WriteField("pred");
            _csv.WriteField("cp");
        }

        _csv.NextRecord();
    }

    private void WriteFlags(in RowVerdict verdict)
    {
        if (verdict.Evidence is null)
        {
            _csv.WriteField("");
            _csv.WriteField("");
            return;
        }

        Write(verdict.IsAbnormal);
        Write(verdict.IsAlert || verdict.IsAbnormal != (_lastFlag ?? verdict.IsAbnormal));
        _lastFlag = verdict.IsAbnormal;
    }

    private void Write(double? value) => _csv.WriteField(value?.ToString("R", CultureInfo.InvariantCulture) ?? "");

    private void Write(bool flag) => _csv.WriteField(flag ? "1" : "0");

    private readonly record struct Waiting(ReportedRow Reported, double Settled);
}
