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

/// <summary>Names of channels, as events and pages show them.</summary>
internal static class Channels
{
    public static readonly int Count = Enum.GetValues<Channel>().Length;

    private static readonly string[] Names =
        [.. Enum.GetNames<Channel>().Select(name => name.ToLowerInvariant())];

    public static string Name(Channel channel) => Names[(int)channel];
}
