using StreamLstm.Features.Video;

namespace StreamLstm.Decoding;

/// <summary>Pictures one behind the other, a byte a point, as ffmpeg -pix_fmt gray -f rawvideo writes them, into records of blocks (<see cref="FrameBlocks"/>).</summary>
/// <param name="stream">The stream's name.</param>
/// <param name="blocks">How they become records.</param>
/// <param name="start">When the first picture was; null where each record is of the time at which its picture is whole.</param>
/// <param name="interval">Time between two pictures, where <paramref name="start"/> is known.</param>
internal sealed class VideoDecoder(string stream, FrameBlocks blocks, DateTimeOffset? start, TimeSpan interval) : IBytesDecoder
{
    private readonly byte[] _frame = new byte[blocks.FrameBytes];
    private int _filled;
    private long _frames;

    public void Decode(ReadOnlySpan<byte> bytes, Decoded decoded)
    {
        while (!bytes.IsEmpty)
        {
            int taken = Math.Min(bytes.Length, _frame.Length - _filled);
            bytes[..taken].CopyTo(_frame.AsSpan(_filled));
            bytes = bytes[taken..];
            _filled += taken;

            if (_filled < _frame.Length)
            {
                return;
            }

            _filled = 0;
            _frames++;

            if (blocks.Take(_frame) is not { } values)
            {
                continue;
            }

            for (int column = 0; column < values.Length; column++)
            {
                decoded.AddField(blocks.Columns[column], values[column]);
            }

            decoded.EndRecord(stream, start + (_frames - 1) * interval);
        }
    }
}
