using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Views;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Tests.Daemon.Sinks;

public sealed class SinkTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-sinks-").FullName;
    private readonly FakeTimeProvider _time = new(Start);
    private readonly IncidentGrouping _grouping = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task The_console_says_what_opened_and_why()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var sink = new ConsoleSink(new ConsoleSinkOptions(), output, colour: false);

        await sink.WriteAsync(Batch([Scored("a", 1)], [Incident("a", IncidentState.Opened)]), Cancellation);

        Assert.Equal("12:00:00 OPENED    warning   75.0 a [range] beyond everything\n", output.ToString().ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData(2, "2025-05-12T09:30", "2026-01-01T07:02", "2nd time since 12 May 2025, last 07:02")]
    [InlineData(3, "2026-01-01T02:00", "2026-01-01T07:02", "3rd time since 02:00, last 07:02")]
    [InlineData(11, "2025-12-01T00:00", "2025-12-31T23:59", "11th time since 1 Dec 2025, last 31 Dec 2025 23:59")]
    [InlineData(21, "2025-12-01T00:00", "2026-01-01T11:59", "21st time since 1 Dec 2025, last 11:59")]
    public async Task The_console_says_how_often_the_like_was_there_also_when_it_is_over(int occurrence, string first, string previous, string expected)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var sink = new ConsoleSink(new ConsoleSinkOptions(), output, colour: false);

        foreach (IncidentState state in new[] { IncidentState.Opened, IncidentState.Closed })
        {
            IncidentEvent again = Incident("a", state) with { Occurrence = occurrence, FirstSeen = Utc(first), PreviousAt = Utc(previous) };
            await sink.WriteAsync(Batch([], [again]), Cancellation);
        }

        Assert.Equal(
            $"""
            12:00:00 OPENED    warning   75.0 a [range] beyond everything ({expected})
            12:00:00 CLOSED    warning   75.0 a [range] beyond everything; back to normal ({expected})

            """.ReplaceLineEndings("\n"),
            output.ToString().ReplaceLineEndings("\n"));

        static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text + "Z", CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task The_live_view_shows_how_many_alerts_were_asked_for_and_how_many_it_got()
    {
        var live = new LiveView();
        var alerts = new AlertRate(AskedPerDay: 1, Got: 3, ActiveSeconds: 10 * 86_400);
        await live.WriteAsync(Batch([Scored("a", 1) with { Alerts = alerts }], []), Cancellation);

        string json = JsonSerializer.Serialize(live.State("a")!.Alerts, EventJson.Options);

        Assert.Equal("""{"asked_per_day":1,"got":3,"active_seconds":864000,"got_per_day":0.3}""", json);
    }

    [Fact]
    public async Task The_console_has_one_line_for_what_began_together_names_the_first_that_join_and_counts_the_others()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var sink = new ConsoleSink(new ConsoleSinkOptions(), output, colour: false);
        string[] streams = [.. Enumerable.Range(0, 11).Select(i => $"host/pi/{(char)('a' + i)}")];

        foreach (IncidentState state in new[] { IncidentState.Opened, IncidentState.Closed })
        {
            await sink.WriteAsync(Batch([], [.. streams.Select(stream => Incident(stream, state))]), Cancellation);
        }

        Assert.Equal(
            """
            12:00:00 OPENED    warning   75.0 host/pi/a [range] beyond everything
              and warning   75.0 host/pi/b 9 (expected 4 to 6)
              and warning   75.0 host/pi/c 9 (expected 4 to 6)
              and warning   75.0 host/pi/d 9 (expected 4 to 6)
              now warning   75.0 10 streams of host/pi changed at once: a 9 (expected 4 to 6) and 9 more
            12:00:00 CLOSED    warning   75.0 11 streams of host/pi changed at once: a 9 (expected 4 to 6) and 10 more

            """.ReplaceLineEndings("\n"),
            output.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task The_console_says_of_a_group_that_it_goes_on_only_when_it_is_more_severe()
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        await using var sink = new ConsoleSink(new ConsoleSinkOptions(), output, colour: false);
        IncidentEvent worse = Incident("p/b", IncidentState.Continued) with { MaxScore = 84 };
        await sink.WriteAsync(Batch([], [Incident("p/a", IncidentState.Opened), Incident("p/b", IncidentState.Opened), worse]), Cancellation);

        await sink.WriteAsync(Batch([], [worse with { Revision = 2, MaxScore = 95, Severity = IncidentSeverity.Critical }]), Cancellation);

        string[] lines = output.ToString().ReplaceLineEndings("\n").Split('\n');
        Assert.Equal("12:00:00 CONTINUED critical  95.0 2 streams of p changed at once: b 9 (expected 4 to 6) and 1 more", lines[2]);
        Assert.Equal(4, lines.Length);
    }

    [Fact]
    public async Task Every_message_names_its_group_in_the_file_and_the_history_has_the_group_as_it_is_now()
    {
        string path = Path.Combine(_directory, "events.jsonl");
        await using var history = new HistorySink(new HistorySinkOptions(), Path.Combine(_directory, "history.db"), _time, NullLogger<HistorySink>.Instance);
        ScoredBatch[] batches = [Batch([], [Incident("p/a", IncidentState.Opened), Incident("p/b", IncidentState.Opened)]), Batch([], [Incident("p/a", IncidentState.Closed)])];

        await using (var file = new JsonlSink(new JsonlSinkOptions(), path, JsonlStart.Now(Path.Combine(_directory, "beginning"), path, told: null), NullLogger.Instance))
        {
            foreach (ScoredBatch batch in batches)
            {
                await file.WriteAsync(batch, Cancellation);
                await history.WriteAsync(batch, Cancellation);
            }
        }

        Assert.Equal(
            [("p/a-1", 1, true), ("p/a-1", 2, false), ("p/a-1", 2, false)],
            File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)
                .Select(line => (line.GetProperty("group_id").GetString(), line.GetProperty("group_size").GetInt32(), line.GetProperty("opens_group").GetBoolean())));
        var reader = new HistoryReader(history);
        JsonElement group = JsonDocument.Parse(Assert.Single(Groups(reader, "p/b"))).RootElement;
        Assert.Equal(("p/a-1", "opened", 2, 1), (group.GetProperty("id").GetString(), group.GetProperty("state").GetString(), group.GetProperty("size").GetInt32(), group.GetProperty("open_size").GetInt32()));
        Assert.Equal(["closed", "opened"], group.GetProperty("members").EnumerateArray().Select(member => member.GetProperty("state").GetString()));
        Assert.Empty(Groups(reader, "p/c"));
    }

    [Fact]
    public async Task A_history_of_a_version_that_did_not_group_is_kept_and_gets_groups()
    {
        string path = Path.Combine(_directory, "history.db");

        using (var connection = new SqliteConnection($"Data Source={path}"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = $$"""
                CREATE TABLE incident (
                    id TEXT PRIMARY KEY, stream TEXT NOT NULL, state TEXT NOT NULL, onset INTEGER NOT NULL,
                    closed INTEGER, max_score REAL NOT NULL, opening TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
                INSERT INTO incident VALUES ('old', 'a', 'closed', {{Start.UtcTicks}}, {{Start.UtcTicks}}, 75, '{}', '{"incident_id":"old"}');
                PRAGMA user_version = 1;
                """;
            command.ExecuteNonQuery();
        }

        for (int start = 0; start < 2; start++)
        {
            await using var sink = new HistorySink(new HistorySinkOptions(), path, _time, NullLogger<HistorySink>.Instance);
            await sink.WriteAsync(Batch([], [Incident("b", start == 0 ? IncidentState.Opened : IncidentState.Closed)]), Cancellation);
            var reader = new HistoryReader(sink);
            Assert.Equal(2, reader.Incidents(10, 0, null).Count);
            Assert.Contains("\"title\":\"b 9", Assert.Single(Groups(reader, "b")), StringComparison.Ordinal);
        }

        Assert.Empty(Directory.GetFiles(_directory, "*.damaged"));
    }

    [Fact]
    public async Task Json_lines_carry_the_event_as_its_schema_says()
    {
        string path = Path.Combine(_directory, "sub", "events.jsonl");

        await using (var sink = new JsonlSink(new JsonlSinkOptions { Scores = true }, path, JsonlStart.Now(Path.Combine(_directory, "beginning"), path, told: null), NullLogger.Instance))
        {
            await sink.WriteAsync(Batch([Scored("a", 1.5)], [Incident("a", IncidentState.Opened)]), Cancellation);
        }

        JsonElement[] lines = [.. File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(["score", "incident"], lines.Select(line => line.GetProperty("type").GetString()));
        JsonElement incident = lines[1];
        Assert.Equal("opened", incident.GetProperty("state").GetString());
        Assert.Equal("range", incident.GetProperty("kind").GetString());
        Assert.Equal(1, incident.GetProperty("attribution").EnumerateObject().Sum(share => share.Value.GetDouble()), 1e-9);
        Assert.Equal(3, incident.GetProperty("model").GetProperty("version").GetInt32());
        Assert.Equal(5, incident.GetProperty("expected").GetProperty("value").GetDouble());
        Assert.False(incident.TryGetProperty("closed_at", out _));
    }

    [Fact]
    public async Task What_is_said_of_a_record_names_every_column_in_the_file_and_in_the_view()
    {
        string path = Path.Combine(_directory, "events.jsonl");
        ColumnFigure[] columns = [new() { Column = "temperature", Actual = 91.2, Expected = 70, Lower = 69, Upper = 71, Share = 0.75 }, new() { Column = "valve", IsContext = true }];
        ScoredBatch batch = Batch([Scored("a", 1.5) with { Columns = columns }], [Incident("a", IncidentState.Opened) with { Columns = columns }]);
        await using var view = new LiveView();

        await using (var sink = new JsonlSink(new JsonlSinkOptions { Scores = true }, path, JsonlStart.Now(Path.Combine(_directory, "beginning"), path, told: null), NullLogger.Instance))
        {
            await sink.WriteAsync(batch, Cancellation);
            await view.WriteAsync(batch, Cancellation);
        }

        foreach (JsonElement line in File.ReadLines(path).Select(line => JsonDocument.Parse(line).RootElement))
        {
            JsonElement first = line.GetProperty("columns")[0];
            Assert.Equal(("temperature", 91.2, 70), (first.GetProperty("column").GetString(), first.GetProperty("actual").GetDouble(), first.GetProperty("expected").GetDouble()));
            Assert.Equal(0.75, first.GetProperty("share").GetDouble());
            Assert.True(line.GetProperty("columns")[1].GetProperty("is_context").GetBoolean());
            Assert.False(line.GetProperty("columns")[1].TryGetProperty("actual", out _));
        }

        Assert.Equal(columns, view.State("a")!.Columns);
    }

    [Fact]
    public async Task A_line_that_a_kill_cut_short_spoils_no_line_after_it()
    {
        string path = Path.Combine(_directory, "events.jsonl");
        await File.WriteAllTextAsync(path, "{\"type\":\"sco", Cancellation);

        for (int start = 0; start < 2; start++)
        {
            await using var sink = new JsonlSink(new JsonlSinkOptions { Scores = true }, path, JsonlStart.Now(Path.Combine(_directory, "beginning"), path, told: null), NullLogger.Instance);
            await sink.WriteAsync(Batch([Scored("a", 1.5)], []), Cancellation);
        }

        string[] lines = await File.ReadAllLinesAsync(path, Cancellation);
        Assert.Equal(3, lines.Length);
        Assert.All(lines[1..], line => Assert.Equal("score", JsonDocument.Parse(line).RootElement.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task History_keeps_whole_incidents_until_their_retention_is_over()
    {
        string path = Path.Combine(_directory, "history.db");
        await using var sink = new HistorySink(new HistorySinkOptions { IncidentRetention = TimeSpan.FromHours(1) }, path, _time, NullLogger<HistorySink>.Instance);
        await sink.WriteAsync(Batch([], [Incident("a", IncidentState.Opened)]), Cancellation);
        await sink.WriteAsync(Batch([], [Incident("a", IncidentState.Closed)]), Cancellation);
        var reader = new HistoryReader(sink);
        Assert.Contains("\"state\":\"closed\"", Assert.Single(reader.Incidents(10, 0, null)), StringComparison.Ordinal);
        Assert.Empty(reader.Incidents(10, 0, "other"));

        _time.Advance(TimeSpan.FromHours(3));
        await sink.WriteAsync(Batch([], []), Cancellation);

        Assert.Empty(reader.Incidents(10, 0, null));
    }

    [Fact]
    public async Task A_damaged_history_is_set_aside_and_a_new_one_begins()
    {
        string path = Path.Combine(_directory, "history.db");
        File.WriteAllText(path, new string('x', 5000));

        await using var sink = new HistorySink(new HistorySinkOptions(), path, _time, NullLogger<HistorySink>.Instance);
        await sink.WriteAsync(Batch([], [Incident("a", IncidentState.Opened)]), Cancellation);

        Assert.Single(Directory.GetFiles(_directory, "*.damaged"));
        Assert.Single(new HistoryReader(sink).Incidents(10, 0, null));
    }

    [Fact]
    public async Task A_field_that_was_left_out_is_a_dead_letter_of_that_reason()
    {
        string path = Path.Combine(_directory, "dead.ndjson");

        await using (var letters = new DeadLetterFile(path, maxBytes: 20_000, _time))
        {
            letters.AddLeftOut("mqtt", LeftOutReason.NotJoined, "topic plant/a: b: missing", "{}"u8);
        }

        Assert.Equal("""{"time":"2026-01-01T12:00:00+00:00","source":"mqtt","reason":"left_out_not_joined","detail":"topic plant/a: b: missing","payload":"{}"}""", File.ReadAllText(path).Trim());
    }

    [Fact]
    public async Task Dead_letters_say_why_and_stay_within_their_bound()
    {
        string path = Path.Combine(_directory, "dead.ndjson");

        await using (var letters = new DeadLetterFile(path, maxBytes: 20_000, _time))
        {
            for (int i = 0; i < 900; i++)
            {
                letters.Add("http", RejectionReason.Malformed, "field value: \"x\", expected a number", Encoding.UTF8.GetBytes(new string('p', 5000)));
            }
        }

        JsonElement first = JsonDocument.Parse(File.ReadLines(path).First()).RootElement;
        Assert.Equal(("http", "malformed"), (first.GetProperty("source").GetString(), first.GetProperty("reason").GetString()));
        Assert.Equal(1024, first.GetProperty("payload").GetString()!.Length);
        Assert.InRange(Directory.GetFiles(_directory).Sum(file => new FileInfo(file).Length), 1, 24_000);
    }

    [Fact]
    public async Task A_flood_of_one_kind_of_dead_letters_leaves_room_for_others_and_may_be_kept_again_within_an_hour()
    {
        string path = Path.Combine(_directory, "dead.ndjson");
        const int Flood = 900, Bound = 80_000;
        string[] kept;

        await using (var letters = new DeadLetterFile(path, Bound, _time))
        {
            letters.Add("http", RejectionReason.Malformed, "the one that matters", "{"u8);

            for (int i = 0; i < Flood; i++)
            {
                letters.Add("http", RejectionReason.StreamLimit, "no place for one more", "{}"u8);
            }

            Assert.False(letters.Takes("http", RejectionReason.StreamLimit));
            Assert.True(letters.Takes("mqtt", RejectionReason.StreamLimit));
            Assert.True(letters.Takes("http", RejectionReason.Malformed));
            long dropped = letters.Dropped;
            Assert.InRange(dropped, Flood * 0.9, Flood);
            letters.Add("mqtt", RejectionReason.StreamLimit, "another's", "{}"u8);
            Assert.Equal(dropped, letters.Dropped);
            _time.Advance(TimeSpan.FromMinutes(1));
            letters.Add("http", RejectionReason.StreamLimit, "one a minute later", "{}"u8);
            letters.Add("http", RejectionReason.StreamLimit, "and no more", "{}"u8);
            _time.Advance(TimeSpan.FromHours(1));
            letters.Add("http", RejectionReason.StreamLimit, "an hour later", "{}"u8);
            Assert.Equal(dropped + 1, letters.Dropped);
        }

        kept = File.ReadAllLines(path);
        Assert.Contains("the one that matters", kept[0], StringComparison.Ordinal);
        Assert.Contains("an hour later", kept[^1], StringComparison.Ordinal);
        Assert.Contains(kept, line => line.Contains("another's", StringComparison.Ordinal) || line.Contains("another\\u0027s", StringComparison.Ordinal));
        Assert.DoesNotContain(kept, line => line.Contains("and no more", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_live_view_follows_streams_points_and_incidents()
    {
        var live = new LiveView();
        await live.WriteAsync(Batch([Scored("a", 1), Scored("b", 2)], []), Cancellation);
        await live.WriteAsync(Batch([Scored("a", 3, minute: 1)], [Incident("a", IncidentState.Opened, IncidentKind.Silence)]), Cancellation);

        LiveStreamState a = live.State("a")!;
        Assert.Equal(("a", 3.0, true, Lifecycle.Silent), (a.Stream, a.Value, a.IncidentOpen, a.Lifecycle));
        Assert.Equal([3.0], live.Points("a", Start.AddSeconds(1))!.Select(point => point.Value));
        Assert.Null(live.Points("c", Start));

        await live.WriteAsync(Batch([], [Incident("a", IncidentState.Closed)]), Cancellation);
        IncidentEvent incident = Assert.Single(live.Incidents());
        Assert.Equal((IncidentState.Closed, "beyond everything; back to normal"), (incident.State, incident.Explanation));
        Assert.Equal(IncidentKind.Silence, incident.Kind);
        Assert.False(live.State("a")!.IncidentOpen);
    }

    [Fact]
    public async Task Streams_are_in_the_order_of_names_with_what_a_list_needs_and_gone_when_forgotten()
    {
        var live = new LiveView();
        await live.WriteAsync(Batch([Scored("b", 1, score: 70), Scored("a", 2, score: 20)], [Incident("b", IncidentState.Opened)]), Cancellation);
        Assert.Equal([new StreamLine("a", Lifecycle.Active, 20, IncidentOpen: false), new("b", Lifecycle.Active, 70, IncidentOpen: true)], live.Lines());
        Assert.Same(live.Lines(), live.Lines());

        await live.WriteAsync(Batch([], []) with { Forgotten = [new ForgottenStream("b", ForgetReason.Asked)] }, Cancellation);

        Assert.Equal(["a"], live.Lines().Select(line => line.Stream));
    }

    [Fact]
    public async Task Groups_are_found_by_what_is_asked_of_them_in_the_history_as_in_the_live_view()
    {
        await using var history = new HistorySink(new HistorySinkOptions(), Path.Combine(_directory, "history.db"), _time, NullLogger<HistorySink>.Instance);
        var live = new LiveView();
        await WriteAsync(Incident("plant/a", IncidentState.Opened), Incident("plant/b", IncidentState.Opened));
        await WriteAsync(Incident("host/c", IncidentState.Opened) with { Onset = Start.AddHours(5), Time = Start.AddHours(5), MaxScore = 95, Severity = IncidentSeverity.Critical });
        await WriteAsync(Incident("host/c", IncidentState.Closed) with { Onset = Start.AddHours(5), Time = Start.AddHours(6), ClosedAt = Start.AddHours(6), MaxScore = 95, Severity = IncidentSeverity.Critical });
        var reader = new HistoryReader(history);

        foreach ((IncidentQuery query, string expected) in new[]
        {
            (new IncidentQuery(), "host/c-1 plant/a-1"),
            (new(Order: GroupsOrder.Size), "plant/a-1 host/c-1"),
            (new(Order: GroupsOrder.Score), "host/c-1 plant/a-1"),
            (new(Order: GroupsOrder.Lasted), "plant/a-1 host/c-1"),
            (new(Filter: "PLANT"), "plant/a-1"),
            (new(Filter: "plant/? -*/a"), "plant/a-1"),
            (new(Filter: "plant c"), ""),
            (new("plant/b"), "plant/a-1"),
            (new(State: GroupsState.Open), "plant/a-1"),
            (new(State: GroupsState.Closed), "host/c-1"),
            (new(Severity: IncidentSeverity.Critical), "host/c-1"),
            (new(Severity: IncidentSeverity.Info), "host/c-1 plant/a-1"),
            (new(Since: Start.AddHours(7)), "plant/a-1"),
            (new(Until: Start.AddHours(1)), "plant/a-1"),
            (new(Since: Start.AddHours(5.5), Until: Start.AddHours(7)), "host/c-1 plant/a-1"),
        })
        {
            (IReadOnlyList<string> groups, int total) = reader.Groups(query, Start.AddDays(1), 10, 0);
            Assert.Equal(expected, string.Join(' ', groups.Select(group => JsonDocument.Parse(group).RootElement.GetProperty("id").GetString())));
            Assert.Equal(groups.Count, total);
            Assert.Equal(expected, string.Join(' ', query.Ordered(live.Groups().Where(query.Takes), Start.AddDays(1)).Select(group => group.Id)));
        }

        Assert.Equal(2, reader.Groups(new IncidentQuery(Label: GroupsLabel.None), Start, 1, 1).Total);
        Assert.Empty(reader.Groups(new IncidentQuery(Label: GroupsLabel.Real), Start, 1, 0).Groups);

        async Task WriteAsync(params IncidentEvent[] incidents)
        {
            ScoredBatch batch = Batch([], incidents);
            await history.WriteAsync(batch, Cancellation);
            await live.WriteAsync(batch, Cancellation);
        }
    }

    [Fact]
    public async Task The_live_view_has_one_line_for_what_began_together()
    {
        var live = new LiveView();
        await live.WriteAsync(Batch([], [Incident("p/a", IncidentState.Opened)]), Cancellation);
        await live.WriteAsync(Batch([], [Incident("p/b", IncidentState.Opened)]), Cancellation);

        GroupEvent group = Assert.Single(live.Groups());
        Assert.Equal(("p/a-1", 2, 1), (group.Id, group.Size, group.Revision));
    }

    [Fact]
    public async Task The_live_view_keeps_a_bounded_number_of_points_and_incidents()
    {
        var live = new LiveView();

        for (int i = 0; i < 700; i++)
        {
            await live.WriteAsync(Batch([Scored("a", i, minute: i)], [Incident("a", IncidentState.Opened) with { IncidentId = $"i{i}", Onset = Start.AddHours(i), Time = Start.AddHours(i) }]), Cancellation);
        }

        Assert.Equal(600, live.Points("a", DateTimeOffset.MinValue)!.Count);
        Assert.Equal(500, live.Incidents().Count);
        Assert.Equal(500, live.Groups().Count);
        Assert.Equal("i699", live.Incidents()[0].IncidentId);
    }

    [Fact]
    public async Task What_the_page_showed_it_shows_after_a_restart_and_what_is_told_again_only_once()
    {
        var before = new LiveView();
        ScoredBatch[] batches = [.. Enumerable.Range(0, 100).Select(row => Batch([Scored("a", row, 7)], row == 90 ? [Incident("a", IncidentState.Opened)] : []))];

        foreach (ScoredBatch batch in batches)
        {
            await before.WriteAsync(batch, Cancellation);
        }

        string kept = System.Text.Json.JsonSerializer.Serialize(before.Save(), EventJson.Options);
        var after = new LiveView();
        after.Load(System.Text.Json.JsonSerializer.Deserialize<LiveViewState>(kept, EventJson.Options)!);
        await after.WriteAsync(batches[^1] with { IsReplayed = true }, Cancellation);

        Assert.Equal(before.State("a"), after.State("a"));
        Assert.Equal(before.Points("a", DateTimeOffset.MinValue)!.TakeLast(60), after.Points("a", DateTimeOffset.MinValue)!);
        Assert.Equal(before.Incidents()[0].Id, Assert.Single(after.Incidents()).Id);
        Assert.Equal(before.Groups()[0].Title, Assert.Single(after.Groups()).Title);
    }

    [Fact]
    public async Task Json_lines_that_are_told_again_stand_once_and_one_that_was_cut_short_is_completed()
    {
        string path = Path.Combine(_directory, "again.jsonl");
        ScoredBatch[] batches = [.. Enumerable.Range(0, 9).Select(row => Batch([Scored("a", row, row)], row % 4 == 1 ? [Incident("a", IncidentState.Opened)] : []))];
        string mark = "";

        await using (JsonlSink sink = Sink(null))
        {
            for (int row = 0; row < 9; row++)
            {
                await sink.WriteAsync(batches[row], Cancellation);
                mark = row == 2 ? await sink.MarkAsync(Cancellation) : mark;
            }
        }

        byte[] whole = File.ReadAllBytes(path);

        for (int length = int.Parse(mark.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture); length <= whole.Length; length += 7)
        {
            File.WriteAllBytes(path, whole[..length]);

            await using (JsonlSink sink = Sink(mark))
            {
                foreach (ScoredBatch batch in batches[3..])
                {
                    await sink.WriteAsync(batch with { IsReplayed = true }, Cancellation);
                }
            }

            Assert.Equal(whole, File.ReadAllBytes(path));
        }

        JsonlSink Sink(string? from) => new(new JsonlSinkOptions { Scores = true }, path, JsonlStart.AtStart(Path.Combine(_directory, "beginning"), path, from, snapshotEnd: long.MaxValue), NullLogger.Instance);
    }

    private static IReadOnlyList<string> Groups(HistoryReader reader, string stream) => reader.Groups(new IncidentQuery(stream), Start, 10, 0).Groups;

    private long _sequence;

    private ScoredBatch Batch(IReadOnlyList<ScoredObservation> scored, IReadOnlyList<IncidentEvent> incidents)
    {
        GroupedIncidents grouped = _grouping.Apply(incidents);
        return new ScoredBatch(scored, grouped.Incidents, [], Start) { Groups = grouped.Groups, Sequence = ++_sequence };
    }

    private static ScoredObservation Scored(string stream, double value, double score = 10, int minute = 0) =>
        new(stream, Start.AddMinutes(minute).AddMilliseconds(value), value, Lifecycle.Active, 1, 3)
        {
            AnomalyScore = score / 100,
            Expected = 5,
            Lower = 4,
            Upper = 6,
            Channel = "range",
        };

    private static IncidentEvent Incident(string stream, IncidentState state, IncidentKind kind = IncidentKind.Range) => new()
    {
        Id = $"{stream}-{state}",
        IncidentId = $"{stream}-1",
        Revision = state == IncidentState.Opened ? 0 : 1,
        Stream = stream,
        State = state,
        Kind = kind,
        Severity = IncidentSeverity.Warning,
        Onset = Start,
        Time = Start,
        ClosedAt = state == IncidentState.Closed ? Start.AddMinutes(1) : null,
        Score = 75,
        MaxScore = 75,
        Actual = 9,
        Expected = 5,
        Lower = 4,
        Upper = 6,
        Attribution = new Dictionary<string, double> { ["range"] = 0.75, ["rarity"] = 0.25 },
        Explanation = state == IncidentState.Closed ? "beyond everything; back to normal" : "beyond everything",
        ModelVersion = 3,
    };
}
