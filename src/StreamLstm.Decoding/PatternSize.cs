namespace StreamLstm.Decoding;

/// <summary>About how many states a regular expression takes once its counts are written out: what each character of a line costs.</summary>
/// <remarks>[ab]{2000} is 2,000 of them, and (a{100}){100} 10,000. What is not understood counts as a character, so it is never far too small.</remarks>
internal static class PatternSize
{
    public static long Of(string pattern)
    {
        var open = new Stack<(long Size, long Last)>();
        long size = 0, last = 0;   // of the group so far without its last part, and of that part

        for (int i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '\\':
                    i++;
                    (size, last) = (size + last, 1);
                    break;
                case '[':
                    i = EndOfClass(pattern, i);
                    (size, last) = (size + last, 1);
                    break;
                case '(':
                    open.Push((size, last));
                    (size, last) = (0, 0);
                    break;
                case ')' when open.TryPop(out (long Size, long Last) outer):
                    (size, last) = (outer.Size + outer.Last, size + last + 1);
                    break;
                case '{' when CountAt(pattern, i) is var (count, length) && length > 0:
                    last = Math.Min(last * Math.Max(count, 1), long.MaxValue / 1_000_000);
                    i += length - 1;
                    break;
                default:
                    (size, last) = (size + last, 1);
                    break;
            }
        }

        return size + last + open.Sum(group => group.Size + group.Last);
    }

    private static int EndOfClass(string pattern, int at)
    {
        for (int i = at + 1, first = at + (at + 1 < pattern.Length && pattern[at + 1] == '^' ? 2 : 1); i < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
            {
                i++;
            }
            else if (pattern[i] == ']' && i > first)
            {
                return i;
            }
        }

        return pattern.Length;
    }

    /// <summary>The larger number of {n}, {n,} or {n,m}, and how long that is; no length where it is none.</summary>
    private static (long Count, int Length) CountAt(string pattern, int at)
    {
        int end = pattern.IndexOf('}', at);
        string[] parts = end < 0 ? [] : pattern[(at + 1)..end].Split(',');
        return parts.Length is 1 or 2 && long.TryParse(parts[0], out long from) && (parts.Length == 1 || parts[1].Length == 0 || long.TryParse(parts[1], out _))
            ? (Math.Min(parts is [_, { Length: > 0 } to] ? long.Parse(to) : from, 1_000_000), end - at + 1)
            : (0, 0);
    }
}
