using System.CommandLine;
using System.Net.Http;
using System.Text.Json;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm label</c>: tells a running daemon what an incident was.</summary>
internal static class LabelCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var incident = new Option<string?>("--incident") { Description = "The incident's id.", HelpName = "ID" };
        var label = new Option<string?>("--as")
        {
            Description = "false_alarm: such a level is ordinary. real: it shall not teach.",
            HelpName = "LABEL",
        };
        label.AcceptOnlyFromAmong("false_alarm", "real");
        var note = new Option<string?>("--note") { Description = "Why, for those who read it later.", HelpName = "TEXT" };
        var remove = new Option<long?>("--remove") { Description = "Take this label back.", HelpName = "LABEL_ID" };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("label", "Tell a running daemon what an incident was, or take that back.")
        {
            incident, label, note, remove, DaemonClient.Url, DaemonClient.TokenFile, format,
        };
        command.Validators.Add(parsed =>
        {
            bool gives = parsed.GetValue(incident) is not null && parsed.GetValue(label) is not null;

            if (gives == parsed.GetValue(remove) is not null)
            {
                parsed.AddError("expected --incident ID --as false_alarm|real, or --remove LABEL_ID");
            }
        });
        command.SetAction((parsed, cancellation) =>
        {
            bool isJson = parsed.GetValue(format) == "json";
            long? removed = parsed.GetValue(remove);
            return DaemonClient.SendAsync(
                parsed,
                removed is null ? HttpMethod.Post : HttpMethod.Delete,
                removed is null ? "api/v1/labels" : $"api/v1/labels/{removed}",
                removed is null ? new { incident_id = parsed.GetValue(incident), label = parsed.GetValue(label), note = parsed.GetValue(note) } : null,
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

        string what = answer.TryGetProperty("removed_at", out _) ? "taken back" : "taken";
        output.WriteLine(
            $"label {answer.GetProperty("id")} {what}: incident {answer.GetProperty("incident_id").GetString()} of {answer.GetProperty("stream").GetString()}, {answer.GetProperty("label").GetString()}");
    }
}
