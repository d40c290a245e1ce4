using System.Globalization;
using System.Text;

namespace StreamLstm.Benchmarks.Quality;

/// <summary>Detectors below each other, metrics beside each other.</summary>
internal sealed class QualityTable(IReadOnlyList<QualityMetric> metrics)
{
    private readonly List<(string Name, string[] Cells)> _rows = [];

    public void Add(string name, IReadOnlyList<double> values) => _rows.Add((
        name,
        [.. values.Select((value, i) => double.IsNaN(value) ? "-" : value.ToString(metrics[i].Format, CultureInfo.InvariantCulture))]));

    public void Print(TextWriter output)
    {
        int[] widths = [.. metrics.Select((metric, i) => Math.Max(metric.Name.Length, _rows.Max(row => row.Cells[i].Length)))];
        int nameWidth = _rows.Max(row => row.Name.Length);
        Line("", [.. metrics.Select(metric => metric.Name)]);

        foreach ((string name, string[] cells) in _rows)
        {
            Line(name, cells);
        }

        void Line(string name, string[] cells)
        {
            var line = new StringBuilder(name.PadRight(nameWidth));

            for (int i = 0; i < cells.Length; i++)
            {
                line.Append("  ").Append(cells[i].PadLeft(widths[i]));
            }

            output.WriteLine(line.ToString().TrimEnd());
        }
    }
}
