using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Each event of an incident as a POST, in order, at least once: the same event always with the same Idempotency-Key.</summary>
/// <remarks>
/// Where it stands in the journal is in a file of its own, replaced behind each answer: what was answered and not yet written down
/// when the program was killed is sent again. An answer that says that the request can never be taken (400, 413, 415, 422)
/// ends it, counted and logged; anything else is tried again. Neither the address's path nor the authorization is ever logged.
/// </remarks>
internal sealed class WebhookSink : IJournalSink
{
    public const string SinkName = "webhook";

    private readonly HttpClient _client;
    private readonly Uri _url;
    private readonly string _cursor;
    private readonly DaemonMetrics _metrics;
    private readonly ILogger _logger;
    private (long Sequence, int Events) _done;   // of the entry at Sequence, so many events were answered

    /// <param name="options">Where to, and how.</param>
    /// <param name="cursor">The file that says how far it has got.</param>
    /// <param name="metrics">Counts what is refused.</param>
    /// <param name="logger">For what is refused.</param>
    public WebhookSink(WebhookSinkOptions options, string cursor, DaemonMetrics metrics, ILogger logger)
    {
        (_cursor, _metrics, _logger) = (cursor, metrics, logger);
        _url = new Uri(options.Url);
        DropsWhenFull = options.WhenFull == WhenFull.Drop;

        // Not followed elsewhere with what authorizes here; a name that moves is found again.
        _client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
        {
            Timeout = options.Timeout,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("streamlstm", DaemonTelemetry.Version));

        if (options.Authorization.Length > 0)
        {
            _client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", options.Authorization);
        }

        _done = File.Exists(cursor) && File.ReadAllText(cursor).Split(' ') is [string sequence, string events]
            && long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out long at)
            && int.TryParse(events, NumberStyles.None, CultureInfo.InvariantCulture, out int answered)
                ? (at, answered)
                : (-1, 0);
    }

    public string Name => SinkName;

    public long Told => _done.Sequence;

    public bool DropsWhenFull { get; }

    public bool Takes(ScoredBatch batch) => batch.Incidents.Count > 0;

    public int Wanted(ScoredBatch batch) => batch.Incidents.Count;

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Sequence < _done.Sequence)
        {
            return;
        }

        for (int i = batch.Sequence == _done.Sequence ? _done.Events : 0; i < batch.Incidents.Count; i++)
        {
            await SendAsync(batch.Incidents[i], batch.Sequence, cancellationToken);
            _done = (batch.Sequence, i + 1);
            Keep();
        }
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult(_done.Sequence.ToString(CultureInfo.InvariantCulture));

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return default;
    }

    private async Task SendAsync(IncidentEvent incident, long sequence, CancellationToken cancellationToken)
    {
        string key = string.Create(CultureInfo.InvariantCulture, $"{incident.IncidentId}-{incident.Revision}-{sequence}");
        using var request = new HttpRequestMessage(HttpMethod.Post, _url)
        {
            Content = new StringContent(EventJson.Incident(incident), Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Idempotency-Key", key);

        try
        {
            using HttpResponseMessage answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

            if (answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge
                or HttpStatusCode.UnsupportedMediaType or HttpStatusCode.UnprocessableEntity)
            {
                _metrics.Refused(Name);
                LogMessages.WebhookRefused(_logger, key, (int)answer.StatusCode);
            }
            else if (!answer.IsSuccessStatusCode)
            {
                throw new IOException($"{Where} answered {(int)answer.StatusCode}");
            }
        }
        catch (HttpRequestException unreachable)
        {
            throw new IOException($"{Where} cannot be reached: {unreachable.HttpRequestError}", unreachable);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{Where} did not answer within {_client.Timeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>The address without what may be secret of it.</summary>
    private string Where => $"{_url.Scheme}://{_url.Host}:{_url.Port}";

    /// <summary>Not synced: what a power loss takes of it is sent again.</summary>
    private void Keep()
    {
        ReplacedFile.Write(_cursor, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_done.Sequence} {_done.Events}")), isSynced: false);
    }
}
