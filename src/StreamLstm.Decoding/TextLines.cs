using System.Text;
using StreamLstm.Detection;

namespace StreamLstm.Decoding;

/// <summary>Reads lines of plain text: names, commands, prose. Each is one observation, as it is.</summary>
internal static class TextLines
{
    /// <summary>Characters of one observation, as many as are judged: what is longer becomes several.</summary>
    public const int CharactersMax = 256;

    /// <summary>Adds a line; one without anything but blanks adds nothing.</summary>
    public static void Decode(string line, int number, string stream, Decoded decoded)
    {
        if (line.Contains('\0', StringComparison.Ordinal))
        {
            decoded.Reject(number, "holds a NUL character, expected text", line[..Math.Min(line.Length, 1024)]);
            return;
        }

        string text = line.TrimEnd('\r');

        for (int first = 0; first < text.Length;)
        {
            int length = Math.Min(CharactersMax, text.Length - first);

            // A character of two parts stays whole.
            length -= first + length < text.Length && char.IsHighSurrogate(text[first + length - 1]) ? 1 : 0;
            string piece = text.Substring(first, length);
            first += length;

            if (!string.IsNullOrWhiteSpace(piece))
            {
                decoded.Add(stream, null, new TextEvent(piece) { IsCharacters = true });
            }
        }
    }

    /// <summary>Adds all lines of a message.</summary>
    public static void DecodeAll(ReadOnlySpan<byte> payload, string stream, Decoded decoded)
    {
        int number = 1;

        foreach (string line in Encoding.UTF8.GetString(payload).Split('\n'))
        {
            Decode(line, number++, stream, decoded);
        }
    }
}
