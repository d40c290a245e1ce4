using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;

namespace StreamLstm.Daemon.Service;

/// <summary>Tells systemd, where it has started this process, that it is ready, that it is alive, and that it is stopping (sd_notify, Type=notify, WatchdogSec).</summary>
/// <remarks>
/// It is told that the process is alive while the thread pool runs this loop and the pipeline has not failed. A pipeline that has failed ends the process by
/// itself; one that does not is killed once the time is up.
/// </remarks>
internal static class Watchdog
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    /// <summary>Tells until it is stopped; at once where nobody wants to hear.</summary>
    /// <param name="hasFailed">Whether the pipeline has.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">Cancelled when the process begins to stop.</param>
    public static async Task RunAsync(Func<bool> hasFailed, TimeProvider time, CancellationToken stopping)
    {
        var systemd = new SystemdNotifier();

        if (!systemd.IsEnabled)
        {
            return;
        }

        systemd.Notify(ServiceState.Ready);

        try
        {
            if (Interval() is { } interval)
            {
                using var timer = new PeriodicTimer(interval, time);

                while (await timer.WaitForNextTickAsync(stopping))
                {
                    if (!hasFailed())
                    {
                        systemd.Notify(Alive);
                    }
                }
            }
            else
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            systemd.Notify(ServiceState.Stopping);
        }
    }

    /// <summary>Half of what the unit allows; null where it does not ask.</summary>
    private static TimeSpan? Interval() =>
        long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out long microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds / 2.0)
            : null;
}
