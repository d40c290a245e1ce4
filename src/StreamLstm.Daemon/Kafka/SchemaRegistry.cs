using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using StreamLstm.Decoding.Schemas;

namespace StreamLstm.Daemon.Kafka;

/// <summary>A schema cannot be had at present, or the registry refuses: the setting and why.</summary>
internal sealed class SchemaRegistryTroubleException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Asks a Schema Registry for schemas by their ids (its REST interface, which Karapace and Apicurio have too).</summary>
/// <remarks>
/// Confluent's client is not used: with an authority of its own it takes a certificate that is for another host, and it reads answers of
/// any length. Two questions are all that is asked here.
/// </remarks>
internal sealed class SchemaRegistry : IDisposable
{
    private const int AnswerMaxBytes = 4 << 20;
    private const int ReferencesMax = 200;

    /// <summary>What a registry answers where it has no schema of that id.</summary>
    private const int NoSuchSchema = 40403;

    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);
    private static readonly JsonSerializerOptions Answers = new() { PropertyNameCaseInsensitive = true };

    private readonly SchemaRegistryOptions _options;
    private readonly string _key;
    private readonly string[] _urls;
    private readonly HttpClient _http;
    private int _last;   // the one that answered

    /// <param name="options">Where, and as whom.</param>
    /// <param name="key">The key of the options, for what is told.</param>
    /// <exception cref="SchemaRegistryTroubleException">A file of its certificates cannot be read.</exception>
    public SchemaRegistry(SchemaRegistryOptions options, string key)
    {
        (_options, _key) = (options, key);
        _urls = [.. options.Url.Split(',', StringSplitOptions.TrimEntries).Select(url => url.TrimEnd('/'))];
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = AnswerMax, PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1), SslOptions = Tls() };
        _http = new HttpClient(handler) { Timeout = AnswerMax, MaxResponseContentBufferSize = AnswerMaxBytes };
        _http.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.schemaregistry.v1+json, application/json");
    }

    /// <summary>The schema of an id, with all that it refers to; null where the registry has none of that id.</summary>
    /// <exception cref="SchemaRegistryTroubleException">It does not answer, or refuses; asking again may help.</exception>
    /// <exception cref="InvalidDataException">What it refers to is not there, or never ends.</exception>
    public async Task<SchemaText?> FindAsync(int id, CancellationToken cancellationToken)
    {
        if (await AskAsync($"/schemas/ids/{id}", cancellationToken) is not { } answer)
        {
            return null;
        }

        List<(string Name, string Text)> references = [];
        await ReferencesAsync(answer, references, [], cancellationToken);
        return new SchemaText(answer.SchemaType ?? "AVRO", answer.Schema!, references);
    }

    public void Dispose() => _http.Dispose();

    private async Task ReferencesAsync(Answer schema, List<(string Name, string Text)> found, HashSet<string> asked, CancellationToken cancellationToken)
    {
        foreach (Reference reference in schema.References ?? [])
        {
            if (!asked.Add(reference.Name))
            {
                continue;
            }

            if (asked.Count > ReferencesMax)
            {
                throw new InvalidDataException($"it refers to more than {ReferencesMax} schemas");
            }

            Answer answer = await AskAsync($"/subjects/{Uri.EscapeDataString(reference.Subject)}/versions/{reference.Version}", cancellationToken)
                ?? throw new InvalidDataException($"it refers to version {reference.Version} of subject '{reference.Subject}', which is not there");
            await ReferencesAsync(answer, found, asked, cancellationToken);
            found.Add((reference.Name, answer.Schema!));
        }
    }

    /// <summary>Asks the one that answered last, and then the others.</summary>
    /// <returns>Null where what is asked for is not there.</returns>
    private async Task<Answer?> AskAsync(string path, CancellationToken cancellationToken)
    {
        SchemaRegistryTroubleException? first = null;

        for (int i = 0; i < _urls.Length; i++)
        {
            int at = (_last + i) % _urls.Length;

            try
            {
                Answer? answer = await AskAsync(_urls[at], path, cancellationToken);
                _last = at;
                return answer;
            }
            catch (SchemaRegistryTroubleException trouble)
            {
                first ??= trouble;
            }
        }

        throw first!;
    }

    private async Task<Answer?> AskAsync(string url, string path, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url + path) { Headers = { Authorization = Authorization() } };
            using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
            byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            Answer? answer = null;

            try
            {
                answer = JsonSerializer.Deserialize<Answer>(body, Answers);
            }
            catch (JsonException)
            {
                // Whoever is there is no registry: told by its status below.
            }

            return response.StatusCode switch
            {
                HttpStatusCode.OK when answer?.Schema is not null => answer,
                HttpStatusCode.OK => throw Trouble("url", $"{url}{path} answers what is no schema; expected the address of a Schema Registry with its path"),
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => throw Trouble(
                    _options.TokenFile.Length > 0 ? "token_file" : _options.Username.Length > 0 ? "password" : "username",
                    $"{url} refuses it: {(int)response.StatusCode} {response.ReasonPhrase}"),
                HttpStatusCode.NotFound when answer?.Code is >= 40401 and <= NoSuchSchema => null,
                _ => throw Trouble("url", $"{url}{path} answers {(int)response.StatusCode} {response.ReasonPhrase}; expected a schema, or that there is none of that id"),
            };
        }
        catch (HttpRequestException failed) when (failed.InnerException is AuthenticationException refused)
        {
            throw Trouble(
                _options.Tls.CertificateFile.Length == 0 || refused.Message.Contains("remote certificate", StringComparison.Ordinal) ? "tls.ca_file" : "tls.certificate_file", $"{url}: {refused.Message}", failed);
        }
        catch (HttpRequestException failed)
        {
            throw Trouble("url", $"{url} cannot be reached: {failed.Message}", failed);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw Trouble("url", $"{url} does not answer within {AnswerMax.TotalSeconds:0} s", late);
        }
    }

    private AuthenticationHeaderValue? Authorization()
    {
        if (_options.TokenFile.Length == 0)
        {
            return _options.Username.Length == 0 ? null
                : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_options.Username}:{_options.Password}")));
        }

        try
        {
            return new AuthenticationHeaderValue("Bearer", File.ReadAllText(_options.TokenFile).Trim());
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Trouble("token_file", $"{_options.TokenFile} cannot be read ({unreadable.Message})", unreadable);
        }
    }

    private SslClientAuthenticationOptions Tls()
    {
        var options = new SslClientAuthenticationOptions();

        if (_options.Tls.CaFile.Length > 0)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            Read("tls.ca_file", _options.Tls.CaFile, () => policy.CustomTrustStore.ImportFromPemFile(_options.Tls.CaFile));
            options.CertificateChainPolicy = policy;
        }

        if (_options.Tls.CertificateFile.Length > 0)
        {
            X509Certificate2? certificate = null;
            Read("tls.certificate_file", _options.Tls.CertificateFile, () => certificate = _options.Tls.KeyPassword.Length == 0
                ? X509Certificate2.CreateFromPemFile(_options.Tls.CertificateFile, _options.Tls.KeyFile)
                : X509Certificate2.CreateFromEncryptedPemFile(_options.Tls.CertificateFile, _options.Tls.KeyPassword, _options.Tls.KeyFile));
            options.ClientCertificates = [certificate!];
        }

        return options;
    }

    private void Read(string option, string file, Action read)
    {
        try
        {
            read();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Trouble(option, $"{file} cannot be read ({unreadable.Message})", unreadable);
        }
    }

    private SchemaRegistryTroubleException Trouble(string option, string what, Exception? why = null) => new($"{_key}.{option}: {what}", why);

    /// <summary>A schema, or why there is none.</summary>
    private sealed record Answer(string? Schema, string? SchemaType, IReadOnlyList<Reference>? References)
    {
        [System.Text.Json.Serialization.JsonPropertyName("error_code")]
        public int Code { get; init; }
    }

    /// <summary>Another schema, by the name under which a schema refers to it.</summary>
    private sealed record Reference(string Name, string Subject, int Version);
}
