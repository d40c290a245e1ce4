using System.Globalization;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Detection.Reconstructing;

namespace StreamLstm.Benchmarks.Sequences;

/// <summary>How near what is said of a stretch comes to what came: clean stretches of lives of families that nothing was trained on, beside simple peers.</summary>
internal static class ReconstructionTable
{
    private static readonly int[] Lengths = [12, 32, 96, 240];
    private const int GoalRows = 32;
    private static readonly QualityGoal Goal = new("S10", "error of 32 rows, that of the best simple peer being 1", 0, "<=", 0.85);

    /// <summary>Mean absolute errors in mean deviations of each life, the mean over seeds.</summary>
    public static void Print(int[] seeds, TextWriter output)
    {
        output.WriteLine("reconstruction: mean absolute error, a life's mean deviation being 1");
        output.WriteLine("  rows  tuned  as shipped  last value  season before  nearest past  in the 90 % band, tuned");

        double ofGoal = double.NaN;

        foreach (int length in Lengths)
        {
            ReconstructionError[] tuned = Measure(length, tuned: true), shipped = Measure(length, tuned: false);
            double ours = tuned.Average(one => one.Ours), carried = tuned.Average(one => one.Carried), season = tuned.Average(one => one.Season), nearest = tuned.Average(one => one.Nearest);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {length,4}  {ours,5:0.000}  {shipped.Average(one => one.Ours),10:0.000}  {carried,10:0.000}  {season,13:0.000}  {nearest,12:0.000}  {tuned.Average(one => one.InBand),24:0.000}"));

            ofGoal = length == GoalRows ? ours / Math.Min(carried, Math.Min(season, nearest)) : ofGoal;
        }

        output.WriteLine(Goal.Line(ofGoal, "0.000"));

        ReconstructionError[] Measure(int length, bool tuned) =>
            [.. seeds.Select(seed => ReconstructionTraining.Measure(weights: null, length, livesPerFamily: 1, (ulong)seed, tuned))];
    }
}
