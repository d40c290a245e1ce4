using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace StreamLstm.Daemon.Backtesting;

/// <summary>Results as CSV: time (or row), stream, values, score, anomaly_score, alert, expected, lower, upper, top; pred and cp.</summary>
internal sealed class ResultFile : IRowObserver, IDisposable
{
    private static readonly HashSet<string> OwnNames = new(StringComparer.OrdinalIgnoreCase)
    {
        "timestamp", "row", "stream", "score", "anomaly_score", "alert", "expected", "lower", "upper", "top", "pred", "cp",
    };

    private readonly PartialFile _file;
    private readonly CsvWriter _csv;
    private readonly Series _series;
    private readonly bool _flags;
    private readonly bool _scoresAlerts;
    private bool? _lastFlag;

    /// <param name="path">Where it stands once it is complete.</param>
    /// <param name="series">What it holds.</param>
    /// <param name="scoresAlerts">Whether anomaly_score is that of alerts, 0 elsewhere.</param>
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

    /// <summary>The daemon's score for people as a fraction, 0 to 1, growing with the score; 0 while nothing is known.</summary>
    public static double AnomalyScore(double? score) => score > 0 ? 1 - Math.Pow(2, -score.Value / 1.5) : 0;

    public void Add(in ReportedRow reported)
    {
        (SeriesRow row, RowVerdict verdict, string top) = reported;
        _csv.WriteField(row.Label);

        if (_series.NamesStreams)
        {
            _csv.WriteField(row.Stream);
        }

        foreach (double value in row.Values)
        {
            Write(double.IsNaN(value) ? null : value);
        }

        Write(verdict.Score);
        Write(AnomalyScore(_scoresAlerts ? verdict.AlertScore : verdict.Score));
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

    /// <summary>Everything is in it: it takes its place.</summary>
    public void Complete()
    {
        _csv.Dispose();
        _file.Complete();
    }

    public void Dispose()
    {
        _csv.Dispose();
        _file.Dispose();
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

        foreach (string name in (string[])["score", "anomaly_score", "alert", "expected", "lower", "upper", "top"])
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
        if (verdict.Score is null)
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
}
