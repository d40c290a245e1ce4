using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.Json;

namespace StreamLstm.Daemon.Commands.Load;

/// <summary>Requests of a daemon's /api/v1/observations; acknowledged once they are on its disk.</summary>
/// <remarks>
/// Each request has a key of its own (Idempotency-Key), so that one that was told to wait is asked again as it was, and what it
/// holds is taken in once.
/// </remarks>
internal sealed class HttpTarget : ILoadTarget
{
    private const string Route = "/api/v1/observations";
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WaitUnsaid = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(1);

    private readonly HttpClient _client;
    private readonly Uri _route;
    private readonly string _run = Guid.NewGuid().ToString("N");
    private readonly TimeProvider _time;
    private long _requests;
    private long _waits;

    /// <param name="url">The daemon's page, or the whole route of another service that takes the same.</param>
    /// <param name="token">What lets in; empty for nothing.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="network">How it is reached; null for the network.</param>
    public HttpTarget(Uri url, string token, TimeProvider time, HttpMessageHandler? network = null)
    {
        _client = new HttpClient(network ?? new SocketsHttpHandler()) { Timeout = AnswerMax };
        _route = url.AbsolutePath.Trim('/').Length > 0 ? url : new Uri(url, Route);
        _time = time;
        _client.DefaultRequestHeaders.Authorization = token.Length > 0 ? new AuthenticationHeaderValue("Bearer", token) : null;
    }

    public int Lanes => 4;

    public int BatchMax => 500;

    public long Waits => Interlocked.Read(ref _waits);

    public async Task SendAsync(int lane, IReadOnlyList<LoadRow> rows, Action<LoadRow, bool> answered, CancellationToken cancellationToken)
    {
        byte[] body = [.. rows.SelectMany(row => row.Line.Append((byte)'\n'))];
        string key = $"{_run}-{Interlocked.Increment(ref _requests)}";

        while (true)
        {
            using HttpResponseMessage response = await AskAsync(body, key, cancellationToken);

            if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable)
            {
                Interlocked.Increment(ref _waits);
                TimeSpan wait = response.Headers.RetryAfter?.Delta ?? WaitUnsaid;
                await Task.Delay(wait < WaitMax ? wait : WaitMax, _time, cancellationToken);
                continue;
            }

            int refused = await RefusedAsync(response, rows.Count, cancellationToken);

            for (int i = 0; i < rows.Count; i++)
            {
                answered(rows[i], i >= refused);
            }

            return;
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<HttpResponseMessage> AskAsync(byte[] body, string key, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _route) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
            request.Headers.Add("Idempotency-Key", key);
            return await _client.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException unreachable)
        {
            throw new IOException($"--to {_route}: {unreachable.Message}", unreachable);
        }
        catch (OperationCanceledException silent) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"--to {_route}: no answer within {AnswerMax.TotalSeconds:0} s", silent);
        }
    }

    /// <summary>How many of a request's lines were refused; which is said of the first hundred only, and asked by nobody.</summary>
    /// <exception cref="IOException">The whole request is: no further one would be taken.</exception>
    private async Task<int> RefusedAsync(HttpResponseMessage response, int rows, CancellationToken cancellationToken)
    {
        string text = await response.Content.ReadAsStringAsync(cancellationToken);

        if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.BadRequest)
        {
            try
            {
                using JsonDocument answer = JsonDocument.Parse(text);

                if (answer.RootElement.TryGetProperty("rejected", out JsonElement rejected))
                {
                    return Math.Clamp(rejected.GetInt32(), 0, rows);
                }
            }
            catch (Exception other) when (other is JsonException or InvalidOperationException or FormatException)
            {
                // Another service answers in its own words.
            }
        }

        return response.IsSuccessStatusCode ? 0
            : throw new IOException($"--to {_route}: answers {(int)response.StatusCode} {(text.Length > 300 ? text[..300] : text)}");
    }
}
