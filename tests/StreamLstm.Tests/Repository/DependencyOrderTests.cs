using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace StreamLstm.Tests.Repository;

/// <summary>One dependency order, drawn in src/README.md: nothing knows what stands behind it.</summary>
public sealed partial class DependencyOrderTests
{
    private static readonly string Source = Path.Combine(RepositoryTests.Root, "src");

    [Fact]
    public void Projects_reference_those_before_them_as_the_map_draws_them()
    {
        string[] order = Drawn("StreamLstm.Model"), beside = Drawn("StreamLstm.Kafka");
        string[] projects = [.. order.Union(beside)];

        Assert.Equal(
            Directory.GetDirectories(Source).Where(folder => Directory.GetFiles(folder, "*.csproj").Length > 0).Select(Path.GetFileName).Order(),
            projects.Order());

        foreach (string project in projects)
        {
            var file = XDocument.Load(Path.Combine(Source, project, $"{project}.csproj"));
            Assert.Equal(
                new[] { order, beside }.SelectMany(drawn => drawn.Zip(drawn.Skip(1))).Where(edge => edge.Second == project).Select(edge => edge.First).Order(),
                file.Descendants("ProjectReference").Select(e => Path.GetFileNameWithoutExtension(((string)e.Attribute("Include")!).Replace('\\', '/'))).Order());
        }
    }

    [Fact]
    public void Folders_of_the_daemon_know_only_those_before_them_as_the_map_draws_them()
    {
        string daemon = Path.Combine(Source, "StreamLstm.Daemon");
        string[] folders = Drawn("Messages");
        var known = new HashSet<string>();

        Assert.Equal(
            Directory.GetDirectories(daemon).Select(Path.GetFileName).Where(name => name is not ("bin" or "obj")).Order(),
            folders.Order());

        foreach (string folder in folders)
        {
            known.Add(folder);

            foreach (string file in Directory.EnumerateFiles(Path.Combine(daemon, folder), "*.cs", SearchOption.AllDirectories))
            {
                string text = File.ReadAllText(file);
                string name = Path.GetRelativePath(daemon, file);
                Assert.Equal($"StreamLstm.Daemon.{Path.GetDirectoryName(name)!.Replace(Path.DirectorySeparatorChar, '.')}", Namespace().Match(text).Groups[1].Value);
                Assert.All(
                    Named().Matches(text).Select(match => match.Groups[1].Value),
                    other => Assert.True(known.Contains(other), $"{name} uses {other}, which stands behind {folder} in src/README.md"));
            }
        }
    }

    /// <summary>What a line of the map draws, in its order, from its first word on.</summary>
    private static string[] Drawn(string first)
    {
        string map = File.ReadAllText(Path.Combine(Source, "README.md"));
        Match drawing = Regex.Match(map, $@"{Regex.Escape(first)}(\s+←\s+[\w.]+)+");
        Assert.True(drawing.Success, $"src/README.md draws no order that begins with {first}");
        return [.. drawing.Value.Split('←', StringSplitOptions.TrimEntries)];
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"StreamLstm\.Daemon\.([A-Z]\w+)")]
    private static partial Regex Named();
}
