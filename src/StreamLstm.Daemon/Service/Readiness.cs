using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace StreamLstm.Daemon.Service;

/// <summary>Ready = state restored and the pipeline running; the body names what is missing.</summary>
/// <remarks>
/// A detector that is not alive is degraded, and ready (200): a 503 would cut off what takes observations in, keeps books
/// and history, and shows the page that says what is wrong. Who wants to be woken has the metric.
/// </remarks>
internal sealed class Readiness(PipelineService service, Reload reload) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            service.Failure is { } failure ? HealthCheckResult.Unhealthy(failure.Message)
            : service.Cluster is { } cluster ? Of([.. cluster.Troubles, .. reload.Troubles], $"watching {cluster.Owned.Count} partitions")
            : service.Pipeline is not { } pipeline ? HealthCheckResult.Unhealthy("state is being restored")
            : !pipeline.TakesIn ? HealthCheckResult.Unhealthy("what was taken in since the last snapshot is being scored again")
            : service.IsStopping ? HealthCheckResult.Unhealthy("stopping")
            : Of([.. service.Troubles, .. reload.Troubles], "watching"));

    /// <param name="context">The request.</param>
    /// <param name="report">What was found.</param>
    /// <param name="withReasons">Whether it may hear why.</param>
    public static Task WriteAsync(HttpContext context, HealthReport report, bool withReasons) =>
        context.Response.WriteAsJsonAsync(new
        {
            ready = report.Status != HealthStatus.Unhealthy,
            degraded = report.Status == HealthStatus.Degraded,
            reasons = withReasons ? report.Entries.Values.Select(entry => entry.Description) : [],
        });

    private static HealthCheckResult Of(IReadOnlyList<string> troubles, string well) =>
        troubles.Count > 0 ? HealthCheckResult.Degraded(string.Join("; ", troubles)) : HealthCheckResult.Healthy(well);
}
