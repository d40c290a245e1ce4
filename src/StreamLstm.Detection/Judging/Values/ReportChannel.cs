using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values;

/// <summary>The indicators behind the reported score.</summary>
internal enum ReportChannel
{
    /// <summary>The last three or so values are not what was forecast for them 24 steps before.</summary>
    Ahead24,

    /// <summary>The last values stay on one side of the one-step forecasts.</summary>
    Drift1,

    /// <summary>The last values stay on one side of what was forecast six steps before.</summary>
    Drift6,

    /// <summary>The last values stay on one side of what was forecast twenty-four steps before.</summary>
    Drift24,

    /// <summary>The value, its recent means and what was forecast for it have never stood together like this.</summary>
    Context,

    /// <summary>The value lies beyond everything seen.</summary>
    Range,

    /// <summary>The value is rare in this stream.</summary>
    Rarity,

    /// <summary>The last values are rarer than the stream's values are together.</summary>
    Scatter,

    /// <summary>The value and its recent means have never stood together like this.</summary>
    Means,

    /// <summary>The last 32 values have a new shape, whatever their size.</summary>
    Shape,

    /// <summary>The last period differs from every one before.</summary>
    Period,

    /// <summary>The last half of a period differs from every one before.</summary>
    HalfPeriod,
}
