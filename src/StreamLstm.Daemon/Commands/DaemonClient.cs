using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Doors;

namespace StreamLstm.Daemon.Commands;

/// <summary>Asks a running daemon for the verbs that are about one.</summary>
internal static class DaemonClient
{
    private const string TokenVariable = "STREAMLSTM_TOKEN";
    private const string UrlVariable = "STREAMLSTM_URL";

    /// <summary>Where the daemon listens.</summary>
    public static Option<string?> Url { get; } = new("--url")
    {
        Description = $"Where the daemon's page is; else {UrlVariable} holds it, or the configuration says it (http.address, http.port).",
        HelpName = "URL",
    };

    /// <summary>What holds the token that the daemon asks for; without it the token is in the environment.</summary>
    public static Option<string?> TokenFile { get; } = new("--token-file")
    {
        Description = $"A file with the token that the daemon asks for; else {TokenVariable} holds it.",
        HelpName = "FILE",
    };

    /// <summary>How answers are written.</summary>
    public static Option<string> OutputOption()
    {
        var output = new Option<string>("--output")
        {
            Description = "text for people, json for machines.",
            HelpName = "FORMAT",
            DefaultValueFactory = _ => "text",
        };
        output.AcceptOnlyFromAmong("text", "json");
        return output;
    }

    /// <summary>Sends one request, and writes its answer.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="method">GET, POST, DELETE.</param>
    /// <param name="path">Path and query, without a slash before it.</param>
    /// <param name="body">What is sent: content as it is, else as JSON; null for nothing.</param>
    /// <param name="write">Writes a good answer.</param>
    /// <param name="error">Where it is said that something failed.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> SendAsync(
        ParseResult parsed, HttpMethod method, string path, object? body, Action<JsonElement> write, TextWriter error,
        CancellationToken cancellation) => await SendAsync(
            parsed, method, path, body is null or HttpContent ? (HttpContent?)body : JsonContent.Create(body),
            bytes =>
            {
                using JsonDocument answer = JsonDocument.Parse(bytes);
                write(answer.RootElement);
            },
            error, cancellation);

    /// <summary>The same for an answer that is no JSON.</summary>
    public static async Task<int> SendAsync(
        ParseResult parsed, HttpMethod method, string path, HttpContent? content, Action<byte[]> write, TextWriter error, CancellationToken cancellation)
    {
        string url, said;

        try
        {
            (url, said) = Address(parsed);
        }
        catch (ConfigurationException wrong)
        {
            wrong.Errors.ToList().ForEach(error.WriteLine);
            error.WriteLine($"--url URL or the environment variable {UrlVariable} says where the daemon is without a configuration");
            return CommandLine.WrongConfiguration;
        }

        if (!Uri.TryCreate(url.TrimEnd('/') + "/" + path, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
        {
            error.WriteLine($"{said}: '{url}', expected something like http://127.0.0.1:8080");
            return CommandLine.WrongUsage;
        }

        if (Token(parsed, error) is not { } token)
        {
            return CommandLine.WrongUsage;
        }

        try
        {
            using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
            using var request = new HttpRequestMessage(method, uri);
            request.Content = content;

            if (token.Length > 0)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            using HttpResponseMessage response = await client.SendAsync(request, cancellation);
            byte[] bytes = await response.Content.ReadAsByteArrayAsync(cancellation);

            if (!response.IsSuccessStatusCode)
            {
                error.WriteLine($"error: {Reason(bytes) ?? $"{uri} answered {(int)response.StatusCode}"}");

                if (response.StatusCode is HttpStatusCode.Unauthorized)
                {
                    error.WriteLine($"--token-file FILE or the environment variable {TokenVariable} gives the token");
                }

                return CommandLine.Failed;
            }

            write(bytes);
            return 0;
        }
        catch (JsonException)
        {
            error.WriteLine($"error: {uri} does not answer like a StreamLstm daemon");
        }
        catch (HttpRequestException unreachable)
        {
            error.WriteLine($"error: {url} ({said}): {unreachable.Message}; --url names the daemon's page");
        }
        catch (OperationCanceledException)
        {
            error.WriteLine($"error: {url} did not answer");
        }

        return CommandLine.Failed;
    }

    /// <summary>A table as wide as the terminal, or as a wide one where there is none.</summary>
    public static void WriteTable(Table table, TextWriter output)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });

        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = 160;
        }

        console.Write(table);
    }

    /// <summary>A number of an answer for a table; nothing where there is none.</summary>
    public static Text Figure(JsonElement of, string name) => new(
        of.TryGetProperty(name, out JsonElement figure) && figure.ValueKind == JsonValueKind.Number
            ? figure.GetDouble().ToString("G5", CultureInfo.InvariantCulture)
            : "");

    /// <summary>An answer as it came, indented.</summary>
    public static void WriteJson(JsonElement answer, TextWriter output)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions
        {
            Indented = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
        {
            answer.WriteTo(writer);
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    /// <summary>Where the daemon is, and what says so.</summary>
    /// <exception cref="ConfigurationException">The configuration is wrong, or leaves it open.</exception>
    private static (string Url, string Said) Address(ParseResult parsed)
    {
        if (parsed.GetValue(Url) is { } url)
        {
            return (url, "--url");
        }

        if (Environment.GetEnvironmentVariable(UrlVariable) is { Length: > 0 } variable)
        {
            return (variable.Trim(), UrlVariable);
        }

        HttpOptions http = ConfigurationLoader.Load(parsed.GetValue<string[]>("--config") ?? [], parsed.GetValue<string[]>("--set") ?? []).Http;
        var address = IPAddress.Parse(http.Address);

        // Who listens everywhere is here too.
        string host = address.Equals(IPAddress.Any) ? "127.0.0.1" : address.Equals(IPAddress.IPv6Any) ? "[::1]"
            : address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : $"{address}";
        return http.Port == 0
            ? throw new ConfigurationException(["http.port: 0, any free one: the daemon's log says which it is"])
            : ($"http{(http.Tls.CertificateFile.Length > 0 ? "s" : "")}://{host}:{http.Port}", "http.address and http.port");
    }

    /// <summary>The token; empty for none, null where its file cannot be read, which is told.</summary>
    public static string? Token(ParseResult parsed, TextWriter error)
    {
        if (parsed.GetValue(TokenFile) is not { } file)
        {
            return (Environment.GetEnvironmentVariable(TokenVariable) ?? "").Trim();
        }

        try
        {
            return AccessTokens.FromFile(File.ReadAllBytes(file));
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            error.WriteLine($"--token-file: {file}: {wrong.Message}");
            return null;
        }
    }

    private static string? Reason(byte[] bytes)
    {
        try
        {
            using JsonDocument answer = JsonDocument.Parse(bytes);
            return answer.RootElement.GetProperty("error").GetString();
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
