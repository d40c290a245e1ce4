using System.Diagnostics;
using System.Globalization;
using System.Numerics;

namespace StreamLstm.Benchmarks;

/// <summary>Times what it is given, on one thread, by the process's own processor time.</summary>
internal sealed class BenchmarkRun(TextWriter output, TimeSpan length)
{
    private double _peak;

    /// <summary>GFLOP/s of fused multiply-adds on one core, measured in this run.</summary>
    public double Peak => _peak > 0 ? _peak : _peak = MeasurePeak();

    /// <summary>Nanoseconds of processor time that one call takes: the median of five rounds.</summary>
    public double Time(Action action)
    {
        action();
        var rounds = new double[5];

        for (int round = 0; round < rounds.Length; round++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            long calls = 0;

            do
            {
                action();
                calls++;
            }
            while (clock.Elapsed < length / rounds.Length);

            rounds[round] = (Environment.CpuUsage.TotalTime - before).TotalNanoseconds / calls;
        }

        Array.Sort(rounds);
        return rounds[2];
    }

    public void Print(string line) => output.WriteLine(line);

    /// <summary>NAME: X UNIT, and what that is of the machine's peak.</summary>
    public void Print(string name, double nanoseconds, double flop) => output.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{name}: {nanoseconds:0} ns, {flop / nanoseconds:0.0} GFLOP/s, {100 * flop / nanoseconds / Peak:0} % of peak"));

    private double MeasurePeak()
    {
        const int Iterations = 20_000;
        double nanoseconds = Time(static () => Sink = Multiply(Iterations));
        double peak = Iterations * 10.0 * 2 * Vector<float>.Count / nanoseconds;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"peak: {peak:0} GFLOP/s ({Vector<float>.Count * 32}-bit vectors)"));
        return peak;
    }

    private static float Sink { get; set; }

    /// <summary>Ten independent chains: enough to fill the multiply-add units whatever their latency.</summary>
    private static float Multiply(int iterations)
    {
        var factor = new Vector<float>(0.999f);
        Vector<float> a = Vector<float>.One, b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a;

        for (int n = 0; n < iterations; n++)
        {
            a = Vector.FusedMultiplyAdd(a, factor, factor);
            b = Vector.FusedMultiplyAdd(b, factor, factor);
            c = Vector.FusedMultiplyAdd(c, factor, factor);
            d = Vector.FusedMultiplyAdd(d, factor, factor);
            e = Vector.FusedMultiplyAdd(e, factor, factor);
            f = Vector.FusedMultiplyAdd(f, factor, factor);
            g = Vector.FusedMultiplyAdd(g, factor, factor);
            h = Vector.FusedMultiplyAdd(h, factor, factor);
            i = Vector.FusedMultiplyAdd(i, factor, factor);
            j = Vector.FusedMultiplyAdd(j, factor, factor);
        }

        return Vector.Sum(a + b + c + d + e + f + g + h + i + j);
    }
}
