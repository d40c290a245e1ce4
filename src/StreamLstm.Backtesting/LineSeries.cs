using System.Globalization;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Backtesting;

/// <summary>Lines that name their streams, as the daemon reads them (NDJSON, line protocol, Prometheus): every value is a row of the stream it names; or every record, where they are judged together.</summary>
internal sealed class LineSeries
{
    private static readonly string[] Alone = ["value"];

    private static readonly Dictionary<TextFormat, string> Expected = new()
    {
        [TextFormat.Ndjson] = "a JSON object",
        [TextFormat.Influx] = "line protocol",
        [TextFormat.Prometheus] = "a sample of Prometheus",
    };

    private readonly LineReader _lines;
    private readonly RowProblems _problems;
    private readonly CountingClock _clock = new();
    private readonly Decoded _decoded;
    private readonly TextFormat _format;
    private string? _line;

    private LineSeries(TextReader reader, TextFormat format, RecordRules rules, RowProblems problems)
    {
        _problems = problems;
        _format = format;
        _lines = new LineReader(reader, problems);
        _decoded = new Decoded(new IngestStamp(_clock), rules);
        _line = _lines.ReadFirst($"{Expected[format]} on every line");

        while (_line is not null && !Decode(_line))
        {
            _line = _lines.Read();
        }
    }

    /// <param name="reader">The text.</param>
    /// <param name="format">What a line is.</param>
    /// <param name="problems">Where what cannot be read is counted.</param>
    public static Series Read(TextReader reader, TextFormat format, RowProblems problems) => Read(reader, format, RecordRules.None, Alone, problems);

    /// <summary>Every record as a row, its columns those of all records, at most 128; a file of single values as above.</summary>
    /// <param name="file">Read twice: for the columns first.</param>
    /// <param name="format">What a line is.</param>
    /// <param name="together">Which records are; the values of others are rows of streams of their own, in the column value.</param>
    /// <param name="problems">Where what cannot be read is counted.</param>
    public static Series ReadTogether(Stream file, TextFormat format, RecordRules together, RowProblems problems)
    {
        using var first = new StreamReader(file, leaveOpen: true);
        string[] columns = new LineSeries(first, format, together, problems.Uncounted()).Columns();
        file.Position = 0;
        return Read(new StreamReader(file), format, together, columns.Length > 0 ? columns : Alone, problems);
    }

    private static Series Read(TextReader reader, TextFormat format, RecordRules rules, string[] columns, RowProblems problems)
    {
        var lines = new LineSeries(reader, format, rules, problems);
        bool timed = lines._clock.Rows == 0;
        return new Series { Columns = columns, IsTimed = timed, NamesStreams = true, Rows = lines.Rows(timed, columns) };
    }

    private string[] Columns()
    {
        List<string> columns = [];

        for (; _line is not null; ReadLine())
        {
            foreach (string name in _decoded.Observations.SelectMany(observation => observation.Record?.Columns ?? Alone))
            {
                if (columns.Count < VectorOptions.ColumnsMax && !columns.Contains(name))
                {
                    columns.Add(name);
                }
            }
        }

        return [.. columns];
    }

    private IEnumerable<SeriesRow> Rows(bool timed, string[] columns)
    {
        var values = new double[columns.Length];
        long number = 0;

        while (_line is not null)
        {
            foreach (Observation observation in _decoded.Observations)
            {
                Place(observation, columns, values);
                string label = timed ? RowTime.Text(observation.Time) : number.ToString(CultureInfo.InvariantCulture);
                number++;
                yield return new SeriesRow(_lines.Line, label, observation.Time, observation.Stream, values, IsSingle: observation.Record is null);
            }

            ReadLine();
        }
    }

    private void Place(in Observation observation, string[] columns, double[] values)
    {
        if (observation.Record is not { } record)
        {
            values.AsSpan().Fill(double.NaN);
            values[Math.Max(0, Array.IndexOf(columns, Alone[0]))] = observation.Value;
            return;
        }

        values.AsSpan().Fill(double.NaN);

        for (int i = 0; i < record.Values.Length; i++)
        {
            if (Array.IndexOf(columns, record.Columns[i]) is >= 0 and int column)
            {
                values[column] = record.Values[i];
            }
            else
            {
                _problems.Note(_lines.Line, "columns", $"column {record.Columns[i]}: more than {columns.Length} columns, expected at most {VectorOptions.ColumnsMax}");
            }
        }
    }

    private void ReadLine()
    {
        _line = _lines.Read();

        if (_line is not null)
        {
            Decode(_line);
        }
    }

    /// <summary>Decodes a line; false where it holds no observation.</summary>
    private bool Decode(string line)
    {
        _decoded.Observations.Clear();
        _decoded.Errors.Clear();

        TextDecoder.Line(_format, line, _lines.Line, prefix: "", _decoded, InfluxLineDecoder.NanosecondsPerSecond, log: null, zone: null);

        foreach (DecodeError error in _decoded.Errors)
        {
            _problems.Add(error.Line, "line", error.Detail);
        }

        return _decoded.Observations.Count > 0;
    }

    /// <summary>Numbers the records that carry no time.</summary>
    private sealed class CountingClock : TimeProvider
    {
        public long Rows { get; private set; }

        public override DateTimeOffset GetUtcNow() => RowTime.Of(Rows++);
    }
}
