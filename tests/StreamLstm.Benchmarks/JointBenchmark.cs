using System.Diagnostics;
using System.Globalization;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Detection;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Benchmarks;

/// <summary>Records whose values are judged together: what one costs, and how good the forecast of its columns is.</summary>
internal static class JointBenchmark
{
    private const int WarmUpRows = 600;

    /// <summary>Rows of a stream for which a thread makes what it uses for all of them.</summary>
    private const int SharedRows = 20;

    private const double Low = 0.01, High = 0.99;

    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;

    /// <summary>Time of a record and memory of its stream by the number of columns, and the forecasts of public sets where they are at hand.</summary>
    public static void Run(BenchmarkRun run)
    {
        foreach (int columns in (int[])[3, 16, 38, 128])
        {
            Cost(run, columns);
        }

        if (run.Small || QualityCommand.DevelopmentData() is not { } data)
        {
            return;
        }

        Forecasts(run, "smd", [.. Directory.EnumerateFiles(Path.Combine(data, "smd", "train"), "*.txt").Order(StringComparer.Ordinal).Select(path => Numbers(path, ',', 0, 0))]);
        Forecasts(run, "skab", [.. Directory.EnumerateFiles(Path.Combine(data, "skab", "data"), "*.csv", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Where((_, i) => i % 4 == 0).Select(path => Numbers(path, ';', 1, 8))]);
    }

    private static void Cost(BenchmarkRun run, int columns)
    {
        int rows = run.Small ? 500 : 3_000, turns = run.Small ? 1 : 3;
        var fastest = new double[rows];
        double kib = 0;
        Array.Fill(fastest, double.PositiveInfinity);
        string[] names = [.. Enumerable.Range(0, columns).Select(column => $"c{column}")];

        for (int turn = 0; turn < turns; turn++)
        {
            var random = new Random(3);
            var detector = new AnomalyDetector();
            long before = 0;

            for (int row = -SharedRows; row < rows; row++)
            {
                double[] values = [.. names.Select((_, column) => Math.Sin(Math.Max(0, row) / 20.0 + column) + 0.1 * random.NextDouble())];

                string stream = row < 0 ? "first" : "s";
                var observation = Observation.Of(stream, Start.AddSeconds(row), new ObservedRecord(names, values));

                if (row == 0)
                {
                    before = GC.GetTotalMemory(forceFullCollection: true);
                }

                long began = Stopwatch.GetTimestamp();
                detector.Score(observation);

                if (row >= 0)
                {
                    fastest[row] = Math.Min(fastest[row], Stopwatch.GetElapsedTime(began).TotalMicroseconds);
                }
            }

            kib = (GC.GetTotalMemory(forceFullCollection: true) - before) / 1024.0;
            GC.KeepAlive(detector);
        }

        double[] settled = fastest[(rows / 2)..];
        int worst = Array.IndexOf(fastest, settled.Max());
        run.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"joint, {columns} columns: {settled.Average():0} us per record, longest {settled.Max():0} us in row {worst}, longest of all {fastest.Max():0} us in row {Array.IndexOf(fastest, fastest.Max())}, {kib:0} KiB per stream"));
    }

    private static void Forecasts(BenchmarkRun run, string name, double[][][] files)
    {
        Quality[] totals = [new(), new(), new(), new()];

        foreach (double[][] file in files)
        {
            Forecast(file, totals);
        }

        foreach ((string what, Quality quality) in (string[])["joint LSTM", "persistence", "similar stretches before the row", "similar stretches, all but one value of the row known"] is var whats ? whats.Zip(totals) : [])
        {
            run.Print($"forecast, {name}, {what}: {quality}");
        }
    }

    /// <summary>Adds a file's rows to the totals; every column's losses count in units of its own persistence.</summary>
    private static void Forecast(double[][] rows, Quality[] totals)
    {
        int columns = rows[0].Length;
        string[] names = [.. Enumerable.Range(0, columns).Select(column => $"c{column}")];
        var detector = new AnomalyDetector();
        var analogies = new VectorDetector(columns, columns, 1);
        var byColumn = Enumerable.Range(0, columns).Select(_ => new Quality[] { new(), new(), new(), new() }).ToArray();
        var changes = Enumerable.Range(0, columns).Select(_ => new List<double>()).ToArray();
        double[] unknown = new double[columns], shares = new double[columns];

        for (int row = 0; row < rows.Length; row++)
        {
            unknown.AsSpan().Fill(double.NaN);
            analogies.Impute(unknown);
            IReadOnlyList<ColumnFigure> figures =
                detector.Score(Observation.Of("s", Start.AddSeconds(row), new ObservedRecord(names, rows[row])))!.Value.Columns!;

            for (int column = 0; column < columns && row >= WarmUpRows; column++)
            {
                double value = rows[row][column], last = rows[row - 1][column];
                (double mean, double least, double greatest) = analogies.Expected(column);
                ColumnFigure figure = figures[column];
                List<double> sorted = changes[column];

                if (figure.Expected is not { } median)
                {
                    continue;
                }

                byColumn[column][0].Add(value, median, figure.Lower!.Value, figure.Upper!.Value);
                byColumn[column][1].Add(value, last, last + sorted[(int)(Low * sorted.Count)], last + sorted[(int)(High * sorted.Count)]);
                byColumn[column][2].Add(value, mean, least, greatest);
            }

            if (row >= WarmUpRows)
            {
                int lacking = row % columns;
                rows[row].CopyTo(unknown, 0);
                unknown[lacking] = double.NaN;
                analogies.Impute(unknown);
                (double mean, double least, double greatest) = analogies.Expected(lacking);
                byColumn[lacking][3].Add(rows[row][lacking], mean, least, greatest);
            }

            for (int column = 0; column < columns && row > 0; column++)
            {
                double change = rows[row][column] - rows[row - 1][column];
                int at = changes[column].BinarySearch(change);
                changes[column].Insert(at < 0 ? ~at : at, change);
            }

            analogies.Judge(rows[row], shares);
            analogies.Remember(Lesson.Normal);
        }

        foreach (Quality[] column in byColumn)
        {
            // A column that never moved says nothing of a forecast.
            for (int i = 0; i < totals.Length && column[1].Error > 0; i++)
            {
                totals[i].Add(column[i], column[1]);
            }
        }
    }

    private static double[][] Numbers(string path, char separator, int first, int count) =>
        [.. File.ReadLines(path).Skip(first).Select(line => line.Split(separator)[first..(count == 0 ? ^0 : first + count)]
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray())];

    /// <summary>Share of values inside the band, and mean losses.</summary>
    private sealed class Quality
    {
        private double _count, _inside, _error, _pinball;

        public double Error => _error / _count;

        public void Add(double value, double median, double lower, double upper)
        {
            _count++;
            _inside += value >= lower && value <= upper ? 1 : 0;
            _error += Math.Abs(value - median);
            _pinball += Pinball(value - lower, Low) + Pinball(value - upper, High);
        }

        public void Add(Quality other, Quality unit)
        {
            _count++;
            _inside += other._inside / other._count;
            _error += other.Error / unit.Error;
            _pinball += unit._pinball > 0 ? other._pinball / other._count / (unit._pinball / unit._count) : 1;
        }

        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture, $"{100 * _inside / _count:0.0} % inside the band, absolute error {_error / _count:0.000}, pinball loss of the band {_pinball / _count:0.000} (persistence 1)");

        private static double Pinball(double difference, double probability) => Math.Max(probability * difference, (probability - 1) * difference);
    }
}
