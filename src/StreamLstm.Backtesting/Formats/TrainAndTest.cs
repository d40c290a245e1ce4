using System.Globalization;

namespace StreamLstm.Backtesting.Formats;

/// <summary>train/NAME and test/NAME as one stream: the first teaches, the second is reported, its rows counted from 0.</summary>
internal static class TrainAndTest
{
    /// <summary>The names of the second folder; of the first, each need not be there.</summary>
    /// <exception cref="BacktestUsageException">There are none.</exception>
    public static IReadOnlyList<(string Name, string Train, string Test)> Pairs(
        string format, IReadOnlyList<string> inputs, string pattern)
    {
        string folder = BacktestFolder.Of(format, inputs);
        IReadOnlyList<string> tests = BacktestFolder.Files(format, folder, "test", pattern, depth: 0);
        return
        [
            .. tests.Select(test => (Path.GetFileNameWithoutExtension(test), Path.Combine(folder, "train", Path.GetFileName(test)), test)),
        ];
    }

    /// <param name="columns">Names of the values.</param>
    /// <param name="judged">How many of them are judged; null for all.</param>
    /// <param name="step">Time between two rows.</param>
    /// <param name="pause">Time between the last row of the first and the first row of the second, beyond a step.</param>
    /// <param name="train">Rows that teach.</param>
    /// <param name="test">Rows that are reported.</param>
    public static Series Series(
        IReadOnlyList<string> columns,
        int? judged,
        TimeSpan step,
        TimeSpan pause,
        IEnumerable<(int Line, double[] Values)> train,
        IEnumerable<(int Line, double[] Values)> test) => new()
        {
            Columns = columns,
            JudgedColumns = judged,
            IsTimed = false,
            Rows = Rows(step, pause, train, test),
        };

    private static IEnumerable<SeriesRow> Rows(
        TimeSpan step, TimeSpan pause, IEnumerable<(int Line, double[] Values)> train, IEnumerable<(int Line, double[] Values)> test)
    {
        DateTimeOffset time = DateTimeOffset.UnixEpoch;

        foreach ((int line, double[] values) in train)
        {
            yield return new SeriesRow(line, "", time, "", values, IsReported: false);
            time += step;
        }

        time += pause;
        long row = 0;

        foreach ((int line, double[] values) in test)
        {
            yield return new SeriesRow(line, row.ToString(CultureInfo.InvariantCulture), time, "", values);
            time += step;
            row++;
        }
    }
}
