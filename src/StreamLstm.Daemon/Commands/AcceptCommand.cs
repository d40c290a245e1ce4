using System.CommandLine;
using System.Net.Http;
using System.Text.Json;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm accept</c>: tells a running daemon that a stream's present level is its new normal.</summary>
internal static class AcceptCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var stream = new Argument<string>("STREAM") { Description = "The stream's name." };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("accept", "Tell a running daemon that a stream's present level is its new normal.") { stream, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) =>
        {
            // A slash in a name is one in the path; whatever else could end the path is escaped.
            string name = string.Join('/', parsed.GetValue(stream)!.Split('/').Select(Uri.EscapeDataString));
            bool isJson = parsed.GetValue(format) == "json";
            return DaemonClient.SendAsync(
                parsed, HttpMethod.Post, $"api/v1/streams/{name}/accept", new { },
                answer => Write(answer, isJson, output), error, cancellation);
        });
        return command;
    }

    private static void Write(JsonElement answer, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            DaemonClient.WriteJson(answer, output);
            return;
        }

        output.WriteLine($"accepted: the incident of {answer.GetProperty("stream").GetString()} is closed, its level is the new normal");
    }
}
