namespace StreamLstm.Daemon.Views;

/// <summary>A line of the tree of names: a beginning that names share, or one stream.</summary>
/// <param name="Name">The beginning, with its slash; or the stream's name.</param>
/// <param name="Label">What of it is not said by the lines above.</param>
/// <param name="Depth">How many lines it is below.</param>
/// <param name="IsStream">Whether it is one stream.</param>
/// <param name="IsOpened">Whether what is below it follows.</param>
/// <param name="Streams">How many streams are below it.</param>
/// <param name="OpenIncidents">In how many of them an incident goes on.</param>
/// <param name="Silent">How many of them have stopped sending.</param>
/// <param name="Score">The highest score among them, 0 to 100.</param>
internal readonly record struct TreeLine(string Name, string Label, int Depth, bool IsStream, bool IsOpened, int Streams, int OpenIncidents, int Silent, double Score)
{
    /// <summary>All lines, as far as beginnings are opened.</summary>
    /// <param name="streams">In the order of names.</param>
    /// <param name="opened">Beginnings of which what is below follows.</param>
    public static IReadOnlyList<TreeLine> Of(IReadOnlyList<StreamLine> streams, IReadOnlySet<string> opened)
    {
        List<TreeLine> lines = [];
        Add(lines, streams, 0, streams.Count, "", 0, opened);
        return lines;
    }

    private static void Add(List<TreeLine> lines, IReadOnlyList<StreamLine> streams, int from, int to, string under, int depth, IReadOnlySet<string> opened)
    {
        for (int i = from; i < to;)
        {
            string name = streams[i].Stream;
            int slash = name.IndexOf('/', under.Length);

            if (slash < 0)
            {
                lines.Add(Line(streams, i, i + 1, name, name[under.Length..], depth, isOpened: false));
                i++;
                continue;
            }

            // Names that begin alike stand together. What has one way down only is one line.
            int end = End(streams, i, to, name[..(slash + 1)]);

            for (int next; (next = name.IndexOf('/', slash + 1)) > 0 && End(streams, i, end, name[..(next + 1)]) == end;)
            {
                slash = next;
            }

            if (end == i + 1)
            {
                lines.Add(Line(streams, i, end, name, name[under.Length..], depth, isOpened: false));
            }
            else
            {
                string prefix = name[..(slash + 1)];
                lines.Add(Line(streams, i, end, prefix, prefix[under.Length..], depth, opened.Contains(prefix)));

                if (opened.Contains(prefix))
                {
                    Add(lines, streams, i, end, prefix, depth + 1, opened);
                }
            }

            i = end;
        }
    }

    /// <summary>Where streams end that begin so.</summary>
    private static int End(IReadOnlyList<StreamLine> streams, int from, int to, string prefix)
    {
        int low = from, high = to;

        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = streams[middle].Stream.StartsWith(prefix, StringComparison.Ordinal) ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static TreeLine Line(IReadOnlyList<StreamLine> streams, int from, int to, string name, string label, int depth, bool isOpened)
    {
        int open = 0, silent = 0;
        double score = 0;

        for (int i = from; i < to; i++)
        {
            open += streams[i].IncidentOpen ? 1 : 0;
            silent += streams[i].Lifecycle == Detection.Lifecycle.Silent ? 1 : 0;
            score = Math.Max(score, streams[i].Score);
        }

        return new TreeLine(name, label, depth, !name.EndsWith('/') || (to == from + 1 && name == streams[from].Stream), isOpened, to - from, open, silent, score);
    }
}
