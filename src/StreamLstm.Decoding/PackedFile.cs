using System.IO.Compression;

namespace StreamLstm.Decoding;

/// <summary>Files that are packed with gzip, known by their name.</summary>
internal static class PackedFile
{
    private const string Ending = ".gz";

    public static bool Is(string path) => path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);

    /// <summary>The name of what is in it; the file's own where it is not packed.</summary>
    public static string Inside(string path) => Is(path) ? path[..^Ending.Length] : path;

    /// <summary>A file's text, from its beginning.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or no gzip.</exception>
    public static FileStream Open(string path) => Is(path) ? Unpack(File.OpenRead(path)) : File.OpenRead(path);

    /// <summary>Unpacks into a file without a name, which goes when it is closed: what reads it goes back in it.</summary>
    /// <param name="packed">From its beginning to its end.</param>
    /// <exception cref="InvalidDataException">It is damaged, or no gzip.</exception>
    public static FileStream Unpack(Stream packed)
    {
        var unpacked = new FileStream(
            Path.Combine(Path.GetTempPath(), $"streamlstm-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read, 65_536, FileOptions.DeleteOnClose);

        try
        {
            using (var zip = new GZipStream(packed, CompressionMode.Decompress))
            {
                zip.CopyTo(unpacked);
            }

            unpacked.Flush();
            unpacked.Position = 0;
            return unpacked;
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }
}
