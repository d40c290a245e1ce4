using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>POST /api/v1/observations: JSON, NDJSON, InfluxDB line protocol, Prometheus' text, CSV or log lines; partial failures are answered per line.</summary>
/// <param name="intake">Lets requests in.</param>
/// <param name="source">The source's name in the books.</param>
/// <param name="time">For lines of logs without a time.</param>
internal sealed class ObservationsRoute(HttpIntake intake, string source, TimeProvider time)
{
    private const int ErrorsAnsweredMax = 100;

    private const int KeyMax = 256;

    private readonly ConcurrentDictionary<string, bool> _underWay = new(StringComparer.Ordinal);

    public Task<IResult> PostAsync(HttpRequest request, CancellationToken aborted) =>
        intake.ServeAsync(request, Refuse, (body, into) => OnceAsync(request, body, into, aborted));

    /// <summary>A request whose key was taken in already is answered as before, and counted no more.</summary>
    private async Task<IResult> OnceAsync(HttpRequest request, byte[] body, ObservationIntake into, CancellationToken aborted)
    {
        string key = request.Headers["Idempotency-Key"].ToString();
        string wait = request.Query["wait"].ToString();

        if (key.Length > KeyMax || key.Any(character => character is < ' ' or > '~'))
        {
            return Wrong($"header Idempotency-Key: {key.Length} characters, expected 1 to {KeyMax} printable ASCII characters");
        }

        if (wait.Length > 0 && wait != "scored")
        {
            return Wrong($"query parameter wait: '{wait}', expected scored, or none: the answer comes once the observations are on the disk");
        }

        if (key.Length > 0 && !_underWay.TryAdd(key, true))
        {
            return Refuse(request, StatusCodes.Status409Conflict, $"header Idempotency-Key: '{key}' is being taken in; ask again for its answer");
        }

        try
        {
            ulong hash = XxHash3.HashToUInt64(body);

            if (key.Length > 0 && into.ReceiptOf(key) is { } before)
            {
                return before.BodyHash == hash
                    ? await AnswerAsync(before, wait.Length > 0, aborted)
                    : Results.Json(
                        new { error = $"header Idempotency-Key: '{key}' was taken in with another body; expected the same one, or another key" },
                        statusCode: StatusCodes.Status422UnprocessableEntity);
            }

            Decoded decoded = intake.NewDecoded();

            if (await ObservationBody.DecodeAsync(request, body, decoded, time, aborted) is { } refused)
            {
                return Refuse(refused);
            }

            intake.Tell(into, source, decoded);

            return key.Length == 0 && wait.Length == 0
                ? await HandInAsync(request, decoded, into)
                : await HandInWholeAsync(request, decoded, new Receipt(key, hash, StatusOf(decoded), Answer(decoded)), wait.Length > 0, into, aborted);
        }
        finally
        {
            _underWay.TryRemove(key, out _);
        }
    }

    /// <summary>All of a request as one entry of the journal, with its answer: after a kill all of it is there, or nothing.</summary>
    private async Task<IResult> HandInWholeAsync(
        HttpRequest request, Decoded decoded, Receipt receipt, bool waits, ObservationIntake into, CancellationToken aborted)
    {
        try
        {
            using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity("ingest http");
            await await into.AcceptAsync(
                new ObservationBatch(source, decoded.Observations.ToArray(), time.GetUtcNow(), span?.Context ?? default) { Receipt = receipt }, intake.Stopping);
        }
        catch (NotTakenException refused)
        {
            return Refuse(request, StatusCodes.Status503ServiceUnavailable, $"{refused.Message}; nothing of it was taken in");
        }
        catch (Exception closing) when (closing is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            return Refuse(request, StatusCodes.Status503ServiceUnavailable, "stopping; nothing of it was taken in");
        }

        return await AnswerAsync(receipt, waits, aborted);
    }

    /// <summary>The answer of a request that is on the disk; with its scores, and then 200, where they are waited for.</summary>
    private async Task<IResult> AnswerAsync(Receipt receipt, bool waits, CancellationToken aborted)
    {
        if (!waits || receipt.Status != StatusCodes.Status202Accepted)
        {
            return new AnswerBytes(receipt.Answer, receipt.Status);
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, intake.Stopping);
            ScoredCounts counts = await receipt.Scored.Task.WaitAsync(either.Token);
            JsonObject answer = JsonNode.Parse(receipt.Answer)!.AsObject();
            answer["scored"] = counts.Scored;
            answer["rejected_by_scoring"] = counts.Refused;

            if (counts.RefusedByReason is { Count: > 0 } reasons)
            {
                answer["rejected_by_reason"] = JsonSerializer.SerializeToNode(reasons);
            }

            answer["alerts"] = counts.Alerts;
            answer["highest_score"] = Math.Round(counts.HighestScore, 1);
            return Results.Json(answer, statusCode: StatusCodes.Status200OK);
        }
        catch (OperationCanceledException)
        {
            // On the disk all the same: it is scored before the end, or after the next start.
            return new AnswerBytes(receipt.Answer, StatusCodes.Status202Accepted);
        }
    }

    private static int StatusOf(Decoded decoded) =>
        decoded.Observations.Count > 0 || decoded.Errors.Count == 0 ? StatusCodes.Status202Accepted : StatusCodes.Status400BadRequest;

    private static byte[] Answer(Decoded decoded) => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            accepted = decoded.Observations.Count,
            rejected = decoded.Errors.Count,
            errors = decoded.Errors.Take(ErrorsAnsweredMax).Select(error => new
            {
                line = error.Line > 0 ? error.Line : (int?)null,
                reason = EventJson.Word(error.Reason),
                detail = error.Detail,
            }),
        },
        EventJson.Options);

    private static IResult Wrong(string why) => Results.Json(new { error = why }, statusCode: StatusCodes.Status400BadRequest);

    private async Task<IResult> HandInAsync(HttpRequest request, Decoded decoded, ObservationIntake into) =>
        await intake.HandInAsync(request, into, source, decoded.Observations) is { } refused
            ? Refuse(refused)
            : new AnswerBytes(Answer(decoded), StatusOf(decoded));

    private static IResult Refuse(HttpRequest request, int status, string why)
    {
        var refusal = new Refusal(status, why);
        HttpIntake.AskAgain(request, refusal);
        return Refuse(refusal);
    }

    private static IResult Refuse(Refusal refusal) => Results.Json(new { error = refusal.Why }, statusCode: refusal.Status);
}
