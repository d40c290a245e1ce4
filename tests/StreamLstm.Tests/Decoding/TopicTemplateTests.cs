using StreamLstm.Decoding;

namespace StreamLstm.Tests.Decoding;

public sealed class TopicTemplateTests
{
    private static readonly JoinRule Join = new(["flow", "pressure"], TimeSpan.FromSeconds(2));

    [Theory]
    [InlineData("plant/{site}/{device}/{field}", "", "", "plant/hamburg/pump3/flow", "plant/hamburg/pump3/flow", "site=hamburg device=pump3 field=flow")]
    [InlineData("plant/{site}/{device}/{field}", "", "", "plant/hamburg/pump3/flow/raw", "plant/hamburg/pump3/flow/raw", "site=hamburg device=pump3 field=flow")]
    [InlineData("acme/v1/{site}/{device}", "{device}/{site}", "", "acme/v1/hamburg/pump3", "pump3/hamburg", "site=hamburg device=pump3")]
    [InlineData("acme/v1/{site}/{device}", "{device}/{site}", "mqtt/a", "acme/v1/hamburg/pump3/x", "mqtt/a/pump3/hamburg/x", "site=hamburg device=pump3")]
    [InlineData("{a}/{b}", "", "", "//x", "//x", "a= b=")]
    public void A_topic_gives_a_stream_and_the_streams_name_gives_the_labels(
        string topic, string stream, string prefix, string published, string name, string labels)
    {
        TopicTemplate template = Template(topic, stream, prefix);

        Assert.Equal(name, template.NameOf(published));
        Assert.Equal(labels, string.Join(' ', template.LabelsOf(name)!.Select(label => $"{label.Key}={label.Value}")));
    }

    [Theory]
    [InlineData("plant/hamburg")]
    [InlineData("plants/hamburg/pump3")]
    [InlineData("")]
    public void Another_topic_or_name_has_nothing_of_it(string other)
    {
        TopicTemplate template = Template("plant/{site}/{device}");

        Assert.Null(template.NameOf(other));
        Assert.Null(template.LabelsOf(other));
    }

    [Theory]
    [InlineData("plant/{site}/{site}", "", "topic", "'plant/{site}/{site}': {site} twice, expected levels that are words or {labels} (a-z, 0-9, _), each label once, such as plant/{site}/{device}/{field}")]
    [InlineData("plant/x{site}", "", "topic", "'plant/x{site}': level 'x{site}', expected")]
    [InlineData("plant/{Site}", "", "topic", "'plant/{Site}': level '{Site}', expected")]
    [InlineData("plant/+/{site}", "", "topic", "'plant/+/{site}': level '+', expected")]
    [InlineData("", "", "topic", "'': level '', expected")]
    [InlineData("plant/{site}", "{place}", "stream", "'{place}': {place} is not in topic 'plant/{site}', expected its labels only")]
    [InlineData("plant/{site}/{device}", "{device}", "stream", "'{device}': {site} is missing, so several topics would be one stream; expected every label of topic 'plant/{site}/{device}'")]
    public void What_is_wrong_is_told_with_its_option_and_what_was_expected(string topic, string stream, string option, string what)
    {
        Assert.False(TopicTemplate.TryParse(topic, stream, "", null, out _, out (string Option, string What) wrong));

        Assert.Equal(option, wrong.Option);
        Assert.StartsWith(what, wrong.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plant/{site}/{device}/{field}", "", "plant/hamburg/pump3/flow", "plant/hamburg/pump3", "plant/hamburg/pump3/flow", "plant/*/*")]
    [InlineData("plant/{site}/{device}/{field}", "{device}/{site}", "plant/hamburg/pump3/flow/raw", "pump3/hamburg", "pump3/hamburg/flow/raw", "*/*")]
    [InlineData("plant/{device}", "", "plant/pump3", "plant/pump3", "plant/pump3", "plant/*")]
    public void Where_fields_are_joined_the_stream_is_the_record_and_the_rest_a_column(
        string topic, string stream, string published, string record, string name, string pattern)
    {
        TopicTemplate template = Template(topic, stream, join: Join);

        Assert.Equal(name, template.NameOf(published, out string? found));
        Assert.Equal((record, pattern), (found, template.Pattern));
        Assert.DoesNotContain("field", template.LabelsOf(record)!.Keys);
    }

    [Theory]
    [InlineData("plant/{field}/{device}", "", "topic", "'plant/{field}/{device}': the last level names a record's columns, expected {field} there and the device before it")]
    [InlineData("{field}", "", "topic", "'{field}': the last level names a record's columns, expected {field} there and the device before it")]
    [InlineData("plant/{device}/{field}", "{device}/{field}", "stream", "'{device}/{field}': {field} names a record's columns, expected the other labels")]
    public void What_is_wrong_of_one_whose_fields_are_joined_is_told(string topic, string stream, string option, string what)
    {
        Assert.False(TopicTemplate.TryParse(topic, stream, "", Join, out _, out (string Option, string What) wrong));

        Assert.Equal((option, what), wrong);
    }

    [Fact]
    public void A_payload_of_a_joined_topic_is_taken_apart_and_says_which_record_it_belongs_to()
    {
        var decoded = new Decoded(new IngestStamp(TimeProvider.System), RecordRules.All);
        var decoder = new PayloadDecoder(PayloadFormat.Auto, PayloadRules.Default, [], [Template("plant/{device}", join: Join)]);

        JoinedTopic joined = Assert.Single(decoder.Decode("plant/pump3", "", """{"flow":1,"pressure":2}"""u8.ToArray(), decoded));
        Assert.Empty(decoder.Decode("hall/pump3", "", """{"flow":1,"pressure":2}"""u8.ToArray(), decoded));

        Assert.Equal(new JoinedTopic("plant/pump3", Join), joined);
        Assert.Equal(["plant/pump3/flow", "plant/pump3/pressure", "hall/pump3"], decoded.Observations.Select(observation => observation.Stream));
    }

    [Theory]
    [InlineData("plant/#", true)]
    [InlineData("+/+/+/flow", true)]
    [InlineData("$share/g/plant/+/pump3/#", true)]
    [InlineData("plant/hamburg/pump3", false)]
    [InlineData("factory/#", false)]
    [InlineData("plant/+", false)]
    public void A_filter_that_lets_nothing_of_it_through_is_known(string filter, bool mayPass) =>
        Assert.Equal(mayPass, Template("plant/{site}/{device}/{field}").MayPass(filter));

    [Fact]
    public void Payloads_under_a_topic_are_named_by_the_first_template_that_it_fits()
    {
        var decoded = new Decoded(new IngestStamp(TimeProvider.System));
        var decoder = new PayloadDecoder(
            PayloadFormat.Auto, PayloadRules.Default, [], [Template("acme/{site}/{device}", "{site}/{device}"), Template("acme/{other}")]);

        decoder.Decode("acme/hamburg/pump3", "", "71.5"u8.ToArray(), decoded);
        decoder.Decode("acme/hamburg/pump3", "", """{"flow":2,"pressure":{"in":3}}"""u8.ToArray(), decoded);
        decoder.Decode("acme/x", "", "1"u8.ToArray(), decoded);
        decoder.Decode("elsewhere/x", "", "1"u8.ToArray(), decoded);

        Assert.Equal(
            ["hamburg/pump3", "hamburg/pump3/flow", "hamburg/pump3/pressure/in", "acme/x", "elsewhere/x"],
            decoded.Observations.Select(observation => observation.Stream));
    }

    private static TopicTemplate Template(string topic, string stream = "", string prefix = "", JoinRule? join = null)
    {
        Assert.True(TopicTemplate.TryParse(topic, stream, prefix, join, out TopicTemplate? template, out (string Option, string What) wrong), wrong.What);
        return template;
    }
}
