using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Api;

/// <summary>What a request asks for, as JSON; or why it cannot be understood.</summary>
internal static class JsonBody
{
    private const int MaxBytes = 16 * 1024;

    private static readonly JsonSerializerOptions Strict = new(EventJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary>Reads it; the second is the answer where it cannot be read.</summary>
    public static async Task<(T? Body, IResult? Refused)> ReadAsync<T>(HttpRequest request, string expected, CancellationToken cancellation)
        where T : class
    {
        // A page of another origin may send a form without asking, but not JSON.
        if (!request.HasJsonContentType())
        {
            return (null, Error($"content type '{request.ContentType}', expected application/json", 415));
        }

        var buffer = new byte[MaxBytes + 1];
        int length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation);

        if (length > MaxBytes)
        {
            return (null, Error($"body: more than {MaxBytes} bytes; expected {expected}", 413));
        }

        try
        {
            T? body = JsonSerializer.Deserialize<T>(buffer.AsSpan(0, length), Strict);
            return body is null ? (null, Error($"body: null, expected {expected}", 400)) : (body, null);
        }
        catch (JsonException broken)
        {
            // Its own message names types of this program where a key is unknown.
            return (null, Error($"body: {broken.Path ?? "$"} cannot be understood; expected {expected}", 400));
        }
    }

    public static IResult Error(string error, int statusCode) => Results.Json(new { error }, EventJson.Options, statusCode: statusCode);
}
