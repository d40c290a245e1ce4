using StreamLstm.Daemon.Sinks;

namespace StreamLstm.Tests.Daemon.Sinks;

/// <summary>From where on a file of lines holds what is told again: by the snapshot's mark, or by its own beginning behind that.</summary>
public sealed class JsonlStartTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-").FullName;

    private string BeginningFile => Path.Combine(_directory, "beginning");

    [Fact]
    public void A_mark_counts_for_the_file_it_was_given_for()
    {
        JsonlStart now = JsonlStart.Now(BeginningFile, PathOf("one"), told: null);
        string mark = now.Mark(120);
        Assert.Equal(120, AtStart("one", mark).Length);
        Assert.Null(AtStart("two", mark).Length);
        Assert.Null(AtStart("one", mark: null).Length);

        // As versions wrote it that knew one file alone.
        Assert.Equal(120, AtStart("one", "120").Length);
    }

    [Theory]
    [InlineData(41L, 42L)]
    [InlineData(null, 50L)]
    public void A_file_that_began_behind_the_snapshot_holds_nothing_of_before(long? told, long first)
    {
        JsonlStart begun = JsonlStart.Now(BeginningFile, PathOf("two"), told);
        begun.Begin(300, sequence: 50);
        begun.Begin(900, sequence: 60);
        JsonlStart again = AtStart("two", JsonlStart.Now(BeginningFile, PathOf("two"), told: null).Mark(100));
        Assert.Equal((300, first), (again.Length, again.First));
        Assert.True(again.PassesOver(first - 1));
        Assert.False(again.PassesOver(first));

        // It is known: nothing is written anew.
        again.Begin(1, 1);
        Assert.Equal(300, AtStart("two", mark: null).Length);
        Assert.Null(AtStart("one", mark: null).Length);
    }

    [Fact]
    public void A_snapshot_behind_the_beginning_counts_more_and_what_cannot_be_read_counts_for_nothing()
    {
        JsonlStart begun = JsonlStart.Now(BeginningFile, PathOf("one"), told: 9);
        begun.Begin(300, sequence: 12);
        Assert.Equal((700, long.MinValue), (AtStart("one", begun.Mark(700)).Length, AtStart("one", begun.Mark(700)).First));
        File.WriteAllText(BeginningFile, "{");
        Assert.Equal(700, AtStart("one", begun.Mark(700)).Length);
    }

    [Fact]
    public void A_storage_directory_that_is_moved_takes_its_files_along()
    {
        string mark = JsonlStart.Now(BeginningFile, PathOf("one"), told: null).Mark(120);
        Assert.Equal(120, JsonlStart.AtStart("/elsewhere/beginning", "/elsewhere/one", mark, snapshotEnd: 20).Length);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string PathOf(string name) => Path.Combine(_directory, name);

    /// <summary>A start from a snapshot that ends at entry 20.</summary>
    private JsonlStart AtStart(string name, string? mark) => JsonlStart.AtStart(BeginningFile, PathOf(name), mark, snapshotEnd: 20);
}
