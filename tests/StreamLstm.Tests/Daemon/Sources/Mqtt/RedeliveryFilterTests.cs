using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;

namespace StreamLstm.Tests.Daemon.Sources.Mqtt;

public sealed class RedeliveryFilterTests
{
    [Fact]
    public void The_last_publications_are_known_and_older_ones_are_not()
    {
        var filter = new RedeliveryFilter(window: 3);

        for (ushort identifier = 1; identifier <= 4; identifier++)
        {
            filter.Add(Key(identifier));
        }

        Assert.Equal([false, true, true, true], Enumerable.Range(1, 4).Select(identifier => filter.Knows(Key((ushort)identifier))));
        filter.Clear();
        Assert.False(filter.Knows(Key(4)));
    }

    [Fact]
    public void Another_message_under_a_known_identifier_is_not_known()
    {
        var filter = new RedeliveryFilter(window: 3);
        filter.Add(new PublicationKey(1, RedeliveryFilter.HashOf("a", "1"u8)));

        Assert.True(filter.Knows(new PublicationKey(1, RedeliveryFilter.HashOf("a", "1"u8))));
        Assert.False(filter.Knows(new PublicationKey(1, RedeliveryFilter.HashOf("a", "2"u8))));
        Assert.False(filter.Knows(new PublicationKey(1, RedeliveryFilter.HashOf("a1", ""u8))));
    }

    [Fact]
    public void What_batches_wrote_into_the_journal_one_after_the_other_is_the_last_window_of_all()
    {
        var writing = new RedeliveryFilter(window: 10);
        string? position = null;

        for (ushort batch = 0; batch < 9; batch++)
        {
            string written = writing.Write(Enumerable.Range(batch * 4, 4).Select(identifier => Key((ushort)identifier)));
            position = new SourcePosition("mqtt", written).After(position);
        }

        var read = new RedeliveryFilter(window: 10);
        read.Read(position);
        Assert.Equal(Enumerable.Range(26, 10), Enumerable.Range(0, 40).Where(identifier => read.Knows(Key((ushort)identifier))));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("plant/#")]
    [InlineData("+120:not base 64!!")]
    public void Text_that_is_none_of_it_is_passed_over(string? text)
    {
        var filter = new RedeliveryFilter(window: 10);
        filter.Read(text);
        Assert.False(filter.Knows(Key(1)));
    }

    private static PublicationKey Key(ushort identifier) => new(identifier, 0x00_AB_CD_EF_01_23_45_67UL + identifier);
}
