using StreamLstm.Daemon.Configuration;
using StreamLstm.Detection.Judging.Records;

namespace StreamLstm.Tests.Daemon.Configuration;

/// <summary>What is wrong about a broker's options is told with key, value and what was expected.</summary>
public sealed class MqttRulesTests
{
    [Theory]
    [InlineData(
        "sources.mqtt.0.templates.0.topic=plant/{site}/{site}",
        "sources.mqtt.0.templates.0.topic: 'plant/{site}/{site}': {site} twice, expected levels that are words or {labels} (a-z, 0-9, _), each label once, such as plant/{site}/{device}/{field}")]
    [InlineData(
        "sources.mqtt.0.templates.0.topic=factory/{site}",
        "sources.mqtt.0.templates.0.topic: 'factory/{site}', expected levels that one of sources.mqtt.0.topics lets through: plant/#")]
    [InlineData("sources.mqtt.0.templates.0.join.fields.0=flow", "sources.mqtt.0.templates.0.join.fields: 'flow', expected 2 to 128 names, each once")]
    [InlineData("sources.mqtt.0.templates.0.stream=x", "sources.mqtt.0.templates.0.topic: '': level '', expected levels")]
    public void Of_a_template(string setting, string told) => Assert.Contains(Errors(setting), error => error.Contains(told, StringComparison.Ordinal));

    [Fact]
    public void A_template_that_is_right_is_taken()
    {
        DaemonOptions options = Load("sources.mqtt.0.templates.0.topic=plant/{site}/{device}", "sources.mqtt.0.templates.0.stream={device}/{site}");

        Assert.Equal("pump3/hamburg/flow", options.Sources.Mqtt[0].TopicTemplates()[0].NameOf("plant/hamburg/pump3/flow"));
    }

    [Fact]
    public void Templates_of_a_payload_that_names_its_streams_itself_are_a_mistake() => Assert.Contains(
        Errors("sources.mqtt.0.templates.0.topic=plant/{site}", "sources.mqtt.0.format=influx"),
        error => error.Contains("sources.mqtt.0.templates: set, but with format influx a stream is named by the line's measurement and tags", StringComparison.Ordinal));

    [Theory]
    [InlineData("spBv1.0/{group}/{type}/{node}", "'spBv1.0/{group}/{type}/{node}': of Sparkplug B a template is of what names the stream, expected levels such as {group}/{node}/{device}/{field}")]
    [InlineData("{group}/{node}/{node}", "'{group}/{node}/{node}': {node} twice")]
    public void Of_a_template_for_sparkplug(string topic, string told) => Assert.Contains(
        Errors("sources.mqtt.0.topics.0=spBv1.0/#", $"sources.mqtt.0.templates.0.topic={topic}"),
        error => error.Contains($"sources.mqtt.0.templates.0.topic: {told}", StringComparison.Ordinal));

    [Fact]
    public void A_template_for_sparkplug_need_not_look_like_its_topics() =>
        Assert.Single(Load("sources.mqtt.0.topics.0=spBv1.0/#", "sources.mqtt.0.templates.0.topic=plant/{node}/{device}/{field}").Sources.TopicTemplates());

    [Fact]
    public void Of_a_template_of_the_broker_inside() => Assert.Contains(
        Errors("sources.mqtt_embedded.templates.0.topic=plant/{site}/{site}"),
        error => error.Contains("sources.mqtt_embedded.templates.0.topic: 'plant/{site}/{site}': {site} twice", StringComparison.Ordinal));

    [Fact]
    public void Joined_fields_are_judged_together_unless_vectors_say_how()
    {
        string[] join =
        [
            "sources.mqtt.0.templates.0.topic=plant/{device}/{field}", "sources.mqtt.0.templates.0.join.fields.0=flow", "sources.mqtt.0.templates.0.join.fields.1=speed",
            "sources.mqtt.0.templates.0.join.window=500ms",
        ];

        VectorOptions implied = Assert.Single(Load(join).DetectorOptions().Vectors);
        Assert.Single(Load([.. join.Select(setting => setting.Replace("mqtt.0", "mqtt_embedded", StringComparison.Ordinal))]).DetectorOptions().Vectors);
        VectorOptions[] said = [.. Load([.. join, "vectors.0.streams=plant/pump*", "vectors.0.missing=previous"]).DetectorOptions().Vectors];

        Assert.Equal(("plant/*", MissingPolicy.Ignore), (implied.Streams, implied.Missing));
        Assert.Equal(["flow", "speed"], implied.Columns);
        Assert.Equal([("plant/pump*", MissingPolicy.Previous), ("plant/*", MissingPolicy.Ignore)], said.Select(vector => (vector.Streams, vector.Missing)));
    }

    private static IReadOnlyList<string> Errors(params string[] settings) => Assert.Throws<ConfigurationException>(() => Load(settings)).Errors;

    private static DaemonOptions Load(params string[] settings) => ConfigurationLoader.Load(
        [], ["sources.mqtt.0.url=mqtt://127.0.0.1:1883", "sources.mqtt.0.topics.0=plant/#", .. settings], new Dictionary<string, string>());
}
