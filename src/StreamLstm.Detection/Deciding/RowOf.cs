using StreamLstm.Detection.Judging;

namespace StreamLstm.Detection.Deciding;

/// <summary>One row of a stream, as far as a decision needs it.</summary>
internal readonly record struct RowOf
{
    public required long Row { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>Where the stream stands.</summary>
    public required Lifecycle Lifecycle { get; init; }

    /// <summary>What keeps the stream from alerting at all: a warm-up or a gap.</summary>
    public SuppressedBy KeptBack { get; init; }

    /// <summary>For how many rows more.</summary>
    public long KeptBackRows { get; init; }

    /// <summary>The usual gap between two observations; NaN while unknown.</summary>
    public required double IntervalSeconds { get; init; }

    /// <summary>The version of the base weights in service.</summary>
    public required long ModelVersion { get; init; }

    /// <summary>The row before it.</summary>
    public RowOf LastOne => this with { Row = Row - 1 };

    /// <summary>What is told of it where nothing came.</summary>
    public Telling Silence(double score, IndicatorWords words) =>
        new()
        {
            Row = Row,
            Time = Time,
            Score = score,
            Words = words,
            ModelVersion = ModelVersion,
            IntervalSeconds = double.IsNaN(IntervalSeconds) ? null : IntervalSeconds,
        };
}
