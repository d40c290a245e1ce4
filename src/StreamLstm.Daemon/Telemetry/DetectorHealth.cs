using StreamLstm.Detection;

namespace StreamLstm.Daemon.Telemetry;

/// <summary>Whether every worker's detector is alive, as their canaries say. Written by the workers, read by readiness, metrics and the page.</summary>
internal sealed class DetectorHealth
{
    /// <summary>A worker that has not told of its canary for so long stands still, and so does what it should detect.</summary>
    private static readonly TimeSpan StandsStillAfter = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly (CanaryReport Report, long ToldAt)[] _workers;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public DetectorHealth(int workers, TimeProvider time, ILogger logger)
    {
        var nothing = new CanaryReport(CanaryState.Unknown, "no fault was planted yet", Planted: 0, Found: 0, FalseAlarms: 0);
        (_time, _logger) = (time, logger);
        _workers = [.. Enumerable.Repeat((nothing, time.GetTimestamp()), workers)];
    }

    /// <summary>A worker tells what its canary says.</summary>
    public void Tell(int worker, CanaryReport report)
    {
        CanaryState before;

        lock (_lock)
        {
            before = _workers[worker].Report.State;
            _workers[worker] = (report, _time.GetTimestamp());
        }

        if (report.State != before)
        {
            if (report.State == CanaryState.Alive)
            {
                LogMessages.DetectorAlive(_logger, worker, report.Reason);
            }
            else
            {
                LogMessages.DetectorNotAlive(_logger, worker, report.State.ToString().ToLowerInvariant(), report.Reason);
            }
        }
    }

    /// <summary>What each worker's canary says, in the order of workers.</summary>
    public IReadOnlyList<CanaryReport> Workers()
    {
        lock (_lock)
        {
            return [.. _workers.Select(worker => _time.GetElapsedTime(worker.ToldAt) is var quiet && quiet < StandsStillAfter
                ? worker.Report
                : worker.Report with { State = CanaryState.Blind, Reason = $"it has stood still for {quiet.TotalMinutes:0} minutes" })];
        }
    }

    /// <summary>The worst of them, with the worker's number where there are several.</summary>
    public CanaryReport Worst()
    {
        IReadOnlyList<CanaryReport> workers = Workers();
        (int worker, CanaryReport worst) = workers.Index().MinBy(one => one.Item.State switch
        {
            CanaryState.Blind => 0,
            CanaryState.Crying => 1,
            CanaryState.Unknown => 2,
            _ => 3,
        });
        return workers.Count == 1 ? worst : worst with { Reason = $"worker {worker}: {worst.Reason}" };
    }

    /// <summary>Why the daemon does less than it should; null where it does, and while that is not known.</summary>
    public string? Degraded() => Worst() is { State: CanaryState.Blind or CanaryState.Crying } worst
        ? $"the detector is {worst.State.ToString().ToLowerInvariant()}: {worst.Reason}"
        : null;
}
