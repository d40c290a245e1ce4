using System.Globalization;

namespace StreamLstm.Daemon.Sources.Host;

/// <summary>The kernel's way of writing figures: lines of words.</summary>
internal static class ProcText
{
    public static IEnumerable<string[]> Lines(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

            if (words.Length > 0)
            {
                yield return words;
            }
        }
    }

    /// <summary>The number, or NaN where it is none.</summary>
    public static double Number(string word) =>
        double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : double.NaN;
}
