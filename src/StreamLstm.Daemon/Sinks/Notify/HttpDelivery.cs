using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>Messages as POST requests: a template's body, signed where there is a secret (standardwebhooks.com).</summary>
internal sealed class HttpDelivery : IDelivery
{
    private readonly HttpClient _client;
    private readonly Uri _url;
    private readonly MessageTemplate _template;
    private readonly byte[]? _secret;
    private readonly TimeProvider _time;

    public HttpDelivery(NotifyOptions options, TimeProvider time)
    {
        _time = time;
        _url = new Uri(options.Url);
        _template = MessageTemplate.TryParse(options.Template.Length > 0 ? options.Template : "json", options.Topic, out _)!;
        _secret = options.Secret.Length > 0 ? Secret(options.Secret) : null;
        _client = Client(options);
    }

    public async Task SendAsync(Notification notification, string? told, CancellationToken cancellationToken)
    {
        string body = _template.Render(notification);
        using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("Idempotency-Key", notification.Key);

        if (_secret is not null)
        {
            string stamp = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            byte[] mac = HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{notification.Key}.{stamp}.{body}"));
            request.Headers.Add("webhook-id", notification.Key);
            request.Headers.Add("webhook-timestamp", stamp);
            request.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(mac)}");
        }

        await SendAsync(_client, request, cancellationToken);
    }

    public Task<string> ReachAsync(CancellationToken cancellationToken) => WebAddress.ReachAsync(_url, cancellationToken);

    public void Dispose() => _client.Dispose();

    /// <summary>A client that is not led elsewhere with what authorizes here; a name that moves is found again.</summary>
    public static HttpClient Client(NotifyOptions options)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) }) { Timeout = options.Timeout };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("streamlstm", DaemonTelemetry.Version));

        if (options.Authorization.Length > 0)
        {
            client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", options.Authorization);
        }

        return client;
    }

    /// <summary>Sends a request, and tells what may be tried again from what may not, without its path, which may be secret.</summary>
    /// <exception cref="IOException">Not taken; to be tried again.</exception>
    /// <exception cref="RefusedException">Not taken, and never will be.</exception>
    public static async Task SendAsync(HttpClient client, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string where = request.RequestUri!.GetLeftPart(UriPartial.Authority);

        try
        {
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

            if (answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnsupportedMediaType or HttpStatusCode.UnprocessableEntity)
            {
                throw new RefusedException($"{where} answered {(int)answer.StatusCode}");
            }

            if (!answer.IsSuccessStatusCode)
            {
                throw new IOException($"{where} answered {(int)answer.StatusCode}");
            }
        }
        catch (HttpRequestException unreachable)
        {
            throw new IOException($"{where} cannot be reached: {unreachable.HttpRequestError}", unreachable);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{where} did not answer within {client.Timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>whsec_ and base64, as the specification writes secrets, or any text.</summary>
    private static byte[] Secret(string secret) =>
        secret.StartsWith("whsec_", StringComparison.Ordinal) ? Convert.FromBase64String(secret["whsec_".Length..]) : Encoding.UTF8.GetBytes(secret);
}

/// <summary>Alerts of Prometheus Alertmanager (API v2). It forgets an alert that is not sent again, so what goes on is.</summary>
internal sealed class AlertmanagerDelivery(NotifyOptions options, TimeProvider time) : IDelivery
{
    /// <summary>How long an alert holds without being sent again: four reminders may be lost.</summary>
    private static readonly TimeSpan Holds = TimeSpan.FromMinutes(5);

    private const string IncidentAlert = "StreamLstmIncident";

    private readonly HttpClient _client = HttpDelivery.Client(options);
    private readonly Uri _url = new($"{options.Url.TrimEnd('/')}/api/v2/alerts");

    public Task SendAsync(Notification notification, string? told, CancellationToken cancellationToken)
    {
        // Its severity is one of an alert's labels, by which people route: another severity is another alert, and the one before ends.
        List<object> alerts = [Alert(notification, notification.Severity, notification.State == "resolved", notification.State == "summary" ? "StreamLstmQuietHours" : IncidentAlert)];

        if (told is not null && told != notification.Severity)
        {
            alerts.Add(Alert(notification, told, isResolved: true));
        }

        return PostAsync(alerts, cancellationToken);
    }

    public Task RemindAsync(IReadOnlyCollection<Notification> open, CancellationToken cancellationToken) =>
        open.Count == 0 ? Task.CompletedTask : PostAsync([.. open.Select(one => Alert(one, one.Severity, isResolved: false))], cancellationToken);

    public async Task<string> ReachAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{options.Url.TrimEnd('/')}/api/v2/status");
        await HttpDelivery.SendAsync(_client, request, cancellationToken);
        return $"{_url.GetLeftPart(UriPartial.Authority)} answers as an Alertmanager";
    }

    public void Dispose() => _client.Dispose();

    private object Alert(Notification notification, string severity, bool isResolved, string name = IncidentAlert) => new
    {
        labels = new { alertname = name, incident = notification.Id, severity },
        annotations = new { summary = notification.Title, description = notification.Text, stream = notification.Stream, streams = $"{notification.Size}" },
        startsAt = notification.Onset,
        endsAt = isResolved ? time.GetUtcNow() : time.GetUtcNow() + Holds,
        generatorURL = notification.Link,
    };

    private async Task PostAsync(List<object> alerts, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _url)
        {
            Content = new StringContent(JsonSerializer.Serialize(alerts), Encoding.UTF8, "application/json"),
        };
        await HttpDelivery.SendAsync(_client, request, cancellationToken);
    }
}
