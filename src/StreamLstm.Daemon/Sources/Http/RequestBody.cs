using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Snappier;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>A request's body, unpacked. The limit holds for what comes out, so a small bomb stays small.</summary>
internal static class RequestBody
{
    /// <returns>The body, or why there is none.</returns>
    public static async Task<(byte[]? Body, Refusal? Refused)> ReadAsync(HttpRequest request, int bytesMax, CancellationToken aborted)
    {
        var tooLarge = new Refusal(StatusCodes.Status413PayloadTooLarge, $"body of more than {bytesMax} bytes (sources.http.body_max_bytes)");
        string encoding = request.Headers.ContentEncoding.ToString().ToLowerInvariant();

        if (encoding is not ("" or "identity" or "gzip" or "snappy"))
        {
            return (null, new Refusal(
                StatusCodes.Status415UnsupportedMediaType, $"header Content-Encoding: '{(encoding.Length <= 60 ? encoding : encoding[..60])}', expected gzip, snappy or none"));
        }

        if (request.ContentLength > bytesMax)
        {
            return (null, tooLarge);
        }

        try
        {
            await using Stream? unpacked = encoding == "gzip" ? new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true) : null;
            byte[]? body = await ReadAsync(unpacked ?? request.Body, bytesMax, aborted);

            if (body is null || encoding != "snappy")
            {
                return (body, body is null ? tooLarge : null);
            }

            // A block says first how long it is; the library makes room for that.
            int length = Snappy.GetUncompressedLength(body);
            return length < 0 || length > bytesMax ? (null, tooLarge) : (Snappy.DecompressToArray(body), null);
        }
        catch (Exception damaged) when (damaged is InvalidDataException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            return (null, new Refusal(StatusCodes.Status400BadRequest, $"body: {damaged.Message.Split('\n')[0]}"));
        }
    }

    private static async Task<byte[]?> ReadAsync(Stream body, int bytesMax, CancellationToken aborted)
    {
        using var buffer = new MemoryStream();
        byte[] chunk = new byte[16_384];

        for (int read; (read = await body.ReadAsync(chunk, aborted)) > 0;)
        {
            if (buffer.Length + read > bytesMax)
            {
                return null;
            }

            buffer.Write(chunk, 0, read);
        }

        return buffer.ToArray();
    }
}
