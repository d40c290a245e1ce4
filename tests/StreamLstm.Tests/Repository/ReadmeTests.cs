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
    public void Each_sentence_of_the_promise_names_a_test_that_exists()
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryTests.Root, "README.md"));
        int from = readme.IndexOf("## What is kept", StringComparison.Ordinal), to = readme.IndexOf("How: all that comes in", from, StringComparison.Ordinal);
        string[] sentences = [.. readme[from..to].Split('\n').Where(line => line.Length > 1 && char.IsAsciiDigit(line[0]) && line[1] == '.')];
        string tests = string.Concat(Directory.EnumerateFiles(Path.Combine(RepositoryTests.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories).Select(File.ReadAllText));

        Assert.Equal(8, sentences.Length);
        Assert.All(sentences, sentence =>
        {
            string[] named = [.. sentence.Split('`').Where(word => word.EndsWith("Tests", StringComparison.Ordinal))];
            Assert.NotEmpty(named);
            Assert.All(named, name => Assert.Contains($"public sealed class {name}", tests, StringComparison.Ordinal));
        });
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
