using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>A window for the retrainer that a stream in shared form writes down row by row, as it keeps too few values to cut one out of.</summary>
/// <remarks>
/// Ten kilobytes, so a stream writes one of <see cref="Every"/> windows, each another one: of many streams together that is more than
/// a training can use. No part of a snapshot: a window that is under way at a stop is lost, and no score depends on it.
/// </remarks>
internal sealed class WindowUnderWay
{
    private const int Every = 128;

    private readonly float[] _inputs = new float[TrainingWindow.Rows * ForecastInput.Size];
    private readonly int[] _anchors = new int[TrainingWindow.Rows * ForecastInput.Anchors];
    private readonly int[] _targets = new int[TrainingWindow.Rows * ForecastInput.Horizons.Length];
    private DateTimeOffset _from;
    private int _rows;

    private WindowUnderWay() => _targets.AsSpan().Fill(-1);

    /// <summary>A window that begins with a row; null where none does.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="row">The row.</param>
    public static WindowUnderWay? At(string stream, long row) =>
        row % TrainingWindow.Rows == 0 && row / TrainingWindow.Rows % Every == SeededRandom.Of(stream, seed: 0).Next(Every) ? new WindowUnderWay() : null;

    /// <summary>Takes a clean row.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="time">The row's time.</param>
    /// <param name="bin">The bin of its value.</param>
    /// <param name="input">What the network is told: (inputs).</param>
    /// <param name="anchors">(anchors).</param>
    /// <returns>The window, once it is whole.</returns>
    public TrainingWindow? Add(string stream, DateTimeOffset time, int bin, ReadOnlySpan<float> input, ReadOnlySpan<int> anchors)
    {
        int horizons = ForecastInput.Horizons.Length;

        for (int h = 0; h < horizons; h++)
        {
            if (_rows >= ForecastInput.Horizons[h])
            {
                _targets[(_rows - ForecastInput.Horizons[h]) * horizons + h] = bin;
            }
        }

        input.CopyTo(_inputs.AsSpan(_rows * ForecastInput.Size));
        anchors.CopyTo(_anchors.AsSpan(_rows * ForecastInput.Anchors));
        _from = _rows == 0 ? time : _from;
        _rows++;
        return _rows < TrainingWindow.Rows ? null : new TrainingWindow(_inputs, _anchors, _targets) { Stream = stream, From = _from, To = time };
    }
}
