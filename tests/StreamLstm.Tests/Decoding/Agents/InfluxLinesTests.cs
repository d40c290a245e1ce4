using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding.Agents;

public sealed class InfluxLinesTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider(Now)));

    [Fact]
    public void Tags_are_one_series_in_whichever_order_they_stand()
    {
        Decode("cpu,host=pi,cpu=0 idle=1 1777636800\ncpu,cpu=0,host=pi idle=2 1777636801\n", "telegraf");

        Assert.Equal([new Observation("telegraf/cpu/cpu=0/host=pi/idle", Now, 1), new Observation("telegraf/cpu/cpu=0/host=pi/idle", Now.AddSeconds(1), 2)], _decoded.Observations);
    }

    [Fact]
    public void A_text_may_have_line_ends_and_a_quote_that_is_never_closed_takes_its_own_line_alone()
    {
        Decode("a,dir=C:\\\\x note=\"two\nlines, \\\"quoted\\\"\",v=1 1777636800\r\n\n# a comment\nb v=2 1777636800\nc note=\"open,v=3 1777636800\nd v=4 1777636800", "");

        Assert.Equal([("a/dir=C:\\x/v", 1.0), ("b/v", 2.0), ("d/v", 4.0)], _decoded.Observations.Select(one => (one.Stream, one.Value)));
        Assert.Equal("note: \"two\nlines, \"quoted\"\", expected a number or a state such as on, off, open, closed", _decoded.LeftOut.TakeFields()[0].Detail);
        Assert.Empty(_decoded.Errors);
    }

    [Fact]
    public void An_error_names_the_line_that_it_stands_in()
    {
        Decode("a note=\"x\ny\",v=1\nb v=oops\n", "");

        Assert.Equal((3, "field v: 'oops', expected a number, a boolean or a quoted string"), (_decoded.Errors[0].Line, _decoded.Errors[0].Detail));
    }

    private void Decode(string text, string before) => InfluxLineDecoder.DecodeAll(text, 1, before, _decoded);
}
