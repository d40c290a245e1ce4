using System.CommandLine;
using System.Globalization;
using System.Net.Http;
using System.Text.Json;
using Spectre.Console;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm incidents</c>: what a running daemon has told of, with the id by which it is labelled.</summary>
internal static class IncidentsCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var stream = new Option<string?>("--stream") { Description = "Only those of this stream.", HelpName = "NAME" };
        var open = new Option<bool>("--open") { Description = "Only those that go on." };
        var limit = new Option<int>("--limit") { Description = "Of the last so many.", HelpName = "N", DefaultValueFactory = _ => 20 };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("incidents", "List the incidents of a running daemon, the latest first.")
        {
            stream, open, limit, DaemonClient.Url, DaemonClient.TokenFile, format,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string path = $"api/v1/incidents?limit={parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)}"
                + (parsed.GetValue(stream) is { } name ? $"&stream={Uri.EscapeDataString(name)}" : "");
            bool onlyOpen = parsed.GetValue(open), isJson = parsed.GetValue(format) == "json";
            return DaemonClient.SendAsync(parsed, HttpMethod.Get, path, body: null, answer => Write(answer, onlyOpen, isJson, output), error, cancellation);
        });
        return command;
    }

    private static void Write(JsonElement answer, bool onlyOpen, bool isJson, TextWriter output)
    {
        JsonElement[] incidents = [.. answer.GetProperty("incidents").EnumerateArray().Where(incident => !onlyOpen || incident.GetProperty("state").GetString() != "closed")];

        if (isJson)
        {
            DaemonClient.WriteJson(JsonSerializer.SerializeToElement(new { incidents }), output);
            return;
        }

        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("incident").AddColumn("began").AddColumn("state").AddColumn("severity")
            .AddColumn(new TableColumn("score").RightAligned())
            .AddColumn("stream").AddColumn("looked after by").AddColumn("what");

        foreach (JsonElement incident in incidents)
        {
            table.AddRow(
                new Text(incident.GetProperty("incident_id").GetString()!),
                new Text(incident.GetProperty("onset").GetDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)),
                new Text(incident.GetProperty("state").GetString()!),
                new Text(incident.GetProperty("severity").GetString()!),
                DaemonClient.Figure(incident, "max_score"),
                new Text(incident.GetProperty("stream").GetString()!),
                new Text(incident.TryGetProperty("acknowledged", out JsonElement said) ? said.GetProperty("by").GetString()! : ""),
                new Text(incident.TryGetProperty("explanation", out JsonElement why) ? why.GetString() ?? "" : ""));
        }

        DaemonClient.WriteTable(table, output);
        output.WriteLine(incidents.Length == 0 ? "no incidents" : "streamlstm label --incident INCIDENT --as real or false_alarm says what one of them was");
    }
}
