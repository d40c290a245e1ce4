using System.Text.Json;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>What a receiver was told and is still to be told, in a file that is replaced whole.</summary>
/// <param name="Sequence">The entry of the journal it has got to.</param>
/// <param name="Groups">Of which so many messages are done.</param>
/// <param name="Told">What was told last of each cause that goes on.</param>
internal sealed record NotifyState(long Sequence, int Groups, Dictionary<string, Notification> Told)
{
    /// <summary>Causes that wait for what else belongs to them, by id.</summary>
    public Dictionary<string, WaitingNotification> Waiting { get; init; } = [];

    /// <summary>What quiet hours have kept back, by its cause.</summary>
    public Dictionary<string, Notification> KeptBack { get; init; } = [];

    /// <summary>How many more causes they have kept back than there is room for.</summary>
    public long KeptBackMore { get; set; }

    /// <summary>Nothing was told.</summary>
    public static NotifyState Nothing => new(-1, 0, []);

    /// <summary>What a file holds; nothing where it is not there, or only half of it is.</summary>
    public static NotifyState Read(string path)
    {
        try
        {
            return File.Exists(path) && JsonSerializer.Deserialize<NotifyState>(File.ReadAllBytes(path), EventJson.Options) is { Told: not null } state ? state : Nothing;
        }
        catch (JsonException)
        {
            // Half of it was written in a power loss: what it said is sent again, under the same keys.
            return Nothing;
        }
    }

    /// <param name="path">The file.</param>
    /// <param name="isDurable">Whether it must be there after a power loss; else what that takes is told again by the journal.</param>
    public void Write(string path, bool isDurable)
    {
        using (var file = new FileStream(path + ".tmp", FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, this, EventJson.Options);
            file.Flush(flushToDisk: isDurable);
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }
}

/// <summary>A message that is not sent yet.</summary>
/// <param name="Notification">What it says so far.</param>
/// <param name="Until">When it is sent.</param>
internal sealed record WaitingNotification(Notification Notification, DateTimeOffset Until);
