using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>A newcomer's first ten minutes: the script that a person runs from a fresh clone, with the program that is built already.</summary>
public sealed class NewcomerTests
{
    [Fact]
    public async Task Page_feed_fault_notification_label_and_kill_come_about_one_after_the_other()
    {
        string script = Path.Combine(Root(), "tests", "newcomer.sh"), program = Path.ChangeExtension(typeof(CommandLine).Assembly.Location, null);
        Parts.Require("python3", "python3");
        Parts.Require("curl", "curl");
        (int code, string said) = await Command.RunAsync("bash", script, "--built", program);

        Assert.True(code == 0, said);
        Assert.Contains("the incident is there with its label", said, StringComparison.Ordinal);
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;

        while (!File.Exists(Path.Combine(directory, "StreamLstm.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new DirectoryNotFoundException("the repository");
        }

        return directory;
    }
}
