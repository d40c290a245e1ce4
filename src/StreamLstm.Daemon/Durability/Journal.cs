using System.Globalization;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Durability;

/// <summary>The one order of all that ever entered: observations, ticks and people's decisions, on the disk before anything comes of them.</summary>
/// <remarks>
/// Files of a bounded size, numbered. After a start or a failed write a new one begins: R1, its head and its name are synced
/// before the first group in it counts; and a sync that failed is never tried again on the same file, as what it left behind is
/// unknown. What a failed write may have left is overruled by the sequence with which the next file begins.
/// </remarks>
internal sealed class Journal : IDisposable
{
    public const string Folder = "journal";

    private const string Ending = ".slj";
    private const int VoidGroup = 1_000;

    private readonly Lock _lock = new();   // appending and trimming are two tasks
    private readonly IDisk _disk;
    private readonly long _segmentBytes;
    private readonly long _maxBytes;
    private readonly List<Segment> _segments;
    private readonly List<long> _unfinished;
    private long _lastNumber;
    private IDiskFile? _file;

    private Journal(IDisk disk, long segmentBytes, long maxBytes, List<Segment> segments, List<long> unfinished, long nextSequence)
    {
        (_disk, _segmentBytes, _maxBytes, _segments, _unfinished, NextSequence) = (disk, segmentBytes, maxBytes, segments, unfinished, nextSequence);
        _lastNumber = segments.Select(segment => segment.Number).Concat(unfinished).DefaultIfEmpty().Max();
    }

    /// <summary>The sequence of the next entry.</summary>
    public long NextSequence { get; private set; }

    /// <summary>The sequence of the first entry that is still there.</summary>
    public long FirstSequence => _segments.Count > 0 ? _segments[0].First : NextSequence;

    /// <summary>Bytes behind its end when it was opened: a group that was being written when the end came, or, where no power was lost, damage.</summary>
    public long TornBytes { get; private set; }

    /// <summary>Bytes on the disk.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _segments.Sum(segment => segment.Bytes);
            }
        }
    }

    /// <summary>Finds the end of the journal, and reads all behind <paramref name="after"/> once to see that it is whole.</summary>
    /// <param name="disk">Where it is.</param>
    /// <param name="after">The last sequence that a snapshot holds; null where there is none.</param>
    /// <param name="firstEver">The sequence of the first entry where there is nothing yet.</param>
    /// <param name="segmentBytes">Size at which a new file begins.</param>
    /// <param name="maxBytes">Size of all files at which nothing more is taken.</param>
    /// <exception cref="StorageException">What was acknowledged is damaged or missing.</exception>
    public static Journal Open(IDisk disk, long? after, long firstEver, long segmentBytes = 16 << 20, long maxBytes = 1L << 30)
    {
        List<Segment> segments = [];
        List<long> unfinished = [];

        foreach (long number in Numbers(disk))
        {
            byte[] bytes = ReadAll(disk, PathOf(number));

            if (JournalFrame.ReadHead(bytes, number) is { } head)
            {
                if (head.Before > 0 && segments.All(segment => segment.Number != head.Before) && (segments.Count > 0 || after is null))
                {
                    throw Damaged(number, $"file {head.Before} stood before it, and is damaged or missing");
                }

                segments.Add(new Segment(number, head.FirstSequence, bytes.Length));
            }
            else if (JournalFrame.AnyIn(bytes, number))
            {
                throw Damaged(number, "its head is damaged");
            }
            else
            {
                // A file whose making was cut short: nothing in it was acknowledged (R1).
                unfinished.Add(number);
            }
        }

        long first = segments.Count > 0 ? segments[^1].First : firstEver;
        var journal = new Journal(disk, segmentBytes, maxBytes, segments, unfinished, first);
        long needed = (after ?? first - 1) + 1;

        if (segments.Count > 0 && segments[0].First > needed)
        {
            throw new StorageException(
                $"the journal begins at {segments[0].First}, and the snapshot ends at {after}: what was between them is missing; restore {Folder}/ from a backup");
        }

        // From the entry before: that it is there shows that the journal reaches as far as the snapshot.
        foreach ((long sequence, _) in journal.Read(needed - 2))
        {
            journal.NextSequence = sequence + 1;
        }

        return journal.NextSequence >= needed
            ? journal
            : throw new StorageException(
                $"the journal ends before {journal.NextSequence}, and the snapshot ends at {after}: what came later is missing; restore {Folder}/ from a backup");
    }

    /// <summary>Every entry behind a sequence, in order.</summary>
    /// <exception cref="StorageException">What was acknowledged is damaged or missing.</exception>
    public IEnumerable<(long Sequence, ReadOnlyMemory<byte> Entry)> Read(long after)
    {
        Segment[] whole = [.. _segments];
        long? last = null;

        for (int i = 0; i < whole.Length; i++)
        {
            // What a later file begins with overrules what an earlier one ends with.
            long end = i + 1 < whole.Length ? whole[i + 1].First : long.MaxValue;

            if (end <= after + 1)
            {
                continue;
            }

            Segment segment = whole[i];

            if (last is not null && segment.First > last + 1)
            {
                throw Damaged(segment.Number, $"it begins at {segment.First}, and the file before it ends at {last}");
            }

            ReadOnlyMemory<byte> bytes = ReadAll(_disk, PathOf(segment.Number));
            int at = JournalFrame.HeadBytes;
            last = segment.First - 1;

            while (JournalFrame.Read(bytes.Span[at..], segment.Number) is { } frame)
            {
                if (frame.FirstSequence != last + 1)
                {
                    throw Damaged(segment.Number, $"entry {frame.FirstSequence} follows {last}");
                }

                foreach (ReadOnlyMemory<byte> entry in JournalFrame.Entries(bytes.Slice(at, frame.Length)))
                {
                    last++;

                    if (last > after && last < end)
                    {
                        yield return (last.Value, entry);
                    }
                }

                at += frame.Length;
            }

            if (JournalFrame.AnyIn(bytes.Span[at..], segment.Number))
            {
                throw Damaged(segment.Number, $"what follows entry {last} does not match its checksum, and whole entries stand behind it");
            }

            last = Math.Min(last.Value, end - 1);
            TornBytes = bytes.Length - at;
        }
    }

    /// <summary>R1: writes entries and makes them survive; only then may whoever handed them in hear that they were taken.</summary>
    /// <returns>The first one's sequence.</returns>
    /// <exception cref="IOException">None of them was taken: the disk is full or fails, or the journal's limit is reached.</exception>
    public long Append(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        if (Bytes > _maxBytes)
        {
            throw new IOException($"the journal holds {Bytes >> 20} MiB and no snapshot lets go of it (storage.journal_max_mib)");
        }

        lock (_lock)
        {
            return AppendLocked(entries);
        }
    }

    /// <summary>Makes places count for nothing, up to one, so that what comes next stands behind it.</summary>
    /// <exception cref="IOException">As of <see cref="Append"/>.</exception>
    public void VoidUpTo(long sequence)
    {
        ReadOnlyMemory<byte> place = EntryCodec.Write(new VoidEntry());

        while (NextSequence <= sequence)
        {
            Append([.. Enumerable.Repeat(place, (int)Math.Min(VoidGroup, sequence + 1 - NextSequence))]);
        }
    }

    private long AppendLocked(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        try
        {
            if (_file is null || _segments[^1].Bytes >= _segmentBytes)
            {
                Begin();
            }

            byte[] frame = JournalFrame.Write(_segments[^1].Number, NextSequence, entries);
            _segments[^1].Bytes += frame.Length;
            _file!.Append(frame);
            KillPoint.Pass(KillPoint.R1WrittenNotSynced);
            _file.Sync();
            KillPoint.Pass(KillPoint.R1SyncedNotAcknowledged);
        }
        catch
        {
            _file?.Dispose();
            _file = null;
            throw;
        }

        long first = NextSequence;
        NextSequence += entries.Count;
        return first;
    }

    /// <summary>R6: lets go of files that hold nothing behind a sequence. Called once the pointer to it is durable, by one task.</summary>
    public void Trim(long after)
    {
        while (FirstBefore(after) is { } number)
        {
            // Not under the lock: whoever appends does not wait for a file that is deleted.
            KillPoint.Pass(KillPoint.R6JournalNotTrimmed);
            _disk.Delete(PathOf(number));

            lock (_lock)
            {
                _segments.RemoveAt(0);
            }
        }

        lock (_lock)
        {
            foreach (long number in _unfinished)
            {
                _disk.Delete(PathOf(number));
            }

            _unfinished.Clear();
        }
    }

    /// <summary>The first file's number, where it holds nothing behind a sequence.</summary>
    private long? FirstBefore(long after)
    {
        lock (_lock)
        {
            return _segments.Count > 1 && _segments[1].First <= after + 1 ? _segments[0].Number : null;
        }
    }

    public void Dispose() => _file?.Dispose();

    private static IEnumerable<long> Numbers(IDisk disk) => disk.List(Folder)
        .Where(name => name.EndsWith(Ending, StringComparison.Ordinal))
        .Select(name => long.TryParse(name[..^Ending.Length], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1)
        .Where(number => number > 0)
        .Order();

    private static string PathOf(long number) => $"{Folder}/{number:D10}{Ending}";

    private static byte[] ReadAll(IDisk disk, string path)
    {
        using Stream file = disk.OpenRead(path);
        using var buffer = new MemoryStream();
        file.CopyTo(buffer);
        return buffer.ToArray();
    }

    private static StorageException Damaged(long number, string how) => new(
        $"{PathOf(number)} is damaged: {how}; what was acknowledged cannot be read. Restore the directory from a backup, "
        + $"or move {Folder}/ and its snapshots away to let every stream learn anew");

    private void Begin()
    {
        _file?.Dispose();
        _file = null;
        long number = ++_lastNumber;
        _unfinished.Add(number);
        byte[] head = JournalFrame.Head(number, NextSequence, _segments.Count == 0 ? 0 : _segments[^1].Number);
        _file = _disk.Create(PathOf(number));
        _file.Append(head);

        // R1: a file that is whole but has no name is as lost as one that was never written.
        _file.Sync();
        KillPoint.Pass(KillPoint.R1FileWithoutName);
        _disk.SyncFolder(Folder);
        _unfinished.Remove(number);
        _segments.Add(new Segment(number, NextSequence, head.Length));
    }

    private sealed class Segment(long number, long first, long bytes)
    {
        public long Number { get; } = number;

        /// <summary>The first sequence it may hold.</summary>
        public long First { get; } = first;

        public long Bytes { get; set; } = bytes;
    }
}
