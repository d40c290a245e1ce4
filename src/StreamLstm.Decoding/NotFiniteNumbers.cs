namespace StreamLstm.Decoding;

/// <summary>NaN, Infinity and -Infinity where JSON has values: JSON has no such numbers, and some devices write them all the same.</summary>
internal static class NotFiniteNumbers
{
    private static readonly byte[][] Words = ["-Infinity"u8.ToArray(), "Infinity"u8.ToArray(), "-inf"u8.ToArray(), "inf"u8.ToArray(), "-nan"u8.ToArray(), "nan"u8.ToArray(), "NaN"u8.ToArray()];

    /// <summary>The document with null in their places, and how many there were; null where there were none.</summary>
    public static (byte[] Json, int Count)? Replaced(ReadOnlySpan<byte> json)
    {
        using var replaced = new MemoryStream(json.Length);
        int count = 0;
        bool isQuoted = false;

        for (int i = 0; i < json.Length; i++)
        {
            if (json[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (json[i] == '\\' && isQuoted && i + 1 < json.Length)
            {
                replaced.WriteByte(json[i++]);
            }
            else if (!isQuoted && WordAt(json[i..]) is > 0 and var length)
            {
                replaced.Write("null"u8);
                count++;
                i += length - 1;
                continue;
            }

            replaced.WriteByte(json[i]);
        }

        return count > 0 ? (replaced.ToArray(), count) : null;
    }

    private static int WordAt(ReadOnlySpan<byte> rest)
    {
        foreach (byte[] word in Words)
        {
            if (rest.StartsWith(word))
            {
                return word.Length;
            }
        }

        return 0;
    }
}
