using System.Globalization;
using NWaves.Filters.Fda;
using NWaves.Transforms;
using NWaves.Windows;

namespace StreamLstm.Features.Audio;

/// <summary>Sound into records: how loud it is in each of the bands in which ears hear, a few times a second.</summary>
/// <remarks>
/// Frames of about 64 ms, half of each in the next, under a Hann window; the power of each in triangular bands on the mel scale (Stevens,
/// Volkmann and Newman 1937), its mean over an interval in decibels of full scale. Beside the bands the crest: how far the loudest sample stands above the
/// root of the mean square, which tells clicks from hiss. One microphone's, in order.
/// </remarks>
public sealed class LogMelBands
{
    /// <summary>Bands by default, from 40 Hz to half the rate.</summary>
    public const int BandsDefault = 24;

    private const double FrameSeconds = 0.064;
    private const double LowHz = 40;

    /// <summary>Power below which nothing is told apart: -100 dB of full scale.</summary>
    private const float PowerMin = 1e-10f;

    private readonly int _frame;
    private readonly int _hop;
    private readonly int _intervalSamples;
    private readonly RealFft _fft;
    private readonly float[] _window;
    private readonly float[][] _filters;
    private readonly float[] _recent;
    private readonly float[] _windowed;
    private readonly float[] _spectrum;
    private readonly float[] _energies;
    private readonly double[] _sums;
    private int _filled;
    private int _frames;
    private long _samples;
    private double _squares;
    private float _peak;

    /// <param name="rate">Samples a second.</param>
    /// <param name="bands">Bands, 2 to 64.</param>
    /// <param name="interval">Time of a record: 0.1 s or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A setting is outside its range.</exception>
    public LogMelBands(int rate, int bands, TimeSpan interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rate, PcmFormat.RateMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rate, PcmFormat.RateMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(bands, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bands, 64);
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, TimeSpan.FromSeconds(0.1));
        _frame = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(0.75 * FrameSeconds * rate));
        _hop = _frame / 2;
        _intervalSamples = Math.Max(_frame, (int)(interval.TotalSeconds * rate));
        _fft = new RealFft(_frame);
        _window = Window.OfType(WindowType.Hann, _frame);
        (double, double, double)[] edges = FilterBanks.MelBands(bands, rate, LowHz, rate / 2.0);
        _filters = FilterBanks.Triangular(_frame, rate, edges);
        Columns = [.. edges.Select(edge => string.Create(CultureInfo.InvariantCulture, $"{edge.Item2:00000} Hz")), "crest"];
        _recent = new float[_frame];
        _windowed = new float[_frame];
        _spectrum = new float[_frame / 2 + 1];
        _energies = new float[bands];
        _sums = new double[bands];
        Interval = TimeSpan.FromSeconds((double)_intervalSamples / rate);
    }

    /// <summary>A record's columns: the bands by the middle of each, then the crest; all in decibels.</summary>
    public string[] Columns { get; }

    /// <summary>Time of a record, to the sample.</summary>
    public TimeSpan Interval { get; }

    /// <summary>Takes samples.</summary>
    /// <param name="samples">The next ones, full scale being 1.</param>
    /// <param name="take">Told each record that is whole (columns), and where it ends, in samples since the beginning. The values are its to keep.</param>
    public void Take(ReadOnlySpan<float> samples, Action<double[], long> take)
    {
        foreach (float sample in samples)
        {
            _recent[_filled++] = sample;
            _squares += (double)sample * sample;
            _peak = Math.Max(_peak, Math.Abs(sample));
            _samples++;

            if (_filled == _frame)
            {
                TakeFrame();
                _recent.AsSpan(_hop).CopyTo(_recent);
                _filled = _hop;
            }

            if (_samples % _intervalSamples == 0 && _frames > 0)
            {
                take(Record(), _samples);
            }
        }
    }

    private void TakeFrame()
    {
        for (int i = 0; i < _frame; i++)
        {
            _windowed[i] = _recent[i] * _window[i];
        }

        _fft.PowerSpectrum(_windowed, _spectrum, normalize: true);
        FilterBanks.Apply(_filters, _spectrum, _energies);

        for (int band = 0; band < _energies.Length; band++)
        {
            _sums[band] += _energies[band];
        }

        _frames++;
    }

    private double[] Record()
    {
        var record = new double[Columns.Length];

        for (int band = 0; band < _sums.Length; band++)
        {
            record[band] = Decibels(_sums[band] / _frames);
        }

        record[^1] = Decibels((double)_peak * _peak) - Decibels(_squares / _intervalSamples);
        Array.Clear(_sums);
        (_frames, _squares, _peak) = (0, 0, 0);
        return record;
    }

    private static double Decibels(double power) => 10 * Math.Log10(Math.Max(power, PowerMin));
}
