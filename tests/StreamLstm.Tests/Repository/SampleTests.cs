using StreamLstm.Sample;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Repository;

[Collection(nameof(Alone))]
public sealed class SampleTests
{
    [Theory]
    [InlineData("text", "[17?id=1;dr]op")]
    [InlineData("sound", "Hz")]
    [InlineData("video", "row 3 column 3")]
    [InlineData("sequences", "7 1 4 2 -> 1 2 4 7")]
    public void Each_sample_finds_what_it_shows(string name, string expected)
    {
        TextWriter console = Console.Out;
        using var printed = new StringWriter();

        try
        {
            Console.SetOut(printed);
            Assert.True(Samples.Run([name]));
        }
        finally
        {
            Console.SetOut(console);
        }

        Assert.Contains(expected, printed.ToString(), StringComparison.Ordinal);
    }
}
