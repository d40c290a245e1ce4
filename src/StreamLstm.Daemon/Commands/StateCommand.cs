using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm state</c>: what a storage directory holds, and whether it is whole. Changes nothing; a daemon may run beside.</summary>
internal static class StateCommand
{
    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var show = new Command("show", "Say which snapshots there are, up to where they go, and where the sources stand.");
        show.SetAction(parsed => Run(parsed, isVerified: false));
        var verify = new Command("verify", "Read every snapshot and the journal, and hold all of it against its checksums.");
        verify.SetAction(parsed => Run(parsed, isVerified: true));
        return new Command("state", "Show or verify what is kept in the storage directory.") { show, verify };

        int Run(ParseResult parsed, bool isVerified)
        {
            bool isWhole = true;
            int code = withOptions(parsed, options => isWhole = Report(StorageDirectory.Resolve(options.Storage.Directory), isVerified, output, error));
            return code != 0 ? code : isWhole ? 0 : CommandLine.Failed;
        }
    }

    private static bool Report(string directory, bool isVerified, TextWriter output, TextWriter error)
    {
        var disk = new LocalDisk(directory);
        var generations = new Generations(disk, NullLogger.Instance);
        Generation? newest = null;
        bool isWhole = true;
        output.WriteLine($"{directory}");

        foreach (long number in generations.Numbers())
        {
            try
            {
                newest = generations.Open(number);
                Manifest manifest = newest.Manifest;
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"snapshot {number}: {manifest.CreatedAt:u}, {manifest.FileBytes} bytes, up to entry {manifest.End}, whole"));
            }
            catch (Exception bad) when (bad is IOException or InvalidDataException or System.Text.Json.JsonException or UnauthorizedAccessException)
            {
                isWhole = false;
                error.WriteLine($"snapshot {number}: {bad.Message}");
            }
        }

        foreach ((string of, string at) in newest?.Manifest.Positions ?? new Dictionary<string, string>())
        {
            output.WriteLine($"{of} read up to {(at.Length <= 200 ? at : at[..200] + "...")}");
        }

        if (!isVerified)
        {
            return isWhole;
        }

        try
        {
            using Journal journal = Journal.Open(disk, newest?.Manifest.ReplayAfter, firstEver: 1);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"journal: {journal.Bytes} bytes, up to entry {journal.NextSequence - 1}, {journal.NextSequence - 1 - (newest?.Manifest.End ?? journal.FirstSequence - 1)} behind the last snapshot, whole"));
        }
        catch (StorageException damaged)
        {
            isWhole = false;
            error.WriteLine(damaged.Message);
        }

        return isWhole;
    }
}
