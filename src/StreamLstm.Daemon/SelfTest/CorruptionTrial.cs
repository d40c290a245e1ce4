using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;

namespace StreamLstm.Daemon.SelfTest;

/// <summary>Damages a copy of a storage directory, bit by bit and cut by cut, and reads it each time as a start does.</summary>
/// <remarks>
/// What a start goes on from is a generation and the entries behind it. Where both are what was written, to the last entry, the damage
/// was harmless; where another generation counts or the start is refused, it was noticed; where the journal ends earlier, it looks as if
/// the kill had come earlier, which the daemon says where bytes are left behind its end. Everything else would be a wrong state.
/// </remarks>
internal sealed class CorruptionTrial
{
    private static readonly string[] StateFiles = ["MANIFEST-*", "snapshots/*.sls", "journal/*.slj"];

    private readonly string _directory;
    private readonly IReadOnlyDictionary<string, byte[]> _files;
    private readonly SortedDictionary<long, byte[]> _entries = [];
    private readonly Dictionary<long, byte[]> _generations = [];
    private readonly long _end;

    /// <param name="state">A storage directory that no process holds; it is only read.</param>
    /// <param name="scratch">Where the damaged copy is.</param>
    public CorruptionTrial(string state, string scratch)
    {
        _directory = scratch;
        _files = StateFiles
            .SelectMany(pattern => Directory.Exists(Path.Combine(state, Path.GetDirectoryName(pattern)!)) ? Directory.GetFiles(state, pattern) : [])
            .ToDictionary(file => Path.GetRelativePath(state, file), File.ReadAllBytes);

        foreach ((string file, byte[] bytes) in _files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(scratch, file))!);
            File.WriteAllBytes(Path.Combine(scratch, file), bytes);
        }

        var disk = new LocalDisk(scratch);
        var generations = new Generations(disk, NullLogger.Instance);

        foreach (long number in generations.Numbers())
        {
            _generations.Add(number, BytesOf(generations.Open(number)));
        }

        using var journal = Journal.Open(disk, generations.Newest()?.Manifest.ReplayAfter, firstEver: 1);
        _end = journal.NextSequence - 1;

        foreach ((long sequence, ReadOnlyMemory<byte> entry) in journal.Read(journal.FirstSequence - 1))
        {
            _entries.Add(sequence, entry.ToArray());
        }
    }

    /// <summary>The files, and their lengths.</summary>
    public IReadOnlyDictionary<string, int> Files => _files.ToDictionary(file => file.Key, file => file.Value.Length);

    public CorruptionFindings Found { get; } = new();

    /// <summary>Turns one bit, reads, and puts things back.</summary>
    public void Flip(string file, int at, int bit)
    {
        byte[] damaged = [.. _files[file]];
        damaged[at] ^= (byte)(1 << bit);
        Try(file, damaged, $"bit {bit} of byte {at} of {file}");
    }

    /// <summary>Cuts a file, reads, and puts things back.</summary>
    public void Cut(string file, int length) => Try(file, _files[file][..length], $"{file} cut to {length} bytes");

    /// <summary>One damage somewhere: three in four flips, one in four cuts.</summary>
    public void Random(Random random)
    {
        string[] names = [.. _files.Keys.Order(StringComparer.Ordinal)];
        string file = names[random.Next(names.Length)];

        if (random.Next(4) == 0)
        {
            Cut(file, random.Next(_files[file].Length));
        }
        else
        {
            Flip(file, random.Next(_files[file].Length), random.Next(8));
        }
    }

    private void Try(string file, byte[] damaged, string what)
    {
        string path = Path.Combine(_directory, file);
        File.WriteAllBytes(path, damaged);
        Found.Tried++;

        try
        {
            Judge(what);
        }
        catch (StorageException)
        {
            Found.Refused++;
        }
#pragma warning disable CA1031 // an exception that no start expects would end the daemon without a word that helps
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            Found.AddWrong($"{what}: {unexpected.GetType().Name}: {unexpected.Message}");
        }
        finally
        {
            PutBack(path, file);
        }
    }

    private void Judge(string what)
    {
        var disk = new LocalDisk(_directory);
        var generations = new Generations(disk, NullLogger.Instance);
        Generation? newest = generations.Newest();
        bool isAside = Directory.Exists(Path.Combine(_directory, Generations.Quarantine));
        using var journal = Journal.Open(disk, newest?.Manifest.ReplayAfter, firstEver: 1);
        long last = newest?.Manifest.ReplayAfter ?? journal.FirstSequence - 1;

        if (newest is null || !_generations.TryGetValue(newest.Number, out byte[]? before) || !before.AsSpan().SequenceEqual(BytesOf(newest)))
        {
            Found.AddWrong($"{what}: generation {newest?.Number} was read as something else");
            return;
        }

        _ = RestoredState.Of(newest);

        foreach ((long sequence, ReadOnlyMemory<byte> entry) in journal.Read(last))
        {
            if (sequence != ++last || !_entries.TryGetValue(sequence, out byte[]? written) || !entry.Span.SequenceEqual(written))
            {
                Found.AddWrong($"{what}: entry {sequence} was read as something else");
                return;
            }

            _ = EntryCodec.Read(entry);
        }

        if (last == _end)
        {
            _ = isAside ? Found.WentBack++ : Found.Harmless++;
        }
        else if (journal.TornBytes > 0)
        {
            Found.EndedEarlierAndSaidSo++;
        }
        else
        {
            Found.EndedEarlier++;
        }
    }

    private void PutBack(string path, string file)
    {
        string aside = Path.Combine(_directory, Generations.Quarantine);

        if (Directory.Exists(aside))
        {
            Directory.Delete(aside, recursive: true);

            foreach ((string other, byte[] bytes) in _files)
            {
                if (!File.Exists(Path.Combine(_directory, other)))
                {
                    File.WriteAllBytes(Path.Combine(_directory, other), bytes);
                }
            }
        }

        File.WriteAllBytes(path, _files[file]);
    }

    private static byte[] BytesOf(Generation generation) =>
        [.. JsonSerializer.SerializeToUtf8Bytes(generation.Manifest), .. generation.Manifest.Sections.SelectMany(generation.Read)];
}

/// <summary>What became of the damages.</summary>
internal sealed class CorruptionFindings
{
    public long Tried { get; set; }

    /// <summary>The start was refused, with the file's name.</summary>
    public long Refused { get; set; }

    /// <summary>An older generation counts, and nothing is missing.</summary>
    public long WentBack { get; set; }

    /// <summary>Nothing that is read was touched.</summary>
    public long Harmless { get; set; }

    /// <summary>The journal ends earlier, as if the kill had come earlier; the log says that bytes are left behind its end.</summary>
    public long EndedEarlierAndSaidSo { get; set; }

    /// <summary>The same, cut between two groups: nothing is left that could be noticed.</summary>
    public long EndedEarlier { get; set; }

    /// <summary>A wrong state, or an end without a word.</summary>
    public long Wrong { get; private set; }

    /// <summary>The first of them.</summary>
    public string FirstWrong { get; private set; } = "";

    public void AddWrong(string what)
    {
        Wrong++;
        FirstWrong = FirstWrong.Length == 0 ? what : FirstWrong;
    }

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
        {Tried} damages: {100.0 * (Tried - Wrong - EndedEarlier) / Math.Max(1, Tried):0.###} % noticed or harmless ({Refused} refused, {WentBack} led to the snapshot before, {Harmless} harmless, {EndedEarlierAndSaidSo} ended the journal earlier and it was said), {EndedEarlier} ended the journal between two groups, {Wrong} read as something else
        """) + (FirstWrong.Length == 0 ? "" : $"; first: {FirstWrong}");
}
