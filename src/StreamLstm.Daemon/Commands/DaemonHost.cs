using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Api;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Dashboard;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Service;
using StreamLstm.Daemon.Sources;
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
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(DaemonOptions options, CancellationToken cancellationToken)
    {
        await using WebApplication application = Build(options, out ILogger logger, out Func<string> directory);

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
        await application.WaitForShutdownAsync(cancellationToken);
        return application.Services.GetRequiredService<PipelineService>().Failure is null ? 0 : CommandLine.Failed;
    }

    private static WebApplication Build(DaemonOptions options, out ILogger logger, out Func<string> directory)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls($"http://{UriHost(options.Http.Address)}:{options.Http.Port}");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // the ingest endpoint has its own limit, with its own answer
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddResponseCompression(compression => compression.EnableForHttps = true);
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
        var live = new LiveView(new StreamLabels(options.Sources.TopicTemplates()), units);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(ledger);
        builder.Services.AddSingleton(units);
        builder.Services.AddSingleton(live);
        builder.Services.AddSingleton<DaemonMetrics>();
        builder.Services.AddSingleton(new HttpSource(options.Sources.Http, VectorsOptions.Rules(options.Vectors), options.Pipeline.BatchMax, TimeProvider.System));
        builder.Services.AddSingleton<PipelineService>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PipelineService>());
        builder.Services.AddHealthChecks().AddCheck<PipelineService.Ready>("pipeline");

        WebApplication application = builder.Build();
        logger = application.Services.GetRequiredService<ILoggerFactory>().CreateLogger("StreamLstm");
        application.UseResponseCompression();
        application.Use(SecurityHeaders.Add);
        application.UseRouting();
        PipelineService pipeline = application.Services.GetRequiredService<PipelineService>();
        directory = () => pipeline.StorageDirectory;

        if (options.Sources.Http.Enabled)
        {
            application.Services.GetRequiredService<HttpSource>().Map(application);
        }

        ApiEndpoints.Map(application, live, ledger, pipeline, options.Http, TimeProvider.System);
        DashboardEndpoints.Map(application);
        application.MapPrometheusScrapingEndpoint("/metrics");
        application.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        application.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = PipelineService.Ready.WriteAsync });
        return application;
    }

    private static string UriHost(string address) =>
        address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
}
