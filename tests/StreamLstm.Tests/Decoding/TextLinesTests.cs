using System.Text;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Decoding;

namespace StreamLstm.Tests.Decoding;

public sealed class TextLinesTests
{
    private readonly Decoded _decoded = new(new IngestStamp(new FakeTimeProvider()));

    [Fact]
    public async Task Every_line_is_an_observation_as_it_is_and_blank_ones_are_none()
    {
        using var reader = new StringReader("2026-01-01T00:00:00Z not a time\r\n\n  \n{\"not\":\"json\"}\n");

        await TextDecoder.DecodeAsync(reader, TextFormat.Text, "names", _decoded, 1, _ => default, TestContext.Current.CancellationToken);

        Assert.Equal(["2026-01-01T00:00:00Z not a time", "{\"not\":\"json\"}"], Texts());
        Assert.All(_decoded.Observations, one => Assert.Equal(("names", true, false), (one.Stream, one.Event!.IsCharacters, one.Event.IsKind)));
    }

    [Fact]
    public void A_long_line_becomes_several_and_no_character_is_cut_in_two()
    {
        string line = new string('a', TextLines.CharactersMax - 1) + "\U0001F600" + new string('b', 10);

        TextLines.Decode(line, 1, "names", isWords: false, _decoded);

        Assert.Equal([new string('a', TextLines.CharactersMax - 1), "\U0001F600" + new string('b', 10)], Texts());
    }

    [Fact]
    public void A_long_line_that_is_judged_by_its_words_is_cut_between_them()
    {
        var decoder = new PayloadDecoder(PayloadFormat.Words, PayloadRules.Default, []);
        string beginning = string.Concat(Enumerable.Repeat("word ", 204)), endless = new('a', TextLines.WordsCharactersMax);

        decoder.Decode("commands", "", Encoding.UTF8.GetBytes($"{beginning}later {endless}bc\nls -l"), _decoded);

        Assert.Equal([beginning, "later ", endless, "bc", "ls -l"], Texts());
        Assert.All(_decoded.Observations, one => Assert.Equal((true, false), (one.Event!.IsWords, one.Event.IsCharacters)));
    }

    [Fact]
    public void A_message_of_lines_is_read_line_by_line_and_what_is_no_text_is_told()
    {
        var decoder = new PayloadDecoder(PayloadFormat.Text, PayloadRules.Default, []);

        decoder.Decode("dns/names", "", Encoding.UTF8.GetBytes("one\ntwo\0three\r\nfour"), _decoded);

        Assert.Equal(["one", "four"], Texts());
        DecodeError error = Assert.Single(_decoded.Errors);
        Assert.Equal((2, true), (error.Line, error.Detail.Contains("NUL", StringComparison.Ordinal)));
        Assert.All(_decoded.Observations, one => Assert.Equal("dns/names", one.Stream));
    }

    private IEnumerable<string> Texts() => _decoded.Observations.Select(one => one.Event!.Text);
}
