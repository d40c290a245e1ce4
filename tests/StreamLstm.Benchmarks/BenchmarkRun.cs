using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using StreamLstm.Backtesting.Demonstrations;
using StreamLstm.Benchmarks.Sequences;

namespace StreamLstm.Benchmarks;

/// <summary>Times what it is given, on one thread, by that thread's own processor time.</summary>
/// <remarks>
/// The machines this runs on are shared, and one figure may be off by half. So contenders take turns within one run, and
/// what is reported is the median over the rounds of their ratio in the round.
/// </remarks>
/// <param name="output">Where figures are printed.</param>
/// <param name="small">Whether to keep a run within seconds, to show that it works and no more.</param>
/// <param name="pictures">The folder where pictures are drawn; null for none.</param>
internal sealed partial class BenchmarkRun(TextWriter output, bool small, string? pictures = null)
{
    private const int Rounds = 9;

    private readonly TimeSpan _length = TimeSpan.FromSeconds(small ? 0.2 : 4);
    private double _peak;

    /// <summary>Whether to keep a run within seconds, to show that it works and no more.</summary>
    public bool Small => small;

    /// <summary>GFLOP/s of fused multiply-adds on one core, measured in this run.</summary>
    public double Peak => _peak > 0 ? _peak : _peak = MeasurePeak();

    /// <summary>Nanoseconds of processor time that one call takes: the median of the rounds.</summary>
    public double Time(Action action) => Compare(action)[0].Nanoseconds;

    /// <summary>Each contender's time, and the first one's speed in multiples of its own: medians of the rounds.</summary>
    public (double Nanoseconds, double FirstIsFasterBy)[] Compare(params Action[] contenders)
    {
        int[] calls = [.. contenders.Select(Calibrate)];
        var times = new double[contenders.Length][];

        for (int i = 0; i < times.Length; i++)
        {
            times[i] = new double[Rounds];
        }

        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < contenders.Length; i++)
            {
                times[i][round] = Measure(contenders[i], calls[i]) / calls[i];
            }
        }

        return [.. times.Select(time => (Median(time), Median([.. time.Zip(times[0], (other, first) => other / first)])))];
    }

    public void Print(string line) => output.WriteLine(line);

    /// <summary>NAME: X ns, and what that is of the machine's peak.</summary>
    public void Print(string name, double nanoseconds, double flop) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: {nanoseconds:0} ns, {flop / nanoseconds:0.0} GFLOP/s, {100 * flop / nanoseconds / Peak:0} % of peak"));

    /// <summary>Draws a picture, where pictures were asked for.</summary>
    /// <param name="name">Of the file, without what stands behind the point.</param>
    /// <param name="picture">What it shows.</param>
    public void Draw(string name, DemonstrationPicture picture)
    {
        if (pictures is not null)
        {
            Directory.CreateDirectory(pictures);
            SequencePictures.Save(picture, Path.Combine(pictures, $"{name}.png"));
        }
    }

    /// <summary>NAME: X UNIT (goal >= Y) met; the last word from the two numbers as printed.</summary>
    public void Goal(string name, double value, string unit, double goal, bool atLeast = true)
    {
        string shown = value.ToString("0.00", CultureInfo.InvariantCulture);
        double printed = double.Parse(shown, CultureInfo.InvariantCulture);
        bool met = atLeast ? printed >= goal : printed <= goal;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{name}: {shown} {unit} (goal {(atLeast ? ">=" : "<=")} {goal}) {(met ? "met" : "missed")}"));
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    /// <summary>Calls that fill a contender's share of a round; warms it up, too.</summary>
    private int Calibrate(Action action)
    {
        double round = _length.TotalNanoseconds / Rounds;
        int calls = 1;

        while (true)
        {
            double time = Measure(action, calls);

            if (time > round / 4)
            {
                return Math.Max(1, (int)(calls * round / time));
            }

            calls *= 2;
        }
    }

    private static double Measure(Action action, int calls)
    {
        double before = ThreadNanoseconds();

        for (int i = 0; i < calls; i++)
        {
            action();
        }

        return ThreadNanoseconds() - before;
    }

    /// <summary>Processor time of this thread; elsewhere than on Linux, the clock.</summary>
    private static double ThreadNanoseconds() =>
        OperatingSystem.IsLinux() && ClockGetTime(3, out TimeSpec time) == 0
            ? time.Seconds * 1e9 + time.Nanoseconds
            : Stopwatch.GetElapsedTime(0).TotalNanoseconds;

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    private double MeasurePeak()
    {
        const int Iterations = 20_000;
        (int bits, int floats, Action multiply) = Vector512.IsHardwareAccelerated
            ? (512, 16, (Action)(static () => Sink = Peaks.Multiply512(Iterations)))
            : (256, 8, static () => Sink = Peaks.Multiply256(Iterations));
        double peak = Iterations * (double)Peaks.Chains * 2 * floats / Time(multiply);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak: {peak:0} GFLOP/s ({bits}-bit vectors)"));
        return peak;
    }

    private static float Sink { get; set; }

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);

    /// <summary>Independent chains of multiply-adds: enough to fill the units whatever their latency.</summary>
    private static class Peaks
    {
        public const int Chains = 10;

        public static float Multiply512(int iterations)
        {
            Vector512<float> factor = Vector512.Create(0.999f);
            Vector512<float> a = Vector512<float>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a;

            for (int n = 0; n < iterations; n++)
            {
                a = Vector512.FusedMultiplyAdd(a, factor, factor);
                b = Vector512.FusedMultiplyAdd(b, factor, factor);
                c = Vector512.FusedMultiplyAdd(c, factor, factor);
                d = Vector512.FusedMultiplyAdd(d, factor, factor);
                e = Vector512.FusedMultiplyAdd(e, factor, factor);
                f = Vector512.FusedMultiplyAdd(f, factor, factor);
                g = Vector512.FusedMultiplyAdd(g, factor, factor);
                h = Vector512.FusedMultiplyAdd(h, factor, factor);
                i = Vector512.FusedMultiplyAdd(i, factor, factor);
                j = Vector512.FusedMultiplyAdd(j, factor, factor);
            }

            return Vector512.Sum(a + b + c + d + e + f + g + h + i + j);
        }

        public static float Multiply256(int iterations)
        {
            Vector256<float> factor = Vector256.Create(0.999f);
            Vector256<float> a = Vector256<float>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a;

            for (int n = 0; n < iterations; n++)
            {
                a = Vector256.FusedMultiplyAdd(a, factor, factor);
                b = Vector256.FusedMultiplyAdd(b, factor, factor);
                c = Vector256.FusedMultiplyAdd(c, factor, factor);
                d = Vector256.FusedMultiplyAdd(d, factor, factor);
                e = Vector256.FusedMultiplyAdd(e, factor, factor);
                f = Vector256.FusedMultiplyAdd(f, factor, factor);
                g = Vector256.FusedMultiplyAdd(g, factor, factor);
                h = Vector256.FusedMultiplyAdd(h, factor, factor);
                i = Vector256.FusedMultiplyAdd(i, factor, factor);
                j = Vector256.FusedMultiplyAdd(j, factor, factor);
            }

            return Vector256.Sum(a + b + c + d + e + f + g + h + i + j);
        }
    }
}
