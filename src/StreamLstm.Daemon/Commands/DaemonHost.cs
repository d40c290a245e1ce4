using System.Net;
using System.Net.Security;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Api;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Dashboard;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Http;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Commands;

/// <summary>Puts the daemon together from its options, runs it, and takes it down in order: sources, pipeline, snapshot, sinks.</summary>
internal static class DaemonHost
{
    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(30);

    /// <summary>Runs until it is stopped.</summary>
    /// <param name="started">The configuration.</param>
    /// <param name="read">Reads it again.</param>
    /// <param name="files">The files that it is read from, at present.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(
        LoadedOptions started, Func<LoadedOptions> read, Func<IReadOnlyList<string>> files, CancellationToken cancellationToken)
    {
        // Before anything is held.
        _ = MemoryBudget.OfProcess;
        DaemonOptions options = started.Options;
        await using WebApplication application = Build(started, read, files, out ILogger logger, out Func<string> directory);

        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (Exception refused) when (refused is StorageException or SourceException)
        {
            LogMessages.Fatal(logger, refused.Message);
            return CommandLine.Failed;
        }
        catch (OperationCanceledException)
        {
            // Stopped while starting: by its user, or by a source that cannot do its work and has said why.
            return application.Services.GetRequiredService<PipelineService>().Failure is null ? 0 : CommandLine.Failed;
        }
        catch (IOException taken) when (taken.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            LogMessages.Fatal(
                logger, $"http.port: {options.Http.Port} is taken on {options.Http.Address}; set another port with --set http.port=8081, or 0 for any free one");
            return CommandLine.Failed;
        }

        string address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        LogMessages.Watching(logger, DaemonTelemetry.Version, address, directory());
        PipelineService pipeline = application.Services.GetRequiredService<PipelineService>();
        Task watchdog = Watchdog.RunAsync(
            () => pipeline.Failure is not null, TimeProvider.System, application.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);
        await application.WaitForShutdownAsync(cancellationToken);
        await watchdog;
        return application.Services.GetRequiredService<PipelineService>().Failure is null ? 0 : CommandLine.Failed;
    }

    /// <summary>The daemon, not started yet.</summary>
    public static WebApplication Build(
        LoadedOptions started, Func<LoadedOptions> read, Func<IReadOnlyList<string>> files, out ILogger logger, out Func<string> directory)
    {
        DaemonOptions options = started.Options;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Parse(options.Http.Address), options.Http.Port, listening => UseTls(listening, options.Http.Tls));
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // the ingest endpoint has its own limit, with its own answer
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = [.. ResponseCompressionDefaults.MimeTypes, "text/event-stream"];
        });
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = EventJson.Options.PropertyNamingPolicy;
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.NumberHandling = EventJson.Options.NumberHandling;
            json.SerializerOptions.Converters.Add(EventJson.Options.Converters[0]);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = DrainMax);
        builder.Services.AddSingleton<IHostLifetime, Microsoft.Extensions.Hosting.Internal.ConsoleLifetime>();
        builder.Services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        DaemonTelemetry.Add(builder, options.Telemetry);

        var ledger = new Ledger();
        var units = new StreamUnits();
        var labels = new StreamLabels(options.Sources.TopicTemplates());
        var live = new LiveView(labels, units, MemoryBudget.OfProcess.PointsKept);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(ledger);
        builder.Services.AddSingleton(labels);
        builder.Services.AddSingleton(units);
        builder.Services.AddSingleton(live);
        builder.Services.AddSingleton<DaemonMetrics>();
        builder.Services.AddSingleton(new HttpSource(options.Sources.Http, VectorsOptions.Rules(options.Vectors), options.Pipeline.BatchMax, TimeProvider.System));
        builder.Services.AddSingleton(services =>
        {
            ILogger<AccessTokens> log = services.GetRequiredService<ILogger<AccessTokens>>();
            return new AccessTokens(
                options.Http.Tokens, TimeProvider.System, file => LogMessages.SecretChanged(log, file), problem => LogMessages.SecretUnreadable(log, problem));
        });
        builder.Services.AddSingleton(services => new Reload(
            started, read, services.GetRequiredService<PipelineService>(), services.GetRequiredService<AccessTokens>(), labels,
            services.GetRequiredService<DaemonMetrics>(), services.GetRequiredService<ILogger<Reload>>()));
        builder.Services.AddSingleton<Doorkeeper>();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddSingleton<PipelineService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PipelineService>());
        builder.Services.AddHostedService(services => new ReloadTriggers(
            services.GetRequiredService<Reload>(), files, TimeProvider.System, services.GetRequiredService<ILogger<ReloadTriggers>>()));
        builder.Services.AddHealthChecks().AddCheck<Readiness>("pipeline");

        WebApplication application = builder.Build();
        logger = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("StreamLstm");
        PipelineService pipeline = application.Services.GetRequiredService<PipelineService>();
        directory = () => pipeline.StorageDirectory;
        Doorkeeper doorkeeper = application.Services.GetRequiredService<Doorkeeper>();
        if (options.Http.PathPrefix.Length > 0)
        {
            application.UsePathBase(options.Http.PathPrefix);
        }

        application.UseResponseCompression();
        application.Use(SecurityHeaders.Add);
        application.UseRouting();
        application.Use(doorkeeper.AskAsync);
        application.Use(WrongRequests.AnswerAsync);
        MapRoutes(application, options, live, ledger, pipeline, doorkeeper);
        return application;
    }

    /// <summary>Every route, with the role that it asks for.</summary>
    private static void MapRoutes(
        WebApplication application, DaemonOptions options, LiveView live, Ledger ledger, PipelineService pipeline, Doorkeeper doorkeeper)
    {
        Reload reload = application.Services.GetRequiredService<Reload>();

        if (options.Sources.Http.Enabled)
        {
            foreach (IEndpointConventionBuilder route in application.Services.GetRequiredService<HttpSource>().Map(application))
            {
                route.WithMetadata(new RequiredRole(Role.Ingest));
            }

            foreach (IEndpointConventionBuilder probe in HttpSource.MapProbes(application))
            {
                probe.WithMetadata(new RequiredRole(null));
            }
        }

        ApiEndpoints.Map(application, live, ledger, pipeline, options.Http, TimeProvider.System);
        NotifyEndpoints.Map(application, () => reload.Options.Sinks.Notify, TimeProvider.System);
        ReloadEndpoint.Map(application, reload);
        DashboardEndpoints.Map(application);
        application.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new RequiredRole(Role.Read));

        // For probes, that have no token; why it is not ready is for those who may read.
        application.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).WithMetadata(new RequiredRole(null));
        application.MapHealthChecks(
            "/health/ready",
            new HealthCheckOptions { ResponseWriter = (context, report) => Readiness.WriteAsync(context, report, doorkeeper.MayRead(context)) })
            .WithMetadata(new RequiredRole(null));
    }

    private static void UseTls(ListenOptions listening, ServerTlsOptions tls)
    {
        if (tls.CertificateFile.Length == 0)
        {
            return;
        }

        ILogger<ServerCertificate> log = listening.ApplicationServices.GetRequiredService<ILogger<ServerCertificate>>();
        var certificate = new ServerCertificate(
            tls, TimeProvider.System, file => LogMessages.SecretChanged(log, file), problem => LogMessages.SecretUnreadable(log, problem));
        listening.UseHttps(new TlsHandshakeCallbackOptions
        {
            OnConnection = _ => ValueTask.FromResult(certificate.Options([SslApplicationProtocol.Http2, SslApplicationProtocol.Http11])),
        });
    }
}
