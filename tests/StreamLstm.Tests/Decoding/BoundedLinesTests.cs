using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Decoding;

public sealed class BoundedLinesTests
{
    [Theory]
    [InlineData("", new string[0])]
    [InlineData("a", new[] { "a" })]
    [InlineData("a\nb\r\nc\rd\n", new[] { "a", "b", "c", "d" })]
    [InlineData("\n\r\n\r", new[] { "", "", "" })]
    [InlineData("abcd\nabcdefgh\nij", new[] { "abcd", "abcde", "ij" })]
    public async Task Lines_are_those_of_the_text_cut_a_character_beyond_the_bound(string text, string[] expected)
    {
        using var lines = new BoundedLines(new StringReader(text), charsMax: 4);
        List<string> read = [];

        while (await lines.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            read.Add(line);
        }

        Assert.Equal(expected, read);
    }

    [Fact]
    public async Task Read_in_pieces_it_is_the_same_text_without_what_is_beyond_and_says_which_lines_were_cut()
    {
        string longLine = new('x', 10_000);
        using var lines = new BoundedLines(new StringReader($"ab\n{longLine}\r\ncd\r{longLine}"), charsMax: 100);
        var piece = new char[7];
        string text = "";

        for (int count; (count = await lines.ReadAsync(piece, TestContext.Current.CancellationToken)) > 0;)
        {
            text += new string(piece, 0, count);
        }

        string cut = new('x', 101);
        Assert.Equal($"ab\n{cut}\r\ncd\r{cut}", text);
        Assert.Equal([false, true, false, true], [lines.WasCut(1), lines.WasCut(2), lines.WasCut(3), lines.WasCut(4)]);
    }

    [Theory]
    [InlineData(nameof(TextFormat.Csv))]
    [InlineData(nameof(TextFormat.Ndjson))]
    [InlineData(nameof(TextFormat.Influx))]
    public async Task A_line_without_an_end_is_rejected_and_what_follows_is_read(string name)
    {
        TextFormat format = Enum.Parse<TextFormat>(name);
        string endless = string.Concat(Enumerable.Repeat("1,", 20_000_000));
        string text = format switch
        {
            TextFormat.Csv => $"timestamp,value\n{endless}\n5,7\n",
            TextFormat.Ndjson => $"[{endless}\n{{\"stream\":\"a\",\"ts\":5,\"value\":7}}\n",
            _ => $"a v={endless}\na v=7 5\n",
        };
        var decoded = new Decoded(new IngestStamp(TimeProvider.System));
        long before = GC.GetAllocatedBytesForCurrentThread();

        await TextDecoder.DecodeAsync(new StringReader(text), format, "", decoded, 1, _ => default, TestContext.Current.CancellationToken);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 128L << 20);
        DecodeError error = Assert.Single(decoded.Errors);
        Assert.Equal((RejectionReason.Oversize, format == TextFormat.Csv ? 2 : 1), (error.Reason, error.Line));
        Assert.Equal(7, Assert.Single(decoded.Observations).Value);
    }

    [Theory]
    [InlineData(Decoded.FieldsMax, 0)]
    [InlineData(Decoded.FieldsMax + 1, 1)]
    public async Task More_values_than_a_record_may_have_are_one_rejection_in_every_format(int fields, int rejected)
    {
        IEnumerable<string> names = Enumerable.Range(0, fields).Select(field => $"c{field}");
        (TextFormat, string)[] texts =
        [
            (TextFormat.Csv, string.Join(',', names) + "\n" + string.Join(',', names.Select(_ => "1")) + "\n"),
            (TextFormat.Ndjson, "{\"stream\":\"a\",\"values\":{" + string.Join(',', names.Select(name => $"\"{name}\":1")) + "}}\n{\"stream\":\"b\",\"values\":{\"c\":1}}\n"),
            (TextFormat.Influx, "a " + string.Join(',', names.Select(name => $"{name}=1")) + "\nb c=1\n"),
        ];

        foreach ((TextFormat format, string text) in texts)
        {
            var decoded = new Decoded(new IngestStamp(TimeProvider.System));

            await TextDecoder.DecodeAsync(new StringReader(text), format, "", decoded, 1, _ => default, TestContext.Current.CancellationToken);

            Assert.Equal(rejected, decoded.Errors.Count);
            Assert.All(decoded.Errors, error => Assert.Equal(
                (RejectionReason.Oversize, $"{fields} values in a record, expected at most {Decoded.FieldsMax}"), (error.Reason, error.Detail)));
            Assert.Equal((rejected == 0 ? fields : 0) + (format == TextFormat.Csv ? 0 : 1), decoded.Observations.Count);
        }
    }

    [Fact]
    public async Task A_header_that_is_no_text_or_too_long_is_one_rejection_and_no_row_is_read()
    {
        (string, RejectionReason)[] texts =
        [
            ("v\0a\0\n1\0\n2\0\n", RejectionReason.Malformed),
            (new string(',', 2_000_000) + "\n1\n", RejectionReason.Oversize),
        ];

        foreach ((string text, RejectionReason reason) in texts)
        {
            var decoded = new Decoded(new IngestStamp(TimeProvider.System));

            await TextDecoder.DecodeAsync(new StringReader(text), TextFormat.Csv, "", decoded, 1, _ => default, TestContext.Current.CancellationToken);

            Assert.Equal(reason, Assert.Single(decoded.Errors).Reason);
            Assert.Empty(decoded.Observations);
        }
    }

    [Theory]
    [InlineData("-90000000000", false)]
    [InlineData("-30610224000", true)]
    [InlineData("-30610224001", false)]
    [InlineData("1e300", false)]
    [InlineData("0999-12-31", false)]
    [InlineData("8999-12-31", true)]
    [InlineData("9999-12-31T23:59:59.9999999Z", false)]
    public void A_time_is_one_that_can_be_calculated_with(string text, bool isTime) =>
        Assert.Equal(isTime, Timestamps.TryParse(text, out _));
}
