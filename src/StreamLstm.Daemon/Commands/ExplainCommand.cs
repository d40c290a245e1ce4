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
        var gates = new Option<bool>("--gates") { Description = "Instead what the stream's LSTM kept, took in and gave out over what came last: forget, input and output gate and cell state, a line for each cell." };
        var reconstruction = new Option<bool>("--reconstruction") { Description = "Instead what the incident at that time, or the last one, should have looked like by what came before it." };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("explain", "Say why a running daemon alerted, or why it did not.") { stream, at, gates, reconstruction, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) =>
        {
            string path = $"api/v1/explain?stream={Uri.EscapeDataString(parsed.GetValue(stream)!)}";
            path += parsed.GetValue(at) is { } time ? $"&at={Uri.EscapeDataString(time)}" : "";
            path += parsed.GetValue(gates) ? "&gates=true" : "";
            path += parsed.GetValue(reconstruction) ? "&reconstruction=true" : "";
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

    /// <summary>A line for each cell, a character for each step: the darker, the more open the gate. Of the cell state the size, full at 2.</summary>
    private static void WriteHeatMap(string gate, JsonElement steps, TextWriter output)
    {
        const string Shades = " .:-=+*#%@";
        double[][] rows = [.. steps.EnumerateArray().Select(step => step.EnumerateArray().Select(value => value.GetDouble()).ToArray())];
        double full = gate == "cell" ? 2 : 1;
        output.WriteLine(gate == "cell" ? "cell state (size; '@' is 2 and more)" : $"{gate} gate (' ' shut, '@' open)");

        for (int cell = 0; cell < rows[0].Length; cell++)
        {
            output.WriteLine(string.Concat(rows.Select(row => Shades[(int)Math.Clamp(Math.Abs(row[cell]) / full * Shades.Length, 0, Shades.Length - 1)])));
        }
    }

    /// <summary>What came and what should have, row by row.</summary>
    private static void WriteReconstruction(JsonElement answer, TextWriter output)
    {
        JsonElement[] rows = [.. answer.GetProperty("rows").EnumerateArray()];
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{answer.GetProperty("stream").GetString()}{(answer.GetProperty("is_rate").GetBoolean() ? ", a counter's changes" : "")}: {rows.Length} rows{(answer.GetProperty("is_cut").GetBoolean() ? ", the first of more" : "")}, {answer.GetProperty("in_band").GetDouble():P0} inside the 90 % band; known from {answer.GetProperty("clean_rows").GetInt32():N0} clean rows before"));
        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("time")
            .AddColumn(new TableColumn("value").RightAligned())
            .AddColumn(new TableColumn("should be").RightAligned())
            .AddColumn(new TableColumn("from").RightAligned())
            .AddColumn(new TableColumn("to").RightAligned());

        foreach (JsonElement row in rows)
        {
            table.AddRow(
                new Text(row.GetProperty("time").GetString()!),
                DaemonClient.Figure(row, "actual"),
                DaemonClient.Figure(row, "expected"),
                DaemonClient.Figure(row, "lower"),
                DaemonClient.Figure(row, "upper"));
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

        if (answer.TryGetProperty("rows", out _))
        {
            WriteReconstruction(answer, output);
            return;
        }

        if (answer.TryGetProperty("forget", out _))
        {
            foreach (string gate in (string[])["forget", "input", "output", "cell"])
            {
                WriteHeatMap(gate, answer.GetProperty(gate), output);
            }

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
