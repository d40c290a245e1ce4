using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Service;

/// <summary>Has the configuration read again at SIGHUP, and when its files say something else.</summary>
/// <remarks>The files' bytes are compared, not their times or names: so links that move, as those of mounted configuration do, are seen.</remarks>
/// <param name="reload">Reads it.</param>
/// <param name="files">The files that it is read from, at present.</param>
/// <param name="time">For the interval between two looks.</param>
/// <param name="logger">Is told what failed.</param>
internal sealed class ReloadTriggers(Reload reload, Func<IReadOnlyList<string>> files, TimeProvider time, ILogger<ReloadTriggers> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private PosixSignalRegistration? _signal;

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _ = TryAsync("SIGHUP", CancellationToken.None);
        });
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _signal?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        ulong read = Hash(), seen = read;

        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            ulong now = reload.Options.Reload.Watch ? Hash() : read;

            // Once it stands still: half a file is no configuration.
            if (now != read && now == seen)
            {
                read = now;
                await TryAsync("its files changed", stoppingToken);
            }

            seen = now;
        }
    }

    private async Task TryAsync(string cause, CancellationToken cancellationToken)
    {
        try
        {
            await reload.RunAsync(cause, cancellationToken);
        }
        catch (ConfigurationException)
        {
            // Told by the reload.
        }
#pragma warning disable CA1031 // told; the daemon goes on as it is
        catch (Exception failed) when (failed is not OperationCanceledException)
#pragma warning restore CA1031
        {
            LogMessages.ReloadRefused(logger, cause, failed.Message);
        }
    }

    private ulong Hash()
    {
        var hash = new XxHash3();

        foreach (string file in files())
        {
            try
            {
                hash.Append(File.ReadAllBytes(file));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // Between two states of a link: the next look tells.
            }

            hash.Append([0]);
        }

        return hash.GetCurrentHashAsUInt64();
    }
}
