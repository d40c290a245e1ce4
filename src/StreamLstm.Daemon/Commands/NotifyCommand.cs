using System.CommandLine;
using StreamLstm.Daemon.Api;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Sinks.Notify;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm notify test</c>: sends those whom the configuration names a message that says that it is a test.</summary>
internal static class NotifyCommand
{
    /// <param name="withOptions">Loads the configuration, or says what is wrong with it.</param>
    /// <param name="output">For what was sent.</param>
    /// <param name="error">For what was not.</param>
    public static Command Create(Func<ParseResult, Action<DaemonOptions>, int> withOptions, TextWriter output, TextWriter error)
    {
        var name = new Option<string?>("--name") { Description = "Only this one of sinks.notify.", HelpName = "NAME" };
        var test = new Command(
            "test",
            """
            Send each of sinks.notify a message that says that it is a test. No daemon needs to run.

            Examples:
              streamlstm notify test --config configs/notify.yaml
              streamlstm notify test --config my.yaml --name ops
            """)
        {
            name,
        };
        test.SetAction(async (parsed, cancellation) =>
        {
            DaemonOptions? options = null;
            int code = withOptions(parsed, loaded => options = loaded);
            return options is null ? code : await TestAsync(options.Sinks.Notify, parsed.GetValue(name), output, error, cancellation);
        });
        return new Command("notify", "Try how people are told of incidents.") { test };
    }

    private static async Task<int> TestAsync(
        IReadOnlyList<NotifyOptions> notify, string? name, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        (int Index, NotifyOptions Item)[] chosen = [.. notify.Index().Where(one => name is null || NotifyOptions.NameOf(one.Item, one.Index) == name)];

        if (chosen.Length == 0)
        {
            error.WriteLine(name is null ? "nobody is told of incidents: sinks.notify is empty, see configs/notify.yaml" : $"--name: '{name}', expected one of {string.Join(", ", notify.Select(NotifyOptions.NameOf))}");
            return CommandLine.WrongUsage;
        }

        int code = 0;

        foreach ((int index, NotifyOptions one) in chosen)
        {
            TestedReceiver tested = await NotifyEndpoints.TestAsync(one, index, TimeProvider.System, cancellation);

            if (tested.Error is null)
            {
                output.WriteLine($"{tested.Name}: sent");
            }
            else
            {
                error.WriteLine($"{tested.Name}: {tested.Error}");
                code = CommandLine.Failed;
            }
        }

        return code;
    }
}
