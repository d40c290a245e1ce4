namespace StreamLstm.Detection.Reconstructing;

/// <summary>What a stretch of a stream should have looked like, by what came before it: for people to look at, and in no score.</summary>
/// <param name="Rows">(T) The stretch, row by row.</param>
/// <param name="IsCut">Whether the stretch goes on, and only its beginning is told of.</param>
/// <param name="IsRate">Whether the values are a counter's changes from row to row, as it is judged by these.</param>
/// <param name="CleanRows">Rows before the stretch that were part of no incident, and from which this is known.</param>
public sealed record Reconstruction(IReadOnlyList<ReconstructedRow> Rows, bool IsCut, bool IsRate, int CleanRows)
{
    /// <summary>Mean distance of what came from what should have, in the stream's units.</summary>
    public double MeanDistance => Rows.Average(row => Math.Abs(row.Actual - row.Expected));

    /// <summary>Share of the stretch that lies inside the band.</summary>
    public double InBand => Rows.Average(row => row.Actual >= row.Lower && row.Actual <= row.Upper ? 1.0 : 0);
}

/// <summary>One row of a stretch.</summary>
/// <param name="Time">When it came.</param>
/// <param name="Actual">What came.</param>
/// <param name="Expected">What should have: the median.</param>
/// <param name="Lower">Lower end of its 90 % band.</param>
/// <param name="Upper">Upper end.</param>
public readonly record struct ReconstructedRow(DateTimeOffset Time, double Actual, double Expected, double Lower, double Upper);
