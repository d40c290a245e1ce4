namespace StreamLstm.Detection;

/// <summary>What a stream is counted for where memory is limited: about as many bytes as one of its kind, form and age takes.</summary>
/// <remarks>
/// A function of what stands in the journal, never of what a collector found, so that whoever decides by it decides the same again.
/// The tables are what <c>streamlstm-benchmarks -- size</c> measured of synthetic streams, and a tenth more; 4 KiB are for the page's
/// last points. Those streams' values have all the digits of a double: of few digits the ring takes two thirds of that at most. Streams beyond
/// what was measured, as a log of very long texts, may take more.
/// </remarks>
public static class StreamSize
{
    private const double Margin = 1.1;
    private const double PageKib = 4;

    /// <summary>Of a stream of form shared, of which there may be very many: its name, its place and what was last said of it; only few keep points.</summary>
    private const double SharedAroundKib = 0.75;
    private const double EventNetworkKib = 190;

    /// <summary>A copy of the base weights, two moments of each in half the bytes, and the states that windows begin with.</summary>
    private static readonly (long Rows, double Kib)[] OwnWeights = [(48, 0), (64, 53), (1024, 54), (8192, 62)];

    private static readonly (long Rows, double Kib)[] FullValues =
        [(1, 8), (32, 12), (64, 18), (128, 31), (256, 35), (512, 96), (1024, 140), (2048, 167), (4096, 190), (8192, 213), (16384, 217)];

    private static readonly (long Rows, double Kib)[] LeanValues =
        [(1, 8), (32, 10), (64, 14), (128, 22), (256, 27), (512, 43), (1024, 48), (2048, 51), (4096, 52), (16384, 53)];

    /// <summary>Of fixed size, but for what comes of incidents.</summary>
    private static readonly (long Rows, double Kib)[] SharedValues = [(1, 2.2)];

    /// <summary>A record beside its columns.</summary>
    private static readonly (long Rows, double Kib)[] Records = [(15, 3), (32, 27), (64, 55), (512, 63), (16384, 72)];

    /// <summary>Each column of a record.</summary>
    private static readonly (long Rows, double Kib)[] Column = [(15, 0.2), (32, 30), (64, 44), (128, 48), (256, 56), (512, 69), (1024, 77), (2048, 91), (16384, 94)];

    /// <summary>Templates and how often each came; twice what a log of few templates took.</summary>
    private static readonly (long Rows, double Kib)[] Events = [(1, 26), (64, 34), (16384, 100)];

    /// <summary>Weights with two moments of each, pieces of the last lines, and the characters known.</summary>
    private static readonly (long Rows, double Kib)[] Texts = [(1, 760), (512, 920)];

    private static readonly (long Rows, double Kib)[] LeanTexts = [(1, 310), (512, 350)];

    /// <summary>The same with twice the places, and how words are spelt.</summary>
    private static readonly (long Rows, double Kib)[] Words = [(1, 1_340), (512, 1_420)];

    private static readonly (long Rows, double Kib)[] LeanWords = [(1, 590), (512, 640)];

    /// <summary>Its bytes.</summary>
    /// <param name="kind">What its observations are.</param>
    /// <param name="form">How much it may remember.</param>
    /// <param name="ownWeights">Whether it adapts weights of its own.</param>
    /// <param name="columns">Of a record, how many are judged.</param>
    /// <param name="rows">Observations it has had.</param>
    public static long Of(StreamKind kind, StreamForm form, bool ownWeights, int columns, long rows)
    {
        double kib = kind switch
        {
            StreamKind.Records => At(Records, rows) + columns * At(Column, rows),
            StreamKind.Events => At(Events, rows) + (ownWeights ? EventNetworkKib : 0),
            StreamKind.Texts => At(form == StreamForm.Full ? Texts : LeanTexts, rows),
            StreamKind.Words => At(form == StreamForm.Full ? Words : LeanWords, rows),
            _ when form == StreamForm.Shared => At(SharedValues, rows),
            _ => At(form == StreamForm.Lean ? LeanValues : FullValues, rows) + (ownWeights ? At(OwnWeights, rows) : 0),
        };
        return (long)((kib * Margin + (kind == StreamKind.Values && form == StreamForm.Shared ? SharedAroundKib : PageKib)) * 1024);
    }

    /// <summary>Between the rows measured as much as lies between.</summary>
    private static double At((long Rows, double Kib)[] table, long rows)
    {
        for (int i = 0; i < table.Length; i++)
        {
            if (rows <= table[i].Rows)
            {
                return i == 0
                    ? table[0].Kib
                    : table[i - 1].Kib + (table[i].Kib - table[i - 1].Kib) * (rows - table[i - 1].Rows) / (table[i].Rows - table[i - 1].Rows);
            }
        }

        return table[^1].Kib;
    }
}
