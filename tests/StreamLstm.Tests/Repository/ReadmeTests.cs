using StreamLstm.Detection;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Repository;

public sealed class ReadmeTests
{
    [Fact]
    public void The_embedding_sample_compiles_and_finds_a_spike()
    {
        double[] series = DailySeries.WithFaults(1);
        IEnumerable<Observation> observations = series.Select(
            (value, row) => new Observation("boiler", DateTimeOffset.UnixEpoch.AddMinutes(row), value));
        using var printed = new StringWriter();

        var detector = new AnomalyDetector();

        foreach (Observation observation in observations)
        {
            if (detector.Score(observation) is { IsAlert: true } scored)
            {
                printed.WriteLine(FormattableString.Invariant($"{scored.Time:O} {scored.Stream} {scored.Value}: {scored.Score:F0}, expected {scored.Expected}"));
            }
        }

        Assert.Contains($"{DateTimeOffset.UnixEpoch.AddMinutes(DailySeries.Spike):O} boiler", printed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_network_sample_in_the_readme_is_the_one_that_compiles_and_runs()
    {
        string root = RepositoryTests.Root;
        string source = File.ReadAllText(Path.Combine(root, "tests", "StreamLstm.Sample", "Program.cs"));
        Assert.Contains(source, File.ReadAllText(Path.Combine(root, "README.md")), StringComparison.Ordinal);

        TextWriter console = Console.Out;
        using var printed = new StringWriter();

        try
        {
            Console.SetOut(printed);
            System.Reflection.Assembly.Load("StreamLstm.Sample").EntryPoint!.Invoke(null, [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(console);
        }

        Assert.Matches("forecasts: -?0[.,][0-9]{4} -?0[.,][0-9]{4}", printed.ToString());
    }
}
