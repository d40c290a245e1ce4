using System.CommandLine;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.Json;
using Spectre.Console;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm models</c>: the base weights of a running daemon, which serve, and who decided so.</summary>
internal static class ModelsCommand
{
    private const string Path = "api/v1/models";
    private const int HashShown = 12;

    public static Command Create(TextWriter output, TextWriter error) =>
        new(
            "models",
            """
            The base weights that a running daemon keeps: those it trained, those it was given, and which of them serve.

            Examples:
              streamlstm models list
              streamlstm models show 3
              streamlstm models rollback                     back to those that served before
              streamlstm models promote 3f6a1c               by the first characters of a hash, or by a version
              streamlstm models promote 5 --group pumps      for the streams of one of detection.model_groups
              streamlstm models show 3 --windows             which stretches of which streams it was trained and judged on
              streamlstm models export 3 --out good.safetensors
              streamlstm models import good.safetensors --promote --url http://other:8080
            """)
        {
            List(output, error), Show(output, error), Promote(output, error), Rollback(output, error), Export(output, error), Import(output, error),
        };

    private static Command List(TextWriter output, TextWriter error)
    {
        Option<string> format = DaemonClient.OutputOption();
        var command = new Command("list", "Print those that are kept, the newest file first.") { DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) => DaemonClient.SendAsync(
            parsed, HttpMethod.Get, Path, (object?)null, Writer(parsed, format, output, answer => WriteTable(answer, output)), error, cancellation));
        return command;
    }

    private static Command Show(TextWriter output, TextWriter error)
    {
        Argument<string> id = Id();
        Option<string> format = DaemonClient.OutputOption();
        var windows = new Option<bool>("--windows") { Description = "The stretches of streams it was trained and judged on instead." };
        var command = new Command("show", "Print what is known of one, when it served, and which streams it was trained on.") { id, windows, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) => DaemonClient.SendAsync(
            parsed, HttpMethod.Get, $"{Path}/{Uri.EscapeDataString(parsed.GetValue(id)!)}{(parsed.GetValue(windows) ? "/windows" : "")}", (object?)null,
            Writer(parsed, format, output, answer => (parsed.GetValue(windows) ? (Action<JsonElement, TextWriter>)WriteWindows : WriteOne)(answer, output)), error, cancellation));
        return command;
    }

    private static Command Promote(TextWriter output, TextWriter error)
    {
        Argument<string> id = Id();
        (Option<string> by, Option<string?> group, Option<string> format) = (By(), Group(), DaemonClient.OutputOption());
        var command = new Command("promote", "Have one that is kept serve from now on, as a version of its own.") { id, group, by, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) => DaemonClient.SendAsync(
            parsed, HttpMethod.Post, $"{Path}/{Uri.EscapeDataString(parsed.GetValue(id)!)}/promote", new { by = parsed.GetValue(by), group = parsed.GetValue(group) },
            Writer(parsed, format, output, swap => WriteSwap(swap, output)), error, cancellation));
        return command;
    }

    private static Command Rollback(TextWriter output, TextWriter error)
    {
        (Option<string> by, Option<string?> group, Option<string> format) = (By(), Group(), DaemonClient.OutputOption());
        var command = new Command("rollback", "Have those serve again that served before the present ones.") { group, by, DaemonClient.Url, DaemonClient.TokenFile, format };
        command.SetAction((parsed, cancellation) => DaemonClient.SendAsync(
            parsed, HttpMethod.Post, $"{Path}/rollback", new { by = parsed.GetValue(by), group = parsed.GetValue(group) },
            Writer(parsed, format, output, swap => WriteSwap(swap, output)), error, cancellation));
        return command;
    }

    private static Command Export(TextWriter output, TextWriter error)
    {
        Argument<string> id = Id();
        var file = new Option<string>("--out", "-o") { Description = "Where it goes.", HelpName = "FILE", Required = true };
        var command = new Command("export", "Write one as a safetensors file, for import, or detection.base_weights.") { id, file, DaemonClient.Url, DaemonClient.TokenFile };
        command.SetAction(async (parsed, cancellation) =>
        {
            byte[]? weights = null;
            int code = await DaemonClient.SendAsync(
                parsed, HttpMethod.Get, $"{Path}/{Uri.EscapeDataString(parsed.GetValue(id)!)}/weights", null, bytes => weights = bytes, error, cancellation);
            return weights is null ? code : FileCommand.Answer(
                () =>
                {
                    File.WriteAllBytes(parsed.GetValue(file)!, weights);
                    output.WriteLine(FormattableString.Invariant($"{parsed.GetValue(file)}: {weights.Length:N0} bytes"));
                    return 0;
                },
                "nothing is written",
                error);
        });
        return command;
    }

    private static Command Import(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("FILE") { Description = "A safetensors file, as export and train write it." };
        var promote = new Option<bool>("--promote") { Description = "Has it serve at once; else it is kept, and promote does that." };
        (Option<string> by, Option<string?> group, Option<string> format) = (By(), Group(), DaemonClient.OutputOption());
        var command = new Command("import", "Give a daemon weights; they are checked for shape and for numbers that are none.")
        {
            file, promote, group, by, DaemonClient.Url, DaemonClient.TokenFile, format,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            byte[]? weights = null;
            int read = FileCommand.Answer(
                () =>
                {
                    weights = File.ReadAllBytes(parsed.GetValue(file)!);
                    return 0;
                },
                "nothing is sent",
                error);

            if (weights is null)
            {
                return read;
            }

            var content = new ByteArrayContent(weights);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
            string query = $"?promote={(parsed.GetValue(promote) ? "true" : "false")}&by={Uri.EscapeDataString(parsed.GetValue(by)!)}"
                + (parsed.GetValue(group) is { } its ? $"&group={Uri.EscapeDataString(its)}" : "");
            return await DaemonClient.SendAsync(
                parsed, HttpMethod.Post, Path + query, (object)content, Writer(parsed, format, output, answer => WriteOne(answer, output)), error, cancellation);
        });
        return command;
    }

    private static Argument<string> Id() => new("MODEL") { Description = "A version under which it served, or the first six or more characters of its SHA-256." };

    private static Option<string?> Group() =>
        new("--group") { Description = "One of detection.model_groups, whose streams alone it is for.", HelpName = "NAME" };

    private static Option<string> By() =>
        new("--by") { Description = "Who decides so; without it this computer's user.", HelpName = "NAME", DefaultValueFactory = _ => Environment.UserName };

    private static Action<JsonElement> Writer(ParseResult parsed, Option<string> format, TextWriter output, Action<JsonElement> text) => answer =>
    {
        if (parsed.GetValue(format) == "json")
        {
            DaemonClient.WriteJson(answer, output);
        }
        else
        {
            text(answer);
        }
    };

    private static void WriteSwap(JsonElement swap, TextWriter output) => output.WriteLine(
        $"version {Said(swap, "version")} serves: the weights {Said(swap, "sha256")[..HashShown]}");

    private static void WriteOne(JsonElement model, TextWriter output)
    {
        foreach (string name in (string[])["sha256", "origin", "time", "by", "group", "serves", "versions", "champion_loss", "candidate_loss", "champion_separation", "candidate_separation", "training_windows", "held_out_windows"])
        {
            if ((Said(model, name), name) switch { ("", "serves") => "nobody", var (text, _) => text } is { Length: > 0 } said)
            {
                output.WriteLine($"{name.Replace('_', ' '),-20} {said}");
            }
        }

        foreach (JsonElement swap in model.GetProperty("swaps").EnumerateArray())
        {
            output.WriteLine($"{"served",-20} from {Said(swap, "time")} as version {Said(swap, "version")}, {Said(swap, "reason").Replace('_', ' ')} by {Said(swap, "by")}{(Said(swap, "group") is { Length: > 0 } group ? $", for {group}" : "")}");
        }

        if (model.GetProperty("streams").GetArrayLength() > 0)
        {
            output.WriteLine();
            Table table = new Table { Border = TableBorder.Simple }.AddColumn("trained on").AddColumn("windows").AddColumn("held out").AddColumn("from").AddColumn("to");

            foreach (JsonElement stream in model.GetProperty("streams").EnumerateArray())
            {
                table.AddRow(
                    new Text(Said(stream, "stream")), DaemonClient.Figure(stream, "windows"), DaemonClient.Figure(stream, "held_out"),
                    new Text(Said(stream, "from")), new Text(Said(stream, "to")));
            }

            DaemonClient.WriteTable(table, output);
        }
    }

    private static void WriteWindows(JsonElement windows, TextWriter output)
    {
        foreach (JsonElement window in windows.EnumerateArray())
        {
            output.WriteLine($"{Said(window, "from")}  {Said(window, "to")}  {(window.GetProperty("is_held_out").GetBoolean() ? "judged on " : "trained on")}  {Said(window, "stream")}");
        }
    }

    private static void WriteTable(JsonElement answer, TextWriter output)
    {
        output.WriteLine($"version {Said(answer, "serving")} serves");

        foreach (JsonElement group in answer.GetProperty("groups").EnumerateArray())
        {
            output.WriteLine($"group {Said(group, "group")} has weights of its own, of version {Said(group, "version")}");
        }

        if (answer.GetProperty("kept").GetArrayLength() == 0)
        {
            output.WriteLine("none is kept yet: the daemon began with these, and has trained none that are better");
            return;
        }

        Table table = new Table { Border = TableBorder.Simple }
            .AddColumn("sha256").AddColumn("versions").AddColumn("serves").AddColumn("origin").AddColumn("time").AddColumn("by")
            .AddColumn("windows").AddColumn("loss before").AddColumn("loss");

        foreach (JsonElement model in answer.GetProperty("kept").EnumerateArray())
        {
            table.AddRow(
                new Text(Said(model, "sha256")[..HashShown]), new Text(Said(model, "versions")), new Text(Said(model, "serves")),
                new Text(Said(model, "origin")), new Text(Said(model, "time")), new Text(Said(model, "by")),
                DaemonClient.Figure(model, "training_windows"), DaemonClient.Figure(model, "champion_loss"), DaemonClient.Figure(model, "candidate_loss"));
        }

        DaemonClient.WriteTable(table, output);
    }

    private static string Said(JsonElement of, string name) =>
        !of.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? ""
        : value.ValueKind == JsonValueKind.Array ? string.Join(", ", value.EnumerateArray())
        : value.ToString();
}
