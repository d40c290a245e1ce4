using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Api;

/// <summary>GET /api/v1/incidents: incidents one by one, or groups of those that began together, filtered, in order, by pages. /api/v1/incidents/ID: one.</summary>
internal static class IncidentsEndpoint
{
    private const int MembersMax = 100;

    public static void Map(IEndpointRouteBuilder routes, LiveView live, PipelineService pipeline, TimeProvider time)
    {
        routes.MapRead("/api/v1/incidents", ([AsParameters] IncidentsQuery query) => Answer(live, pipeline, time.GetUtcNow(), query));
        routes.MapRead("/api/v1/incidents/{id}", (string id) => One(live, pipeline, id));
    }

    /// <summary>Another one where there may be something new about incidents, or what people said of them.</summary>
    public static long Revision(LiveView live, PipelineService pipeline) =>
        (pipeline.History?.IncidentRevision ?? live.IncidentRevision) + (pipeline.Labels?.Revision ?? 0);

    private static IResult Answer(LiveView live, PipelineService pipeline, DateTimeOffset now, IncidentsQuery query)
    {
        if (!ApiEndpoints.IsPage(query.Limit, query.Offset, out IResult? refused))
        {
            return refused!;
        }

        if (query.Members is < 1 or > MembersMax)
        {
            return JsonBody.Error($"query parameter members: {query.Members}, expected 1 to {MembersMax}", 400);
        }

        if (!WrongRequests.IsWord("state", query.State, out GroupsState? state, out refused)
            || !WrongRequests.IsWord("severity", query.Severity, out IncidentSeverity? severity, out refused)
            || !WrongRequests.IsWord("label", query.Label, out GroupsLabel? label, out refused)
            || !WrongRequests.IsWord("order", query.Order, out GroupsOrder? order, out refused))
        {
            return refused;
        }

        int limit = query.Limit ?? 100, offset = query.Offset ?? 0;

        if (query.Grouped != true)
        {
            IEnumerable<string> incidents = pipeline.History is { } kept
                ? kept.Incidents(limit, offset, query.Stream).Select(incident => LabelEndpoints.WithLabel(incident, pipeline.Labels!))
                : live.Incidents().Where(incident => query.Stream is null || incident.Stream == query.Stream).Skip(offset).Take(limit).Select(EventJson.Incident);
            return Results.Text($"{{\"incidents\":[{string.Join(',', incidents)}]}}", "application/json");
        }

        var asked = new IncidentQuery(query.Stream, query.Filter, state, severity, label, query.Since, query.Until, order ?? GroupsOrder.Began);
        (IReadOnlyList<string> groups, int total) = pipeline.History is { } history ? history.Groups(asked, now, limit, offset) : Shown(live, asked, now, limit, offset);
        return Results.Text(
            $"{{\"total\":{total},\"groups\":[{string.Join(',', groups.Select(group => WithLabels(group, pipeline.Labels, query.Members ?? MembersMax)))}]}}", "application/json");
    }

    /// <summary>Where no history is kept: of the last ones.</summary>
    private static (IReadOnlyList<string> Groups, int Total) Shown(LiveView live, IncidentQuery asked, DateTimeOffset now, int limit, int offset)
    {
        var found = asked.Ordered(live.Groups().Where(asked.Takes), now).ToList();
        return ([.. found.Skip(offset).Take(limit).Select(EventJson.Group)], found.Count);
    }

    private static IResult One(LiveView live, PipelineService pipeline, string id) =>
        pipeline.History?.Incident(id) is { } incident ? Results.Text(LabelEndpoints.WithLabel(incident, pipeline.Labels!), "application/json")
        : live.Incidents().FirstOrDefault(one => one.IncidentId == id) is { } shown ? Results.Text(EventJson.Incident(shown), "application/json")
        : JsonBody.Error($"incident '{id}' is not known; /api/v1/incidents lists those that are", 404);

    /// <summary>A group's strongest members, each with what people said of it.</summary>
    private static string WithLabels(string group, LabelStore? labels, int membersMax)
    {
        JsonObject parsed = JsonNode.Parse(group)!.AsObject();
        JsonArray members = parsed["members"]!.AsArray();

        while (members.Count > membersMax)
        {
            members.RemoveAt(members.Count - 1);
        }

        foreach (JsonNode? member in members)
        {
            if (labels is not null)
            {
                LabelEndpoints.Said(member!.AsObject(), labels);
            }
        }

        return parsed.ToJsonString(EventJson.Options);
    }
}

/// <summary>What of the incidents is asked for; see <see cref="IncidentQuery"/>.</summary>
/// <param name="Grouped">Whether groups are asked for, which all but the stream and the page is about.</param>
/// <param name="Stream">Of one stream.</param>
/// <param name="Filter">Words of names.</param>
/// <param name="State">Whether they go on.</param>
/// <param name="Severity">At least so severe.</param>
/// <param name="Label">What people said of them.</param>
/// <param name="Since">Those that went on then or later.</param>
/// <param name="Until">Those that began before.</param>
/// <param name="Order">What comes first.</param>
/// <param name="Members">Of each group so many, the strongest.</param>
/// <param name="Limit">So many at most.</param>
/// <param name="Offset">Those before the first.</param>
internal sealed record IncidentsQuery(
    bool? Grouped, string? Stream, string? Filter, string? State, string? Severity, string? Label,
    DateTimeOffset? Since, DateTimeOffset? Until, string? Order, int? Members, int? Limit, int? Offset);
