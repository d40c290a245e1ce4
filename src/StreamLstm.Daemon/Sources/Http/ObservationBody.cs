using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>Reads a body of /api/v1/observations as what its content type says, or looks like.</summary>
internal static class ObservationBody
{
    private const string NoObservation =
        """no observation in it, expected JSON such as {"stream":"a","value":1.5}, lines of it, CSV with a header and rows, line protocol, or Prometheus' text""";

    /// <summary>Reads it; says why not, where that is impossible.</summary>
    public static async Task<Refusal?> DecodeAsync(HttpRequest request, byte[] body, Decoded decoded, TimeProvider time, CancellationToken aborted)
    {
        if (request.Query["format"].FirstOrDefault() is "wav" or "pcm")
        {
            return SoundBody.Decode(request, body, decoded, time);
        }

        if (request.Query["format"].FirstOrDefault() is { } asked)
        {
            return await DecodeLinesAsync(asked, request, body, decoded, time, aborted);
        }

        string type = (request.ContentType ?? "application/json").Split(';')[0].Trim().ToLowerInvariant();
        TextFormat? format = type switch
        {
            "application/json" => HoldsLines(body) ? TextFormat.Ndjson : null,
            "application/x-ndjson" or "application/jsonl" or "application/x-jsonlines" => TextFormat.Ndjson,
            "text/plain" when IsPrometheus(body) => TextFormat.Prometheus,
            "application/openmetrics-text" => TextFormat.Prometheus,
            "text/plain" or "application/vnd.influx" or "application/vnd.influxdb.line-protocol" => TextFormat.Influx,
            "text/csv" => TextFormat.Csv,
            _ => TextFormat.Auto,
        };

        if (format == TextFormat.Auto)
        {
            // curl's own default: whoever says nothing gets what the body looks like.
            if (!IsFormLike(request))
            {
                return new Refusal(
                    StatusCodes.Status415UnsupportedMediaType,
                    $"content type {type}, expected application/json, application/x-ndjson, text/plain (line protocol, Prometheus), application/openmetrics-text or text/csv");
            }

            format = body.AsSpan().TrimStart(" \r\n\t"u8).IndexOf((byte)'\n') < 0 && body.AsSpan().TrimStart(" \r\n\t"u8) is [(byte)'{' or (byte)'[', ..]
                ? null
                : TextFormat.Auto;
        }

        string precision = request.Query["precision"].ToString();

        if (InfluxRoutes.PrecisionOf(precision) is not { } unitsPerSecond)
        {
            return new Refusal(StatusCodes.Status400BadRequest, InfluxRoutes.WrongPrecision(precision));
        }

        if (format is null)
        {
            JsonDecoder.Decode(body, line: 1, prefix: "", decoded);
        }
        else
        {
            using var reader = new StringReader(Encoding.UTF8.GetString(body));
            string prefix = request.Query["prefix"].FirstOrDefault() ?? "";
            await TextDecoder.DecodeAsync(reader, format.Value, prefix, decoded, unitsPerSecond, _ => default, aborted);
        }

        if (decoded.Observations.Count == 0 && decoded.Errors.Count == 0 && decoded.LeftOut.IsEmpty && IsFormLike(request) && body.AsSpan().ContainsAnyExcept(" \r\n\t"u8))
        {
            decoded.Reject(1, NoObservation, body);
        }

        return null;
    }

    /// <summary>Whether nothing is said of the body, as by curl -d.</summary>
    private static bool IsFormLike(HttpRequest request) =>
        string.Equals(request.ContentType?.Split(';')[0].Trim(), "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it is what a target of Prometheus answers, whose type is text/plain too.</summary>
    private static bool IsPrometheus(byte[] body)
    {
        ReadOnlySpan<byte> text = body.AsSpan().TrimStart(" \r\n\t"u8);
        return TextDecoder.FormatOf(Encoding.UTF8.GetString(text[..(text.IndexOf((byte)'\n') is >= 0 and var end ? end : text.Length)])) == TextFormat.Prometheus;
    }

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

    /// <summary>?format=log&stream=NAME, and &key=EXPRESSION where lines belong to sessions; or ?format=text&stream=NAME, ?format=words&stream=NAME.</summary>
    private static async Task<Refusal?> DecodeLinesAsync(
        string format, HttpRequest request, byte[] body, Decoded decoded, TimeProvider time, CancellationToken aborted)
    {
        string stream = request.Query["stream"].FirstOrDefault() ?? "";
        string key = request.Query["key"].FirstOrDefault() ?? "";
        string? wrong =
            format is not ("log" or "text" or "words") ? $"query parameter format: '{format}', expected log, text, words, wav or pcm, or none: the content type says what the others are"
            : stream.Length == 0 ? $"query parameter stream: missing, expected the name of the stream with format={format}"
            : !new KeyExpressionAttribute().IsValid(key) ? $"query parameter key: '{(key.Length <= 100 ? key : key[..100] + "...")}', expected {LogLineDecoder.KeyExpectation}"
            : null;

        if (wrong is not null)
        {
            return new Refusal(StatusCodes.Status400BadRequest, wrong);
        }

        using var reader = new StringReader(Encoding.UTF8.GetString(body));
        var log = new LogLineDecoder(stream, LogLineDecoder.KeyPattern(key), time.LocalTimeZone, time.GetUtcNow);
        await TextDecoder.DecodeAsync(
            reader, format == "log" ? TextFormat.Log : format == "text" ? TextFormat.Text : TextFormat.Words,
            stream, decoded, InfluxLineDecoder.NanosecondsPerSecond, _ => default, aborted, log);
        return null;
    }
}
