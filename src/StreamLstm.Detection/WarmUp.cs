using System.Globalization;
using StreamLstm.Detection.Deciding;

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
                ? string.Create(CultureInfo.InvariantCulture, $"{reason}; at one every {Figures.Duration(IntervalSeconds!.Value)} about {Figures.Duration(Math.Round(seconds))} to go")
                : reason;
        }
    }

    /// <summary>The same of a stream that has stopped sending: no time is told.</summary>
    public WarmUp Standing() => this with { IntervalSeconds = null };
}
