using System.Globalization;
using StreamLstm.Detection.Incidents;

namespace StreamLstm.Detection.Scoring;

/// <summary>The indicators whose calibrated scores are combined. All are in nats, or grow like them.</summary>
internal enum Channel
{
    /// <summary>The next value was surprising: -ln of its tail under the one-step forecast.</summary>
    Forecast,

    /// <summary>The last values stay on one side of the one-step forecasts.</summary>
    Drift1,

    /// <summary>The last values stay on one side of what was forecast six steps before.</summary>
    Drift6,

    /// <summary>The last values stay on one side of what was forecast twenty-four steps before.</summary>
    Drift24,

    /// <summary>The last values stay on one side of those one season before.</summary>
    Season,

    /// <summary>The one-step errors are larger than they were.</summary>
    Volatility,

    /// <summary>The value is rare in this stream: -ln of its tail among all values.</summary>
    Rarity,

    /// <summary>The value lies beyond everything seen.</summary>
    Range,

    /// <summary>The values stopped changing.</summary>
    Flatline,

    /// <summary>The value and its recent means have never stood together like this.</summary>
    Shape,
}

/// <summary>What events and pages call the channels, and say of them.</summary>
internal static class Channels
{
    public static readonly int Count = Enum.GetValues<Channel>().Length;

    private static readonly string[] Names =
        [.. Enum.GetNames<Channel>().Select(name => name.ToLowerInvariant())];

    public static string Name(Channel channel) => Names[(int)channel];

    /// <summary>What it means, for people, that this channel speaks loudest.</summary>
    public static string Sentence(Channel channel, int flatRows) => channel switch
    {
        Channel.Forecast => "not what the network expected here",
        Channel.Season => "the values stay on one side of those a season before",
        Channel.Drift1 or Channel.Drift6 or Channel.Drift24 => "the values stay on one side of the forecasts",
        Channel.Volatility => "the values scatter more than forecast",
        Channel.Rarity => "a rare value for this stream",
        Channel.Range => "beyond everything this stream has shown",
        Channel.Flatline => string.Create(CultureInfo.InvariantCulture, $"unchanged for {flatRows} observations"),
        _ => "the value and its recent averages never stood together like this",
    };

    /// <summary>What kind of incident this channel speaks of.</summary>
    public static IncidentKind KindOf(Channel channel) => channel switch
    {
        Channel.Forecast => IncidentKind.Contextual,
        Channel.Season or Channel.Drift1 or Channel.Drift6 or Channel.Drift24 => IncidentKind.LevelShift,
        Channel.Rarity => IncidentKind.Point,
        Channel.Range => IncidentKind.Range,
        Channel.Flatline => IncidentKind.Flatline,
        _ => IncidentKind.Pattern,
    };
}
