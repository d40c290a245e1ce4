using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sinks;

/// <summary>What could not be decoded or scored, as JSON lines, within a bound; never makes its caller wait.</summary>
internal sealed class DeadLetterFile : IDeadLetters, IAsyncDisposable
{
    private const int QueueMax = 1024;
    private const int PayloadKeptBytes = 1024;

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

    /// <summary>Letters that found the queue full, or no room on the disk.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    public void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload) => Add(source, EventJson.Word(reason), detail, payload);

    public void AddLeftOut(string source, LeftOutReason reason, string detail, ReadOnlySpan<byte> payload) =>
        Add(source, $"left_out_{EventJson.Word(reason)}", detail, payload);

    private void Add(string source, string reason, string detail, ReadOnlySpan<byte> payload)
    {
        var letter = new DeadLetter(
            _time.GetUtcNow(), source, reason, detail,
            Encoding.UTF8.GetString(payload[..Math.Min(payload.Length, PayloadKeptBytes)]));

        if (_maxBytes == 0 || !_queue.Writer.TryWrite(letter))
        {
            Interlocked.Increment(ref _dropped);
        }
    }

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

    private sealed record DeadLetter(DateTimeOffset Time, string Source, string Reason, string Detail, string Payload);
}
