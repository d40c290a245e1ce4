namespace StreamLstm.Daemon.Sources;

/// <summary>A file that never ends: at its end it waits for more, and starts over where it was rotated or cut.</summary>
internal sealed class FollowingStream(string path, TimeProvider time) : Stream
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private FileStream? _file;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException("a followed file has no length");

    public override long Position
    {
        get => throw new NotSupportedException("a followed file has no position");
        set => throw new NotSupportedException("a followed file has no position");
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (_file is null && File.Exists(path))
            {
                _file = Open();
            }

            if (_file is not null)
            {
                int read = await _file.ReadAsync(buffer, cancellationToken);

                if (read > 0)
                {
                    return read;
                }

                if (WasReplaced())
                {
                    await _file.DisposeAsync();
                    _file = null;
                    continue;
                }
            }

            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("a followed file is read forward");

    public override void SetLength(long value) => throw new NotSupportedException("a followed file is only read");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("a followed file is only read");

    protected override void Dispose(bool disposing)
    {
        _file?.Dispose();
        base.Dispose(disposing);
    }

    private FileStream Open() =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, useAsync: false);

    /// <summary>Whether the file became shorter than what was read (cut), or its name now stands for another one (rotated).</summary>
    private bool WasReplaced()
    {
        if (_file!.Length < _file.Position)
        {
            return true;
        }

        // Linux says what an open file is called now: its new name after a rename, "... (deleted)" after a removal.
        string descriptor = $"/proc/self/fd/{_file.SafeFileHandle.DangerousGetHandle()}";
        return OperatingSystem.IsLinux()
            && File.ResolveLinkTarget(descriptor, returnFinalTarget: false) is { } target
            && target.FullName != Path.GetFullPath(path)
            && File.Exists(path);
    }
}
