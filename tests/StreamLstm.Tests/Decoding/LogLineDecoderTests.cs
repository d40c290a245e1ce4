using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding;

public sealed class LogLineDecoderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("2026-01-02T10:00:00Z hello", "2026-01-02T10:00:00Z")]
    [InlineData("2026-01-02 10:00:00,123 hello", "2026-01-02T10:00:00.123Z")]
    [InlineData("2026-01-02T12:00:00.5+02:00 hello", "2026-01-02T10:00:00.5Z")]
    [InlineData("[2026/01/02 10:00:00] hello", "2026-01-02T10:00:00Z")]
    [InlineData("2026-01-02 10:00:00 +0000: hello", "2026-01-02T10:00:00Z")]
    [InlineData("Jan  2 10:00:00 hello", "2026-01-02T10:00:00Z")]
    [InlineData("Dec 31 10:00:00 hello", "2025-12-31T10:00:00Z")]
    [InlineData("<34>1 2026-01-02T10:00:00.003Z hello", "2026-01-02T10:00:00.003Z")]
    [InlineData("<34>Jan  2 10:00:00 hello", "2026-01-02T10:00:00Z")]
    [InlineData("1767348000 hello", "2026-01-02T10:00:00Z")]
    [InlineData("1767348000.25 hello", "2026-01-02T10:00:00.25Z")]
    [InlineData("1767348000000 hello", "2026-01-02T10:00:00Z")]
    public void A_time_at_the_beginning_is_read_and_is_no_part_of_the_event(string line, string time)
    {
        LogLine read = Decoder().Read(line);

        Assert.Equal(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture), read.Time);
        Assert.Equal(new TextEvent("hello"), read.What);
    }

    [Fact]
    public void An_access_logs_time_is_read_where_it_stands()
    {
        Assert.Equal(
            new LogLine(Now.AddHours(-2), new TextEvent("10.0.0.7 - - \"GET / HTTP/1.1\" 200 17")),
            Decoder().Read("10.0.0.7 - - [02/Jan/2026:12:00:00 +0200] \"GET / HTTP/1.1\" 200 17"));
    }

    [Theory]
    [InlineData("a [99/Jan/2026:12:00:00 +0200] b")]
    [InlineData("a [02/Jan/2026:12:00:00 +9900] b")]
    [InlineData("hello 2026-01-02T10:00:00Z")]
    [InlineData("2026-99-02T10:00:00Z hello")]
    [InlineData("12345 hello")]
    [InlineData("Jan 99 10:00:00 hello")]
    [InlineData("0001-01-01 00:00:00 hello")]
    [InlineData("Feb 29 10:00:00 hello")]
    public void What_is_no_time_stays_in_the_line(string line) => Assert.Equal(new LogLine(null, new TextEvent(line)), Decoder().Read(line));

    [Fact]
    public void Times_without_a_zone_are_those_of_the_machine()
    {
        var decoder = new LogLineDecoder("log", null, TimeZoneInfo.CreateCustomTimeZone("x", TimeSpan.FromHours(5), "x", "x"), () => Now);

        Assert.Equal(Now.AddHours(-7), decoder.Read("2026-01-02 10:00:00 hello").Time);
        Assert.Equal(Now.AddHours(-2), decoder.Read("2026-01-02 10:00:00Z hello").Time);
    }

    [Fact]
    public void A_line_without_a_time_belongs_to_the_one_before()
    {
        LogLineDecoder decoder = Decoder();
        Assert.Null(decoder.Read("banner").Time);
        decoder.Read("2026-01-02T10:00:00Z Exception:");

        Assert.Equal(new LogLine(Now.AddHours(-2), new TextEvent("at Shop.Order.Pay()")), decoder.Read("   at Shop.Order.Pay()"));
    }

    [Theory]
    [InlineData(@"req-\w+", "req-17ab")]
    [InlineData(@"\[(?<key>[^]]+)\]", "req-17ab")]
    [InlineData(@"for user (\d+)", "42")]
    [InlineData(@"order (\d+)", null)]
    public void The_key_names_the_session_and_not_the_kind_of_line(string pattern, string? key)
    {
        LogLine read = Decoder(pattern).Read("INFO [req-17ab] page for user 42");

        Assert.Equal(key, read.What.Key);
        Assert.Equal(key is null ? "INFO [req-17ab] page for user 42" : "INFO [req-17ab] page for user 42".Replace(key, "<key>", StringComparison.Ordinal), read.What.Text);
    }

    [Theory]
    [InlineData("(")]
    [InlineData("(?=x)y")]
    public void A_pattern_that_is_none_or_might_take_for_ever_is_refused(string pattern) =>
        Assert.ThrowsAny<ArgumentException>(() => LogLineDecoder.KeyPattern(pattern));

    private static LogLineDecoder Decoder(string key = "") => new("log", LogLineDecoder.KeyPattern(key), TimeZoneInfo.Utc, () => Now);
}
