using System.Globalization;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

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
    /// <summary>Channels of one clock.</summary>
    public static readonly int Count = Enum.GetValues<Channel>().Length;

    /// <summary>Channels of both clocks of a stream: those of the coarse one follow.</summary>
    public static readonly int AllCount = 2 * Count;

    private static readonly string[] Names =
    [
        .. Enum.GetNames<Channel>().Select(name => name.ToLowerInvariant()),
        .. Enum.GetNames<Channel>().Select(name => $"coarse_{name.ToLowerInvariant()}"),
    ];

    /// <summary>What explanations call them.</summary>
    public static readonly IndicatorWords Words = new(Name, Sentence);

    /// <param name="channel">The channel, counted over both clocks.</param>
    public static string Name(int channel) => Names[channel];

    /// <summary>What it means, for people, that this channel speaks loudest.</summary>
    /// <param name="channel">The channel, counted over both clocks.</param>
    /// <param name="flatRows">Rows the values have not changed for.</param>
    public static string Sentence(int channel, int flatRows) => channel < Count
        ? Sentence((Channel)channel, flatRows)
        : string.Create(CultureInfo.InvariantCulture, $"in means of {CoarseClock.Values} observations: {Sentence((Channel)(channel - Count), flatRows)}");

    /// <summary>What kind of incident this channel speaks of.</summary>
    /// <param name="channel">The channel, counted over both clocks.</param>
    public static IncidentKind KindOf(int channel) => channel < 0 ? IncidentKind.Point : KindOf((Channel)(channel % Count));

    /// <summary>What incidents of a kind have in common with others: one value far off is that, whichever indicator says so loudest.</summary>
    public static int LikenessOf(IncidentKind kind) => kind switch
    {
        IncidentKind.Contextual or IncidentKind.Range => (int)IncidentKind.Point,
        _ => (int)kind,
    };

    private static string Sentence(Channel channel, int flatRows) => channel switch
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

    private static IncidentKind KindOf(Channel channel) => channel switch
    {
        Channel.Forecast => IncidentKind.Contextual,
        Channel.Season or Channel.Drift1 or Channel.Drift6 or Channel.Drift24 => IncidentKind.LevelShift,
        Channel.Rarity => IncidentKind.Point,
        Channel.Range => IncidentKind.Range,
        Channel.Flatline => IncidentKind.Flatline,
        _ => IncidentKind.Pattern,
    };
}
