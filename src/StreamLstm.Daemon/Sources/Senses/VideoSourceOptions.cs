using StreamLstm.Decoding;
using StreamLstm.Features.Video;

namespace StreamLstm.Daemon.Sources.Senses;

/// <summary>Pictures out of a file, a pipe or standard input: a byte a point, one picture behind the other, as ffmpeg -pix_fmt gray -f rawvideo writes them.</summary>
internal sealed class VideoSourceOptions
{
    /// <summary>A file, a named pipe, or - for standard input.</summary>
    [Required]
    public string Path { get; init; } = "";

    /// <summary>The stream's name.</summary>
    [Required]
    public string Stream { get; init; } = "video";

    /// <summary>Points of a row.</summary>
    [Range(16, FrameBlocks.SideMax)]
    public int Width { get; init; } = 160;

    /// <summary>Rows of points.</summary>
    [Range(16, FrameBlocks.SideMax)]
    public int Height { get; init; } = 120;

    /// <summary>Rows of blocks.</summary>
    [Range(1, 6)]
    public int BlockRows { get; init; } = 3;

    /// <summary>Blocks of a row.</summary>
    [Range(1, 7)]
    public int BlockColumns { get; init; } = 4;

    /// <summary>Pictures a second, for the times of a file's.</summary>
    [Range(0.01, 240)]
    public double FramesPerSecond { get; init; } = 5;

    /// <summary>What reads it. A file's records have the times at which it was recorded: it was written when it ended.</summary>
    public IBytesDecoder Decoder()
    {
        var blocks = new FrameBlocks(Width, Height, BlockRows, BlockColumns);
        var file = new FileInfo(Path);
        var interval = TimeSpan.FromSeconds(1 / FramesPerSecond);
        return Path == BytesSource.StandardInput || file.Length == 0
            ? new VideoDecoder(Stream, blocks, start: null, interval)
            : new VideoDecoder(Stream, blocks, file.LastWriteTimeUtc - file.Length / blocks.FrameBytes * interval, interval);
    }
}
