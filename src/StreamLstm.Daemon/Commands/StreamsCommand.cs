using System.CommandLine;
using System.Globalization;
using System.Net.Http;
using System.Text.Json;
using Spectre.Console;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm streams</c>: the streams that a running daemon knows, and what it is to do with single ones.</summary>
internal static class StreamsCommand
{
    public static Command Create(TextWriter output, TextWriter error)
    {
        var filter = new Option<string?>("--filter") { Description = "Only streams whose name holds this.", HelpName = "TEXT" };
        var limit = new Option<int>("--limit") { Description = "At most so many.", HelpName = "N", DefaultValueFactory = _ => 100 };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("streams", "List the streams of a running daemon, or have it forget one.")
        {
            Delete(output, error), filter, limit, DaemonClient.Url, DaemonClient.TokenFile, format,
        };
        command.SetAction((parsed, cancellation) =>
        {
            string path = $"api/v1/streams?limit={parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture)}"
                + (parsed.GetValue(filter) is { } text ? $"&filter={Uri.EscapeDataString(text)}" : "");
            return DaemonClient.SendAsync(
                parsed, HttpMethod.Get, path, body: null,
                answer => Write(answer, parsed.GetValue(format) == "json", output), error, cancellation);
        });
        return command;
    }

    private static Command Delete(TextWriter output, TextWriter error)
    {
        var stream = new Argument<string>("NAME") { Description = "The stream's name." };
        var delete = new Command(
            "delete",
            """
            Have a running daemon forget a stream: it goes from the page, the snapshots and the history's scores; incidents that were told stay.
            What comes under its name afterwards is a new stream.

            Example:
              streamlstm streams delete plant/old-pump
            """)
        {
            stream, DaemonClient.Url, DaemonClient.TokenFile,
        };
        delete.SetAction((parsed, cancellation) =>
        {
            // A slash in a name is one in the path; whatever else could end the path is escaped.
            string name = string.Join('/', parsed.GetValue(stream)!.Split('/').Select(Uri.EscapeDataString));
            return DaemonClient.SendAsync(
                parsed, HttpMethod.Delete, $"api/v1/streams/{name}", body: null,
                answer => output.WriteLine($"forgotten: {answer.GetProperty("stream").GetString()}"), error, cancellation);
        });
        return delete;
    }

    private static void Write(JsonElement answer, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            DaemonClient.WriteJson(answer, output);
            return;
        }

        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("stream").AddColumn("state").AddColumn("form").AddColumn("last")
            .AddColumn(new TableColumn("value").RightAligned())
            .AddColumn(new TableColumn("score").RightAligned())
            .AddColumn("incident");

        foreach (JsonElement stream in answer.GetProperty("streams").EnumerateArray())
        {
            table.AddRow(
                new Text(stream.GetProperty("stream").GetString()!),
                new Text(stream.GetProperty("lifecycle").GetString()!),
                new Text(stream.GetProperty("form").GetString()!),
                new Text(stream.GetProperty("time").GetDateTimeOffset().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)),
                DaemonClient.Figure(stream, "value"),
                DaemonClient.Figure(stream, "score"),
                new Text(stream.GetProperty("incident_open").GetBoolean() ? "open" : ""));
        }

        DaemonClient.WriteTable(table, output);
        int shown = answer.GetProperty("streams").GetArrayLength(), total = answer.GetProperty("total").GetInt32();
        output.WriteLine(shown < total ? $"{shown} of {total} streams; --limit and --filter choose others" : $"{total} streams");
    }
}
