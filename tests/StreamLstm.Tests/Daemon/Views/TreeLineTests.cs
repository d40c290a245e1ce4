using StreamLstm.Daemon.Views;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Views;

public sealed class TreeLineTests
{
    private static readonly StreamLine[] Streams =
    [
        .. new[] { "boiler", "host/vm/cpu/0", "host/vm/cpu/1", "host/vm/load", "plant/a/flow", "plant/b/x/flow", "plant/b/x/level" }
            .Select(name => new StreamLine(name, name.EndsWith("load", StringComparison.Ordinal) ? Lifecycle.Silent : Lifecycle.Active, name.Length, name.EndsWith("level", StringComparison.Ordinal))),
    ];

    [Fact]
    public void Closed_it_has_a_line_for_each_beginning_and_what_has_one_way_down_only_is_one_line() =>
        Assert.Equal(
            [
                new TreeLine("boiler", "boiler", 0, IsStream: true, IsOpened: false, 1, 0, 0, 6),
                new TreeLine("host/vm/", "host/vm/", 0, IsStream: false, IsOpened: false, 3, 0, 1, 13),
                new TreeLine("plant/", "plant/", 0, IsStream: false, IsOpened: false, 3, 1, 0, 15),
            ],
            TreeLine.Of(Streams, new HashSet<string>()));

    [Fact]
    public void What_is_opened_is_followed_by_what_is_below_it_each_with_the_part_of_the_name_that_is_new() =>
        Assert.Equal(
            ["boiler 0", "host/vm/ 0", "cpu/ 1", "load 1", "plant/ 0", "a/flow 1", "b/x/ 1", "flow 2", "level 2"],
            TreeLine.Of(Streams, new HashSet<string> { "host/vm/", "plant/", "plant/b/x/" }).Select(line => $"{line.Label} {line.Depth}"));

    [Fact]
    public void A_hundred_thousand_streams_are_as_many_lines_as_are_to_be_seen()
    {
        StreamLine[] many = [.. Enumerable.Range(0, 100_000).Select(i => new StreamLine($"site{i / 1000:000}/device{i / 10 % 100:00}/{i % 10}", Lifecycle.Active, 0, false))];

        Assert.Equal(100, TreeLine.Of(many, new HashSet<string>()).Count);
        Assert.Equal(210, TreeLine.Of(many, new HashSet<string> { "site007/", "site007/device03/" }).Count);
    }

    [Fact]
    public void Names_with_slashes_at_odd_places_are_streams_still()
    {
        StreamLine[] odd = [.. new[] { "", "/", "//", "/a", "a/", "a//b" }.Select(name => new StreamLine(name, Lifecycle.Active, 0, false))];
        IReadOnlyList<TreeLine> lines = TreeLine.Of(odd, new HashSet<string> { "/", "//", "a/", "a//" });

        Assert.Equal(odd.Select(line => line.Stream), lines.Where(line => line.IsStream).Select(line => line.Name));
    }
}
