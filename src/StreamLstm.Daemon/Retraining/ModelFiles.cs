using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;
using StreamLstm.Model.Formats;

namespace StreamLstm.Daemon.Retraining;

/// <summary>Where weights came from.</summary>
internal enum ModelOrigin
{
    /// <summary>The daemon began with them: shipped, or those of detection.base_weights.</summary>
    Start,

    /// <summary>The retrainer found them better than those before.</summary>
    Trained,

    /// <summary>A person brought them.</summary>
    Imported,
}

/// <summary>What is known of weights that are kept.</summary>
/// <param name="Sha256">Of their file, which is named by it.</param>
/// <param name="Origin">Where they came from.</param>
/// <param name="Time">When they were trained or brought.</param>
/// <param name="By">Who brought them.</param>
/// <param name="Version">Under which they served first; null where they never did when this was written.</param>
/// <param name="ChampionLoss">Of the weights they were held against, on windows held out, in nats per value; null where they were held against none.</param>
/// <param name="CandidateLoss">Theirs.</param>
/// <param name="TrainingWindows">Windows they were trained on here.</param>
/// <param name="HeldOutWindows">Windows they were judged on.</param>
/// <param name="Group">The group of streams they were trained for; null for all, and for those that were brought.</param>
internal sealed record KeptModel(
    string Sha256, ModelOrigin Origin, DateTimeOffset Time, string By, long? Version,
    double? ChampionLoss = null, double? CandidateLoss = null, int TrainingWindows = 0, int HeldOutWindows = 0, string? Group = null)
{
    /// <summary>The chance that an injected fault surprised the weights they were held against more than a clean value did; null where they were held against none.</summary>
    public double? ChampionSeparation { get; init; }

    /// <summary>The same of these.</summary>
    public double? CandidateSeparation { get; init; }
}

/// <summary>The weights that were trained, brought or served last: each a file under its own hash, beside a ledger that says what it is.</summary>
/// <remarks>
/// The ledger is for people: what a replay needs stands in the journal and in the file named there.
/// </remarks>
/// <param name="storage">Of it the folder models.</param>
internal sealed class ModelFiles(StorageDirectory storage)
{
    /// <summary>Files kept of each group of streams, besides those that may not go yet.</summary>
    public const int FilesMax = 5;

    private const int LinesMax = 400;

    private string Folder => storage.FileIn("models");

    private string Ledger => Path.Combine(Folder, "ledger.ndjson");

    /// <summary>The weights of a swap that a former life of the program made.</summary>
    /// <exception cref="StorageException">They are not what was put into service.</exception>
    public static BaseModel Load(StorageDirectory storage, ModelSwap swap)
    {
        try
        {
            return new BaseModel(swap.Version, new ModelFiles(storage).Read(swap.Sha256).Weights);
        }
        catch (Exception unreadable) when (unreadable is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"{new ModelFiles(storage).FileOf(swap.Sha256)}: the weights that were in service cannot be read ({unreadable.Message}); restore the file from a backup", unreadable);
        }
    }

    /// <summary>Writes weights under their own hash, on the disk before anything names them, and what they are into the ledger.</summary>
    /// <param name="weights">The weights; their version is that under which they serve or served.</param>
    /// <param name="what">What they are, but for the hash.</param>
    /// <param name="pinned">Hashes of files that must not go.</param>
    /// <param name="sources">Which windows they were trained and judged on; empty where nobody knows.</param>
    /// <returns>The same with the hash.</returns>
    public KeptModel Keep(BaseModel weights, KeptModel what, IReadOnlySet<string> pinned, IReadOnlyList<TrainingSource> sources)
    {
        using var buffer = new MemoryStream();
        WeightsFile.Write(buffer, weights.Weights, new Dictionary<string, string>
        {
            ["version"] = weights.Version.ToString(CultureInfo.InvariantCulture),
            ["origin"] = what.Origin.ToString().ToLowerInvariant(),
            ["time"] = what.Time.ToString("O", CultureInfo.InvariantCulture),
        });
        KeptModel kept = what with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))) };
        Directory.CreateDirectory(Folder);
        ReplacedFile.Write(FileOf(kept.Sha256), buffer.GetBuffer().AsSpan(0, (int)buffer.Length), isSynced: true);

        if (sources.Count > 0)
        {
            WriteLines(SourcesOf(kept.Sha256), sources);
        }

        WriteLines(Ledger, [.. Lines<KeptModel>(Ledger, line => line.Sha256 is not null).TakeLast(LinesMax - 1), kept]);

        foreach (KeptModel old in All().Where(one => one.Sha256 != kept.Sha256 && !pinned.Contains(one.Sha256))
            .GroupBy(one => one.Group).SelectMany(same => same.Skip(same.Key == kept.Group ? FilesMax - 1 : FilesMax)))
        {
            File.Delete(FileOf(old.Sha256));
            File.Delete(SourcesOf(old.Sha256));
        }

        return kept;
    }

    /// <summary>All that are there, those written last first.</summary>
    public IReadOnlyList<KeptModel> All()
    {
        Dictionary<string, KeptModel> known = Lines<KeptModel>(Ledger, line => line.Sha256 is not null).GroupBy(line => line.Sha256).ToDictionary(same => same.Key, same => same.Last());
        return
        [
            .. Files().OrderByDescending(file => file.LastWriteTimeUtc).Select(file => Path.GetFileNameWithoutExtension(file.Name) is var hash && known.TryGetValue(hash, out KeptModel? one)
                ? one
                : new KeptModel(hash, ModelOrigin.Trained, file.LastWriteTimeUtc, ModelSwap.Retrainer, null)),
        ];
    }

    /// <summary>Whether a file is there.</summary>
    public bool Has(string sha256) => File.Exists(FileOf(sha256));

    /// <summary>The weights of a hash, and their file's bytes.</summary>
    /// <exception cref="IOException">They are not there.</exception>
    /// <exception cref="InvalidDataException">They are not what was kept.</exception>
    public (ForecastWeights Weights, byte[] Bytes) Read(string sha256)
    {
        byte[] bytes = File.ReadAllBytes(FileOf(sha256));
        return Convert.ToHexStringLower(SHA256.HashData(bytes)) == sha256
            ? (BaseWeightsFile.Read(new MemoryStream(bytes, writable: false)), bytes)
            : throw new InvalidDataException("its SHA-256 is not its name");
    }

    /// <summary>Which windows weights were trained and judged on; empty where that is not known.</summary>
    public IReadOnlyList<TrainingSource> Sources(string sha256) => Lines<TrainingSource>(SourcesOf(sha256), line => line.Stream is not null);

    private string SourcesOf(string sha256) => Path.Combine(Folder, $"{sha256}.windows.ndjson");

    private string FileOf(string sha256) => Path.Combine(Folder, $"{sha256}.safetensors");

    private FileInfo[] Files() => Directory.Exists(Folder) ? new DirectoryInfo(Folder).GetFiles("*.safetensors") : [];

    private static void WriteLines<T>(string path, IReadOnlyList<T> lines) => ReplacedFile.Write(
        path, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => JsonSerializer.Serialize(line, EventJson.Options) + "\n"))), isSynced: true);

    private static List<T> Lines<T>(string path, Func<T, bool> isWhole)
    {
        List<T> lines = [];

        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            try
            {
                if (JsonSerializer.Deserialize<T>(line, EventJson.Options) is { } one && isWhole(one))
                {
                    lines.Add(one);
                }
            }
            catch (JsonException)
            {
                // Not of this program: what it said is lost, and nothing else.
            }
        }

        return lines;
    }
}
