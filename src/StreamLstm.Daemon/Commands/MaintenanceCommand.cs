using System.CommandLine;
using System.Net.Http;
using System.Text.Json;
using Spectre.Console;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm maintenance</c>: the stretches of time in which a running daemon expects streams to be odd.</summary>
internal static class MaintenanceCommand
{
    private const string Path = "api/v1/maintenance";

    public static Command Create(TextWriter output, TextWriter error) =>
        new("maintenance", "Stretches of time in which streams are expected to be odd: those of a running daemon.")
        {
            List(output, error), Add(output, error), Remove(output, error),
        };

    private static Command List(TextWriter output, TextWriter error)
    {
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("list", "Print them, those of the configuration too.") { DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) =>
        {
            bool isJson = parsed.GetValue(format) == "json";
            return DaemonClient.SendAsync(
                parsed, HttpMethod.Get, Path, null,
                answer =>
                {
                    if (isJson)
                    {
                        DaemonClient.WriteJson(answer, output);
                    }
                    else
                    {
                        WriteTable(answer.GetProperty("maintenance"), output);
                    }
                },
                error, cancellation);
        });
        return command;
    }

    private static Command Add(TextWriter output, TextWriter error)
    {
        var streams = new Option<string>("--streams")
        {
            Description = "Their names: * stands for any characters, ? for one.", HelpName = "PATTERN", Required = true,
        };
        var length = new Option<string?>("--for") { Description = "How long it lasts, from now or --from on: 30m, 2h.", HelpName = "DURATION" };
        var from = new Option<string?>("--from") { Description = "When it begins, by the records' own clock; without it now.", HelpName = "TIME" };
        var to = new Option<string?>("--to") { Description = "When it ends, instead of --for.", HelpName = "TIME" };
        var days = new Option<string?>("--days") { Description = "Every week: the days on which it begins, saturday,sunday.", HelpName = "DAYS" };
        var start = new Option<string?>("--start") { Description = "The time of day at which it begins on them.", HelpName = "HH:MM" };
        var end = new Option<string?>("--end") { Description = "The time of day at which it ends, on the next day where that is not later.", HelpName = "HH:MM" };
        var zone = new Option<string?>("--time-zone") { Description = "Of days and times of day, such as Europe/Berlin; without it UTC.", HelpName = "ZONE" };
        var mute = new Option<bool?>("--mute-alerts") { Description = "Whether nothing opens in it; without it true.", HelpName = "true|false" };
        var freeze = new Option<bool?>("--freeze-learning") { Description = "Whether nothing of it is learnt; without it true.", HelpName = "true|false" };
        var note = new Option<string?>("--note") { Description = "What for.", HelpName = "TEXT" };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("add", "Ask for one; it holds at once, and after a restart.")
        {
            streams, length, from, to, days, start, end, zone, mute, freeze, note, DaemonClient.Url, DaemonClient.TokenFile, format,
        };
        command.Validators.Add(parsed =>
        {
            if (parsed.GetValue(length) is null && parsed.GetValue(to) is null && parsed.GetValue(days) is null)
            {
                parsed.AddError("expected --for DURATION, --to TIME, or --days DAYS with --start and --end");
            }
        });
        command.SetAction((parsed, cancellation) =>
        {
            bool isJson = parsed.GetValue(format) == "json";
            return DaemonClient.SendAsync(
                parsed,
                HttpMethod.Post,
                Path,
                new
                {
                    streams = parsed.GetValue(streams),
                    @for = parsed.GetValue(length),
                    from = parsed.GetValue(from),
                    to = parsed.GetValue(to),
                    days = parsed.GetValue(days)?.Split(',', StringSplitOptions.TrimEntries),
                    start = parsed.GetValue(start),
                    end = parsed.GetValue(end),
                    time_zone = parsed.GetValue(zone),
                    mute_alerts = parsed.GetValue(mute),
                    freeze_learning = parsed.GetValue(freeze),
                    note = parsed.GetValue(note),
                },
                answer =>
                {
                    if (isJson)
                    {
                        DaemonClient.WriteJson(answer, output);
                    }
                    else
                    {
                        output.WriteLine($"maintenance {answer.GetProperty("id").GetString()} of {Text(answer, "streams")}: {When(answer)}, {Does(answer)}");
                    }
                },
                error, cancellation);
        });
        return command;
    }

    private static Command Remove(TextWriter output, TextWriter error)
    {
        var id = new Argument<string>("ID") { Description = "As list prints it." };
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("remove", "End one at once.") { id, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) =>
        {
            bool isJson = parsed.GetValue(format) == "json";
            return DaemonClient.SendAsync(
                parsed, HttpMethod.Delete, $"{Path}/{Uri.EscapeDataString(parsed.GetValue(id)!)}", null,
                answer =>
                {
                    if (isJson)
                    {
                        DaemonClient.WriteJson(answer, output);
                    }
                    else
                    {
                        output.WriteLine($"maintenance {answer.GetProperty("id").GetString()} removed");
                    }
                },
                error, cancellation);
        });
        return command;
    }

    private static void WriteTable(JsonElement windows, TextWriter output)
    {
        if (windows.GetArrayLength() == 0)
        {
            output.WriteLine("none; streamlstm maintenance add --streams PATTERN --for 2h asks for one");
            return;
        }

        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("id").AddColumn("streams").AddColumn("when").AddColumn("now").AddColumn("does").AddColumn("note");

        foreach (JsonElement window in windows.EnumerateArray())
        {
            table.AddRow(
                new Text(Text(window, "id")!),
                new Text(Text(window, "streams")!),
                new Text(When(window)),
                new Text(window.GetProperty("active").GetBoolean() ? "holds" : ""),
                new Text(Does(window)),
                new Text(Text(window, "note") ?? ""));
        }

        DaemonClient.WriteTable(table, output);
    }

    private static string When(JsonElement window)
    {
        string[] parts =
        [
            Text(window, "days") is null ? "" : $"{string.Join(", ", window.GetProperty("days").EnumerateArray())} {Text(window, "start")} to {Text(window, "end")} {Text(window, "time_zone")}",
            Text(window, "from") is { } from ? $"from {from}" : "",
            Text(window, "to") is { } to ? $"to {to}" : "",
        ];
        return string.Join(' ', parts.Where(part => part.Length > 0));
    }

    private static string Does(JsonElement window) =>
        (window.GetProperty("mute_alerts").GetBoolean(), window.GetProperty("freeze_learning").GetBoolean()) switch
        {
            (true, true) => "no alerts, no learning",
            (true, false) => "no alerts",
            (false, true) => "no learning",
            _ => "nothing",
        };

    private static string? Text(JsonElement window, string name) =>
        window.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;
}
