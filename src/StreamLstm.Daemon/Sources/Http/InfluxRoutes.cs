using System.Text;
using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>InfluxDB's routes for writing, of version 1 and 2, as Telegraf and its clients use them: line protocol in, 204 out.</summary>
/// <remarks>
/// What can be read of a request is taken, and the answer says what could not (a partial write): clients do not send it again then. Names begin with
/// the database (and retention policy) or the bucket, as the same measurement in two of them is two.
/// </remarks>
internal sealed class InfluxRoutes(HttpIntake intake)
{
    private const string Source = "influxdb";

    private const int LinesSaid = 5;

    /// <summary>POST /write?db=NAME&amp;rp=NAME&amp;precision=UNIT.</summary>
    public Task<IResult> WriteAsync(HttpRequest request) =>
        WriteAsync(request, [request.Query["db"].ToString(), request.Query["rp"].ToString()], why => Refuse(request, why));

    /// <summary>POST /api/v2/write?bucket=NAME&amp;precision=UNIT; what stands for the organisation is not looked at.</summary>
    public Task<IResult> WriteV2Async(HttpRequest request) => WriteAsync(request, [request.Query["bucket"].ToString()], RefuseV2);

    /// <summary>POST /query: Telegraf creates its database before it writes. Nothing else is answered.</summary>
    public static async Task<IResult> QueryAsync(HttpRequest request)
    {
        string query = request.Query["q"].ToString();

        if (query.Length == 0 && request.HasFormContentType && request.ContentLength < 4096)
        {
            query = (await request.ReadFormAsync(request.HttpContext.RequestAborted))["q"].ToString();
        }

        return query.TrimStart().StartsWith("CREATE DATABASE", StringComparison.OrdinalIgnoreCase)
            ? Results.Json(new { results = new[] { new { statement_id = 0 } } })
            : Refuse(request, new Refusal(StatusCodes.Status400BadRequest, "query parameter q: expected CREATE DATABASE, which changes nothing: here is written, and not queried"));
    }

    /// <summary>GET /ping.</summary>
    public static IResult Ping(HttpResponse response)
    {
        response.Headers["X-Influxdb-Version"] = $"streamlstm-{DaemonTelemetry.Version}";
        return Results.NoContent();
    }

    /// <summary>GET /health of version 2.</summary>
    public static IResult Health() =>
        Results.Json(new { name = "streamlstm", message = "ready for writes", status = "pass", version = DaemonTelemetry.Version });

    private async Task<IResult> WriteAsync(HttpRequest request, string[] before, Func<Refusal, IResult> refuse)
    {
        string precision = request.Query["precision"].ToString();

        return PrecisionOf(precision) is not { } unitsPerSecond
            ? refuse(new Refusal(StatusCodes.Status400BadRequest, WrongPrecision(precision)))
            : await intake.ServeAsync(request, refuse, async (body, into) =>
            {
                Decoded decoded = intake.NewDecoded();
                InfluxLineDecoder.DecodeAll(Encoding.UTF8.GetString(body), unitsPerSecond, string.Join('/', before.Where(part => part.Length > 0)), decoded);
                intake.Tell(into, Source, decoded);

                if (await intake.HandInAsync(request, into, Source, decoded.Observations) is { } refused)
                {
                    return refuse(refused);
                }

                return decoded.Errors.Count == 0
                    ? Results.NoContent()
                    : refuse(new Refusal(
                        StatusCodes.Status400BadRequest,
                        (decoded.Observations.Count > 0 ? $"partial write: {decoded.Observations.Count} values written, " : "unable to parse: ")
                        + $"{decoded.Errors.Count} lines or fields dropped: {string.Join("; ", decoded.Errors.Take(LinesSaid).Select(HttpIntake.Said))}"));
            });
    }

    /// <summary>Units a second of a precision as InfluxDB names them; null for none of its names.</summary>
    internal static long? PrecisionOf(string precision) => precision switch
    {
        "" or "ns" or "n" => InfluxLineDecoder.NanosecondsPerSecond,
        "us" or "u" or "µ" => 1_000_000,
        "ms" => 1_000,
        "s" => 1,
        _ => null,
    };

    internal static string WrongPrecision(string precision) =>
        $"query parameter precision: '{(precision.Length <= 60 ? precision : precision[..60] + "...")}', expected ns, us, ms or s";

    private static IResult Refuse(HttpRequest request, Refusal refusal)
    {
        // Headers are of ASCII, and of one line.
        request.HttpContext.Response.Headers["X-Influxdb-Error"] = new string([.. refusal.Why.Take(500).Select(character => character is < ' ' or > '~' ? '?' : character)]);
        return Results.Json(new { error = refusal.Why }, statusCode: refusal.Status);
    }

    private static IResult RefuseV2(Refusal refusal) => Results.Json(
        new
        {
            code = refusal.Status switch
            {
                StatusCodes.Status413PayloadTooLarge => "request too large",
                StatusCodes.Status429TooManyRequests => "too many requests",
                StatusCodes.Status503ServiceUnavailable => "unavailable",
                _ => "invalid",
            },
            message = refusal.Why,
        },
        statusCode: refusal.Status);
}
