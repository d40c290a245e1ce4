using System.Globalization;
using System.Text.Json;
using StreamLstm.Backtesting;
using StreamLstm.Benchmarks.Quality.Scorers;
using StreamLstm.Benchmarks.Quality.Sets;

namespace StreamLstm.Benchmarks.Quality.Vus;

/// <summary>The sets that TSB-AD has series of too.</summary>
/// <remarks>
/// Published are means of columns of its benchmark_eval_results, uni_mergedTable_VUS-PR.csv and multi_mergedTable_VUS-PR.csv
/// (github.com/TheDatumOrg/TSB-AD @ 87630099), over the series here that are one of TSB-AD's: rows and anomalies agree, and
/// of UCR's altered copies the published figure of Sub-HBOS told which it is. TSB-AD's detectors saw the whole series, or
/// its first rows, before they judged it; ours judges causally, and of SMAP, MSL and SMD it saw the training files, which
/// TSB-AD leaves out.
/// </remarks>
internal static class VusSets
{
    public static readonly IReadOnlyList<VusSet> All =
    [
        new("nab", "nab", [new("nab",
        [
            new("univariate", Names(
                "artificialWithAnomaly/art_increase_spike_density", "realAWSCloudwatch/ec2_cpu_utilization_5f5533",
                "realKnownCause/ambient_temperature_system_failure", "realKnownCause/ec2_request_latency_system_failure",
                "realKnownCause/nyc_taxi", "realTraffic/occupancy_6005", "realTraffic/speed_6005", "realTraffic/speed_t4013",
                "realTweets/Twitter_volume_FB"),
            [
                ("POLY", .349), ("MOMENT, fine-tuned", .328), ("KShapeAD", .320), ("Sub-PCA", .293), ("KMeansAD", .220),
                ("matrix profile", .188), ("isolation forest", .165), ("USAD", .158), ("CNN forecast", .130), ("LSTMAD", .113),
            ]),
        ])], Nab),
        new("ucr", "ucr", [new("ucr",
        [
            new("univariate", Names([.. new[]
                {
                    19, 23, 24, 25, 31, 41, 43, 49, 51, 102, 106, 128, 129, 135, 141, 151, 159, 170, 172, 179, 181, 192, 206, 209, 248, 249, 250,
                }.Select(number => string.Create(CultureInfo.InvariantCulture, $"ucr/{number:000}"))]),
            [
                ("KShapeAD", .471), ("SAND", .434), ("KMeansAD", .411), ("matrix profile", .385), ("Sub-PCA", .150), ("MOMENT, fine-tuned", .118),
                ("USAD", .084), ("CNN forecast", .030), ("isolation forest", .026), ("LSTMAD", .025),
            ]),
        ])], Ucr),
        new("smap_msl", "telemanom",
        [
            new("smap",
            [
                new("multivariate", Names("A-1", "A-3", "A-5", "D-5", "E-1", "E-11", "E-5", "E-7", "E-9", "G-1", "S-1"),
                [
                    ("KMeansAD", .262), ("CNN forecast", .147), ("LSTMAD", .099), ("OmniAnomaly", .087), ("USAD", .071), ("PCA", .060),
                ]),
                new("univariate", Names("A-3", "A-5", "E-7", "E-9", "G-1", "G-6", "S-1"),
                [
                    ("POLY", .669), ("KMeansAD", .544), ("KShapeAD", .489), ("MOMENT, fine-tuned", .468), ("Sub-PCA", .465),
                    ("matrix profile", .450), ("CNN forecast", .419), ("LSTMAD", .244),
                ]),
            ]),
            new("msl",
            [
                new("multivariate", Names("D-14", "F-5", "M-6", "P-14", "S-2", "T-5", "T-9"),
                [
                    ("KMeansAD", .590), ("CNN forecast", .531), ("USAD", .391), ("OmniAnomaly", .363), ("LSTMAD", .336), ("PCA", .184),
                ]),
            ]),
        ], SmapMsl),
        new("smd", "smd", [new("smd",
        [
            new("multivariate", Names("machine-2-1", "machine-2-7"),
            [
                ("PCA", .516), ("CNN forecast", .426), ("KMeansAD", .289), ("LSTMAD", .269), ("OmniAnomaly", .173), ("USAD", .164),
            ]),
        ])], Smd),
    ];

    /// <summary>TSB-AD leaves out the first row of a file, and of a window.</summary>
    private static IEnumerable<VusSeries> Nab(string data) =>
        NabQuality.Load(data, _ => file => file.Numbers("value")).Select(series => new VusSeries(
            series.Name[..^".csv".Length],
            "nab",
            [.. series.Scores.Skip(1)],
            [.. series.Times.Skip(1).Select(time => series.Windows.Any(window => time > window.Start && time <= window.End))],
            FirstScored: -1));

    /// <summary>Training rows belong to the series; nothing is said of them.</summary>
    private static IEnumerable<VusSeries> Ucr(string data)
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "UCR_Anomaly_FullData"), "*.txt").Order(StringComparer.Ordinal))
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('_');
            int[] rows = [.. parts[^3..].Select(part => int.Parse(part, CultureInfo.InvariantCulture))];
            using var reader = new StreamReader(path);
            double[] values = [.. NumberText.Values(reader, new RowProblems(path, strict: true)).Select(value => value.Value)];
            yield return new VusSeries(
                $"ucr/{parts[0]}", "ucr", values, [.. values.Select((_, row) => row >= rows[1] && row < rows[2])], FirstScored: rows[0]);
        }
    }

    private static IEnumerable<VusSeries> SmapMsl(string data)
    {
        var labels = new ColumnFile(Path.Combine(data, "labeled_anomalies.csv"));
        IReadOnlyList<string> channels = labels.Texts("chan_id"), spacecraft = labels.Texts("spacecraft"), sequences = labels.Texts("anomaly_sequences");

        for (int i = 0; i < channels.Count; i++)
        {
            string path = Path.Combine(data, "test", channels[i] + ".npy");
            using FileStream file = File.OpenRead(path);
            double[] values = [.. new NpyFile(file, new RowProblems(path, strict: true)).Read().Select(row => row[0])];
            long[][] anomalies = JsonSerializer.Deserialize<long[][]>(sequences[i])!;
            yield return new VusSeries(
                channels[i],
                spacecraft[i] == "MSL" ? "msl" : "smap",
                values,
                [.. values.Select((_, row) => Array.Exists(anomalies, rows => row >= rows[0] && row <= rows[1]))]);
        }
    }

    private static IEnumerable<VusSeries> Smd(string data)
    {
        foreach (string path in Directory.EnumerateFiles(Path.Combine(data, "test_label"), "*.txt").Order(StringComparer.Ordinal))
        {
            string test = Path.Combine(data, "test", Path.GetFileName(path));
            using var reader = new StreamReader(test);
            yield return new VusSeries(
                Path.GetFileNameWithoutExtension(path),
                "smd",
                [.. NumberText.Rows(reader, new RowProblems(test, strict: true)).Select(row => row.Values[0])],
                [.. File.ReadLines(path).Select(line => line.Trim() == "1")]);
        }
    }

    private static HashSet<string> Names(params string[] names) => [.. names];
}
