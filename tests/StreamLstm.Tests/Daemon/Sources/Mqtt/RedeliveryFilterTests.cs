using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;

namespace StreamLstm.Tests.Daemon.Sources.Mqtt;

public sealed class RedeliveryFilterTests
{
    [Fact]
    public void The_last_publications_are_known_and_older_ones_are_not()
    {
        var filter = new RedeliveryFilter(least: 3);

        for (ushort identifier = 1; identifier <= 4; identifier++)
        {
            filter.Add(Key(identifier));
        }

        filter.Confirm(4);
        Assert.Equal([false, true, true, true], Enumerable.Range(1, 4).Select(identifier => filter.Knows(Key((ushort)identifier))));
        filter.Clear();
        Assert.False(filter.Knows(Key(4)));
    }

    [Fact]
    public void Another_message_under_a_known_identifier_is_not_known()
    {
        var filter = new RedeliveryFilter(least: 3);
        filter.Add(new PublicationKey(1, RedeliveryFilter.HashOf("a", "1"u8)));

        Assert.True(filter.Knows(new PublicationKey(1, RedeliveryFilter.HashOf("a", "1"u8))));
        Assert.False(filter.Knows(new PublicationKey(1, RedeliveryFilter.HashOf("a", "2"u8))));
        Assert.False(filter.Knows(new PublicationKey(1, RedeliveryFilter.HashOf("a1", ""u8))));
    }

    [Fact]
    public void What_batches_wrote_into_the_journal_one_after_the_other_is_the_last_window_of_all()
    {
        var writing = new RedeliveryFilter(least: 10);
        string? position = null;

        for (ushort batch = 0; batch < 9; batch++)
        {
            string written = Written(writing, batch);
            writing.Confirm(writing.Number);
            position = new SourcePosition("mqtt", written).After(position);
        }

        var read = new RedeliveryFilter(least: 10);
        read.Read(position);
        Assert.Equal(Enumerable.Range(26, 10), Enumerable.Range(0, 40).Where(identifier => read.Knows(Key((ushort)identifier))));
    }

    [Fact]
    public void What_the_broker_is_not_known_to_have_read_the_acknowledgement_of_stays_known_however_much_it_is()
    {
        var writing = new RedeliveryFilter(least: 10);
        string? position = null;

        for (ushort batch = 0; batch < 50; batch++)
        {
            position = new SourcePosition("mqtt", Written(writing, batch)).After(position);
        }

        Assert.Equal(200, Known(writing, position).Count);
        writing.Confirm(150);
        position = new SourcePosition("mqtt", Written(writing, 50)).After(position);
        Assert.Equal(Enumerable.Range(150, 54), Known(writing, position));

        static List<int> Known(RedeliveryFilter writing, string? position)
        {
            var read = new RedeliveryFilter(least: 10);
            read.Read(position);
            List<int> known = [.. Enumerable.Range(0, 204).Where(identifier => read.Knows(Key((ushort)identifier)))];
            Assert.Equal(known, Enumerable.Range(0, 204).Where(identifier => writing.Knows(Key((ushort)identifier))));
            return known;
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("plant/#")]
    [InlineData("+120:not base 64!!")]
    public void Text_that_is_none_of_it_is_passed_over(string? text)
    {
        var filter = new RedeliveryFilter(least: 10);
        filter.Read(text);
        Assert.False(filter.Knows(Key(1)));
    }

    /// <summary>What a batch of four writes.</summary>
    private static string Written(RedeliveryFilter filter, ushort batch)
    {
        PublicationKey[] taken = [.. Enumerable.Range(batch * 4, 4).Select(identifier => Key((ushort)identifier))];
        taken.ToList().ForEach(filter.Add);
        return filter.Write(taken);
    }

    private static PublicationKey Key(ushort identifier) => new(identifier, 0x00_AB_CD_EF_01_23_45_67UL + identifier);
}
