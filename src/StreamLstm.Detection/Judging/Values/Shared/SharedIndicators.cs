using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using StreamLstm.Detection.Scoring;

namespace StreamLstm.Detection.Judging.Values.Shared;

/// <summary>What a measure is counted in.</summary>
internal enum MeasureUnit
{
    /// <summary>The stream's own differences.</summary>
    Values,

    /// <summary>Normal scores and logarithms.</summary>
    Scores,

    /// <summary>Rows.</summary>
    Rows,
}

/// <summary>What a stream in shared form asks of each value: those of <see cref="Indicator"/> that need no past but a few means.</summary>
internal struct SharedIndicators
{
    /// <summary>Normal scores beyond this say no more in a mean, and none is beyond that.</summary>
    private const float NormalScoreMax = 6;
    private const double NormalScoreFarthest = 12;

    /// <summary>Steps beyond so many deviations count for that many in a mean.</summary>
    private const float StepMax = 50;

    /// <summary>Mean deviations from the middle at which the value is on its other side.</summary>
    private const float Apart = 0.8f;

    /// <summary>Rows for which the length of a stay that is over is told.</summary>
    private const int ToldRows = 4;

    /// <summary>Rows before what is usual of steps and of the middle means something.</summary>
    private const int UsualRows = 256;

    /// <summary>What is asked, in this order; the first are of the last value, the simplest first.</summary>
    public static readonly Indicator[] Asked =
    [
        Indicator.Step, Indicator.Level, Indicator.Forecast1, Indicator.Forecast6, Indicator.Lasting1, Indicator.Lasting6,
        Indicator.Rarity, Indicator.CalendarJump, Indicator.Calendar8, Indicator.Calendar32, Indicator.Scatter,
        Indicator.Quiet, Indicator.Standstill, Indicator.StayLong, Indicator.StayShort,
    ];

    private const int Step = 0, Level = 1, Forecast1 = 2, Forecast6 = 3, Lasting1 = 4, Lasting6 = 5, Rarity = 6, CalendarJump = 7;
    private const int Calendar8 = 8, Calendar32 = 9, Scatter = 10, Quiet = 11, Standstill = 12, StayLong = 13, StayShort = 14;

    /// <summary>Indicators there are.</summary>
    public const int Count = 15;

    /// <summary>What is measured for them: rarity and stays on either side of the middle by themselves.</summary>
    public const int Measures = Count + 2;

    private const int RarityBelow = Count, StayBelow = Count + 1;

    private static readonly MeasureUnit[] Units = [.. Enumerable.Range(0, Measures).Select(measure => measure switch
    {
        Forecast1 or Forecast6 or Lasting1 or Lasting6 or Quiet => MeasureUnit.Scores,
        Standstill or StayLong or StayShort or StayBelow => MeasureUnit.Rows,
        _ => MeasureUnit.Values,
    })];

    private static readonly double[] Leasts = [.. Enumerable.Range(0, Measures).Select(measure => measure switch
    {
        StayShort => 2e-5,
        Standstill or StayLong or StayBelow => 1,
        _ => 2e-3,
    })];

    private float _last, _level, _mean32;
    private float _last1, _last6;
    private float _base, _calendar8, _calendar32;
    private float _steps, _usualSteps;
    private float _middle, _deviation;
    private float _short;
    private ushort _unchanged;
    private ushort _stay;
    private ushort _rows;
    private sbyte _told;
    private bool _isAbove;

    /// <summary>Rows in which the value did not change.</summary>
    public readonly int UnchangedRows => _unchanged;

    /// <summary>Rows for which it has been on this side of its middle.</summary>
    public readonly int StayRows => _stay;

    /// <summary>The usual size of a step.</summary>
    public readonly float UsualStep => _usualSteps;

    /// <summary>The mean difference from what is usual at this time of the day.</summary>
    public readonly float DayOffset => _calendar32;

    /// <summary>The value's mean distance from its middle.</summary>
    public readonly float Deviation => _deviation;

    public static MeasureUnit UnitOf(int measure) => Units[measure];

    /// <summary>The least level of a measure that is told apart from nothing.</summary>
    public static double LeastOf(int measure) => Leasts[measure];

    /// <summary>The least difference of a measure that means something.</summary>
    /// <param name="measure">Which.</param>
    /// <param name="resolution">The smallest difference between two values, in units of the stream.</param>
    public static double DifferenceOf(int measure, double resolution) => measure switch
    {
        Forecast1 or Forecast6 => 0.4,
        Lasting1 or Lasting6 => 0.15,
        Quiet => 0.3,
        Standstill or StayLong or StayBelow => 3,
        StayShort => 1e-3,
        _ => Math.Max(0.02, resolution),
    };

    /// <summary>The measure behind an indicator: of two sides that on which the value is.</summary>
    public readonly int MeasureOf(int indicator, float value) => indicator switch
    {
        Rarity => value >= _middle ? Rarity : RarityBelow,
        StayLong => _isAbove ? StayLong : StayBelow,
        _ => indicator,
    };

    /// <summary>The first value, or the first of another meaning.</summary>
    public void Begin(float value) => (_last, _level, _mean32, _middle) = (value, value, value, value);

    /// <summary>Looks at a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="usualNow">What is usual at this time of the day; NaN while unknown.</param>
    /// <param name="tail1">Its tail under the forecast of the row before; null where there was none.</param>
    /// <param name="tail6">The same of six rows before.</param>
    /// <param name="unit">What differences are counted in.</param>
    /// <param name="resolution">The smallest difference between two values.</param>
    /// <param name="measures">(measures): what each comes to, differences in units; NaN where it has nothing to say.</param>
    public void Observe(float value, float usualNow, Tail? tail1, Tail? tail6, float unit, float resolution, Span<float> measures)
    {
        measures.Fill(float.NaN);
        float step = value - _last;
        measures[Step] = Math.Abs(step) / unit;
        measures[Level] = Math.Abs(value - _level) / unit;
        _level += 0.2f * (value - _level);

        if (tail1 is { } one)
        {
            float z = (float)one.NormalScore(NormalScoreFarthest);
            measures[Forecast1] = Math.Abs(z);
            _last1 += 0.2f * (Math.Clamp(z, -NormalScoreMax, NormalScoreMax) - _last1);
            measures[Lasting1] = Math.Abs(_last1);
        }

        if (tail6 is { } six)
        {
            float z = (float)six.NormalScore(NormalScoreFarthest);
            measures[Forecast6] = Math.Abs(z);
            _last6 += 0.2f * (Math.Clamp(z, -NormalScoreMax, NormalScoreMax) - _last6);
            measures[Lasting6] = Math.Abs(_last6);
        }

        _rows = (ushort)Math.Min(_rows + 1, ushort.MaxValue);
        AskMiddle(value, unit, measures);
        AskDay(value, usualNow, unit, measures);
        float size = Math.Min(Math.Abs(step), StepMax * unit);
        _steps += 0.06f * (size - _steps);
        _usualSteps += Math.Max(0.002f, 1f / _rows) * (Math.Min(size, _rows < UsualRows ? size : 5 * _usualSteps + 0.01f * unit) - _usualSteps);
        measures[Scatter] = _steps / unit;
        _unchanged = step == 0 ? (ushort)Math.Min(_unchanged + 1, ushort.MaxValue) : (ushort)0;
        measures[Standstill] = _unchanged;

        if (_rows > UsualRows)
        {
            measures[Quiet] = Math.Max(0, MathF.Log((_usualSteps + 1.5f * resolution + 1e-30f) / (_steps + 1.5f * resolution + 1e-30f)));
        }

        _last = value;
    }

    /// <summary>A new level is normal: means that lag behind it begin there.</summary>
    public void Accept()
    {
        (_base, _calendar8, _calendar32) = (0, 0, 0);
        _middle = _mean32;
        _stay = 0;
    }

    public readonly void Save(BinaryWriter writer)
    {
        SharedIndicators me = this;
        writer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<SharedIndicators>(ref me)));
    }

    public void Load(BinaryReader reader) => reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(new Span<SharedIndicators>(ref this)));

    private void AskMiddle(float value, float unit, Span<float> measures)
    {
        float weight = Math.Max(1 / 512f, 1f / _rows), away = value - _middle;
        measures[away >= 0 ? Rarity : RarityBelow] = Math.Abs(away) / unit;
        _mean32 += 0.06f * (value - _mean32);
        float far = 5 * _deviation;
        away = _rows < UsualRows ? away : Math.Clamp(away, -far, far);
        _middle += weight * away;
        _deviation += weight * (Math.Abs(away) - _deviation);

        if (_rows < UsualRows)
        {
            return;
        }

        _stay = (ushort)Math.Min(_stay + 1, ushort.MaxValue);
        _told -= (sbyte)(_told > 0 ? 1 : 0);

        if (_isAbove ? value < _middle - Apart * _deviation : value > _middle + Apart * _deviation)
        {
            (_isAbove, _short, _told, _stay) = (!_isAbove, 1f / _stay, ToldRows, 1);
        }

        measures[_isAbove ? StayLong : StayBelow] = _stay;
        measures[StayShort] = _told > 0 ? _short : float.NaN;
    }

    private void AskDay(float value, float usualNow, float unit, Span<float> measures)
    {
        if (float.IsNaN(usualNow))
        {
            return;
        }

        float difference = value - usualNow;
        measures[CalendarJump] = Math.Abs(difference - _base) / unit;
        _base += 0.1f * (difference - _base);
        _calendar8 += 0.2f * (difference - _calendar8);
        _calendar32 += 0.05f * (difference - _calendar32);
        measures[Calendar8] = Math.Abs(_calendar8) / unit;
        measures[Calendar32] = Math.Abs(_calendar32) / unit;
    }
}
