namespace StreamLstm.Daemon.Views;

/// <summary>Streams whose names begin alike, and when the oddest of them was how odd.</summary>
/// <param name="Name">How their names begin, with the slash; a stream's whole name where it stands by itself.</param>
/// <param name="Streams">How many there are.</param>
/// <param name="Score">The highest score, 0 to 100; 0 where all were calm.</param>
/// <param name="Cells">Places of cells that are not calm, each with its highest score.</param>
internal sealed record OddLane(string Name, int Streams, double Score, IReadOnlyList<double[]> Cells)
{
    /// <summary>The lanes below a beginning of names, the oddest first; a level that has one lane only is passed over.</summary>
    public static IEnumerable<OddLane> Of(IReadOnlyList<StreamLine> known, IReadOnlyList<OddCell> odd, string under)
    {
        string[] names = [.. known.Select(line => line.Stream).Concat(odd.Select(cell => cell.Stream)).Distinct()];

        while (names.Length > 1 && names.Select(name => LaneOf(name, under)).Distinct().Take(2).ToArray() is [var only] && only.EndsWith('/') && only != under)
        {
            under = only;
        }

        ILookup<string, OddCell> cells = odd.ToLookup(cell => LaneOf(cell.Stream, under));
        return names.GroupBy(name => LaneOf(name, under))
            .Select(lane => new OddLane(
                lane.Key,
                lane.Count(),
                cells[lane.Key].Select(cell => cell.Score).DefaultIfEmpty().Max(),
                [.. cells[lane.Key].GroupBy(cell => cell.Cell).OrderBy(cell => cell.Key).Select(cell => new[] { cell.Key, cell.Max(one => one.Score) })]))
            .OrderByDescending(lane => lane.Score).ThenByDescending(lane => lane.Cells.Count).ThenBy(lane => lane.Name, StringComparer.Ordinal);
    }

    private static string LaneOf(string stream, string under) =>
        stream.IndexOf('/', Math.Min(under.Length, stream.Length)) is >= 0 and int slash ? stream[..(slash + 1)] : stream;
}
