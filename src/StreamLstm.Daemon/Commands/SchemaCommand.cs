using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;

namespace StreamLstm.Daemon.Commands;

/// <summary><c>streamlstm schema</c>: what a configuration may hold, and what events look like, as JSON schemas.</summary>
internal static class SchemaCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="output">Where it goes.</param>
    public static Command Create(TextWriter output)
    {
        var of = new Argument<string>("OF") { Description = "config or events", DefaultValueFactory = _ => "config", HelpName = "config|events" };
        of.AcceptOnlyFromAmong("config", "events");
        var schema = new Command(
            "schema",
            """
            Print the JSON schema of the configuration, or of the events that sinks write.

            Examples:
              streamlstm schema > streamlstm.schema.json     and "# yaml-language-server: $schema=streamlstm.schema.json" as a file's first line
              streamlstm schema events
            """)
        {
            of,
        };
        schema.SetAction(parsed => output.WriteLine(Text(parsed.GetValue(of) == "events" ? EventJson.Schema() : OptionSchema.Write())));
        return schema;
    }

    /// <summary>As it is printed.</summary>
    public static string Text(JsonObject schema) => schema.ToJsonString(Indented);
}
