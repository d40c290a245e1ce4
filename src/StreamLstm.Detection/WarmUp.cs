using System.Globalization;

namespace StreamLstm.Detection;

/// <summary>Why a stream may not alert yet, and how long that lasts.</summary>
/// <param name="Rows">Observations of the warm-up that have come.</param>
/// <param name="RowsNeeded">Observations it takes.</param>
/// <param name="IntervalSeconds">Usual time between two of them, in seconds; null where it is not known, or the stream replays the past.</param>
/// <param name="IsAfterGap">Whether it is the short one after a long gap, not the one at a stream's beginning.</param>
public readonly record struct WarmUp(long Rows, long RowsNeeded, double? IntervalSeconds, bool IsAfterGap)
{
    /// <summary>Seconds until it is done at that interval; null where that is not known.</summary>
    public double? EtaSeconds => IntervalSeconds is { } interval ? Math.Round((RowsNeeded - Rows) * interval, 1) : null;

    /// <summary>The same for people: "218 of 400 observations; at one every 1.0 s about 3 min 2 s to go".</summary>
    public string Reason
    {
        get
        {
            string reason = string.Create(
                CultureInfo.InvariantCulture, $"{Rows} of {RowsNeeded} observations{(IsAfterGap ? " since a long gap" : "")}");
            return EtaSeconds is { } seconds
                ? string.Create(CultureInfo.InvariantCulture, $"{reason}; at one every {Words(IntervalSeconds!.Value)} about {Words(Math.Round(seconds))} to go")
                : reason;
        }
    }

    /// <summary>The same of a stream that has stopped sending: no time is told.</summary>
    public WarmUp Standing() => this with { IntervalSeconds = null };

    /// <summary>A length of time in its two largest units.</summary>
    private static string Words(double seconds) => seconds switch
    {
        < 0.95 => seconds.ToString("0.0##", CultureInfo.InvariantCulture) + " s",
        < 9.5 => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        < 60 => seconds.ToString("0", CultureInfo.InvariantCulture) + " s",
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 60} min {(long)seconds % 60} s"),
        < 86_400 => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 3600} h {(long)seconds % 3600 / 60} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(long)seconds / 86_400} d {(long)seconds % 86_400 / 3600} h"),
    };
}
