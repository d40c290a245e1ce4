using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using StreamLstm.Daemon.Commands;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Tests.Detection;
using StreamLstm.Tests.Repository;
using StreamLstm.Tests.Support;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamLstm.Tests.Daemon.Configuration;

public sealed class SchemaTests
{
    private static readonly string Configs = Path.Combine(RepositoryTests.Root, "configs");
    private static readonly JsonSchema Config = JsonSchema.FromText(SchemaCommand.Text(OptionSchema.Write()));

    [Fact]
    public void The_schema_beside_the_samples_is_the_one_that_is_printed() =>
        Assert.Equal(SchemaCommand.Text(OptionSchema.Write()), File.ReadAllText(Path.Combine(Configs, "streamlstm.schema.json")).TrimEnd());

    [Fact]
    public void Every_sample_names_it_and_is_valid_under_it()
    {
        string[] samples = Directory.GetFiles(Configs, "*.yaml");

        Assert.True(samples.Length >= 6);
        Assert.All(samples, sample =>
        {
            string text = File.ReadAllText(sample);
            Assert.StartsWith("# yaml-language-server: $schema=streamlstm.schema.json\n", text, StringComparison.Ordinal);
            Assert.True(IsValid(text), sample);
        });
    }

    [Theory]
    [InlineData("http: {port: 8080}", true)]
    [InlineData("http: {port: '${PORT}'}", true)]
    [InlineData("http: {port: eighty}", false)]
    [InlineData("http: {port: 65536}", false)]
    [InlineData("http: {prt: 8080}", false)]
    [InlineData("storage: {snapshot_interval: 90s}", true)]
    [InlineData("storage: {snapshot_interval: soon}", false)]
    [InlineData("alerts: [{streams: 'plant/*', severity_min: critical, direction: up}]", true)]
    [InlineData("alerts: [{streams: 'plant/*', severity_min: loud}]", false)]
    [InlineData("sources: {mqtt: [{url: 'mqtt://host', topics: ['#'], tls: {ca_file: ca.pem}}]}", true)]
    [InlineData("sources: {mqtt: [{url: 'mqtt://host', topics: '#'}]}", false)]
    public void It_says_what_the_loader_says(string yaml, bool isValid) => Assert.Equal(isValid, IsValid(yaml));

    [Fact]
    public void Options_are_described_where_their_names_do_not_say_all()
    {
        var bare = new List<string>();
        Visit(OptionSchema.Write(), "");

        Assert.Empty(bare);

        void Visit(JsonObject schema, string prefix)
        {
            foreach ((string name, JsonNode? option) in schema["properties"]!.AsObject())
            {
                JsonObject inner = option!["items"] as JsonObject ?? option.AsObject();

                if (inner.ContainsKey("properties"))
                {
                    Visit(inner, $"{prefix}{name}.");
                }
                else if (!option.AsObject().ContainsKey("description")
                    && name is not ("enabled" or "username" or "password" or "path" or "period" or "to" or "key_password" or "scores" or "time_zone" or "format" or "follow" or "prefix" or "key")
                    && !name.StartsWith("token_", StringComparison.Ordinal) && !name.EndsWith("_retention", StringComparison.Ordinal))
                {
                    bare.Add(prefix + name);
                }
            }
        }
    }

    [Fact]
    public void What_sinks_write_is_valid_under_the_schema_of_events()
    {
        JsonSchema events = JsonSchema.FromText(SchemaCommand.Text(EventJson.Schema()));
        AlertRuleTests.Run run = AlertRuleTests.Run.Of(DailySeries.WithFaults(1));
        string[] written = [.. run.Incidents.Select(EventJson.Incident), .. run.Scored.TakeLast(100).Select(one => EventJson.Score(one))];

        Assert.True(run.Incidents.Count > 1);
        Assert.All(written, line => Assert.True(Accepts(events, line), line));
        Assert.False(Accepts(events, written[0].Replace("\"opened\"", "\"odd\"", StringComparison.Ordinal)));
        Assert.False(Accepts(events, written[0].Replace("\"type\":\"incident\"", "\"type\":\"other\"", StringComparison.Ordinal)));
    }

    private static bool IsValid(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return Accepts(Config, Json(stream.Documents[0].RootNode)!.ToJsonString());
    }

    private static bool Accepts(JsonSchema schema, string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return schema.Evaluate(document.RootElement).IsValid;
    }

    /// <summary>As an editor reads it: YAML 1.2's core schema.</summary>
    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, Json(pair.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Json)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" } => null,
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } flag => flag.Value == "true",
        YamlScalarNode { Style: ScalarStyle.Plain } scalar when long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
        YamlScalarNode { Style: ScalarStyle.Plain } scalar when double.TryParse(scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => ((YamlScalarNode)node).Value,
    };
}
