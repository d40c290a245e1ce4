using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sinks;

/// <summary>What could not be decoded or scored, as JSON lines, within a bound; never makes its caller wait.</summary>
/// <remarks>
/// Of each source and reason an eighth of the bound may come at once, and again within an hour: a flood of one kind, of which a few say all, neither
/// takes the others' place nor keeps the disk busy. What is beyond that is counted.
/// </remarks>
internal sealed class DeadLetterFile : IDeadLetters, IAsyncDisposable
{
    private const int QueueMax = 1024;
    private const int PayloadKeptBytes = 1024;
    private const int EnvelopeBytes = 150;   // of a letter, about
    private const double KindShare = 0.125;

    private static readonly TimeSpan KindAgain = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<(string Source, string Reason), Allowance> _kinds = new();

    private readonly Channel<DeadLetter> _queue = Channel.CreateBounded<DeadLetter>(
        new BoundedChannelOptions(QueueMax) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly string _path;
    private readonly long _maxBytes;
    private readonly TimeProvider _time;
    private readonly Task _writing;
    private long _dropped;

    /// <param name="path">The file; a full one becomes PATH.1, replacing the one before.</param>
    /// <param name="maxBytes">For both together.</param>
    /// <param name="time">For the stamps.</param>
    public DeadLetterFile(string path, long maxBytes, TimeProvider time)
    {
        _path = path;
        _maxBytes = maxBytes;
        _time = time;
        _writing = WriteAsync();
    }

    /// <summary>Letters beyond what their kind may take, or that found the queue full, or no room on the disk.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    public bool Takes(string source, RejectionReason reason)
    {
        bool isTaken = _maxBytes > 0 && Of(source, EventJson.Word(reason)).HasRoom();
        _ = isTaken ? 0 : Interlocked.Increment(ref _dropped);
        return isTaken;
    }

    public void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload) => Add(source, EventJson.Word(reason), detail, payload);

    public void AddLeftOut(string source, LeftOutReason reason, string detail, ReadOnlySpan<byte> payload) =>
        Add(source, $"left_out_{EventJson.Word(reason)}", detail, payload);

    private void Add(string source, string reason, string detail, ReadOnlySpan<byte> payload)
    {
        int kept = Math.Min(payload.Length, PayloadKeptBytes);

        if (_maxBytes == 0 || !Of(source, reason).TryTake(EnvelopeBytes + detail.Length + kept)
            || !_queue.Writer.TryWrite(new DeadLetter(_time.GetUtcNow(), source, reason, detail, Encoding.UTF8.GetString(payload[..kept]))))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

    private Allowance Of(string source, string reason) => _kinds.GetOrAdd((source, reason), _ => new Allowance(KindShare * _maxBytes, _time));

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync()
    {
        FileStream? file = null;

        try
        {
            await foreach (DeadLetter letter in _queue.Reader.ReadAllAsync())
            {
                try
                {
                    file ??= new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);

                    if (file.Position > _maxBytes / 2)
                    {
                        await file.DisposeAsync();
                        File.Move(_path, _path + ".1", overwrite: true);
                        file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
                    }

                    file.Write(JsonSerializer.SerializeToUtf8Bytes(letter, EventJson.Options));
                    file.WriteByte((byte)'\n');

                    if (_queue.Reader.Count == 0)
                    {
                        await file.FlushAsync();
                    }
                }
                catch (Exception full) when (full is IOException or UnauthorizedAccessException)
                {
                    Interlocked.Increment(ref _dropped);
                }
            }
        }
        finally
        {
            if (file is not null)
            {
                await file.DisposeAsync();
            }
        }
    }

    /// <summary>Bytes that one kind may still take.</summary>
    private sealed class Allowance(double most, TimeProvider time)
    {
        private readonly Lock _lock = new();
        private double _used;
        private long _at = time.GetTimestamp();

        public bool HasRoom() => TryTake(0);

        public bool TryTake(int bytes)
        {
            lock (_lock)
            {
                long now = time.GetTimestamp();
                _used = Math.Max(0, _used - (most * (time.GetElapsedTime(_at, now) / KindAgain)));
                _at = now;
                bool hasRoom = _used < most;
                _used += hasRoom ? bytes : 0;
                return hasRoom;
            }
        }
    }

    private sealed record DeadLetter(DateTimeOffset Time, string Source, string Reason, string Detail, string Payload);
}
