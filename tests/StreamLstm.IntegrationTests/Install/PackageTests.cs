using System.Diagnostics;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Install;

/// <summary>The packages that the README names, built by its commands, installed and run without any .NET beside them.</summary>
/// <remarks>Building them takes a minute and more: STREAMLSTM_TEST_PACKAGES=1 asks for it.</remarks>
public sealed class PackageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_deb_and_the_tarball_hold_a_daemon_that_runs_where_no_dotnet_is()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PACKAGES") == "1", "STREAMLSTM_TEST_PACKAGES=1 builds and installs the packages");
        string dpkg = Parts.Require("dpkg-deb", "dpkg"), root = Path.Combine(_directory.Path, "root");
        await PublishAsync("PublishDeb", "-r", "linux-x64", "--self-contained");
        await PublishAsync("PublishTarball", "-r", "linux-x64", "--self-contained", "--no-build");
        string deb = Assert.Single(Directory.GetFiles(_directory.Path, "streamlstm_*_amd64.deb")), tarball = Assert.Single(Directory.GetFiles(_directory.Path, "streamlstm-*-linux-x64.tar.gz"));

        Assert.Equal(0, (await Command.RunAsync(dpkg, "-x", deb, root)).Code);
        Assert.Equal(0, (await Command.RunAsync("tar", "-xzf", tarball, "-C", _directory.Path)).Code);
        (_, string control) = await Command.RunAsync(dpkg, "-f", deb);
        Assert.Contains("Package: streamlstm\n", control, StringComparison.Ordinal);
        Assert.Contains("ExecStart=/usr/bin/streamlstm ", await File.ReadAllTextAsync(Path.Combine(root, "usr/lib/systemd/system/streamlstm.service"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        await RunsAsync(Path.Combine(root, "usr/bin/streamlstm"), "--config", Path.Combine(root, "etc/streamlstm"));
        await RunsAsync(Path.Combine(Assert.Single(Directory.GetDirectories(_directory.Path, "streamlstm-*")), "streamlstm"));
    }

    [Fact]
    public async Task The_tool_is_packed_and_installed_by_name()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PACKAGES") == "1", "STREAMLSTM_TEST_PACKAGES=1 builds and installs the packages");
        (int packed, string said) = await Command.RunAsync("dotnet", "pack", Project(), "-c", "Release", "-o", _directory.Path, "--nologo");
        Assert.True(packed == 0, said);
        string tools = Path.Combine(_directory.Path, "tools");
        (int installed, said) = await Command.RunAsync("dotnet", "tool", "install", "StreamLstm", "--tool-path", tools, "--source", _directory.Path);
        Assert.True(installed == 0, said);

        Assert.Equal((0, "0.1.0\n"), await Command.RunAsync(Path.Combine(tools, "streamlstm"), "version"));
    }

    private async Task PublishAsync(string target, params string[] arguments)
    {
        (int code, string said) = await Command.RunAsync(
            "dotnet", ["publish", Project(), "-c", "Release", .. arguments, $"-t:{target}", $"-p:PackagesDir={_directory.Path}", "--nologo"]);
        Assert.True(code == 0, said);
    }

    /// <summary>Starts it as its user would where .NET is not installed, asks it with its own verb, and stops it.</summary>
    private async Task RunsAsync(string program, params string[] arguments)
    {
        int port = DaemonProcess.FreePort();
        string data = Directory.CreateDirectory(Path.Combine(_directory.Path, $"data-{port}")).FullName;
        var start = new ProcessStartInfo(
            "/usr/bin/env",
            ["-i", "PATH=/usr/bin:/bin", "HOME=/", program, "run", .. arguments, "--set", $"http.port={port}", "--set", $"storage.directory={data}", "--set", "sources.mqtt_embedded.port=0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process daemon = Process.Start(start)!;

        try
        {
            var waited = Stopwatch.StartNew();
            (int code, string said) = (1, "");

            while (code != 0 || !said.Contains("received by: host", StringComparison.Ordinal))
            {
                Assert.True(waited.Elapsed < TimeSpan.FromSeconds(60) && !daemon.HasExited, said);
                await Task.Delay(200, TestContext.Current.CancellationToken);
                (code, said) = await Command.RunAsync(program, "status", "--url", $"http://127.0.0.1:{port}");
            }

            Assert.Contains("version 0.1.0", said, StringComparison.Ordinal);
        }
        finally
        {
            daemon.Kill();
        }
    }

    private static string Project() => Path.Combine(Parts.Repository(), "src", "StreamLstm.Daemon");
}
