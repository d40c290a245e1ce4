namespace StreamLstm.Tests.Support;

/// <summary>A seeded plant whose columns follow one load, each in its own unit.</summary>
internal static class Plant
{
    /// <summary>Rows of (columns) values: column c is (c + 1) times the load, with noise.</summary>
    public static List<double[]> Rows(int seed, int columns, int rows)
    {
        var random = new Random(seed);
        double load = 0;
        List<double[]> made = [];

        for (int row = 0; row < rows; row++)
        {
            load = 0.9 * load + 0.43 * Chance.Normal(random);
            made.Add([.. Enumerable.Range(0, columns).Select(column => load * (column + 1) + 0.2 * Chance.Normal(random))]);
        }

        return made;
    }

    /// <summary>From a row on the column takes its own values of another time: each is ordinary, but not beside the others.</summary>
    public static void Break(List<double[]> rows, int column, int from)
    {
        double[] own = [.. rows.Select(row => row[column])];

        for (int row = from; row < rows.Count; row++)
        {
            rows[row][column] = own[row - from + 700];
        }
    }

    public static string[] Names(int columns) => [.. Enumerable.Range(0, columns).Select(column => $"c{column}")];
}
