using System.Globalization;

namespace StreamLstm.Benchmarks.Quality;

/// <summary>What a metric must reach.</summary>
/// <param name="Id">Q1, Q2, ...</param>
/// <param name="Name">The set and the metric.</param>
/// <param name="Metric">Which of the set's metrics.</param>
/// <param name="Operator">&gt;, &gt;=, &lt; or &lt;=.</param>
/// <param name="Limit">What it is held against.</param>
internal sealed record QualityGoal(string Id, string Name, int Metric, string Operator, double Limit)
{
    /// <summary>The line that says whether it is met; judged by the two numbers as they are printed.</summary>
    public string Line(double value, string format)
    {
        string printed = value.ToString(format, CultureInfo.InvariantCulture);
        double shown = double.Parse(printed, CultureInfo.InvariantCulture);
        bool met = Operator switch
        {
            ">" => shown > Limit,
            ">=" => shown >= Limit,
            "<" => shown < Limit,
            "<=" => shown <= Limit,
            _ => throw new InvalidOperationException($"'{Operator}', expected >, >=, < or <="),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{Id} {Name}: {printed} (goal {Operator} {Limit}) {(met ? "met" : "missed")}");
    }
}
