using System.Text;
using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Cluster;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Api;

/// <summary>Words on single streams in a cluster: carried out here where this daemon has the stream, else passed on to who has it.</summary>
internal static class ClusterVerbs
{
    /// <summary>What people say of maintenance here.</summary>
    public const string NoMaintenance =
        "a member of a cluster takes maintenance from its configuration alone (maintenance:), the same at all members: what is asked of one daemon would not go with a stream to another";

    public static Task<IResult> LabelAsync(ClusterNode cluster, HttpRequest request, string incidentId, IncidentLabel? label, byte[]? body, DateTimeOffset now, CancellationToken cancellation) => AnswerAsync(
        cluster, request, incidentId, $"incident '{incidentId}'", body, changes: true, label is null ? 200 : 201,
        state => state.Label(incidentId, label, now) is { } stream
            ? VerbAnswer.Done(new { id = incidentId, incident_id = incidentId, stream, label = label is { } said ? EventJson.Word(said) : null, time = now, removed_at = label is null ? now : (DateTimeOffset?)null })
            : VerbAnswer.Unknown,
        cancellation);

    public static Task<IResult> AcceptAsync(ClusterNode cluster, HttpRequest request, string stream, CancellationToken cancellation) => AnswerAsync(
        cluster, request, stream, $"stream '{stream}'", "{}"u8.ToArray(), changes: true, 200,
        state => !state.Has(stream) ? VerbAnswer.Unknown
            : state.Accept(stream) == AcceptOutcome.Applied ? VerbAnswer.Done(new { stream, accepted = true })
            : VerbAnswer.Refused($"stream '{stream}' has no incident open but a silence, if any: there is nothing to accept"),
        cancellation);

    public static Task<IResult> ForgetAsync(ClusterNode cluster, HttpRequest request, string stream, CancellationToken cancellation) => AnswerAsync(
        cluster, request, stream, $"stream '{stream}'", null, changes: true, 200,
        state => state.Has(stream) && state.Forget(stream) ? VerbAnswer.Done(new { stream, forgotten = true }) : VerbAnswer.Unknown,
        cancellation);

    public static Task<IResult> ExplainAsync(ClusterNode cluster, HttpRequest request, string stream, DateTimeOffset? at, CancellationToken cancellation) => AnswerAsync(
        cluster, request, stream, $"stream '{stream}'", null, changes: false, 200,
        state => !state.Has(stream) ? VerbAnswer.Unknown
            : state.Explain(stream, at, out string? missing) is { } explanation ? VerbAnswer.Done(explanation)
            : VerbAnswer.Refused(missing!),
        cancellation);

    /// <summary>What the page of this daemon does not have, asked of the others.</summary>
    public static Task<IResult> ReadAsync(ClusterNode cluster, HttpRequest request, string stream, CancellationToken cancellation) =>
        PassOnAsync(cluster, request, stream, $"stream '{stream}'", null, Numbers(cluster.Owned.Where(owned => owned.State is not null)), cancellation);

    private static async Task<IResult> AnswerAsync(
        ClusterNode cluster, HttpRequest request, string about, string what, byte[]? body, bool changes, int status, Func<PartitionState, VerbAnswer> act, CancellationToken cancellation)
    {
        // Taken before they are asked: what comes meanwhile was not.
        HashSet<int> lookedAt = Numbers(cluster.Owned);
        VerbAnswer answer = await cluster.SayAsync(changes, act, cancellation);
        return answer.Outcome switch
        {
            VerbOutcome.Done => Results.Json(answer.Value, EventJson.Options, statusCode: status),
            VerbOutcome.Refused => JsonBody.Error(answer.Why, 409),
            VerbOutcome.NotTaken => JsonBody.Error(answer.Why, 503),
            _ => await PassOnAsync(cluster, request, about, what, body, lookedAt, cancellation),
        };
    }

    private static HashSet<int> Numbers(IEnumerable<OwnedPartition> owned) => [.. owned.Select(one => one.Partition.Number)];

    private static async Task<IResult> PassOnAsync(
        ClusterNode cluster, HttpRequest request, string about, string what, byte[]? body, HashSet<int> lookedAt, CancellationToken cancellation)
    {
        if (request.Headers.ContainsKey(ClusterPeers.PassedOnBy))
        {
            request.HttpContext.Response.Headers[ClusterPeers.LookedAt] = string.Join(',', lookedAt);
            return JsonBody.Error($"{what} is not known to this daemon", 404);
        }

        (PeerAnswer? answer, IReadOnlyList<string> notAsked) = await cluster.Peers.AskAsync(
            new HttpMethod(request.Method), $"{request.Path}{request.QueryString}", body, request.Headers.Authorization.ToString(), about, lookedAt, cancellation);
        return answer is not null ? Results.Content(answer.Body, answer.ContentType, Encoding.UTF8, answer.Status)
            : notAsked.Count > 0 ? JsonBody.Error($"{what} is not known to those that answer; {string.Join("; ", notAsked)}", 503)
            : cluster.WhereElse(lookedAt) is { } elsewhere ? JsonBody.Error($"{what} is not known to those that answer; {elsewhere}", 503)
            : JsonBody.Error($"{what} is not known to any daemon of group {cluster.Group}; /api/v1/fleet lists them and their streams", 404);
    }
}
