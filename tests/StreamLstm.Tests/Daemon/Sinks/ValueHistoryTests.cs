using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sinks.History;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Sinks;

/// <summary>Values of the past: what is kept of them, over kills, within a bound, and how they are told together.</summary>
public sealed class ValueHistoryTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-values-").FullName;
    private long _sequence;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Path => System.IO.Path.Combine(_directory, "history.db");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(60)]
    public void A_block_of_bytes_holds_what_was_put_in(int stretches)
    {
        long step = RollUps.Steps[0], start = Start.UtcTicks / (60 * step) * 60 * step;
        RollUp[] before = [.. Enumerable.Range(60 - stretches, stretches).Select(i => new RollUp(
            start + (i * step), i + 1, 1e9 + (i / 7.0), 1e9 - i, 1e9 + i, i, start + (i * step) + (step / 2), i % 2 == 0 ? double.NaN : 1e9, 1e9 - 5, 1e9 + 5))];

        byte[] bytes = RollUpBlock.Encode(before, step);
        RollUp[] after = RollUpBlock.Decode(bytes, start, step);

        // What tells a plain block from a packed one.
        Assert.Equal(stretches <= 3, bytes[0] == stretches);
        Assert.Equal(stretches > 3, (bytes[0] & 0x7F) == 0x41);

        Assert.Equal(before.Length, after.Length);
        Assert.All(before.Zip(after), pair =>
        {
            Assert.Equal((pair.First.Start, pair.First.Count, pair.First.Mean, pair.First.Score), (pair.Second.Start, pair.Second.Count, pair.Second.Mean, pair.Second.Score));
            Assert.Equal(pair.First.Minimum, pair.Second.Minimum, 1e-4);
            Assert.Equal(pair.First.Maximum, pair.Second.Maximum, 1e-4);
            Assert.Equal(double.IsNaN(pair.First.Expected), double.IsNaN(pair.Second.Expected));
            Assert.Equal(pair.First.Upper, pair.Second.Upper, 1e-4);
            Assert.InRange(pair.Second.ScoreAt - pair.First.ScoreAt, -1000, 0);
        });
        Assert.Empty(RollUpBlock.Decode([1, 2, 3], start, step));
    }

    [Fact]
    public async Task A_spike_stays_visible_however_much_is_told_together_and_what_is_not_written_yet_is_there_too()
    {
        await using HistorySink sink = Sink();
        await sink.WriteAsync(Batch("a", 0, 7_200, row => row == 5_000 ? 900 : row % 10), Cancellation);
        await sink.MarkAsync(Cancellation);
        await sink.WriteAsync(Batch("a", 7_200, 600, row => row % 10), Cancellation);
        var values = new HistoryReader(sink).Values;

        IReadOnlyList<RollUp> day = values.Read("a", Start.AddDays(-1), Start.AddDays(1), 100), near = values.Read("a", Start.AddSeconds(4_900), Start.AddSeconds(5_100), 1_000);

        Assert.InRange(day.Count, 50, 100);
        Assert.Equal((7_800, 900, 0), (day.Sum(one => one.Count), day.Max(one => one.Maximum), day.Min(one => one.Minimum)));
        Assert.Equal(4.5 + (895.0 / 7_800), day.Sum(one => one.Mean * one.Count) / 7_800, 0.01);
        Assert.Equal(20, near.Count);
        Assert.Equal((900, 90, Start.AddSeconds(5_000)), (near.Max(one => one.Maximum), near[10].Score, new DateTimeOffset(near[10].Start, TimeSpan.Zero)));
        Assert.Equal(Start.AddSeconds(5_000).UtcTicks, near[10].ScoreAt, 10_000.0);
        Assert.Empty(values.Read("b", Start, Start.AddDays(1), 10));
    }

    [Fact]
    public async Task What_comes_again_after_a_kill_counts_once()
    {
        ScoredBatch[] batches = [.. Enumerable.Range(0, 20).Select(i => Batch("a", 60 * i, 60, row => row))];
        HistorySink killed = Sink();

        foreach ((int i, ScoredBatch batch) in batches.Index())
        {
            await killed.WriteAsync(batch, Cancellation);
            _ = i == 9 ? await killed.MarkAsync(Cancellation) : "";
        }

        // The snapshot whose mark that was is lost: all since the one before comes again.
        await using HistorySink sink = Sink();

        foreach (ScoredBatch batch in batches[5..])
        {
            await sink.WriteAsync(batch with { IsReplayed = true }, Cancellation);
        }

        IReadOnlyList<RollUp> read = new HistoryReader(sink).Values.Read("a", Start, Start.AddHours(1), 1_000);
        Assert.Equal(120, read.Count);
        Assert.All(read, one => Assert.Equal(10, one.Count));
    }

    [Fact]
    public async Task Values_of_many_streams_are_written_in_parts_and_a_kill_between_two_of_them_counts_none_twice()
    {
        const int Streams = 20_000;
        HistorySink killed = Sink();
        ScoredBatch[] batches = [.. Enumerable.Range(0, 4).Select(i => Everywhere(i))];

        foreach (ScoredBatch batch in batches[..3])
        {
            await killed.WriteAsync(batch, Cancellation);
        }

        // Cut short once a part is in the file, and never gone on with.
        using var kill = new CancellationTokenSource();
        Task<string> mark = killed.MarkAsync(kill.Token).AsTask();

        while (Ask("SELECT COUNT(*) FROM stream_name") == 0)
        {
            await Task.Delay(1, Cancellation);
        }

        await kill.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => mark);
        Assert.InRange(Ask("SELECT COUNT(*) FROM stream_name"), 1, Streams - 1);
        Assert.Equal(-1, Ask("SELECT COALESCE(MAX(values_position), -1) FROM cursor"));

        // What is between memory and file is read whole, and once.
        Assert.All((string[])["s0", "s9999", "s19999"], stream => Assert.Equal(3, Counted(killed, stream)));

        await using HistorySink sink = Sink();

        foreach (ScoredBatch batch in batches)
        {
            await sink.WriteAsync(batch with { IsReplayed = true }, Cancellation);
        }

        Assert.All((string[])["s0", "s9999", "s19999"], stream => Assert.Equal(4, Counted(sink, stream)));
        await sink.MarkAsync(Cancellation);
        Assert.All((string[])["s0", "s9999", "s19999"], stream => Assert.Equal(4, Counted(sink, stream)));
        Assert.Equal(4, Ask("SELECT values_position FROM cursor"));

        ScoredBatch Everywhere(int minute) => new(
            [.. Enumerable.Range(0, Streams).Select(i => new ScoredObservation($"s{i}", Start.AddMinutes(minute), i, Lifecycle.Active, 1, 0))], [], [], Start) { Sequence = ++_sequence };

        static int Counted(HistorySink sink, string stream) => new HistoryReader(sink).Values.Read(stream, Start, Start.AddHours(1), 100).Sum(one => one.Count);
    }

    [Fact]
    public async Task Incidents_are_written_while_values_of_many_streams_are()
    {
        const int Streams = 20_000;
        await using HistorySink sink = Sink();
        await sink.WriteAsync(
            new([.. Enumerable.Range(0, Streams).Select(i => new ScoredObservation($"s{i}", Start, i, Lifecycle.Active, 1, 0))], [], [], Start) { Sequence = ++_sequence }, Cancellation);
        Task<string> mark = sink.MarkAsync(Cancellation).AsTask();

        await sink.WriteAsync(Batch("s7", 600, 10, _ => 1) with { Swaps = [new ModelSwap(3, Start, 2, 1, 10, "a1")] }, Cancellation);

        Assert.False(mark.IsCompleted);
        Assert.Equal(1, Ask("SELECT COUNT(*) FROM swap"));
        Assert.Equal("1", await mark);
        Assert.Equal(2, Ask("SELECT position FROM cursor"));
        Assert.Equal(11, new HistoryReader(sink).Values.Read("s7", Start, Start.AddHours(1), 100).Sum(one => one.Count));
    }

    [Fact]
    public async Task What_is_oldest_and_finest_goes_first_and_the_coarser_levels_tell_of_it()
    {
        await using HistorySink sink = Sink(new HistorySinkOptions { ValuesMib = 1 });
        var random = new Random(1);

        for (int hour = 0; hour < 24 * 14; hour++)
        {
            await sink.WriteAsync(Batch("a", 3_600 * hour, 720, _ => random.NextDouble(), every: 5), Cancellation);
        }

        await sink.MarkAsync(Cancellation);
        var values = new HistoryReader(sink).Values;

        Assert.InRange(Ask("SELECT SUM(bytes) FROM value_span WHERE level = 0"), 500_000, 630_000);
        Assert.Equal(Ask("SELECT SUM(bytes) FROM value_span"), Ask("SELECT SUM(LENGTH(stretches)) FROM value_block"));
        IReadOnlyList<RollUp> early = values.Read("a", Start, Start.AddHours(2), 1_000), late = values.Read("a", Start.AddDays(13), Start.AddDays(13).AddHours(2), 1_000);
        Assert.Equal((24, 720), (early.Count, late.Count));
        Assert.Equal(1_440, early.Sum(one => one.Count));
        Assert.Equal(14 * 24 * 720, values.Read("a", Start, Start.AddDays(14), 1_000).Sum(one => one.Count));
    }

    [Fact]
    public async Task A_block_of_more_streams_than_go_at_once_goes_whole()
    {
        await using HistorySink sink = Sink(new HistorySinkOptions { ValuesMib = 1 });

        // Two blocks of ten minutes, each with some 750 kB of 25,000 streams: there is room for 600.
        foreach (int minute in (int[])[0, 10])
        {
            await sink.WriteAsync(
                new([.. Enumerable.Range(0, 25_000).Select(i => new ScoredObservation($"s{i}", Start.AddMinutes(minute), i / 7.0, Lifecycle.Active, 1, 0))], [], [], Start) { Sequence = ++_sequence },
                Cancellation);
            await sink.MarkAsync(Cancellation);
        }

        Assert.Equal(0, Ask("SELECT COUNT(*) FROM value_span WHERE level = 0"));
        Assert.Equal(0, Ask($"SELECT COUNT(*) FROM value_block WHERE id < {ValueBlocks.Key(1, 0, 0)}"));
        Assert.Equal(Ask("SELECT COALESCE(SUM(bytes), 0) FROM value_span"), Ask("SELECT COALESCE(SUM(LENGTH(stretches)), 0) FROM value_block"));
    }

    [Fact]
    public async Task Thinned_scores_of_an_older_version_are_taken_over()
    {
        using (var connection = new SqliteConnection($"Data Source={Path}"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = $"""
                CREATE TABLE score (stream TEXT NOT NULL, time INTEGER NOT NULL, value REAL NOT NULL, score REAL NOT NULL,
                    expected REAL, lower REAL, upper REAL, PRIMARY KEY (stream, time)) WITHOUT ROWID;
                CREATE TABLE cursor (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
                INSERT INTO cursor VALUES (1, 7);
                INSERT INTO score VALUES ('a', {Start.UtcTicks}, 12.5, 60, 11, NULL, NULL), ('a', {Start.AddSeconds(10).UtcTicks}, 13.5, 5, 11, 10, 12);
                PRAGMA user_version = 4;
                """;
            command.ExecuteNonQuery();
        }

        await using HistorySink sink = Sink();

        IReadOnlyList<RollUp> read = new HistoryReader(sink).Values.Read("a", Start, Start.AddHours(1), 10);
        Assert.Equal([(12.5, 60), (13.5, 5)], read.Select(one => (one.Mean, one.Score)));
        Assert.Equal(7, sink.Told);
        Assert.Equal(0, Ask("SELECT COUNT(*) FROM sqlite_master WHERE name = 'score'"));
    }

    [Fact]
    public async Task Who_was_odd_is_told_by_cells_before_it_is_written_and_after_and_by_groups_the_oddest_first()
    {
        await using HistorySink sink = Sink();
        await sink.WriteAsync(Batch("plant/a/x", 0, 600, row => row == 300 ? 900 : 0), Cancellation);
        await sink.WriteAsync(Batch("plant/b/y", 0, 600, _ => 0), Cancellation);
        var values = new HistoryReader(sink).Values;
        OddCell expected = new(1, "plant/a/x", 90, 1);
        Assert.Equal([expected], values.Odd(Start, Start.AddMinutes(10), 5));

        await sink.MarkAsync(Cancellation);

        Assert.Equal([expected], values.Odd(Start, Start.AddMinutes(10), 5));
        Assert.Empty(values.Odd(Start.AddMinutes(6), Start.AddMinutes(10), 1));
        OddLane[] lanes = [.. OddLane.Of([Line("plant/a/x"), Line("plant/a/z"), Line("plant/b/y")], [expected], "")];
        Assert.Equal([("plant/a/", 2, 90.0), ("plant/b/", 1, 0.0)], lanes.Select(lane => (lane.Name, lane.Streams, lane.Score)));
        Assert.Equal([1, 90], Assert.Single(lanes[0].Cells));

        static StreamLine Line(string stream) => new(stream, Lifecycle.Active, 0, IncidentOpen: false);
    }

    [Theory]
    [InlineData("", "plant/boiler/flow", true)]
    [InlineData("FLOW boil", "plant/boiler/flow", true)]
    [InlineData("flow pump", "plant/boiler/flow", false)]
    [InlineData("plant/*/flow", "plant/boiler/flow", true)]
    [InlineData("*/fl?w", "plant/boiler/flow", true)]
    [InlineData("boil*", "plant/boiler/flow", false)]
    [InlineData("plant -flow", "plant/boiler/flow", false)]
    [InlineData("-*/pressure", "plant/boiler/flow", true)]
    public void A_filter_takes_names_that_hold_all_words_and_look_like_all_patterns(string filter, string stream, bool taken) =>
        Assert.Equal(taken, new StreamFilter(filter).Takes(stream));

    private HistorySink Sink(HistorySinkOptions? options = null) => new(options ?? new HistorySinkOptions(), Path, new FakeTimeProvider(Start), NullLogger<HistorySink>.Instance);

    private long Ask(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path}");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>Rows of one stream, those beyond 800 with a score of 90.</summary>
    private ScoredBatch Batch(string stream, int firstSecond, int rows, Func<int, double> value, int every = 1) => new(
        [.. Enumerable.Range(0, rows).Select(row => new ScoredObservation(
            stream, Start.AddSeconds(firstSecond + (row * every)), value(firstSecond + row), Lifecycle.Active, 1, 0)
        {
            AnomalyScore = value(firstSecond + row) > 800 ? 0.9 : 0.1,
        })],
        [], [], Start)
    {
        Sequence = ++_sequence,
    };
}
