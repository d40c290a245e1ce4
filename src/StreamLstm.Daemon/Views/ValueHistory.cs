using StreamLstm.Daemon.Sinks.History;

namespace StreamLstm.Daemon.Views;

/// <summary>Values of the past, as fine as they are still kept; and who was odd when.</summary>
internal sealed class ValueHistory(HistoryQuery file, RollUps recent)
{
    /// <summary>A level serves a range from which it has so many stretches: more of them are told together.</summary>
    private const int StretchesMin = 240;

    /// <summary>Once more where the writer wrote meanwhile, so that nothing is missed between memory and file.</summary>
    private const int Attempts = 3;

    /// <summary>A stream's values in a range of time, oldest first, told together so that they are no more than asked for.</summary>
    public IReadOnlyList<RollUp> Read(string stream, DateTimeOffset since, DateTimeOffset until, int atMost)
    {
        (long begin, long end) = Within(stream, since.UtcTicks, until.UtcTicks);

        if (begin >= end)
        {
            return [];
        }

        int level = Math.Max(0, RollUps.Steps.Count(step => (end - begin) / step >= StretchesMin) - 1);
        List<RollUp> found = Read(stream, level, begin, end);

        // Where the finer level reaches back less far, what it lacks is told by the coarser one.
        for (int coarser = level + 1; coarser < RollUps.Steps.Count; coarser++)
        {
            long reached = found.Count > 0 ? found[0].Start : end;
            found.InsertRange(0, Read(stream, coarser, begin, reached).Where(one => one.Start + RollUps.Steps[coarser] <= reached));
        }

        return found.Count <= atMost ? found : Together(found, ((found[^1].Start - found[0].Start) / atMost) + 1);
    }

    /// <summary>Who was odd in a range of time: for each stream and cell of that range the highest score, and in how many minutes it was odd.</summary>
    /// <param name="since">From here on.</param>
    /// <param name="until">Up to here.</param>
    /// <param name="cellMinutes">Length of a cell.</param>
    public IReadOnlyList<OddCell> Odd(DateTimeOffset since, DateTimeOffset until, int cellMinutes)
    {
        long begin = since.UtcTicks / TimeSpan.TicksPerMinute, end = Math.Max(begin, ((until.UtcTicks - 1) / TimeSpan.TicksPerMinute) + 1);

        return Steadily(
            () => recent.Odd(begin, end),
            () => file.Query(
                $"""
                SELECT ((odd_minute.id / {ValueBlocks.OddStreams}) - $begin) / $cell AS cell, name, MAX(score), COUNT(*)
                FROM odd_minute JOIN stream_name ON stream_name.id = odd_minute.id % {ValueBlocks.OddStreams}
                WHERE odd_minute.id >= $first AND odd_minute.id < $last GROUP BY cell, name
                """,
                row => new OddCell((int)row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt32(3)),
                ("$begin", begin), ("$cell", cellMinutes), ("$first", ValueBlocks.OddKey(begin, 0)), ("$last", ValueBlocks.OddKey(end, 0))),
            (memory, held) => (IReadOnlyList<OddCell>)[.. memory
                .Select(one => new OddCell((int)((one.Minute - begin) / cellMinutes), one.Stream, one.Score, 1)).Concat(held)
                .GroupBy(one => (one.Cell, one.Stream))
                .Select(same => new OddCell(same.Key.Cell, same.Key.Stream, same.Max(one => one.Score), same.Sum(one => one.Minutes)))]);
    }

    private List<RollUp> Read(string stream, int level, long begin, long end)
    {
        long length = ValueBlocks.LengthOf(level), step = RollUps.Steps[level];
        return Steadily(
            () => recent.Read(stream, level, begin, end),
            () => file.Query(
                $"""
                SELECT block, stretches FROM value_span JOIN value_block ON value_block.id = {ValueBlocks.Key(level, 0, 0)} + (block * {ValueBlocks.Key(0, 1, 0)})
                    + (SELECT id FROM stream_name WHERE name = $stream)
                WHERE level = {level} AND block >= $first AND block <= $last ORDER BY block
                """,
                row => RollUpBlock.Decode((byte[])row[1], row.GetInt64(0) * length, step),
                ("$stream", stream), ("$first", begin / length), ("$last", end / length)),
            (memory, held) => RollUpBlock.Merge([.. held.SelectMany(block => block).Where(one => one.Start + step > begin && one.Start < end)], [.. memory]));
    }

    /// <summary>The part of a range in which there is anything at all.</summary>
    private (long Begin, long End) Within(string stream, long since, long until)
    {
        IReadOnlyList<RollUp> memory = recent.Read(stream, 0, long.MinValue, long.MaxValue).Found;
        List<(long First, long Last)> spans = file.Query(
            "SELECT level, MIN(block), MAX(block) FROM value_span GROUP BY level ORDER BY level",
            row => (row.GetInt64(1) * ValueBlocks.LengthOf(row.GetInt32(0)), (row.GetInt64(2) + 1) * ValueBlocks.LengthOf(row.GetInt32(0))));

        // Blocks of a coarser level begin up to their length earlier; only beyond that it reaches further back.
        int furthest = 0;

        while (furthest + 1 < spans.Count && spans[furthest + 1].First + ValueBlocks.LengthOf(furthest + 1) <= spans[furthest].First)
        {
            furthest++;
        }

        (long First, long Last) own = memory.Count > 0 ? (memory[0].Start, memory[^1].Start + RollUps.Steps[0]) : (long.MaxValue, long.MinValue);
        (long First, long Last) held = spans.Count > 0 ? (spans[furthest].First, spans[0].Last) : own;
        return (Math.Max(since, Math.Min(own.First, held.First)), Math.Min(until, Math.Max(own.Last, held.Last)));
    }

    private static List<RollUp> Together(List<RollUp> found, long width)
    {
        List<RollUp> wide = [];
        long begun = 0;

        foreach (RollUp one in found)
        {
            if (wide.Count > 0 && one.Start - begun < width)
            {
                wide[^1] = wide[^1].With(one);
            }
            else
            {
                wide.Add(one);
                begun = one.Start;
            }
        }

        return wide;
    }

    private TResult Steadily<TMemory, TFile, TResult>(
        Func<(IReadOnlyList<TMemory> Found, long Version)> memory, Func<List<TFile>> held, Func<IReadOnlyList<TMemory>, List<TFile>, TResult> both)
    {
        for (int attempt = 1; ; attempt++)
        {
            (IReadOnlyList<TMemory> found, long version) = memory();
            List<TFile> rows = held();

            if (recent.Version == version || attempt == Attempts)
            {
                return both(found, rows);
            }
        }
    }
}

/// <summary>Who was odd in a cell of a range of time.</summary>
/// <param name="Cell">The cell's place in the range.</param>
/// <param name="Stream">The stream's name.</param>
/// <param name="Score">Its highest score in it, 0 to 100.</param>
/// <param name="Minutes">In how many minutes of it it was odd.</param>
internal readonly record struct OddCell(int Cell, string Stream, double Score, int Minutes);
