using System.Text;
using Microsoft.Win32.SafeHandles;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources;

/// <summary>A file, once or for as long as it grows. Each line is taken once, over every restart.</summary>
/// <remarks>
/// Where it stands goes into the journal with each batch. Where the file's name stands for another file now, the former one is
/// read to its end first, also after a restart, as long as it is still in the folder. One that was cut, or begins otherwise than
/// it did, begins anew, with a header of its own. Of a followed file the last line is waited for until it ends.
/// </remarks>
internal sealed class FileSource(
    FileSourceOptions options, int index, RecordRules rules, int batchMax, TimeProvider time, ILogger<FileSource> logger) : IObservationSource
{
    private const int ChunkBytes = 1 << 16;
    private const int RecordMaxBytes = 4 * TextDecoder.LineMaxChars + 16;   // a character has four bytes at most

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private readonly Decoded _decoded = new(new IngestStamp(time), rules);
    private readonly string _of = $"file:{Path.GetFullPath(options.Path)}";
    private long _accepted;
    private long _rejected;

    public string Name => "file";

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        if (!options.Follow && !File.Exists(options.Path))
        {
            throw new SourceException(
                $"sources.files.{index}.path: {Path.GetFullPath(options.Path)} is not there; correct the path, or set follow: true to wait for it");
        }

        if (options.Follow && PackedFile.Is(options.Path))
        {
            throw new SourceException($"sources.files.{index}.follow: {options.Path} is packed and does not grow, expected follow: false");
        }

        LogMessages.SourceStarted(logger, Name, options.Follow ? $"following {options.Path}" : options.Path);

        try
        {
            FilePosition? position = FilePosition.Parse(intake.PositionOf(_of));

            while (!stopping.IsCancellationRequested)
            {
                using OpenedFile? file = Open(ref position);

                if (file is not null)
                {
                    await ReadAsync(file, position, intake, stopping);

                    if (!options.Follow)
                    {
                        break;
                    }

                    // It was cut, or another one has its name.
                    position = null;
                }
                else
                {
                    await Task.Delay(PollInterval, time, stopping);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (InvalidDataException damaged)
        {
            throw new SourceException($"sources.files.{index}.path: {options.Path} is damaged, or no gzip: {damaged.Message}", damaged);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new SourceException($"sources.files.{index}.path: {options.Path} cannot be read: {unreadable.Message}", unreadable);
        }

        LogMessages.SourceEnded(logger, Name, $"{options.Path}: {_accepted} observations, {_rejected} rejected records");
    }

    /// <summary>The file that the position is of, under whatever name; else the one that has the name now, from its beginning.</summary>
    private OpenedFile? Open(ref FilePosition? position)
    {
        OpenedFile? named = File.Exists(options.Path) ? OpenedFile.Open(options.Path) : null;

        if (position is null || (named is not null && IsOf(named, position)))
        {
            return named;
        }

        string path = Path.GetFullPath(options.Path);

        foreach (string beside in Directory.EnumerateFiles(Path.GetDirectoryName(path)!).Where(beside => beside != path))
        {
            try
            {
                OpenedFile other = OpenedFile.Open(beside);

                if (position.File.Inode != 0 && IsOf(other, position))
                {
                    named?.Dispose();
                    return other;
                }

                other.Dispose();
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                // Not ours to read: it was not the file that was followed.
            }
        }

        position = null;
        return named;
    }

    private static bool IsOf(OpenedFile file, FilePosition position) => file.Identity == position.File && position.IsStill(file.Text);

    /// <summary>Reads a file until it ends, is cut, or another one has its name.</summary>
    private async Task ReadAsync(OpenedFile opened, FilePosition? from, ObservationIntake intake, CancellationToken stopping)
    {
        FileIdentity identity = opened.Identity;
        SafeFileHandle file = opened.Text;
        FilePosition position = from ?? new FilePosition(identity, 0, 0, 0, 0, 0, 0, FilePosition.HeadOf(file, 0).Hash);
        var text = new ChunkDecoder(
            Format, options.Prefix.Length > 0 ? options.Prefix : Path.GetFileNameWithoutExtension(PackedFile.Inside(options.Path)), options.Key, time,
            options.Columns.Rules(options.TimeZone));

        if (position.Offset == 0 && IsUtf16(file))
        {
            throw new SourceException($"sources.files.{index}.path: {options.Path} is UTF-16; convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)");
        }

        if (position.Offset > 0)
        {
            text.GoOn(FirstLine(file), position.Header > 0 ? LineAt(file, position.Header) : null, position.Line, position.LogTicks);
        }

        byte[] buffer = new byte[ChunkBytes];
        int filled = 0;

        while (true)
        {
            int read = filled < buffer.Length ? RandomAccess.Read(file, buffer.AsSpan(filled), position.Offset + filled) : 0;

            if (!position.IsStill(file))
            {
                return;
            }

            // Of a line whose beginning was taken back again, what was read of it is nothing.
            filled = RandomAccess.GetLength(file) < position.Offset + filled ? 0 : filled + read;
            bool hasEnded = read == 0 && filled < buffer.Length && (!options.Follow || HasAnotherTheName(identity));
            int length = hasEnded ? filled : text.CompleteLength(buffer.AsSpan(0, filled));

            if (length == 0 && filled == buffer.Length)
            {
                if (buffer.Length < RecordMaxBytes)
                {
                    Array.Resize(ref buffer, Math.Min(2 * buffer.Length, RecordMaxBytes));
                    continue;
                }

                // A record that never ends: no more of it is kept than shows it.
                length = filled;
            }

            if (length > 0)
            {
                position = await TakeInAsync(file, position, text, buffer.AsMemory(0, length), intake, stopping);
                buffer.AsSpan(length, filled - length).CopyTo(buffer);
                filled -= length;
            }
            else if (hasEnded)
            {
                return;
            }
            else if (read == 0)
            {
                await Task.Delay(PollInterval, time, stopping);
            }
        }
    }

    /// <summary>Hands in what a chunk holds, each batch with the position behind it; gives the position behind the chunk.</summary>
    private async Task<FilePosition> TakeInAsync(
        SafeFileHandle file, FilePosition before, ChunkDecoder text, ReadOnlyMemory<byte> chunk, ObservationIntake intake, CancellationToken stopping)
    {
        text.Decode(chunk.Span, _decoded);

        intake.LeaveOut(Name, _decoded.LeftOut);

        foreach (DecodeError error in _decoded.Errors)
        {
            intake.Reject(Name, error.Reason, $"line {error.Line}: {error.Detail}", error.Payload);
        }

        long end = before.Offset + chunk.Length;
        (int headLength, ulong headHash) = FilePosition.HeadOf(file, end);
        var behind = new FilePosition(
            before.File, end, 0, text.Lines, text.LogTicks, text.HeaderAt is { } header ? before.Offset + header : before.Header, headLength, headHash);
        int taken = Math.Min(before.Skip, _decoded.Observations.Count);

        // One without observations too, where something was rejected: else it would be rejected again after a restart.
        while (taken < _decoded.Observations.Count || _decoded.Errors.Count > 0)
        {
            int count = Math.Min(batchMax, _decoded.Observations.Count - taken);
            Detection.Observation[] batch = [.. _decoded.Observations[taken..(taken + count)]];
            taken += count;
            FilePosition at = taken == _decoded.Observations.Count ? behind : before with { Skip = taken };
            using System.Diagnostics.Activity? span = DaemonActivitySource.Source.StartActivity("ingest file");
            await await intake.AcceptAsync(
                new ObservationBatch(Name, batch, time.GetUtcNow(), span?.Context ?? default) { Position = new SourcePosition(_of, at.ToString()) }, stopping);
            _accepted += count;

            if (at == behind)
            {
                break;
            }
        }

        _rejected += _decoded.Errors.Count;
        _decoded.Observations.Clear();
        _decoded.Errors.Clear();
        return behind;
    }

    private TextFormat Format => options.Format != TextFormat.Auto ? options.Format : Path.GetExtension(PackedFile.Inside(options.Path)).ToLowerInvariant() switch
    {
        ".csv" or ".tsv" => TextFormat.Csv,
        ".ndjson" or ".jsonl" => TextFormat.Ndjson,
        ".prom" => TextFormat.Prometheus,
        ".log" => TextFormat.Log,
        _ => TextFormat.Auto,
    };

    private bool HasAnotherTheName(FileIdentity identity)
    {
        try
        {
            using OpenedFile named = OpenedFile.Open(options.Path);
            return named.Identity != identity;
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static bool IsUtf16(SafeFileHandle file)
    {
        byte[] mark = new byte[2];
        return RandomAccess.Read(file, mark, 0) == 2 && mark is [0xFF, 0xFE] or [0xFE, 0xFF];
    }

    private string FirstLine(SafeFileHandle file)
    {
        using StreamReader reader = ReaderAt(file, 0);
        string? line;

        while ((line = reader.ReadLine()) is not null && TextDecoder.IsBefore(line, Format))
        {
        }

        return line ?? "";
    }

    private static string LineAt(SafeFileHandle file, long offset)
    {
        using StreamReader reader = ReaderAt(file, offset);
        return reader.ReadLine() ?? "";
    }

    private static StreamReader ReaderAt(SafeFileHandle file, long offset)
    {
        var reader = new StreamReader(new FileStream(new SafeFileHandle(file.DangerousGetHandle(), ownsHandle: false), FileAccess.Read));
        reader.BaseStream.Position = offset;
        return reader;
    }
}
