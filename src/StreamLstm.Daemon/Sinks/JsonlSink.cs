using System.Text;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Verdicts as JSON lines, each exactly once; a batch with an incident is on the disk before the next one is taken.</summary>
/// <remarks>
/// A snapshot remembers how long the file was. After a kill what came since is told again, and held against what stands
/// behind that length: a line that is there is passed over, one that was cut short is completed. So nobody who reads along
/// ever sees a line vanish. Where a reload names another file, see <see cref="JsonlStart"/>. Where the file is shorter than it was, somebody else has begun it anew, and lines may come again.
/// </remarks>
internal sealed class JsonlSink : IJournalSink
{
    private readonly JsonlSinkOptions _options;
    private readonly string _path;
    private readonly JsonlStart _start;
    private readonly ILogger _logger;
    private readonly FileStream _file;
    private readonly MemoryStream _lines = new();
    private readonly Action _toldOtherwise;
    private FileStream? _told;   // what stands behind the mark, to be passed over
    private long _length;        // of whole batches

    /// <param name="options">What is written.</param>
    /// <param name="path">The file.</param>
    /// <param name="start">From where on it holds what is told again.</param>
    /// <param name="logger">For a file that is not what it was.</param>
    /// <param name="toldOtherwise">Called where what is told again is not what the file holds.</param>
    public JsonlSink(JsonlSinkOptions options, string path, JsonlStart start, ILogger logger, Action? toldOtherwise = null)
    {
        (_options, _path, _start, _logger, _toldOtherwise) = (options, path, start, logger, toldOtherwise ?? (() => { }));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        _length = _file.Length;

        if (start.Length is { } before && before < _length)
        {
            _told = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            _told.Position = _length = before;
        }
        else if (EndsWithinALine(path))
        {
            _file.Position = _length;
            _file.Write("\n"u8);
            _length++;
        }

        _file.Position = _length;
    }

    public string Name => "jsonl";

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        _lines.SetLength(0);

        if (_start.PassesOver(batch.Sequence))
        {
            return;
        }

        if (_options.Scores)
        {
            foreach (ScoredObservation scored in batch.Observations)
            {
                Add(EventJson.Score(scored));
            }
        }

        foreach (ModelSwap swap in batch.Swaps)
        {
            Add(EventJson.Swap(swap));
        }

        foreach (IncidentEvent incident in batch.Incidents)
        {
            Add(EventJson.Incident(incident));
        }

        if (_lines.Length == 0)
        {
            return;
        }

        _start.Begin(_length, batch.Sequence);
        ReadOnlyMemory<byte> bytes = _lines.GetBuffer().AsMemory(0, (int)_lines.Length);
        long length = _length + bytes.Length;

        if (_told is not null)
        {
            bytes = bytes[await PassOverAsync(bytes, cancellationToken)..];
        }

        try
        {
            await _file.WriteAsync(bytes, cancellationToken);
            KillPoint.Pass(KillPoint.R3SinkWrittenNotMarked);

            if (batch.Incidents.Count > 0 && bytes.Length > 0)
            {
                _file.Flush(flushToDisk: true);
            }
        }
        catch (IOException)
        {
            // The batch comes again: what was written of it goes.
            _file.SetLength(length - bytes.Length);
            _file.Position = length - bytes.Length;
            throw;
        }

        _length = _file.Position;

        void Add(string line)
        {
            _lines.Write(Encoding.UTF8.GetBytes(line));
            _lines.WriteByte((byte)'\n');
        }
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        _file.Flush(flushToDisk: true);
        return ValueTask.FromResult(_start.Mark(_length));
    }

    public async ValueTask DisposeAsync()
    {
        if (_told is not null)
        {
            await _told.DisposeAsync();
        }

        try
        {
            // Another file may go on where this one ends.
            _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            // As the writes before were told.
        }

        await _file.DisposeAsync();
    }

    /// <summary>How many of the bytes stand there already; the file is written on behind them.</summary>
    private async ValueTask<int> PassOverAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        byte[] there = new byte[bytes.Length];
        int count = await _told!.ReadAtLeastAsync(there, there.Length, throwOnEndOfStream: false, cancellationToken);
        int same = bytes.Span.CommonPrefixLength(there.AsSpan(0, count));

        if (same == bytes.Length)
        {
            _file.Position = _length + same;
            return same;
        }

        if (same < count)
        {
            LogMessages.ToldOtherwise(_logger, _path, _length + same);
            _toldOtherwise();
            _file.Position = _file.Length;
            same = 0;
        }
        else
        {
            _file.Position = _length + same;
        }

        await _told.DisposeAsync();
        _told = null;
        return same;
    }

    private static bool EndsWithinALine(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return file.Length > 0 && file.Seek(-1, SeekOrigin.End) >= 0 && file.ReadByte() != '\n';
    }
}
