using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using StreamLstm.Daemon.Configuration;
using YamlDotNet.RepresentationModel;

namespace StreamLstm.Tests.Repository;

public sealed partial class RepositoryTests
{
    internal static readonly string Root = FindRoot();

    [Theory]
    [InlineData("StreamLstm.Model", "System.Numerics.Tensors")]
    [InlineData("StreamLstm.Detection", "")]
    [InlineData("StreamLstm.Decoding", "Apache.Avro,CsvHelper,protobuf-net.Reflection")]
    [InlineData("StreamLstm.Kafka", "Confluent.Kafka")]
    [InlineData("StreamLstm.Backtesting", "CsvHelper,ScottPlot,Spectre.Console,Vizor.ECharts")]
    public void The_inner_projects_stay_lean(string project, string packages)
    {
        var file = XDocument.Load(Path.Combine(Root, "src", project, $"{project}.csproj"));

        Assert.Equal(packages, string.Join(',', file.Descendants("PackageReference").Select(e => (string)e.Attribute("Include")!)));
    }

    [Theory]
    [InlineData("StreamLstm.Model")]
    [InlineData("StreamLstm.Detection")]
    public void Model_and_detection_know_no_clock_no_thread_no_file_and_no_unseeded_chance(string project)
    {
        foreach (string file in Sources(Path.Combine(Root, "src", project)))
        {
            string code = string.Join('\n', File.ReadLines(file).Where(line => !line.TrimStart().StartsWith("//", StringComparison.Ordinal)));
            Match match = Forbidden().Match(code);
            Assert.False(match.Success, $"{Path.GetFileName(file)} uses {match.Value}");
        }
    }

    [Fact]
    public void Every_sample_configuration_is_valid()
    {
        string[] samples = Directory.GetFiles(Path.Combine(Root, "configs"), "*.yaml");

        Assert.NotEmpty(samples);
        Assert.All(samples, sample => ConfigurationLoader.Load([sample], [], new Dictionary<string, string>()));
    }

    [Fact]
    public void The_top_level_holds_what_it_should_and_nothing_else()
    {
        string[] allowed =
        [
            "src", "tests", "deploy", "configs", "StreamLstm.sln", "docker-compose.yml", "README.md", "LICENSE",
            "Directory.Build.props", "Directory.Packages.props", "global.json",
            "artifacts", "TestResults", // made by builds and test runs, ignored by git
        ];

        Assert.All(
            Directory.GetFileSystemEntries(Root).Select(Path.GetFileName).Where(name => !name!.StartsWith('.')),
            name => Assert.Contains(name, allowed));
    }

    [Fact]
    public void No_file_is_named_for_nothing() =>
        Assert.DoesNotContain(
            Sources(Path.Combine(Root, "src")),
            file => Path.GetFileName(file) is var name && (name.EndsWith("Manager.cs", StringComparison.Ordinal) || name.EndsWith("Helper.cs", StringComparison.Ordinal) || name.Contains("Util", StringComparison.Ordinal)));

    [Fact]
    public void Compose_and_deploy_files_parse_mount_what_exists_and_publish_to_loopback_only()
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Root, "deploy"), "*", SearchOption.AllDirectories)
            .Append(Path.Combine(Root, "docker-compose.yml")))
        {
            switch (Path.GetExtension(file))
            {
                case ".yml" or ".yaml":
                    new YamlStream().Load(new StringReader(File.ReadAllText(file)));
                    break;
                case ".json":
                    JsonDocument.Parse(File.ReadAllText(file)).Dispose();
                    break;
            }
        }

        string compose = File.ReadAllText(Path.Combine(Root, "docker-compose.yml"));
        Assert.All(Port().Matches(compose), port => Assert.StartsWith("127.0.0.1:", port.Groups[1].Value, StringComparison.Ordinal));
        Assert.All(
            Mount().Matches(compose).Select(mount => Path.Combine(Root, mount.Groups[1].Value)),
            path => Assert.True(Path.Exists(path), path));
    }

    [Fact]
    public void Compose_runs_the_image_that_the_project_gives_with_its_volume_and_port()
    {
        XElement project = XElement.Load(Path.Combine(Root, "src", "StreamLstm.Daemon", "StreamLstm.Daemon.csproj"));
        string Property(string name) => Assert.Single(project.Descendants(name)).Value;
        string version = Assert.Single(XElement.Load(Path.Combine(Root, "Directory.Build.props")).Descendants("VersionPrefix")).Value;
        string state = Assert.Single(project.Descendants("ContainerEnvironmentVariable"), one => one.Attribute("Include")!.Value == "STATE_DIRECTORY").Attribute("Value")!.Value;
        string[] ports = [.. project.Descendants("ContainerPort").Select(one => one.Attribute("Include")!.Value)];
        var compose = new YamlStream();
        compose.Load(new StringReader(File.ReadAllText(Path.Combine(Root, "docker-compose.yml"))));
        var services = (YamlMappingNode)compose.Documents[0].RootNode["services"];
        string[] images = [.. services.Children.Values.Select(service => service["image"].ToString())];
        YamlNode daemon = services["streamlstm"];

        Assert.Equal($"{Property("ContainerRepository")}:{version}", daemon["image"].ToString());
        Assert.Contains($"state:{state}", ((YamlSequenceNode)daemon["volumes"]).Select(volume => volume.ToString()));
        Assert.All((YamlSequenceNode)daemon["ports"], port => Assert.Contains(port.ToString().Split(':')[^1], ports));
        Assert.All([.. images, Property("ContainerBaseImage")], image => Assert.Matches(@":v?[0-9]+\.[0-9]+", image));
        Assert.NotEqual("0", Property("ContainerUser"));
    }

    [Fact]
    public void Every_metric_that_a_board_or_rule_names_exists()
    {
        string metrics = File.ReadAllText(Path.Combine(Root, "src", "StreamLstm.Daemon", "Telemetry", "DaemonMetrics.cs"));
        HashSet<string> known = [.. Instrument().Matches(metrics).Select(match => match.Groups[1].Value.Replace('.', '_'))];
        string[] files =
        [
            .. Directory.GetFiles(Path.Combine(Root, "deploy"), "*.json", SearchOption.AllDirectories),
            .. Directory.GetFiles(Path.Combine(Root, "deploy"), "*.yml", SearchOption.AllDirectories),
        ];
        string[] used = [.. files.SelectMany(file => Metric().Matches(File.ReadAllText(file))).Select(match => match.Value).Distinct()];

        Assert.NotEmpty(used);
        Assert.All(used, name => Assert.Contains(known, metric => name.StartsWith(metric, StringComparison.Ordinal)));
    }

    private static IEnumerable<string> Sources(string directory) => Directory
        .EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    private static string FindRoot()
    {
        string directory = AppContext.BaseDirectory;

        while (!File.Exists(Path.Combine(directory, "StreamLstm.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("not inside the repository");
        }

        return directory;
    }

    [GeneratedRegex(@"\bTask\b|\basync\b|Threading\.Channels|UtcNow|DateTime\.Now|Stopwatch|new Random\(|Random\.Shared|System\.IO\.File\b|\bFile\.(Open|Read|Write)|Console\.|GetHashCode\(\)")]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"^\s*- ""?([0-9.:]+:\d+)""?\s*$", RegexOptions.Multiline)]
    private static partial Regex Port();

    [GeneratedRegex(@"^\s*- \./([^:]+):", RegexOptions.Multiline)]
    private static partial Regex Mount();

    [GeneratedRegex(@"""(streamlstm\.[a-z_.]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"streamlstm_[a-z_]+")]
    private static partial Regex Metric();
}
