using System.Globalization;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>A promise and what was measured, judged by the two numbers as they are printed.</summary>
/// <param name="Name">What is promised.</param>
/// <param name="Measured">The measured value.</param>
/// <param name="Unit">What follows the value.</param>
/// <param name="AtLeast">Whether the bound is a lower one.</param>
/// <param name="Bound">The bound.</param>
internal sealed record Goal(string Name, double Measured, string Unit, bool AtLeast, double Bound)
{
    public override string ToString()
    {
        string printed = Measured.ToString("G3", CultureInfo.InvariantCulture);
        double shown = double.Parse(printed, CultureInfo.InvariantCulture);
        bool met = AtLeast ? shown >= Bound : shown <= Bound;
        return string.Create(
            CultureInfo.InvariantCulture, $"{Name}: {printed} {Unit} (goal {(AtLeast ? ">=" : "<=")} {Bound}) {(met ? "met" : "missed")}");
    }
}
