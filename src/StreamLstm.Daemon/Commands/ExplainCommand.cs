using System.CommandLine;
using System.Globalization;
using System.Net.Http;
using System.Text.Json;
using Spectre.Console;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm explain</c>: why a running daemon alerted, or did not.</summary>
internal static class ExplainCommand
{
    /// <summary>Columns of a record that are shown to people; machines get all.</summary>
    private const int ColumnsMax = 8;

    public static Command Create(TextWriter output, TextWriter error)
    {
        var stream = new Option<string>("--stream") { Description = "The stream's name.", HelpName = "NAME", Required = true };
        var at = new Option<string?>("--at") { Description = "Of what time; without it the last observation is explained.", HelpName = "TIME" };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("explain", "Say why a running daemon alerted, or why it did not.") { stream, at, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) =>
        {
            string path = $"api/v1/explain?stream={Uri.EscapeDataString(parsed.GetValue(stream)!)}";
            path += parsed.GetValue(at) is { } time ? $"&at={Uri.EscapeDataString(time)}" : "";
            bool isJson = parsed.GetValue(format) == "json";
            return DaemonClient.SendAsync(
                parsed, HttpMethod.Get, path, null,
                answer => Write(answer, isJson, output), error, cancellation);
        });
        return command;
    }

    /// <summary>The columns of a record that are most of its score.</summary>
    private static void WriteColumns(JsonElement columns, TextWriter output)
    {
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("column")
            .AddColumn(new TableColumn("value").RightAligned())
            .AddColumn(new TableColumn("expected").RightAligned())
            .AddColumn(new TableColumn("from").RightAligned())
            .AddColumn(new TableColumn("to").RightAligned())
            .AddColumn(new TableColumn("share").RightAligned());

        foreach (JsonElement column in columns.EnumerateArray().OrderByDescending(column => column.GetProperty("share").GetDouble()).Take(ColumnsMax))
        {
            table.AddRow(
                new Text(column.GetProperty("column").GetString()!),
                DaemonClient.Figure(column, "actual"),
                DaemonClient.Figure(column, "expected"),
                DaemonClient.Figure(column, "lower"),
                DaemonClient.Figure(column, "upper"),
                new Text(column.GetProperty("share").GetDouble().ToString("P0", CultureInfo.InvariantCulture)));
        }

        DaemonClient.WriteTable(table, output);
    }

    private static void Write(JsonElement answer, bool isJson, TextWriter output)
    {
        if (isJson)
        {
            DaemonClient.WriteJson(answer, output);
            return;
        }

        output.WriteLine($"{answer.GetProperty("stream").GetString()} at {answer.GetProperty("time").GetString()} ({(answer.TryGetProperty("lifecycle", out JsonElement lifecycle) ? lifecycle.GetString() : "kept of the incident")})");
        output.WriteLine(answer.GetProperty("sentence").GetString());

        if (answer.TryGetProperty("columns", out JsonElement columns) && columns.ValueKind == JsonValueKind.Array)
        {
            WriteColumns(columns, output);
        }

        JsonElement indicators = answer.GetProperty("indicators");

        if (indicators.GetArrayLength() == 0)
        {
            return;
        }

        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("indicator")
            .AddColumn(new TableColumn("decades").RightAligned())
            .AddColumn(new TableColumn("share").RightAligned())
            .AddColumn("means");

        foreach (JsonElement indicator in indicators.EnumerateArray())
        {
            double? score = indicator.TryGetProperty("score", out JsonElement decades) ? decades.GetDouble() : null;
            table.AddRow(
                new Text(indicator.GetProperty("name").GetString()!),
                new Text(score?.ToString("0.0", CultureInfo.InvariantCulture) ?? ""),
                new Text(indicator.GetProperty("share").GetDouble().ToString("P0", CultureInfo.InvariantCulture)),
                new Text(score > 0 ? indicator.GetProperty("meaning").GetString()! : ""));
        }

        DaemonClient.WriteTable(table, output);
    }
}
