using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Sinks;

namespace StreamLstm.Daemon.Commands;

/// <summary>
/// <c>streamlstm state</c>: what a storage directory holds, and whether it is whole, while a daemon may run beside; and, while none does,
/// the whole of it as one file, and the way back to an older snapshot.
/// </summary>
internal static class StateCommand
{
    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var show = new Command("show", "Say which snapshots there are, up to where they go, and where the sources stand.");
        show.SetAction(parsed => Run(parsed, isVerified: false));
        var verify = new Command("verify", "Read every snapshot and the journal, and hold all of it against its checksums.");
        verify.SetAction(parsed => Run(parsed, isVerified: true));
        var file = new Argument<string>("file") { Description = "The file." };
        var export = new Command("export", "Write all of it to one file with checksums, to be carried to another machine. The daemon must not run.") { file };
        export.SetAction(parsed => Change(parsed, (storage, _) =>
            output.WriteLine($"{StateArchive.Export(storage, parsed.GetValue(file)!)} files of {storage.Path} are in {parsed.GetValue(file)}")));
        var import = new Command("import", "Read what export wrote into an empty storage directory. Followed files have another identity on another machine and are read from their beginning.") { file };
        import.SetAction(parsed => Change(parsed, (storage, _) =>
            output.WriteLine($"{StateArchive.Import(storage, parsed.GetValue(file)!)} files are in {storage.Path}")));
        var to = new Option<long?>("--to") { Description = "The snapshot's number, as show says; without it the one before the newest.", HelpName = "N" };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would be lost." };
        var rollback = new Command("rollback", "Go back to an older snapshot, and say what is lost; it is kept in quarantine/. The daemon must not run.") { to, dry };
        rollback.SetAction(parsed => Change(parsed, (storage, options) =>
        {
            var back = new Rollback(storage, parsed.GetValue(to));
            output.WriteLine(back.Loss);

            if (parsed.GetValue(dry))
            {
                output.WriteLine("nothing was changed (--dry-run)");
                return;
            }

            string events = storage.FileIn(options.Sinks.Jsonl.Path);
            var there = JsonlStart.AtStart(storage.FileIn(JsonlStart.BeginningFile), events, back.Target.Sinks.GetValueOrDefault("jsonl"), back.Target.End);
            back.Run((events, there.Length), storage.FileIn(options.Sinks.History.Path));
            output.WriteLine($"what was set aside is in {storage.FileIn(Generations.Quarantine)}");
        }));
        return new Command(
            "state",
            """
            Show, verify, carry or turn back what is kept in the storage directory.

            Examples:
              streamlstm state show
              streamlstm state verify
              streamlstm state export plant.tar.gz
              streamlstm state import plant.tar.gz --set storage.directory=/var/lib/streamlstm
              streamlstm state rollback --dry-run
            """)
        {
            show, verify, export, import, rollback,
        };

        int Change(ParseResult parsed, Action<StorageDirectory, DaemonOptions> change)
        {
            bool isDone = true;
            int code = withOptions(parsed, options =>
            {
                try
                {
                    using StorageDirectory storage = StorageDirectory.Open(options.Storage);
                    change(storage, options);
                }
                catch (Exception refused) when (refused is StorageException or IOException or UnauthorizedAccessException)
                {
                    error.WriteLine(refused.Message);
                    isDone = false;
                }
            });
            return code != 0 ? code : isDone ? 0 : CommandLine.Failed;
        }

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
