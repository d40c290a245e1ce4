using System.Collections.Concurrent;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>POST /api/v1/observations: JSON, NDJSON, InfluxDB line protocol, CSV or log lines; partial failures are answered per line.</summary>
internal sealed class HttpSource(HttpSourceOptions options, RecordRules rules, int batchMax, TimeProvider time) : IObservationSource
{
    private const int ErrorsAnsweredMax = 100;

    private const int KeyMax = 256;

    private const string NoObservation =
        """no observation in it, expected JSON such as {"stream":"a","value":1.5}, lines of it, CSV with a header and rows, or line protocol""";

    private readonly IngestStamp _stamp = new(time);
    private readonly ConcurrentDictionary<string, bool> _underWay = new(StringComparer.Ordinal);
    private readonly BodiesUnderWay _bodies = new(time);
    private int _requests;
    private ObservationIntake? _intake;
    private CancellationToken _stopping;

    public string Name => "http";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        _stopping = stopping;
        Volatile.Write(ref _intake, intake);

        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Volatile.Write(ref _intake, null);
        }
    }

    public IEndpointConventionBuilder Map(IEndpointRouteBuilder routes) => routes.MapPost("/api/v1/observations", PostAsync);

    private async Task<IResult> PostAsync(HttpRequest request, CancellationToken aborted)
    {
        if (Volatile.Read(ref _intake) is not { } intake)
        {
            return Busy(request, StatusCodes.Status503ServiceUnavailable, "not taking observations in: starting or stopping");
        }

        using ReadBody reading = _bodies.Begin(aborted);

        if (Interlocked.Increment(ref _requests) > options.ConcurrentMax && !_bodies.MakeRoom())
        {
            Interlocked.Decrement(ref _requests);
            return Busy(request, StatusCodes.Status429TooManyRequests, $"more than {options.ConcurrentMax} requests at once (sources.http.concurrent_max)");
        }

        try
        {
            byte[]? body = await ReadBodyAsync(request, reading.Ended);
            reading.Dispose();

            if (body is null)
            {
                return Results.Json(
                    new { error = $"body of more than {options.BodyMaxBytes} bytes (sources.http.body_max_bytes)" },
                    statusCode: StatusCodes.Status413PayloadTooLarge);
            }

            return await OnceAsync(request, body, intake, aborted);
        }
        catch (OperationCanceledException) when (reading.GaveWay)
        {
            return Results.Json(
                new { error = $"body: not whole after a second while all {options.ConcurrentMax} places were taken (sources.http.concurrent_max)" },
                statusCode: StatusCodes.Status408RequestTimeout);
        }
        catch (InvalidDataException damaged)
        {
            return Results.Json(new { error = $"body: {damaged.Message}" }, statusCode: StatusCodes.Status400BadRequest);
        }
        finally
        {
            Interlocked.Decrement(ref _requests);
        }
    }

    /// <summary>A request whose key was taken in already is answered as before, and counted no more.</summary>
    private async Task<IResult> OnceAsync(HttpRequest request, byte[] body, ObservationIntake intake, CancellationToken aborted)
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
            return Busy(request, StatusCodes.Status409Conflict, $"header Idempotency-Key: '{key}' is being taken in; ask again for its answer");
        }

        try
        {
            ulong hash = XxHash3.HashToUInt64(body);

            if (key.Length > 0 && intake.ReceiptOf(key) is { } before)
            {
                return before.BodyHash == hash
                    ? await AnswerAsync(before, wait.Length > 0, aborted)
                    : Results.Json(
                        new { error = $"header Idempotency-Key: '{key}' was taken in with another body; expected the same one, or another key" },
                        statusCode: StatusCodes.Status422UnprocessableEntity);
            }

            var decoded = new Decoded(_stamp, rules);

            if (await DecodeAsync(request, body, decoded, aborted) is { } refused)
            {
                return refused;
            }

            if (decoded.Observations.Count == 0 && decoded.Errors.Count == 0 && decoded.LeftOut.IsEmpty && IsFormLike(request) && body.AsSpan().ContainsAnyExcept(" \r\n\t"u8))
            {
                decoded.Reject(1, NoObservation, body);
            }

            intake.LeaveOut(Name, decoded.LeftOut);

            foreach (DecodeError error in decoded.Errors)
            {
                intake.Reject(Name, error.Reason, $"line {error.Line}: {error.Detail}", error.Payload);
            }

            return key.Length == 0 && wait.Length == 0
                ? await HandInAsync(request, decoded, intake)
                : await HandInWholeAsync(request, decoded, new Receipt(key, hash, StatusOf(decoded), Answer(decoded)), wait.Length > 0, intake, aborted);
        }
        finally
        {
            _underWay.TryRemove(key, out _);
        }
    }

    /// <summary>All of a request as one entry of the journal, with its answer: after a kill all of it is there, or nothing.</summary>
    private async Task<IResult> HandInWholeAsync(
        HttpRequest request, Decoded decoded, Receipt receipt, bool waits, ObservationIntake intake, CancellationToken aborted)
    {
        try
        {
            using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity("ingest http");
            await await intake.AcceptAsync(
                new ObservationBatch(Name, decoded.Observations.ToArray(), time.GetUtcNow(), span?.Context ?? default) { Receipt = receipt }, _stopping);
        }
        catch (NotTakenException refused)
        {
            return Busy(request, StatusCodes.Status503ServiceUnavailable, $"{refused.Message}; nothing of it was taken in");
        }
        catch (Exception closing) when (closing is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            return Busy(request, StatusCodes.Status503ServiceUnavailable, "stopping; nothing of it was taken in");
        }

        return await AnswerAsync(receipt, waits, aborted);
    }

    /// <summary>The answer of a request that is on the disk; with its scores, and then 200, where they are waited for.</summary>
    private async Task<IResult> AnswerAsync(Receipt receipt, bool waits, CancellationToken aborted)
    {
        if (!waits || receipt.Status != StatusCodes.Status202Accepted)
        {
            return new JsonBytes(receipt.Answer, receipt.Status);
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(aborted, _stopping);
            ScoredCounts counts = await receipt.Scored.Task.WaitAsync(either.Token);
            JsonObject answer = JsonNode.Parse(receipt.Answer)!.AsObject();
            answer["scored"] = counts.Scored;
            answer["rejected_by_scoring"] = counts.Refused;
            answer["alerts"] = counts.Alerts;
            answer["highest_score"] = Math.Round(counts.HighestScore, 1);
            return Results.Json(answer, statusCode: StatusCodes.Status200OK);
        }
        catch (OperationCanceledException)
        {
            // On the disk all the same: it is scored before the end, or after the next start.
            return new JsonBytes(receipt.Answer, StatusCodes.Status202Accepted);
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
                line = error.Line,
                reason = EventJson.Word(error.Reason),
                detail = error.Detail,
            }),
        },
        EventJson.Options);

    private static IResult Wrong(string why) => Results.Json(new { error = why }, statusCode: StatusCodes.Status400BadRequest);

    private async Task<IResult> HandInAsync(HttpRequest request, Decoded decoded, ObservationIntake intake)
    {
        int accepted = 0;
        List<Task> onDisk = [];

        try
        {
            while (accepted < decoded.Observations.Count)
            {
                int count = Math.Min(batchMax, decoded.Observations.Count - accepted);
                using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity("ingest http");
                onDisk.Add(await intake.AcceptAsync(
                    new ObservationBatch(
                        Name, decoded.Observations.GetRange(accepted, count).ToArray(), time.GetUtcNow(), span?.Context ?? default),
                    _stopping));
                accepted += count;
            }

            // R1: what is answered would survive.
            await Task.WhenAll(onDisk);
        }
        catch (NotTakenException refused)
        {
            int taken = onDisk.TakeWhile(task => task.IsCompletedSuccessfully).Count() * batchMax;
            return Busy(request, StatusCodes.Status503ServiceUnavailable, $"{refused.Message}; the first {taken} observations were taken in");
        }
        catch (Exception closing) when (closing is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            return Busy(request, StatusCodes.Status503ServiceUnavailable, $"stopping; the first {accepted} observations were taken in");
        }

        return new JsonBytes(Answer(decoded), StatusOf(decoded));
    }

    /// <summary>Reads what the content type says; gives the answer where that is impossible.</summary>
    private async Task<IResult?> DecodeAsync(HttpRequest request, byte[] body, Decoded decoded, CancellationToken aborted)
    {
        if (request.Query["format"].FirstOrDefault() is { } asked)
        {
            return await DecodeLogAsync(asked, request, body, decoded, aborted);
        }

        string type = (request.ContentType ?? "application/json").Split(';')[0].Trim().ToLowerInvariant();
        TextFormat? format = type switch
        {
            "application/json" => HoldsLines(body) ? TextFormat.Ndjson : null,
            "application/x-ndjson" or "application/jsonl" or "application/x-jsonlines" => TextFormat.Ndjson,
            "text/plain" or "application/vnd.influx" or "application/vnd.influxdb.line-protocol" => TextFormat.Influx,
            "text/csv" => TextFormat.Csv,
            _ => TextFormat.Auto,
        };

        if (format == TextFormat.Auto)
        {
            // curl's own default: whoever says nothing gets what the body looks like.
            if (!IsFormLike(request))
            {
                return Results.Json(
                    new { error = $"content type {type}, expected application/json, application/x-ndjson, text/plain (line protocol) or text/csv" },
                    statusCode: StatusCodes.Status415UnsupportedMediaType);
            }

            format = body.AsSpan().TrimStart(" \r\n\t"u8).IndexOf((byte)'\n') < 0 && body.AsSpan().TrimStart(" \r\n\t"u8) is [(byte)'{' or (byte)'[', ..]
                ? null
                : TextFormat.Auto;
        }

        string precision = request.Query["precision"].FirstOrDefault() ?? "ns";
        long? unitsPerSecond = precision switch
        {
            "ns" or "n" => InfluxLineDecoder.NanosecondsPerSecond,
            "us" or "u" => 1_000_000,
            "ms" => 1_000,
            "s" => 1,
            _ => null,
        };

        if (unitsPerSecond is null)
        {
            return Results.Json(
                new { error = $"query parameter precision: '{precision}', expected ns, us, ms or s" }, statusCode: StatusCodes.Status400BadRequest);
        }

        if (format is null)
        {
            JsonDecoder.Decode(body, line: 1, prefix: "", decoded);
        }
        else
        {
            using var reader = new StringReader(Encoding.UTF8.GetString(body));
            string prefix = request.Query["prefix"].FirstOrDefault() ?? "";
            await TextDecoder.DecodeAsync(reader, format.Value, prefix, decoded, unitsPerSecond.Value, _ => default, aborted);
        }

        return null;
    }

    /// <summary>Whether nothing is said of the body, as by curl -d.</summary>
    private static bool IsFormLike(HttpRequest request) =>
        string.Equals(request.ContentType?.Split(';')[0].Trim(), "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is NDJSON that was called JSON: its first line is a whole document, and there is more.</summary>
    private static bool HoldsLines(byte[] body)
    {
        ReadOnlySpan<byte> text = body.AsSpan().Trim(" \r\n\t"u8);
        int end = text.IndexOf((byte)'\n');

        if (end < 0)
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(text[..end]);
            return reader.Read() && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>?format=log&stream=NAME, and &key=EXPRESSION where lines belong to sessions.</summary>
    private async Task<IResult?> DecodeLogAsync(string format, HttpRequest request, byte[] body, Decoded decoded, CancellationToken aborted)
    {
        string stream = request.Query["stream"].FirstOrDefault() ?? "";
        string key = request.Query["key"].FirstOrDefault() ?? "";
        string? wrong =
            format != "log" ? $"query parameter format: '{format}', expected log, or none: the content type says what the others are"
            : stream.Length == 0 ? "query parameter stream: missing, expected the name of the log's stream with format=log"
            : !new KeyExpressionAttribute().IsValid(key) ? $"query parameter key: '{(key.Length <= 100 ? key : key[..100] + "...")}', expected {LogLineDecoder.KeyExpectation}"
            : null;

        if (wrong is not null)
        {
            return Results.Json(new { error = wrong }, statusCode: StatusCodes.Status400BadRequest);
        }

        using var reader = new StringReader(Encoding.UTF8.GetString(body));
        var log = new LogLineDecoder(stream, LogLineDecoder.KeyPattern(key), time.LocalTimeZone, time.GetUtcNow);
        await TextDecoder.DecodeAsync(
            reader, TextFormat.Log, "", decoded, InfluxLineDecoder.NanosecondsPerSecond, _ => default, aborted, log);
        return null;
    }

    /// <summary>The body, unpacked; null where it is larger than the limit.</summary>
    private async Task<byte[]?> ReadBodyAsync(HttpRequest request, CancellationToken aborted)
    {
        if (request.ContentLength > options.BodyMaxBytes)
        {
            return null;
        }

        Stream body = request.Body;
        await using Stream? unpacked = string.Equals(request.Headers.ContentEncoding, "gzip", StringComparison.OrdinalIgnoreCase)
            ? new GZipStream(body, CompressionMode.Decompress, leaveOpen: true)
            : null;
        using var buffer = new MemoryStream();
        byte[] chunk = new byte[16_384];

        // The limit holds for what comes out, so a small bomb stays small.
        for (int read; (read = await (unpacked ?? body).ReadAsync(chunk, aborted)) > 0;)
        {
            if (buffer.Length + read > options.BodyMaxBytes)
            {
                return null;
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }

    private static IResult Busy(HttpRequest request, int status, string why)
    {
        request.HttpContext.Response.Headers.RetryAfter = "1";
        return Results.Json(new { error = why }, statusCode: status);
    }

    /// <summary>An answer that was put into words before.</summary>
    private sealed class JsonBytes(byte[] json, int status) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            httpContext.Response.ContentType = "application/json; charset=utf-8";
            httpContext.Response.ContentLength = json.Length;
            await httpContext.Response.Body.WriteAsync(json, httpContext.RequestAborted);
        }
    }
}
