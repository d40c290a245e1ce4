using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Sinks.History;
using StreamLstm.Daemon.Views;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/history/NAME: a stream's values in a range of time. GET /api/v1/odd: who was odd in one, by groups and ranked.</summary>
internal static class HistoryEndpoints
{
    private const int CellsMax = 500;
    private const int LanesMax = 24;

    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    public static void Map(IEndpointRouteBuilder routes, LiveView live, PipelineService pipeline, TimeProvider time)
    {
        routes.MapRead("/api/v1/history/{**stream}", (string stream, DateTimeOffset? since, DateTimeOffset? until, int? limit) =>
            Answer(pipeline, time, since, until, limit, (history, from, to) => Values(history, stream, from, to, limit ?? ApiEndpoints.PageMax)));
        routes.MapRead("/api/v1/odd", (DateTimeOffset? since, DateTimeOffset? until, int? cells, string? under, string? filter, int? limit) =>
            cells is < 1 or > CellsMax
                ? JsonBody.Error($"query parameter cells: {cells}, expected 1 to {CellsMax}", 400)
                : Answer(pipeline, time, since, until, limit, (history, from, to) => Odd(history.Values, live, from, to, cells ?? 60, under ?? "", new StreamFilter(filter), limit ?? 20)));
    }

    private static IResult Answer(
        PipelineService pipeline, TimeProvider time, DateTimeOffset? since, DateTimeOffset? until, int? limit, Func<HistoryReader, DateTimeOffset, DateTimeOffset, IResult> answer)
    {
        if (pipeline.History is not { } history)
        {
            return JsonBody.Error("no history is kept (sinks.history.enabled: false)", 404);
        }

        DateTimeOffset end = until ?? time.GetUtcNow();
        DateTimeOffset begin = since ?? (end - DateTimeOffset.MinValue > OneDay ? end - OneDay : DateTimeOffset.MinValue);
        return ApiEndpoints.IsPage(limit, 0, out IResult? refused) ? answer(history, begin, end) : refused!;
    }

    /// <summary>Each stretch of time with the mean, the lowest and the highest value, the highest score, and whether an incident opened or became worse in it.</summary>
    private static IResult Values(HistoryReader history, string stream, DateTimeOffset since, DateTimeOffset until, int limit)
    {
        IReadOnlyList<RollUp> stretches = history.Values.Read(stream, since, until, limit);
        var alerts = new HashSet<long>(stretches.Count == 0 ? [] : history.Alerts(stream, new DateTimeOffset(stretches[0].Start, TimeSpan.Zero), until).Select(at => StretchOf(stretches, at)));
        return Results.Json(Body(stream, stretches, alerts), EventJson.Options);
    }

    /// <summary>Where the stretch begins that a time lies in.</summary>
    private static long StretchOf(IReadOnlyList<RollUp> stretches, long at)
    {
        (int first, int end) = (0, stretches.Count);

        while (end - first > 1)
        {
            int middle = (first + end) / 2;
            (first, end) = stretches[middle].Start <= at ? (middle, end) : (first, middle);
        }

        return stretches[first].Start;
    }

    private static object Body(string stream, IReadOnlyList<RollUp> stretches, HashSet<long> alerts) =>
        new
        {
            stream,
            scores = stretches.Select(one => new
            {
                time = new DateTimeOffset(one.Start, TimeSpan.Zero),
                one.Count,
                value = one.Mean,
                min = one.Minimum,
                max = one.Maximum,
                one.Score,
                score_at = new DateTimeOffset(one.ScoreAt, TimeSpan.Zero),
                expected = Known(one.Expected),
                lower = Known(one.Lower),
                upper = Known(one.Upper),
                alert = alerts.Contains(one.Start) ? true : (bool?)null,
            }),
        };

    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    private static IResult Odd(
        ValueHistory history, LiveView live, DateTimeOffset since, DateTimeOffset until, int cells, string under, StreamFilter filter, int limit)
    {
        // Whole minutes, and so many that the range is covered.
        long minutes = Math.Max(1, (long)Math.Ceiling((until - since).TotalMinutes));
        int cellMinutes = (int)Math.Min(int.MaxValue, (minutes + cells - 1) / cells);
        DateTimeOffset first = since.AddTicks(-(since.UtcTicks % TimeSpan.TicksPerMinute));
        OddCell[] odd = [.. history.Odd(first, until, cellMinutes).Where(cell => cell.Stream.StartsWith(under, StringComparison.Ordinal) && filter.Takes(cell.Stream))];
        StreamLines known = filter.TakesAll ? live.Lines().Under(under) : live.Lines().Under(under).Where(line => filter.Takes(line.Stream));
        OddLane[] lanes = [.. OddLane.Of(known, odd, under)];
        var ranked = odd.GroupBy(cell => cell.Stream)
            .Select(stream => new { stream = stream.Key, score = stream.Max(cell => cell.Score), minutes = stream.Sum(cell => cell.Minutes), at = At(stream.MaxBy(cell => cell.Score).Cell) })
            .OrderByDescending(one => one.score).ThenByDescending(one => one.minutes).ThenBy(one => one.stream, StringComparer.Ordinal).ToArray();
        return Results.Json(
            new { since = first, cell_seconds = 60L * cellMinutes, lanes = lanes.Take(LanesMax), more_lanes = Math.Max(0, lanes.Length - LanesMax), total = ranked.Length, streams = ranked.Take(limit) },
            EventJson.Options);

        DateTimeOffset At(int cell) => first.AddMinutes((double)cell * cellMinutes);
    }
}
