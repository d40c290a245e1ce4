using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Durability;

/// <summary>Back to an older snapshot: what was taken in behind it is set aside in quarantine/, and is not scored again.</summary>
/// <remarks>
/// Newer snapshots go aside first: until the journal is exchanged, a start would lead to where it was. The journal is written anew up to
/// the snapshot's end before the former one is moved; the places behind it are void and not given again, as a receiver may have been told of
/// them. Of the JSONL file and of the history what came later is taken out, the whole kept in quarantine/.
/// </remarks>
internal sealed class Rollback
{
    private const string Anew = "rollback.tmp";
    private const int GroupMax = 1_000;

    private readonly StorageDirectory _storage;
    private readonly LocalDisk _disk;
    private readonly Generations _generations;
    private readonly Generation _target;
    private readonly long[] _newer;
    private readonly List<ReadOnlyMemory<byte>> _kept = [];
    private readonly long _first;
    private readonly long _last;
    private int _entries;
    private long _observations;
    private int _decisions;

    /// <param name="storage">The directory, which nobody else holds.</param>
    /// <param name="to">The snapshot to go back to; null for the one before the newest.</param>
    /// <exception cref="StorageException">There is no such snapshot, or the journal is damaged.</exception>
    public Rollback(StorageDirectory storage, long? to)
    {
        (_storage, _disk) = (storage, new LocalDisk(storage.Path));
        _generations = new Generations(_disk, NullLogger.Instance);
        IReadOnlyList<long> numbers = _generations.Numbers();
        long number = to ?? (numbers.Count >= 2 ? numbers[^2] : 0);

        if (!numbers.Contains(number))
        {
            throw new StorageException(string.Create(CultureInfo.InvariantCulture,
                $"--to: {(to is null ? "no older snapshot" : $"{to}")}, expected one of those kept: {(numbers.Count == 0 ? "none" : string.Join(", ", numbers))}"));
        }

        try
        {
            _target = _generations.Open(number);
        }
        catch (InvalidDataException damaged)
        {
            throw new StorageException($"snapshot {number} cannot be gone back to: {damaged.Message}", damaged);
        }

        _newer = [.. numbers.Where(other => other > number)];
        using var journal = Journal.Open(_disk, _target.Manifest.ReplayAfter, firstEver: 1);
        (_first, _last) = (journal.FirstSequence, journal.NextSequence - 1);

        foreach ((long sequence, ReadOnlyMemory<byte> entry) in journal.Read(_first - 1))
        {
            if (sequence <= _target.Manifest.End)
            {
                _kept.Add(entry);
            }
            else
            {
                Lose(EntryCodec.Read(entry));
            }
        }
    }

    /// <summary>Of the snapshot that counts again.</summary>
    public Manifest Target => _target.Manifest;

    /// <summary>What is lost by it, for people.</summary>
    public string Loss => string.Create(CultureInfo.InvariantCulture,
        $"snapshot {_target.Number} of {_target.Manifest.CreatedAt:u} counts again; of what was taken in behind it {_observations} observations and {_decisions} decisions (labels, accepts, maintenance, weights) in {_entries} journal entries no longer count");

    /// <summary>Does it.</summary>
    /// <param name="events">The JSONL file, and how long it was at the snapshot, in bytes; null where it holds nothing of what is lost.</param>
    /// <param name="history">The history.</param>
    public void Run((string Path, long? Length) events, string history)
    {
        WriteJournalAnew();
        Array.ForEach(_newer, _generations.SetAside);
        LocalDisk.Sync(_storage.Path);
        string aside = _storage.FileIn(Path.Combine(Generations.Quarantine, string.Create(CultureInfo.InvariantCulture, $"journal-before-rollback-{DateTime.UtcNow:yyyyMMddHHmmss}")));
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        Directory.Move(_storage.FileIn(Journal.Folder), aside);
        Directory.Move(_storage.FileIn(Path.Combine(Anew, Journal.Folder)), _storage.FileIn(Journal.Folder));
        Directory.Delete(_storage.FileIn(Anew));
        LocalDisk.Sync(_storage.Path);
        CutEvents(events.Path, events.Length);
        TakeBackHistory(history);
    }

    private void Lose(Entry entry)
    {
        if (entry is VoidEntry)
        {
            return;
        }

        _entries++;
        _observations += entry is ObservationsEntry { Batch: var batch } ? batch.Observations.Length : 0;
        _decisions += entry is ObservationsEntry or TickEntry or LimitsEntry or TermsEntry ? 0 : 1;
    }

    private void WriteJournalAnew()
    {
        if (Directory.Exists(_storage.FileIn(Anew)))
        {
            Directory.Delete(_storage.FileIn(Anew), recursive: true);
        }

        Directory.CreateDirectory(_storage.FileIn(Path.Combine(Anew, Journal.Folder)));
        using var journal = Journal.Open(new LocalDisk(_storage.FileIn(Anew)), null, _first);

        foreach (ReadOnlyMemory<byte>[] group in _kept.Chunk(GroupMax))
        {
            journal.Append(group);
        }

        journal.VoidUpTo(_last);
    }

    private void CutEvents(string path, long? lengthThen)
    {
        if (lengthThen is { } length && File.Exists(path) && new FileInfo(path).Length > length)
        {
            File.Copy(path, _storage.FileIn(Path.Combine(Generations.Quarantine, Path.GetFileName(path))), overwrite: true);
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None);
            file.SetLength(length);
            file.Flush(flushToDisk: true);
        }
    }

    private void TakeBackHistory(string path)
    {
        if (File.Exists(path))
        {
            using HistoryFile history = HistoryFile.Open(path);
            history.CopyTo(_storage.FileIn(Path.Combine(Generations.Quarantine, Path.GetFileName(path))));
            history.TakeBack(_target.Manifest.End);
        }
    }
}
