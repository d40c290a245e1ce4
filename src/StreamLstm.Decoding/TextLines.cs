using System.Text;
using StreamLstm.Detection;

namespace StreamLstm.Decoding;

/// <summary>Reads lines of plain text: names, commands, prose. Each is one observation, as it is.</summary>
internal static class TextLines
{
    /// <summary>Characters of one observation, as many as are judged: what is longer becomes several.</summary>
    public const int CharactersMax = 256;

    /// <summary>The same where words are judged; such a line is cut behind a blank where there is one.</summary>
    public const int WordsCharactersMax = 1_024;

    /// <summary>Adds a line; one without anything but blanks adds nothing.</summary>
    /// <param name="line">The line.</param>
    /// <param name="number">Its number, for errors.</param>
    /// <param name="stream">Whose it is.</param>
    /// <param name="isWords">Whether it is judged by its words, and not by its characters.</param>
    /// <param name="decoded">Where it goes.</param>
    public static void Decode(string line, int number, string stream, bool isWords, Decoded decoded)
    {
        if (line.Contains('\0', StringComparison.Ordinal))
        {
            decoded.Reject(number, "holds a NUL character, expected text", line[..Math.Min(line.Length, 1024)]);
            return;
        }

        string text = line.TrimEnd('\r');

        for (int first = 0; first < text.Length;)
        {
            int length = Math.Min(isWords ? WordsCharactersMax : CharactersMax, text.Length - first);

            if (isWords && first + length < text.Length && text.LastIndexOf(' ', first + length - 1, length) is >= 0 and var blank)
            {
                length = blank + 1 - first;
            }

            // A character of two parts stays whole.
            length -= first + length < text.Length && char.IsHighSurrogate(text[first + length - 1]) ? 1 : 0;
            string piece = text.Substring(first, length);
            first += length;

            if (!string.IsNullOrWhiteSpace(piece))
            {
                decoded.Add(stream, null, new TextEvent(piece) { IsCharacters = !isWords, IsWords = isWords });
            }
        }
    }

    /// <summary>Adds all lines of a message.</summary>
    public static void DecodeAll(ReadOnlySpan<byte> payload, string stream, bool isWords, Decoded decoded)
    {
        int number = 1;

        foreach (string line in Encoding.UTF8.GetString(payload).Split('\n'))
        {
            Decode(line, number++, stream, isWords, decoded);
        }
    }
}
