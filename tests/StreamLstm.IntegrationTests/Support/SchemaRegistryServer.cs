using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A Schema Registry as far as its documented REST interface is asked here: schemas are registered under subjects and found by id.</summary>
/// <remarks>
/// Not a real one: Confluent's and Apicurio's are programs for Java that come from Maven repositories or as images, Karapace from its maker's index, and
/// none is a package where these tests may run. What is written through it is real: Confluent's serializers register their schemas here and
/// lay out the records.
/// </remarks>
internal sealed class SchemaRegistryServer : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<JsonElement> _schemas = [];   // the id is the place, from FirstId on
    private readonly Dictionary<string, List<int>> _versions = [];
    private readonly int _port;
    private readonly string? _user;
    private readonly KeyFolder? _keys;
    private WebApplication? _application;
    private int _questions;

    private const int FirstId = 100_001;

    private SchemaRegistryServer(int port, string? user, KeyFolder? keys) => (_port, _user, _keys) = (port, user, keys);

    /// <summary>Where it is.</summary>
    public string Url => $"{(_keys is null ? "http" : "https")}://localhost:{_port}";

    /// <summary>How often it was asked for the schema of an id.</summary>
    public int Questions => _questions;

    /// <summary>One that answers.</summary>
    /// <param name="user">NAME:PASSWORD that it asks for; null for none.</param>
    /// <param name="keys">For TLS, and then it asks for a client's certificate; null for none.</param>
    public static async Task<SchemaRegistryServer> StartAsync(string? user = null, KeyFolder? keys = null)
    {
        var server = new SchemaRegistryServer(DaemonProcess.FreePort(), user, keys);
        await server.StartAsync();
        return server;
    }

    /// <summary>Answers again, with what it had.</summary>
    public async Task StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, _port, listen =>
        {
            if (_keys is not null)
            {
                listen.UseHttps(new Microsoft.AspNetCore.Server.Kestrel.Https.HttpsConnectionAdapterOptions
                {
                    ServerCertificate = X509Certificate2.CreateFromPemFile(_keys.Server),
                    ClientCertificateMode = Microsoft.AspNetCore.Server.Kestrel.Https.ClientCertificateMode.RequireCertificate,
                    ClientCertificateValidation = (certificate, _, _) => certificate.Subject == "CN=client",
                });
            }
        }));
        _application = builder.Build();
        _application.Use(async (context, next) =>
        {
            string? shown = context.Request.Headers.Authorization;

            if (_user is not null && shown != $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(_user))}" && shown != $"Bearer {_user}")
            {
                await ErrorAsync(context, HttpStatusCode.Unauthorized, 401, "Unauthorized");
                return;
            }

            await next(context);
        });
        _application.MapPost("/subjects/{subject}/versions", (string subject, JsonElement schema) => new { id = Register(subject, schema) });
        _application.MapPost("/subjects/{subject}", (string subject, JsonElement schema) => Of(subject, Register(subject, schema)));
        _application.MapGet("/subjects/{subject}/versions/{version:int}", (string subject, int version) => Of(subject, _versions[subject][version - 1]));
        _application.MapGet("/schemas/ids/{id:int}", async (HttpContext context, int id) =>
        {
            Interlocked.Increment(ref _questions);
            JsonElement? found;

            lock (_lock)
            {
                found = id >= FirstId && id < FirstId + _schemas.Count ? _schemas[id - FirstId] : null;
            }

            if (found is { } schema)
            {
                await context.Response.WriteAsJsonAsync(schema);
            }
            else
            {
                await ErrorAsync(context, HttpStatusCode.NotFound, 40403, $"Schema {id} not found");
            }
        });
        await _application.StartAsync();
    }

    /// <summary>Answers no more.</summary>
    public async Task StopAsync()
    {
        await _application!.DisposeAsync();
        _application = null;
    }

    /// <summary>Registers a schema, as its producers do before they write.</summary>
    /// <returns>Its id.</returns>
    public int Register(string subject, string type, string text, params (string Name, string Subject)[] references) => Register(subject, JsonSerializer.SerializeToElement(new
    {
        schema = text, schemaType = type, references = references.Select(one => new { name = one.Name, subject = one.Subject, version = 1 }),
    }));

    public async ValueTask DisposeAsync()
    {
        if (_application is not null)
        {
            await StopAsync();
        }
    }

    private int Register(string subject, JsonElement schema)
    {
        lock (_lock)
        {
            int at = _schemas.FindIndex(one => one.GetProperty("schema").GetString() == schema.GetProperty("schema").GetString());

            if (at < 0)
            {
                at = _schemas.Count;
                _schemas.Add(schema.Clone());
            }

            List<int> versions = _versions.TryGetValue(subject, out List<int>? there) ? there : _versions[subject] = [];

            if (!versions.Contains(FirstId + at))
            {
                versions.Add(FirstId + at);
            }

            return FirstId + at;
        }
    }

    private object Of(string subject, int id)
    {
        lock (_lock)
        {
            JsonElement schema = _schemas[id - FirstId];
            return new
            {
                subject, id, version = _versions[subject].IndexOf(id) + 1, schema = schema.GetProperty("schema").GetString(),
                schemaType = schema.TryGetProperty("schemaType", out JsonElement type) ? type.GetString() ?? "AVRO" : "AVRO",
                references = schema.TryGetProperty("references", out JsonElement references) ? references : default(JsonElement?),
            };
        }
    }

    private static Task ErrorAsync(HttpContext context, HttpStatusCode status, int code, string message)
    {
        context.Response.StatusCode = (int)status;
        return context.Response.WriteAsJsonAsync(new { error_code = code, message });
    }
}
