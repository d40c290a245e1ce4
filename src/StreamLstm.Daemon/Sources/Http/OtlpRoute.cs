using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using StreamLstm.Decoding;
using StreamLstm.Decoding.Agents;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>POST /v1/metrics: OpenTelemetry's metrics over HTTP, protobuf or JSON, answered in what was asked in.</summary>
internal sealed class OtlpRoute(HttpIntake intake, IReadOnlyList<string> resourceNames)
{
    private const string Source = "otlp";
    private const string Protobuf = "application/x-protobuf";
    private const string Json = "application/json";

    private const int ErrorsSaid = 5;

    private static readonly string[] UsualNames =
        ["service.namespace", "service.name", "service.instance.id", "host.name", "k8s.namespace.name", "k8s.pod.name", "k8s.container.name"];

    private readonly IReadOnlyList<string> _names = resourceNames.Count > 0 ? resourceNames : UsualNames;

    public async Task<IResult> PostAsync(HttpRequest request)
    {
        string type = (request.ContentType ?? "").Split(';')[0].Trim().ToLowerInvariant();
        bool isJson = type == Json;

        return type is not (Protobuf or Json)
            ? Refuse(false, new Refusal(StatusCodes.Status415UnsupportedMediaType, $"content type {(type.Length <= 60 ? type : type[..60])}, expected {Protobuf} or {Json}"))
            : await intake.ServeAsync(request, why => Refuse(isJson, why), async (body, into) =>
            {
                Decoded decoded = intake.NewDecoded();

                if (isJson)
                {
                    OtlpJsonDecoder.Decode(body, _names, decoded);
                }
                else
                {
                    OtlpDecoder.Decode(body, _names, decoded);
                }

                intake.Tell(into, Source, decoded);

                if (await intake.HandInAsync(request, into, Source, decoded.Observations) is { } refused)
                {
                    return Refuse(isJson, refused);
                }

                string said = string.Join("; ", decoded.Errors.Take(ErrorsSaid).Select(error => error.Detail));
                return decoded.Errors.Count > 0 && decoded.Observations.Count == 0
                    ? Refuse(isJson, new Refusal(StatusCodes.Status400BadRequest, said))
                    : Answer(isJson, decoded.Errors.Count, said);
            });
    }

    /// <summary>An ExportMetricsServiceResponse: empty where all was taken.</summary>
    private static AnswerBytes Answer(bool isJson, int rejected, string said)
    {
        if (isJson)
        {
            return new AnswerBytes(
                rejected == 0 ? "{}"u8.ToArray() : JsonSerializer.SerializeToUtf8Bytes(new { partialSuccess = new { rejectedDataPoints = $"{rejected}", errorMessage = said } }),
                StatusCodes.Status200OK, Json);
        }

        byte[] partial = [.. Number(1, rejected), .. Text(2, said)];
        return new AnswerBytes(rejected == 0 ? [] : [.. Bytes(1, partial)], StatusCodes.Status200OK, Protobuf);
    }

    /// <summary>A google.rpc.Status, as the protocol asks for.</summary>
    private static AnswerBytes Refuse(bool isJson, Refusal refusal)
    {
        const int InvalidArgument = 3, ResourceExhausted = 8, Unavailable = 14;
        int code = refusal.Status switch
        {
            StatusCodes.Status413PayloadTooLarge or StatusCodes.Status429TooManyRequests => ResourceExhausted,
            StatusCodes.Status503ServiceUnavailable => Unavailable,
            _ => InvalidArgument,
        };
        return isJson
            ? new AnswerBytes(JsonSerializer.SerializeToUtf8Bytes(new { code, message = refusal.Why }), refusal.Status, Json)
            : new AnswerBytes([.. Number(1, code), .. Text(2, refusal.Why)], refusal.Status, Protobuf);
    }

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Bytes(int field, byte[] bytes) => [(byte)((field << 3) | 2), .. Varint(bytes.Length), .. bytes];

    private static byte[] Number(int field, int number) => [(byte)(field << 3), .. Varint(number)];

    private static List<byte> Varint(int number)
    {
        List<byte> bytes = [];

        for (; number > 127; number >>= 7)
        {
            bytes.Add((byte)(number | 128));
        }

        bytes.Add((byte)number);
        return bytes;
    }
}
