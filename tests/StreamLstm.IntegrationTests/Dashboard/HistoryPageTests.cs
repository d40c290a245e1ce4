using System.Net.Http.Headers;
using Microsoft.Playwright;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Dashboard;

/// <summary>The page as its user has it on the morning after: the past, who was odd in it, and many incidents at once.</summary>
public sealed class HistoryPageTests : IAsyncLifetime
{
    private const int Rows = 720;

    /// <summary>Rows a minute apart: twelve hours, the fault in the middle of the night.</summary>
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddMinutes(-Rows);

    private readonly TemporaryDirectory _directory = new();
    private Watcher? _watcher;
    private DaemonProcess? _daemon;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private DaemonProcess Daemon => _daemon!;

    public async ValueTask InitializeAsync()
    {
        _watcher = await Watcher.StartAsync();
        _daemon = await DaemonProcess.StartAsync(_directory.Path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_watcher is not null)
        {
            await _watcher.DisposeAsync();
        }

        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Fact]
    public async Task After_a_restart_an_incident_of_the_night_opens_on_a_chart_of_the_night_and_why_is_answered_or_said_why_not()
    {
        await SendAsync(("plant/boiler", 640), ("plant/pump", null));
        Assert.Equal(0, await Daemon.TerminateAsync());
        await Daemon.DisposeAsync();
        _daemon = await DaemonProcess.StartAsync(_directory.Path);
        IPage page = await _watcher!.OpenAsync(Daemon);

        await page.Locator("#incidents tbody tr").First.ClickAsync();

        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("plant/boiler");
        await Assertions.Expect(page.Locator("#range output")).ToContainTextAsync(" to ");
        await Assertions.Expect(page.Locator(".shares meter").First).ToBeVisibleAsync();
        await page.Locator("#chart").FocusAsync();
        await page.Keyboard.PressAsync("Home");
        await Assertions.Expect(page.Locator("#chart-said")).ToContainTextAsync("value ");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#why")).ToContainTextAsync("no decision has been made since the daemon started");

        // Where the alert was the chart of the past has its mark too, and why is answered by what the history kept.
        float[] mark = await page.EvaluateAsync<float[]>(
            """
            () => {
                const chart = echarts.getInstanceByDom(document.getElementById('chart'));
                const [alert] = chart.getOption().series.find(one => one.name === 'anomaly').data;
                return chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, alert);
            }
            """);
        LocatorBoundingBoxResult box = (await page.Locator("#chart").BoundingBoxAsync())!;
        await page.Mouse.ClickAsync(box.X + mark[0], box.Y + mark[1]);
        await Assertions.Expect(page.Locator("#why")).ToContainTextAsync("So it was told then; what else each observation of that time weighed is not kept any more");
        await Assertions.Expect(page.Locator("#why .indicators meter").First).ToBeVisibleAsync();
        await Watcher.PictureAsync(page, "night");

        // A notification's link names the incident alone; whoever is sent the address sees the same.
        string fragment = new Uri(page.Url).Fragment;
        IPage told = await _watcher.OpenAsync(Daemon, $"#plant%2Fboiler?{fragment[fragment.IndexOf("incident=", StringComparison.Ordinal)..]}");
        await Assertions.Expect(told.Locator("#incidents tr.chosen")).ToContainTextAsync("plant/boiler");
        await Assertions.Expect(told.Locator("#range output")).ToContainTextAsync(" to ");
        IPage other = await _watcher.OpenAsync(Daemon, new Uri(page.Url).Fragment);
        await Assertions.Expect(other.Locator("#incidents tr.chosen")).ToContainTextAsync("plant/boiler");
        await Assertions.Expect(other.Locator("#range output")).ToContainTextAsync((await page.Locator("#range output").TextContentAsync() ?? "").Split(" to ")[0]);

        await page.GetByRole(AriaRole.Button, new() { Name = "live" }).ClickAsync();
        await Assertions.Expect(page.Locator("#range output")).ToHaveTextAsync("");
        Assert.DoesNotContain("from=", page.Url, StringComparison.Ordinal);
        await Daemon.PostAsync("plant/boiler", [20.5], Start.AddMinutes(Rows));
        await page.Locator("#why button", new() { HasText = "latest" }).ClickAsync();
        await Assertions.Expect(page.Locator("#why .indicators")).ToBeVisibleAsync();
        await page.GoBackAsync();
        Assert.Contains("from=", page.Url, StringComparison.Ordinal);
        Assert.All(_watcher.Complaints, complaint => Assert.Contains("404", complaint, StringComparison.Ordinal));   // of what is not held any more
    }

    [Fact]
    public async Task Lanes_show_which_group_was_odd_dragging_over_them_is_the_range_and_who_was_odd_in_it_is_listed()
    {
        await SendAsync(("plant/a/flow", 640), ("plant/a/level", null), ("plant/b/flow", null), ("office/light", null));
        IPage page = await _watcher!.OpenAsync(Daemon);
        await page.GetByRole(AriaRole.Button, new() { Name = "24 h" }).ClickAsync();
        await Assertions.Expect(page.Locator(".lane").First).ToHaveAttributeAsync("data-name", "plant/");
        await Assertions.Expect(page.Locator(".lane canvas").First).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("^odd in "));
        await Assertions.Expect(page.Locator(".lane canvas").Nth(1)).ToHaveAttributeAsync("aria-label", "calm");

        await page.Locator(".lane button").First.ClickAsync();
        await Assertions.Expect(page.Locator(".lane").First).ToHaveAttributeAsync("data-name", "plant/a/");
        await Assertions.Expect(page.Locator("#lanes ol button")).ToContainTextAsync(["plant/a/flow"]);

        LocatorBoundingBoxResult box = (await page.Locator(".lane canvas").First.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.55f), box.Y + 8);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.75f), box.Y + 8, new() { Steps = 4 });
        await Assertions.Expect(page.Locator("#lanes .selection")).ToBeVisibleAsync();
        await page.Mouse.UpAsync();
        await Assertions.Expect(page.Locator("#range output")).ToContainTextAsync("(4 h 4");
        await Assertions.Expect(page.Locator("#lanes h2")).ToHaveTextAsync("Nothing was odd in this range");

        await page.GoBackAsync();
        await page.Locator("#lanes ol button").First.ClickAsync();
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("plant/a/flow");
        await Watcher.PictureAsync(page, "lanes");
        Assert.Empty(_watcher.Complaints);
    }

    [Fact]
    public async Task A_finger_that_moves_along_time_chooses_a_range_and_one_that_moves_down_scrolls()
    {
        await SendAsync(("plant/boiler", 640));
        IPage page = await _watcher!.OpenAsync(Daemon, "#plant%2Fboiler");
        await page.GetByRole(AriaRole.Button, new() { Name = "24 h" }).ClickAsync();
        await Assertions.Expect(page.Locator("#range output")).ToContainTextAsync("to now (1 d");
        ICDPSession session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Emulation.setTouchEmulationEnabled", new() { ["enabled"] = true, ["maxTouchPoints"] = 1 });
        LocatorBoundingBoxResult box = (await page.Locator("#chart").BoundingBoxAsync())!;

        await SwipeAsync((0.6f, 0.3f), (0.6f, 0.7f));
        await Assertions.Expect(page.Locator("#range output")).ToContainTextAsync("to now (1 d");
        await SwipeAsync((0.5f, 0.4f), (0.8f, 0.45f));
        await Assertions.Expect(page.Locator("#range output")).Not.ToContainTextAsync("now");
        await Assertions.Expect(page.Locator("#range output")).ToContainTextAsync("(7 h");
        Assert.Empty(_watcher.Complaints);

        async Task SwipeAsync((float X, float Y) from, (float X, float Y) to)
        {
            for (int step = 0; step <= 8; step++)
            {
                float x = box.X + (box.Width * (from.X + ((to.X - from.X) * step / 8))), y = box.Y + (box.Height * (from.Y + ((to.Y - from.Y) * step / 8)));
                await session.SendAsync("Input.dispatchTouchEvent", new() { ["type"] = step == 0 ? "touchStart" : "touchMove", ["touchPoints"] = new[] { new { x, y } } });
            }

            await session.SendAsync("Input.dispatchTouchEvent", new() { ["type"] = "touchEnd", ["touchPoints"] = Array.Empty<object>() });
        }
    }

    [Fact]
    public async Task Who_looks_after_an_incident_says_so_and_the_others_see_it()
    {
        await SendAsync(("plant/boiler", 640), ("plant/pump", null));
        IPage page = await _watcher!.OpenAsync(Daemon);
        await page.Locator("#incidents tbody tr").First.ClickAsync();
        await page.GetByLabel("Your name, for the others").FillAsync("Ada");
        await page.GetByRole(AriaRole.Button, new() { Name = "I look after it" }).ClickAsync();
        await Assertions.Expect(page.Locator("#incidents tbody tr .why").First).ToContainTextAsync("Ada is on it: ");
        await Watcher.PictureAsync(page, "looked-after");

        IPage other = await _watcher.OpenAsync(Daemon);
        await Assertions.Expect(other.Locator("#incidents tbody tr .why").First).ToContainTextAsync("Ada is on it: ");
        await other.Locator("#incidents tbody tr").First.ClickAsync();
        await other.GetByRole(AriaRole.Button, new() { Name = "not Ada's any more" }).ClickAsync();
        await Assertions.Expect(page.Locator("#incidents tbody tr .why").First).Not.ToContainTextAsync("is on it");
        await Assertions.Expect(page.GetByLabel("Your name, for the others")).ToHaveValueAsync("Ada");
        Assert.Empty(_watcher.Complaints);
    }

    [Fact]
    public async Task Incidents_are_filtered_ordered_paged_and_many_are_called_false_alarms_at_once_with_a_note()
    {
        // Far apart, so that each is a cause of its own.
        await SendAsync([.. Enumerable.Range(0, 27).Select(i => ($"hall{i}/pump", (int?)(620 + (3 * i))))]);
        IPage page = await _watcher!.OpenAsync(Daemon);
        ILocator rows = page.Locator("#incidents tbody tr");
        await Assertions.Expect(rows).ToHaveCountAsync(25);
        await Assertions.Expect(page.Locator("#pager output")).ToHaveTextAsync("1 to 25 of 27");
        await page.GetByLabel("Next page").ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(2);

        await page.GetByLabel("Of streams with these words in their names").FillAsync("hall?/* -hall3");
        await Assertions.Expect(rows).ToHaveCountAsync(9);
        await Assertions.Expect(rows.First).ToContainTextAsync("hall9/pump");
        await rows.Nth(0).GetByRole(AriaRole.Checkbox).CheckAsync();
        await rows.Nth(1).GetByRole(AriaRole.Checkbox).CheckAsync();
        await page.Locator("#bulk input").FillAsync("a test run");
        await Watcher.PictureAsync(page, "bulk");
        await page.Locator("#bulk button", new() { HasText = "false alarm" }).ClickAsync();

        await Assertions.Expect(page.Locator("#bulk [role=status]")).ToHaveTextAsync("2 called false alarm");
        await page.Locator("#incident-filters select[name=label]").SelectOptionAsync("false_alarm");
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await Assertions.Expect(rows.First.Locator(".why")).ToContainTextAsync("false alarm: a test run");
        await page.Locator("#incident-filters select[name=label]").SelectOptionAsync("none");
        await Assertions.Expect(rows).ToHaveCountAsync(7);
        await page.GetByLabel("Of streams with these words in their names").FillAsync("nowhere");
        await Assertions.Expect(page.Locator("#quiet")).ToHaveTextAsync("No incident is like this.");
        Assert.Empty(_watcher.Complaints);
    }

    [Fact]
    public async Task Streams_are_found_by_words_and_patterns_walked_as_a_tree_by_keys_and_favourites_and_hidden_ones_stay_so()
    {
        foreach (string stream in new[] { "plant/a/flow", "plant/a/level", "plant/b/flow", "office/light" })
        {
            await Daemon.PostAsync(stream, Series.Daily(1, 30), Start);
        }

        IPage page = await _watcher!.OpenAsync(Daemon);
        ILocator rows = page.Locator(".row");
        await Assertions.Expect(rows).ToHaveCountAsync(4);
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("plant/*/flow -b");
        await Assertions.Expect(rows).ToHaveCountAsync(1);
        await page.Locator("#filter").FillAsync("nothing");
        await Assertions.Expect(page.Locator("#listed")).ToHaveTextAsync("no stream is like this");
        await page.Locator("#filter").FillAsync("");

        await page.Locator("#order").SelectOptionAsync("tree");
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await page.Locator("#streams").FocusAsync();
        foreach (string key in new[] { "Home", "ArrowDown", "ArrowRight" })
        {
            await page.Keyboard.PressAsync(key);
        }

        await Assertions.Expect(rows).ToHaveCountAsync(4);
        await page.Keyboard.PressAsync("ArrowDown");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(rows).ToHaveCountAsync(6);
        await page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("plant/a/flow");
        await Watcher.PictureAsync(page, "tree");

        await page.Keyboard.PressAsync("f");
        await page.Locator("#order").SelectOptionAsync("name");
        await Assertions.Expect(page.Locator(".row[aria-posinset='1']")).ToContainTextAsync("★ plant/a/flow");
        await page.Locator(".row[data-stream='office/light']").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "hide" }).ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await page.ReloadAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await page.Locator("#show").SelectOptionAsync("hidden");
        await Assertions.Expect(rows).ToHaveCountAsync(1);
        await Assertions.Expect(rows).ToContainTextAsync("office/light");
        Assert.Empty(_watcher.Complaints);
    }

    [Fact]
    public async Task Of_five_thousand_streams_a_client_pays_for_what_it_shows()
    {
        for (int part = 0; part < 5; part++)
        {
            string lines = string.Concat(Enumerable.Range(1_000 * part, 1_000).Select(i => FormattableString.Invariant(
                $"{{\"stream\":\"site{i / 500}/device{i / 10:000}/sensor{i % 10}\",\"timestamp\":\"{Start:O}\",\"value\":{i}}}\n")));
            using var content = new StringContent(lines, null, "application/x-ndjson");
            (await Daemon.Http.PostAsync("/api/v1/observations", content, Cancellation)).EnsureSuccessStatusCode();
        }

        await Daemon.UntilScoredAsync(5_000);
        await Daemon.PostAsync("site3/device150/sensor0", Series.Daily(1, 600), Start.AddMinutes(1));
        await Daemon.UntilScoredAsync(5_600);
        Assert.InRange((await FirstMessageAsync("")).Length, 100, 20_000);
        Assert.InRange((await FirstMessageAsync("?stream=site3/device150/sensor0")).Length, 20_000, 60_000);
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/api/v1/live");
        asked.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using HttpResponseMessage packed = await Daemon.Http.SendAsync(asked, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal(["gzip"], packed.Content.Headers.ContentEncoding);

        IPage page = await _watcher!.OpenAsync(Daemon);
        await Assertions.Expect(page.Locator("#listed")).ToHaveTextAsync("5\u2009000 streams");
        await page.Locator("#streams").EvaluateAsync("list => list.scrollTop = 38 * 4321");
        await page.Locator("#order").SelectOptionAsync("name");
        await page.Locator("#streams").EvaluateAsync("list => list.scrollTop = 38 * 4321");
        await page.Locator(".row[aria-posinset='4325']").ClickAsync();
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync(new System.Text.RegularExpressions.Regex("^site\\d/device\\d{3}/sensor\\d$"));
        Assert.InRange(await page.Locator(".row").CountAsync(), 10, 60);
        Assert.Empty(_watcher.Complaints);
    }

    private async Task<string> FirstMessageAsync(string query)
    {
        using HttpResponseMessage answer = await Daemon.Http.GetAsync($"/api/v1/live{query}", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));
        return await reader.ReadLineAsync(Cancellation) ?? "";
    }

    /// <summary>A row a minute for each stream, with a spike at a row, in one request for all.</summary>
    private async Task SendAsync(params (string Stream, int? SpikeAt)[] streams)
    {
        foreach ((int i, (string stream, int? spikeAt)) in streams.Index())
        {
            double[] values = Series.Daily(i + 3, Rows);

            if (spikeAt is { } row)
            {
                values[row] = 400;
            }

            string lines = string.Concat(values.Select((value, row) => FormattableString.Invariant($"{{\"stream\":\"{stream}\",\"timestamp\":\"{Start.AddMinutes(row):O}\",\"value\":{value}}}\n")));
            using var content = new StringContent(lines, null, "application/x-ndjson");
            (await Daemon.Http.PostAsync("/api/v1/observations", content, Cancellation)).EnsureSuccessStatusCode();
        }

        await Daemon.UntilScoredAsync(streams.Length * Rows);
        await Daemon.UntilSettledAsync("history");
    }
}
