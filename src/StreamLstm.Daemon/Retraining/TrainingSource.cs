using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Retraining;

/// <summary>A window that weights were trained or judged on: which stream's, and when.</summary>
/// <param name="Stream">The stream's name.</param>
/// <param name="From">Time of its first value, by the observations' own clock.</param>
/// <param name="To">Time of its last.</param>
/// <param name="IsHeldOut">Whether it was never trained on, and judged by.</param>
internal sealed record TrainingSource(string Stream, DateTimeOffset From, DateTimeOffset To, bool IsHeldOut)
{
    /// <summary>All windows of a training, by stream and time.</summary>
    public static IReadOnlyList<TrainingSource> Of(TrainingResult result) =>
    [
        .. result.TrainedOn.Select(window => (Window: window, IsHeldOut: false)).Concat(result.HeldOut.Select(window => (Window: window, IsHeldOut: true)))
            .Select(one => new TrainingSource(one.Window.Stream, one.Window.From, one.Window.To, one.IsHeldOut))
            .OrderBy(source => source.Stream, StringComparer.Ordinal).ThenBy(source => source.From),
    ];
}
