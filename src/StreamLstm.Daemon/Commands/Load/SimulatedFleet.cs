using System.Globalization;
using System.Text;
using StreamLstm.Backtesting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Detection.Synthetic;

namespace StreamLstm.Daemon.Commands.Load;

/// <summary>A seeded fleet of streams, whose observations come row by row: one of each stream, then the next of each.</summary>
internal sealed class SimulatedFleet
{
    private const string NameBegins = "{\"stream\":\"";
    private const string NameEnds = "\",";

    private readonly (string Name, SyntheticSeries Series, double[] Row)[] _streams;
    private readonly StringBuilder _line = new();

    /// <param name="streams">How many.</param>
    /// <param name="seed">The same seed gives the same values.</param>
    /// <param name="faults">To be expected in 1,000 rows of each.</param>
    public SimulatedFleet(int streams, int seed, double faults)
    {
        _streams = new (string, SyntheticSeries, double[])[streams];

        for (int number = 0; number < streams; number++)
        {
            SyntheticSeriesOptions options = SyntheticFleet.Options(number, seed, faults);
            _streams[number] = (SyntheticFleet.Name(options, number), new SyntheticSeries(options), new double[options.Columns]);
        }
    }

    /// <summary>The number of the stream whose turn it is.</summary>
    public int Number { get; private set; }

    /// <summary>The name of the stream whose turn it is.</summary>
    public string Name => _streams[Number].Name;

    /// <summary>The next observation as a line of NDJSON, without its end; valid until the next one.</summary>
    /// <param name="time">When it was measured, as text.</param>
    public StringBuilder Next(string time)
    {
        (string name, SyntheticSeries series, double[] values) = _streams[Number];
        Number = (Number + 1) % _streams.Length;
        series.Next(values);
        _line.Clear().Append(CultureInfo.InvariantCulture, $$"""{{NameBegins}}{{name}}{{NameEnds}}"timestamp":"{{time}}",""");

        if (values.Length == 1)
        {
            return _line.Append(CultureInfo.InvariantCulture, $"\"value\":{values[0]:G9}}}");
        }

        for (int column = 0; column < values.Length; column++)
        {
            _line.Append(CultureInfo.InvariantCulture, $"{(column == 0 ? "\"values\":{" : ",")}\"{Column(column)}\":{values[column]:G9}");
        }

        return _line.Append("}}");
    }

    /// <summary>What a row says where its stream is said elsewhere.</summary>
    public static byte[] WithoutStream(LoadRow row) =>
        [(byte)'{', .. row.Line.AsSpan(NameBegins.Length + Encoding.UTF8.GetByteCount(row.Stream) + NameEnds.Length)];

    /// <summary>Writes where faults were: CSV with stream, start, end and kind.</summary>
    /// <param name="labels">Where to; null to count them only.</param>
    /// <param name="rows">Rows there were.</param>
    /// <param name="time">The time of a row, as text.</param>
    /// <returns>How many there were.</returns>
    public long WriteFaults(TextWriter? labels, long rows, Func<long, string> time)
    {
        labels?.WriteLine("stream,start,end,kind");
        long faults = 0;

        foreach ((string name, SyntheticSeries series, double[] values) in _streams)
        {
            foreach (SyntheticFault fault in series.Faults.Where(fault => fault.Start < rows))
            {
                faults++;
                string stream = values.Length == 1 ? name : $"{name}/{Column(fault.Column)}";
                labels?.WriteLine($"{stream},{time(fault.Start)},{time(Math.Min(fault.End, rows) - 1)},{OptionPath.SnakeCase(fault.Kind.ToString())}");
            }
        }

        return faults;
    }

    private static string Column(int column) => string.Create(CultureInfo.InvariantCulture, $"c{column}");
}
