using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace StreamLstm.Daemon.Cluster;

/// <summary>What another daemon of the group answered.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">What it said.</param>
/// <param name="ContentType">How that is laid out.</param>
internal sealed record PeerAnswer(int Status, string Body, string ContentType);

/// <summary>Passes on what is asked of a stream to the daemons of the group that may have it: the first that knows it answers.</summary>
/// <remarks>
/// Who has a stream is known for sure to its owner alone, so each is asked, the likeliest first, and none of them asks further. What the
/// caller shows to be let in goes along: all daemons of a group let in the same.
/// </remarks>
/// <param name="instance">This daemon's name in the group.</param>
/// <param name="fleet">The others, and where they are.</param>
internal sealed class ClusterPeers(string instance, Fleet fleet) : IDisposable
{
    /// <summary>The header that says by whom a request is passed on.</summary>
    public const string PassedOnBy = "StreamLstm-Passed-On-By";

    /// <summary>The header that says, with "not known", in which partitions it was looked for.</summary>
    public const string LookedAt = "StreamLstm-Looked-At";

    private const int AnswerMaxBytes = 1 << 20;

    private static readonly TimeSpan ConnectMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(20);

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = ConnectMax, UseProxy = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
    {
        Timeout = AnswerMax, MaxResponseContentBufferSize = AnswerMaxBytes,
    };

    /// <summary>Asks the others one after the other.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="body">JSON; null for none.</param>
    /// <param name="authorization">What the caller showed; empty for nothing.</param>
    /// <param name="about">The stream or incident.</param>
    /// <param name="lookedAt">Numbers of partitions in which it is not; those of the daemons that say so are added.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    /// <returns>The answer of who knows it; with why some could not be asked where none of the others does.</returns>
    public async Task<(PeerAnswer? Answer, IReadOnlyList<string> NotAsked)> AskAsync(
        HttpMethod method, string path, byte[]? body, string authorization, string about, ISet<int> lookedAt, CancellationToken cancellationToken)
    {
        List<string> notAsked = [];

        foreach (NodeSummary node in fleet.Others(about))
        {
            if (string.IsNullOrEmpty(node.Url))
            {
                notAsked.Add($"{node.Instance} does not say where it is (cluster.advertise)");
                continue;
            }

            try
            {
                using var request = new HttpRequestMessage(method, node.Url + path);
                request.Headers.Add(PassedOnBy, instance);

                if (authorization.Length > 0)
                {
                    request.Headers.TryAddWithoutValidation("Authorization", authorization);
                }

                if (body is not null)
                {
                    request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
                }

                using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);

                if (response.StatusCode != HttpStatusCode.NotFound)
                {
                    return (
                        new PeerAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken), response.Content.Headers.ContentType?.ToString() ?? "application/json"),
                        notAsked);
                }

                if (response.Headers.TryGetValues(LookedAt, out IEnumerable<string>? numbers))
                {
                    lookedAt.UnionWith(numbers.SelectMany(some => some.Split(',')).Select(one => int.TryParse(one, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1));
                }
            }
            catch (HttpRequestException failed)
            {
                notAsked.Add($"{node.Instance} at {node.Url} cannot be reached ({failed.Message})");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                notAsked.Add($"{node.Instance} at {node.Url} does not answer within {AnswerMax.TotalSeconds:0} s");
            }
        }

        return (null, notAsked);
    }

    public void Dispose() => _http.Dispose();
}
