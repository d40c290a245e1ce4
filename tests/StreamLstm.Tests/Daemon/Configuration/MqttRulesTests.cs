using StreamLstm.Daemon.Configuration;

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
    [InlineData("sources.mqtt.0.templates.0.stream=x", "sources.mqtt.0.templates.0.topic: '': level '', expected levels")]
    public void Of_a_template(string setting, string told) => Assert.Contains(Errors(setting), error => error.Contains(told, StringComparison.Ordinal));

    [Fact]
    public void A_template_that_is_right_is_taken()
    {
        DaemonOptions options = Load("sources.mqtt.0.templates.0.topic=plant/{site}/{device}", "sources.mqtt.0.templates.0.stream={device}/{site}");

        Assert.Equal("pump3/hamburg/flow", options.Sources.Mqtt[0].TopicTemplates()[0].NameOf("plant/hamburg/pump3/flow"));
    }

    private static IReadOnlyList<string> Errors(params string[] settings) => Assert.Throws<ConfigurationException>(() => Load(settings)).Errors;

    private static DaemonOptions Load(params string[] settings) => ConfigurationLoader.Load(
        [], ["sources.mqtt.0.url=mqtt://127.0.0.1:1883", "sources.mqtt.0.topics.0=plant/#", .. settings], new Dictionary<string, string>());
}
