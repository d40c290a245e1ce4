using System.Globalization;

namespace StreamLstm.Detection.Deciding;

/// <summary>Numbers as people write them: five figures, thousands apart, no exponent where it can be helped.</summary>
internal static class Figures
{
    /// <summary>Sizes beyond which a number is written with an exponent.</summary>
    private const double Largest = 1e15, Smallest = 1e-6;

    private const int Digits = 5;

    /// <summary>Integers below this are written whole.</summary>
    private const double Whole = 1e9;

    public static string Of(double? number)
    {
        if (number is not { } value || !double.IsFinite(value))
        {
            return "nothing";
        }

        double size = Math.Abs(value);

        if (size is not 0 and (>= Largest or < Smallest))
        {
            return value.ToString("0.####e0", CultureInfo.InvariantCulture);
        }

        if (size == 0 || (size < Whole && value == Math.Truncate(value)))
        {
            return value.ToString("#,0", CultureInfo.InvariantCulture);
        }

        int before = (int)Math.Floor(Math.Log10(size)) + 1;
        int decimals = Digits - before;

        if (decimals < 0)
        {
            double unit = Math.Pow(10, -decimals);
            return (Math.Round(value / unit) * unit).ToString("#,0", CultureInfo.InvariantCulture);
        }

        return Math.Round(value, Math.Min(decimals, 15)).ToString("#,0." + new string('#', decimals), CultureInfo.InvariantCulture);
    }

    /// <summary>"1 observation", "12 observations".</summary>
    public static string Count(long number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:#,0} {what}{(number == 1 ? "" : "s")}");

    /// <summary>A length of time in its two largest units.</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 0.95 => seconds.ToString("0.0##", CultureInfo.InvariantCulture) + " s",
        < 9.5 => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        < 60 => seconds.ToString("0", CultureInfo.InvariantCulture) + " s",
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 60} min {(long)seconds % 60} s"),
        < 86_400 => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 3600} h {(long)seconds % 3600 / 60} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 86_400} d {(long)seconds % 86_400 / 3600} h"),
    };
}
