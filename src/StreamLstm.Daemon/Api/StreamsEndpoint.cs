using System.IO.Enumeration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/streams: a window of the list or the tree of streams, so that a client pays for what it shows and not for what there is.</summary>
internal static class StreamsEndpoint
{
    private const int PatternsMax = 200;

    public static void Map(IEndpointRouteBuilder routes, LiveView live) =>
        routes.MapRead("/api/v1/streams", ([AsParameters] StreamsQuery query) => Answer(live, query));

    private static IResult Answer(LiveView live, StreamsQuery query)
    {
        if (!ApiEndpoints.IsPage(query.Limit, query.Offset, out IResult? refused))
        {
            return refused!;
        }

        foreach ((string name, string[]? patterns) in new[] { ("favourite", query.Favourite), ("hide", query.Hide), ("open", query.Open) })
        {
            if (patterns?.Length > PatternsMax)
            {
                return JsonBody.Error($"query parameter {name}: {patterns.Length} times, expected at most {PatternsMax} times", 400);
            }
        }

        if (!WrongRequests.IsWord("lifecycle", query.Lifecycle, out Lifecycle? lifecycle, out refused)
            || !WrongRequests.IsWord("show", query.Show, out StreamsShown? show, out refused)
            || !WrongRequests.IsWord("order", query.Order, out StreamsOrder? order, out refused))
        {
            return refused;
        }

        var filter = new StreamFilter(query.Filter);
        var favourites = new HashSet<string>(query.Favourite ?? [], StringComparer.Ordinal);
        string[] hidden = query.Hide ?? [];
        StreamLines all = query.Under is null ? live.Lines() : live.Lines().Under(query.Under);
        StreamLines found = lifecycle is null && show is null or StreamsShown.All && hidden.Length == 0 && filter.TakesAll
            ? all
            : all.Where(line => (lifecycle is null || line.Lifecycle == lifecycle)
                && IsShown(line, show, favourites) && filter.Takes(line.Stream) && !hidden.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, line.Stream, ignoreCase: false)));
        return query.Tree == true ? Tree(live, query, found) : List(live, query, found, order == StreamsOrder.Score, favourites);
    }

    private static IResult List(LiveView live, StreamsQuery query, StreamLines found, bool byScore, HashSet<string> favourites)
    {
        if (byScore || favourites.Count > 0)
        {
            // Scores in steps of five, so that the list does not dance. Names are in order already, and stay so among equals.
            const int Steps = 21;
            int Rank(StreamLine line) => (favourites.Contains(line.Stream) ? 2 * Steps : 0)
                + (byScore ? (line.IncidentOpen ? Steps : 0) + Math.Clamp((int)Math.Round(line.Score / 5), 0, Steps - 1) : 0);
            found = found.ByRank(Rank, 4 * Steps);
        }

        string[] window = Window(found, query).Select(line => line.Stream).ToArray();
        return Results.Json(
            new
            {
                total = found.Count, place = query.Near is null ? null : found.PlaceOf(query.Near), streams = window.Select(live.State).OfType<LiveStreamState>(), sparks = Sparks(live, query, window),
            },
            EventJson.Options);
    }

    private static IEnumerable<T> Window<T>(IReadOnlyList<T> all, StreamsQuery query) =>
        Enumerable.Range(query.Offset ?? 0, Math.Clamp(all.Count - (query.Offset ?? 0), 0, query.Limit ?? 100)).Select(place => all[place]);

    private static IResult Tree(LiveView live, StreamsQuery query, StreamLines found)
    {
        IReadOnlyList<TreeLine> lines = TreeLine.Of(found, new HashSet<string>(query.Open ?? [], StringComparer.Ordinal));
        TreeLine[] window = [.. Window(lines, query)];
        return Results.Json(
            new
            {
                total = lines.Count,
                place = Place(lines.Select(line => line.Name), query.Near),
                lines = window.Select(line => line.IsStream
                    ? (object)new { line.Name, line.Label, line.Depth, state = live.State(line.Name) }
                    : new { line.Name, line.Label, line.Depth, line.IsOpened, line.Streams, line.OpenIncidents, line.Silent, line.Score }),
                sparks = Sparks(live, query, window.Where(line => line.IsStream).Select(line => line.Name)),
            },
            EventJson.Options);
    }

    private static Dictionary<string, IReadOnlyList<double>>? Sparks(LiveView live, StreamsQuery query, IEnumerable<string> window) =>
        query.Sparks == true ? window.ToDictionary(stream => stream, live.Spark) : null;

    /// <summary>Where a stream stands in the tree, for who wants to see it; null where it does not.</summary>
    private static int? Place(IEnumerable<string> names, string? near) =>
        near is null ? null : names.Index().Where(one => one.Item == near).Select(one => (int?)one.Index).FirstOrDefault();

    private static bool IsShown(in StreamLine line, StreamsShown? show, HashSet<string> favourites) => show switch
    {
        StreamsShown.Incidents => line.IncidentOpen,
        StreamsShown.Warming => line.Lifecycle is Lifecycle.Learning or Lifecycle.Calibrating,
        StreamsShown.Silent => line.Lifecycle == Lifecycle.Silent,
        StreamsShown.Favourites => favourites.Contains(line.Stream),
        _ => true,
    };
}

/// <summary>What of the list is asked for.</summary>
/// <param name="Filter">Words of names; see <see cref="StreamFilter"/>.</param>
/// <param name="Lifecycle">Streams that stand there.</param>
/// <param name="Show">Streams of which that is so.</param>
/// <param name="Under">Beginning of names.</param>
/// <param name="Order">By name or by score.</param>
/// <param name="Favourite">Names that come first.</param>
/// <param name="Hide">Patterns of names that are left out.</param>
/// <param name="Tree">Whether it is the tree that is asked for.</param>
/// <param name="Open">Beginnings of names, of which the tree shows what is below.</param>
/// <param name="Sparks">Whether the last values of each come along.</param>
/// <param name="Near">A stream of which the place is told.</param>
/// <param name="Limit">Lines at most.</param>
/// <param name="Offset">Lines before the first.</param>
internal sealed record StreamsQuery(
    string? Filter, string? Lifecycle, string? Show, string? Under, string? Order, string[]? Favourite, string[]? Hide, bool? Tree, string[]? Open,
    bool? Sparks, string? Near, int? Limit, int? Offset);

/// <summary>In which order streams are listed.</summary>
internal enum StreamsOrder
{
    /// <summary>By name.</summary>
    Name,

    /// <summary>Those with an open incident first, then by score.</summary>
    Score,
}

/// <summary>Which streams are listed.</summary>
internal enum StreamsShown
{
    /// <summary>All.</summary>
    All,

    /// <summary>Those in which an incident goes on.</summary>
    Incidents,

    /// <summary>Those that may not alert yet.</summary>
    Warming,

    /// <summary>Those that have stopped sending.</summary>
    Silent,

    /// <summary>Those that are named as favourites.</summary>
    Favourites,
}
