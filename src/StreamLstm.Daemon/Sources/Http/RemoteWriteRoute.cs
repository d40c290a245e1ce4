using Microsoft.AspNetCore.Http;
using StreamLstm.Decoding;
using StreamLstm.Decoding.Agents;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>POST /api/v1/write: Prometheus remote write, 1.0 and 2.0, as Prometheus and all that speak it send.</summary>
internal sealed class RemoteWriteRoute(HttpIntake intake)
{
    private const string Source = "remote_write";

    private const int ErrorsSaid = 5;

    public Task<IResult> PostAsync(HttpRequest request)
    {
        int version = request.ContentType?.Contains("io.prometheus.write.v2.Request", StringComparison.Ordinal) == true ? 2 : 1;

        return request.ContentType is { } type && type.Split(';')[0].Trim() != "application/x-protobuf"
            ? Task.FromResult(Refuse(new Refusal(StatusCodes.Status415UnsupportedMediaType, $"content type {(type.Length <= 60 ? type : type[..60])}, expected application/x-protobuf with Content-Encoding snappy")))
            : intake.ServeAsync(request, Refuse, async (body, into) =>
            {
                Decoded decoded = intake.NewDecoded();
                RemoteWriteDecoder.Decode(body, version, decoded);
                intake.Tell(into, Source, decoded);

                if (await intake.HandInAsync(request, into, Source, decoded.Observations) is { } refused)
                {
                    return Refuse(refused);
                }

                if (version == 2)
                {
                    // How the sender learns that what it sent was understood as what it is (specification 2.0).
                    request.HttpContext.Response.Headers["X-Prometheus-Remote-Write-Samples-Written"] = Figure(decoded.Observations.Count);
                    request.HttpContext.Response.Headers["X-Prometheus-Remote-Write-Histograms-Written"] = "0";
                    request.HttpContext.Response.Headers["X-Prometheus-Remote-Write-Exemplars-Written"] = "0";
                }

                return decoded.Errors.Count == 0
                    ? Results.NoContent()
                    : Refuse(new Refusal(
                        StatusCodes.Status400BadRequest,
                        $"{decoded.Observations.Count} samples taken, {decoded.Errors.Count} series or samples not: {string.Join("; ", decoded.Errors.Take(ErrorsSaid).Select(error => error.Detail))}"));
            });
    }

    // Senders log the first line of a text.
    private static IResult Refuse(Refusal refusal) => Results.Text(refusal.Why, "text/plain; charset=utf-8", statusCode: refusal.Status);

    private static string Figure(int count) => count.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
