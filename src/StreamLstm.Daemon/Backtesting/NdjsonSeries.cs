using System.Globalization;
using System.Text;
using StreamLstm.Daemon.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Backtesting;

/// <summary>NDJSON as the daemon reads it: every value is a row of the stream it names.</summary>
internal sealed class NdjsonSeries
{
    private readonly LineReader _lines;
    private readonly RowProblems _problems;
    private readonly CountingClock _clock = new();
    private readonly Decoded _decoded;
    private string? _line;

    private NdjsonSeries(TextReader reader, RowProblems problems)
    {
        _problems = problems;
        _lines = new LineReader(reader, problems);
        _decoded = new Decoded(new IngestStamp(_clock));
        _line = _lines.ReadFirst("a JSON object on every line");

        while (_line is not null && !Decode(_line))
        {
            _line = _lines.Read();
        }
    }

    public static Series Read(TextReader reader, RowProblems problems)
    {
        var json = new NdjsonSeries(reader, problems);
        bool timed = json._clock.Rows == 0;
        return new Series { Columns = ["value"], IsTimed = timed, NamesStreams = true, Rows = json.Rows(timed) };
    }

    private IEnumerable<SeriesRow> Rows(bool timed)
    {
        var values = new double[1];
        long number = 0;

        while (_line is not null)
        {
            foreach (Observation observation in _decoded.Observations)
            {
                values[0] = observation.Value;
                string label = timed ? RowTime.Text(observation.Time) : number.ToString(CultureInfo.InvariantCulture);
                number++;
                yield return new SeriesRow(_lines.Line, label, observation.Time, observation.Stream, values);
            }

            _line = _lines.Read();

            if (_line is not null)
            {
                Decode(_line);
            }
        }
    }

    /// <summary>Decodes a line; false where it holds no observation.</summary>
    private bool Decode(string line)
    {
        _decoded.Observations.Clear();
        _decoded.Errors.Clear();

        if (!string.IsNullOrWhiteSpace(line))
        {
            JsonDecoder.Decode(Encoding.UTF8.GetBytes(line), _lines.Line, prefix: "", _decoded);
        }

        foreach (DecodeError error in _decoded.Errors)
        {
            _problems.Add(error.Line, "json", error.Detail);
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
