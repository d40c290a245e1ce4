using System.CommandLine;
using System.Net.Http;
using System.Text.Json;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm reload</c>: has a running daemon read its configuration again.</summary>
internal static class ReloadCommand
{
    /// <param name="output">For what changed.</param>
    /// <param name="error">For what is wrong.</param>
    public static Command Create(TextWriter output, TextWriter error)
    {
        Option<string> format = DaemonClient.OutputOption();
        var reload = new Command(
            "reload",
            """
            Have a running daemon read its configuration again, as SIGHUP does: rules, sources and sinks that changed begin anew, streams go on.
            A configuration with an error changes nothing (exit code 1).

            Examples:
              streamlstm reload
              streamlstm reload --url http://plant:8080 --token-file /run/secrets/admin
            """)
        {
            DaemonClient.Url, DaemonClient.TokenFile, format,
        };
        reload.SetAction((parsed, cancellation) => DaemonClient.SendAsync(
            parsed, HttpMethod.Post, "api/v1/reload", null, answer => Write(answer, parsed.GetValue(format) == "json", output), error, cancellation));
        return reload;
    }

    private static void Write(JsonElement answer, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            DaemonClient.WriteJson(answer, output);
            return;
        }

        JsonElement[] changed = [.. answer.GetProperty("changed").EnumerateArray()];

        foreach (JsonElement one in changed)
        {
            output.WriteLine(
                $"{one.GetProperty("key").GetString()}: {Word(one, "before")} -> {Word(one, "after")} ({one.GetProperty("words").GetString()})");
        }

        if (changed.Length == 0)
        {
            output.WriteLine("nothing has changed");
        }
    }

    private static string Word(JsonElement one, string name) => one.TryGetProperty(name, out JsonElement value) && value.GetString() is { } text ? $"'{text}'" : "nothing";
}
