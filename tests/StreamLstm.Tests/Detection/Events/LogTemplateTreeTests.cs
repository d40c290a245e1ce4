using StreamLstm.Detection.Events;

namespace StreamLstm.Tests.Detection.Events;

public sealed class LogTemplateTreeTests
{
    [Theory]
    [InlineData("Received block blk_-1608999687919862906 of size 91178 from /10.250.10.6", "Received block <id> of size <num> from <ip>")]
    [InlineData("dest: /10.250.19.102:50010", "dest: <ip>")]
    [InlineData("open /var/log/app/x.log failed: 2", "open <path> failed: <num>")]
    [InlineData("at 0x7ffe12 in 5f3a9c0de1", "at <hex> in <hex>")]
    [InlineData("took 12.5ms, 80%", "took <num>ms, <num>%")]
    [InlineData("next run at 2026-05-01T10:00:00.5Z or 2026/05/01 11:00", "next run at <time> or <time>")]
    [InlineData("nothing here varies", "nothing here varies")]
    public void What_varies_is_masked(string line, string expected) => Assert.Equal(expected, LogTemplateTree.Mask(line));

    [Fact]
    public void Lines_of_one_statement_share_a_template_and_those_of_another_do_not()
    {
        var tree = new LogTemplateTree();

        int first = tree.Add("session opened for user alice by admin");
        int second = tree.Add("session opened for user bob by admin");
        int other = tree.Add("disk sda is full now please act");

        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        Assert.Equal("session opened for user <*> by admin", tree[first]);
        Assert.Equal((2, LogTemplateTree.Other), (tree.Count, tree.Add("   ")));
    }

    [Fact]
    public void A_full_tree_forgets_the_rarest_template()
    {
        var tree = new LogTemplateTree(capacity: 2);
        int often = tree.Add("started well today");
        tree.Add("started well today");
        int rare = tree.Add("stopped badly yesterday evening");

        int newcomer = tree.Add("a third kind of line altogether");

        Assert.Equal(rare, newcomer);
        Assert.Equal(2, tree.Count);
        Assert.Equal(often, tree.Add("started well today"));
        Assert.Equal("a third kind of line altogether", tree[newcomer]);
    }

    [Fact]
    public void A_full_vocabulary_forgets_the_rarest_kind_to_other()
    {
        var vocabulary = new EventVocabulary(2);
        vocabulary.Add("a");
        vocabulary.Add("a");
        vocabulary.Add("b");

        int newcomer = vocabulary.Add("c");

        Assert.Equal(EventVocabulary.Other, vocabulary.Find("b"));
        Assert.Equal((newcomer, 3), (vocabulary.Find("c"), vocabulary.Count));
        Assert.NotEqual(vocabulary.Find("a"), newcomer);
    }
}
