namespace StreamLstm.Benchmarks.Quality.Vus;

/// <summary>One labelled series, as TSB-AD reads it.</summary>
/// <param name="Name">The stream of its backtest.</param>
/// <param name="Group">What it is averaged with.</param>
/// <param name="Signal">(n): the values whose period sets the widest window; of several columns the first.</param>
/// <param name="Labels">(n).</param>
/// <param name="FirstScored">The row at which the backtest's results begin; below 0 where they begin before the series.</param>
internal sealed record VusSeries(string Name, string Group, double[] Signal, bool[] Labels, int FirstScored = 0)
{
    /// <summary>(n): the results' scores, -infinity for rows before them.</summary>
    public double[] Aligned(IReadOnlyList<double> results) => FirstScored + results.Count == Labels.Length
        ? [.. Enumerable.Repeat(double.NegativeInfinity, Math.Max(0, FirstScored)), .. results.Skip(-FirstScored)]
        : throw new InvalidDataException($"{Name}: {results.Count} scores, expected {Labels.Length - FirstScored}");
}

/// <summary>Mean VUS-PR of detectors in one of TSB-AD's tables.</summary>
/// <param name="Table">The table.</param>
/// <param name="Series">Our names of the series they are means over.</param>
/// <param name="Means">By detector.</param>
internal sealed record VusPublished(string Table, IReadOnlySet<string> Series, IReadOnlyList<(string Detector, double PrecisionRecall)> Means);

/// <summary>Series that are averaged together, and what is published of them.</summary>
internal sealed record VusGroup(string Name, IReadOnlyList<VusPublished> Published);

/// <summary>A data set.</summary>
/// <param name="Name">On the command line, and its folder.</param>
/// <param name="Format">For <c>streamlstm backtest</c>.</param>
/// <param name="Groups">Of its series.</param>
/// <param name="Load">From its folder to its series, one after the other.</param>
internal sealed record VusSet(string Name, string Format, IReadOnlyList<VusGroup> Groups, Func<string, IEnumerable<VusSeries>> Load);
