namespace StreamLstm.Daemon.Views;

/// <summary>Streams whose names begin alike, and when the oddest of them was how odd.</summary>
/// <param name="Name">How their names begin, with the slash; a stream's whole name where it stands by itself.</param>
/// <param name="Streams">How many there are.</param>
/// <param name="Score">The highest score, 0 to 100; 0 where all were calm.</param>
/// <param name="Cells">Places of cells that are not calm, each with its highest score.</param>
internal sealed record OddLane(string Name, int Streams, double Score, IReadOnlyList<double[]> Cells)
{
    /// <summary>The lanes below a beginning of names, the oddest first; a level that has one lane only is passed over.</summary>
    /// <param name="known">Streams in the order of names.</param>
    /// <param name="odd">Who was odd when, of streams that are no more too.</param>
    /// <param name="under">The beginning.</param>
    public static IEnumerable<OddLane> Of(IReadOnlyList<StreamLine> known, IReadOnlyList<OddCell> odd, string under)
    {
        Dictionary<string, int> sizes = Sizes(known, odd, under);

        while (sizes.Count == 1 && sizes.First() is { Key: [.., '/'], Value: > 1 } only && only.Key.Length > under.Length)
        {
            under = only.Key;
            sizes = Sizes(known, odd, under);
        }

        ILookup<string, OddCell> cells = odd.ToLookup(cell => LaneOf(cell.Stream, under));
        return sizes
            .Select(lane => new OddLane(
                lane.Key,
                lane.Value,
                cells[lane.Key].Select(cell => cell.Score).DefaultIfEmpty().Max(),
                [.. cells[lane.Key].GroupBy(cell => cell.Cell).OrderBy(cell => cell.Key).Select(cell => new[] { cell.Key, cell.Max(one => one.Score) })]))
            .OrderByDescending(lane => lane.Score).ThenByDescending(lane => lane.Cells.Count).ThenBy(lane => lane.Name, StringComparer.Ordinal);
    }

    /// <summary>How many streams each lane has. Names that begin alike stand together, so of many most are counted without a look at more than their beginning.</summary>
    private static Dictionary<string, int> Sizes(IReadOnlyList<StreamLine> known, IReadOnlyList<OddCell> odd, string under)
    {
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
        string lane = "";

        foreach (StreamLine line in known)
        {
            lane = lane.EndsWith('/') && line.Stream.StartsWith(lane, StringComparison.Ordinal) ? lane : LaneOf(line.Stream, under);
            sizes[lane] = sizes.GetValueOrDefault(lane) + 1;
        }

        foreach (OddCell cell in odd)
        {
            sizes.TryAdd(LaneOf(cell.Stream, under), 1);
        }

        return sizes;
    }

    private static string LaneOf(string stream, string under) =>
        stream.IndexOf('/', Math.Min(under.Length, stream.Length)) is >= 0 and int slash ? stream[..(slash + 1)] : stream;
}
