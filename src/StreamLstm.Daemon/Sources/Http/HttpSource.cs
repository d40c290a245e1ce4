using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Http;

/// <summary>What is sent over HTTP: our own route, and those under which agents that run already know how to send.</summary>
internal sealed class HttpSource(HttpSourceOptions options, RecordRules rules, int batchMax, TimeProvider time) : IObservationSource
{
    private readonly HttpIntake _intake = new(options, rules, batchMax, time);

    public string Name => "http";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        _intake.Open(intake, stopping);

        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            _intake.Close();
        }
    }

    /// <summary>The routes that take observations in.</summary>
    public IEnumerable<IEndpointConventionBuilder> Map(IEndpointRouteBuilder routes)
    {
        var observations = new ObservationsRoute(_intake, Name, time);
        var influx = new InfluxRoutes(_intake);
        yield return routes.MapPost("/api/v1/observations", observations.PostAsync);
        yield return routes.MapPost("/write", influx.WriteAsync);
        yield return routes.MapPost("/api/v2/write", influx.WriteV2Async);
        yield return routes.MapPost("/query", InfluxRoutes.QueryAsync);
        yield return routes.MapPost("/api/v1/write", new RemoteWriteRoute(_intake).PostAsync);
        yield return routes.MapPost("/v1/metrics", new OtlpRoute(_intake, options.OtlpResource).PostAsync);
    }

    /// <summary>Routes by which agents ask whether somebody is there; they say nothing of what is watched.</summary>
    public static IEnumerable<IEndpointConventionBuilder> MapProbes(IEndpointRouteBuilder routes)
    {
        yield return routes.MapMethods("/ping", ["GET", "HEAD"], InfluxRoutes.Ping);
        yield return routes.MapGet("/health", InfluxRoutes.Health);
    }
}
