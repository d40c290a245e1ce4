using System.Text.Json;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;

namespace StreamLstm.Daemon.Views;

/// <summary>What the page showed, beside the snapshots: for people, and no more than a picture. State never depends on it.</summary>
internal sealed class LiveViewFile(StorageDirectory storage, LiveView live, ILogger logger)
{
    private const string Name = "live.json";

    /// <summary>Keeps what is shown now; where that fails, the page begins anew after a restart.</summary>
    public void Write()
    {
        try
        {
            ReplacedFile.Write(storage.FileIn(Name), JsonSerializer.SerializeToUtf8Bytes(live.Save(), EventJson.Options), isSynced: false);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            LogMessages.LiveViewLost(logger, failed.Message);
        }
    }

    /// <summary>Shows it again, if it can be read.</summary>
    public void Read()
    {
        try
        {
            if (File.Exists(storage.FileIn(Name)))
            {
                using FileStream file = File.OpenRead(storage.FileIn(Name));
                live.Load(JsonSerializer.Deserialize<LiveViewState>(file, EventJson.Options) ?? throw new JsonException("null"));
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException or NotSupportedException)
        {
            LogMessages.LiveViewLost(logger, unreadable.Message);
        }
    }
}
