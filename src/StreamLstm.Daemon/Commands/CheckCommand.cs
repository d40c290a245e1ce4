using System.CommandLine;
using System.Text.Json;
using StreamLstm.Daemon.Checks;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm check</c>: asks all that the configuration names whether it would work.</summary>
internal static class CheckCommand
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(15);

    /// <param name="withOptions">Loads the configuration, or says what is wrong with it.</param>
    /// <param name="output">For what was found.</param>
    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output)
    {
        Option<string> format = DaemonClient.OutputOption();
        var check = new Command(
            "check",
            """
            Connect to every source and sink of the configuration: brokers and clusters let in, topics are there, receivers listen, files and
            directories can be used. Nothing is taken in and nothing delivered; a daemon that runs is not disturbed. Exit code 1 where one fails.

            Examples:
              streamlstm check --config my.yaml
              streamlstm check --config my.yaml --output json
            """)
        {
            format,
        };
        check.SetAction(async (parsed, cancellation) =>
        {
            DaemonOptions? options = null;
            int code = withOptions(parsed, loaded => options = loaded);
            return options is null ? code : await RunAsync(ConfiguredChecks.Of(options, TimeProvider.System), parsed.GetValue(format) == "json", output, cancellation);
        });
        return check;
    }

    private static async Task<int> RunAsync(IReadOnlyList<PartCheck> checks, bool asJson, TextWriter output, CancellationToken cancellation)
    {
        bool isGood = true;

        // As they come: one that does not answer keeps none of the others waiting.
        await foreach (Task<PartReport> finished in Task.WhenEach(checks.Select(check => check.RunAsync(TimeMax, cancellation))))
        {
            PartReport report = await finished;
            isGood &= report.IsGood;
            output.WriteLine(asJson ? JsonSerializer.Serialize(report, EventJson.Options) : $"{(report.IsGood ? "ok    " : "failed")}  {report.Section}: {report.Words}");
        }

        return isGood ? 0 : CommandLine.Failed;
    }
}
