using System.Text.RegularExpressions;
using Microsoft.Playwright;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Dashboard;

public sealed partial class LivePageTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private Watcher? _watcher;
    private DaemonProcess? _daemon;

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
    public async Task With_no_stream_the_page_says_how_to_send_one()
    {
        IPage page = await OpenAsync();

        await Assertions.Expect(page.Locator("#empty")).ToContainTextAsync($"mosquitto_pub -p {Daemon.MqttPort} -t plant/boiler/temperature");
        await Assertions.Expect(page.Locator("#empty")).ToContainTextAsync($"http://127.0.0.1:{Daemon.HttpPort}/api/v1/observations");
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task Streams_are_listed_with_their_progress_and_the_chosen_one_is_drawn()
    {
        await Daemon.PostAsync("plant/young", Series.Daily(1, 100), DateTimeOffset.UtcNow.AddMinutes(-10));
        await Daemon.PostAsync("plant/grown", Series.Daily(2, 600), DateTimeOffset.UtcNow.AddMinutes(-10));
        IPage page = await OpenAsync();

        ILocator young = page.Locator(".row[data-stream='plant/young']");
        await Assertions.Expect(young).ToContainTextAsync("calibrating 19 %");
        await Assertions.Expect(young.Locator("progress")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".row[data-stream='plant/grown']")).ToContainTextAsync("active");
        await Assertions.Expect(page.Locator("#books")).ToContainTextAsync("= scored 700 + rejected 0 + queued 0 ✓", new() { IgnoreCase = true });

        await page.Locator(".row[data-stream='plant/grown']").ClickAsync();
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("plant/grown");
        await Assertions.Expect(page.Locator("#figures")).ToContainTextAsync("expected");
        Assert.InRange(await DrawnShareAsync(page), 0.005, 0.9);
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task The_filter_narrows_the_list_and_the_arrow_keys_walk_it()
    {
        for (int i = 0; i < 5; i++)
        {
            await Daemon.PostAsync($"hall/{i}", Series.Daily(i, 20), DateTimeOffset.UtcNow.AddMinutes(-10));
        }

        IPage page = await OpenAsync();
        await page.Locator("#order").SelectOptionAsync("name");
        await page.Locator("#streams").FocusAsync();
        await page.Locator(".row[data-stream='hall/1']").ClickAsync();
        await page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("hall/2");

        await page.Locator("#filter").FillAsync("hall/4");
        await Assertions.Expect(page.Locator(".row")).ToHaveCountAsync(1);
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task An_incident_appears_by_itself_with_its_reason_and_its_attribution()
    {
        double[] values = Series.Daily(3, 900);
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-20);
        await Daemon.PostAsync("plant/boiler", values[..899], start);
        IPage page = await OpenAsync();
        await Assertions.Expect(page.Locator("#quiet")).ToBeVisibleAsync();

        await Daemon.PostAsync("plant/boiler", [80], start.AddSeconds(899));

        ILocator row = page.Locator("#incidents tbody tr").First;
        await Assertions.Expect(row).ToContainTextAsync("plant/boiler");
        await Assertions.Expect(row).ToContainTextAsync("expected");
        await row.ClickAsync();
        await Assertions.Expect(page.Locator(".shares meter").First).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".row[data-stream='plant/boiler'] .dot")).ToHaveClassAsync(Open());
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task What_a_streams_network_keeps_and_forgets_is_drawn()
    {
        await Daemon.PostAsync("plant/boiler", Series.Daily(3, 700), DateTimeOffset.UtcNow.AddMinutes(-20));
        IPage page = await OpenAsync();
        await page.Locator(".row[data-stream='plant/boiler']").ClickAsync();
        await page.Locator("#gates summary").ClickAsync();
        await Assertions.Expect(page.Locator("#gates canvas")).ToHaveCountAsync(4);
        int[] size = await page.Locator("#gates canvas").First.EvaluateAsync<int[]>("canvas => [canvas.width, canvas.height]");
        Assert.Equal(24, size[1]);
        Assert.InRange(size[0], 48, 96);

        // A gate is no one shade: it opens and closes.
        int shades = await page.Locator("#gates canvas").First.EvaluateAsync<int>("""
            canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 === 3)).size
            """);
        Assert.InRange(shades, 20, 256);
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task What_an_incident_should_have_looked_like_is_drawn_under_it()
    {
        const string Dashed = """
            () => {
              const line = echarts.getInstanceByDom(document.getElementById('chart')).getOption().series.find(one => one.name === 'what it should have looked like');
              return line?.lineStyle.type === 'dashed' ? line.data.map(point => point[1]) : null;
            }
            """;
        double[] values = Series.Daily(3, 900);
        await Daemon.PostAsync("plant/boiler", [.. values[..840], .. Enumerable.Repeat(80.0, 60)], DateTimeOffset.UtcNow.AddMinutes(-20));
        IPage page = await OpenAsync();
        await page.Locator(".row[data-stream='plant/boiler']").ClickAsync();
        await page.Locator("#incidents tbody tr").First.WaitForAsync();
        Assert.Null(await DashedAsync());

        // Somebody quick opens it before the feed has told of the incident chosen: what is shown once stays.
        await page.EvaluateAsync("""
            () => {
              window.said = [];
              new MutationObserver(() => window.said.push(document.querySelector('#reconstruction > div').textContent)).observe(document.querySelector('#reconstruction > div'), { childList: true });
              document.querySelector('#incidents tbody tr').click();
              document.querySelector('#reconstruction summary').click();
            }
            """);
        await Assertions.Expect(page.Locator("#reconstruction > div")).ToContainTextAsync("values lie where they should");
        await page.WaitForTimeoutAsync(2500);       // two messages of the feed
        string[] said = await page.EvaluateAsync<string[]>("() => window.said");
        Assert.DoesNotContain("", said.SkipWhile(text => text.Length == 0));
        await page.WaitForFunctionAsync($"() => ({Dashed})() !== null");     // the words are there at once, the chart when its values are
        double[] drawn = (await DashedAsync())!;
        Assert.InRange(drawn.Length, 60, 80);
        Assert.All(drawn, value => Assert.InRange(value, 10, 30));      // and the stream stood at 80
        string[] legend = await page.EvaluateAsync<string[]>("() => echarts.getInstanceByDom(document.getElementById('chart')).getOption().legend[0].data");
        Assert.Contains("what it should have looked like", legend);

        await page.Locator("#reconstruction summary").ClickAsync();
        await page.WaitForFunctionAsync("() => !echarts.getInstanceByDom(document.getElementById('chart')).getOption().series.some(one => one.name === 'what it should have looked like')");
        Assert.Empty(_watcher!.Complaints);

        Task<double[]?> DashedAsync() => page.EvaluateAsync<double[]?>(Dashed);
    }

    [Fact]
    public async Task What_began_together_is_one_line_that_opens_to_its_members_the_strongest_first()
    {
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-20);

        for (int i = 0; i < 3; i++)
        {
            double[] values = Series.Daily(i + 3, 900);
            values[^1] = i == 1 ? 400 : 60;
            await Daemon.PostAsync($"plant/boiler/{(char)('a' + i)}", values, start);
        }

        IPage page = await OpenAsync();
        ILocator rows = page.Locator("#incidents tbody tr");
        await Assertions.Expect(rows).ToHaveCountAsync(1);
        await Assertions.Expect(rows.First).ToContainTextAsync("3 streams of plant/boiler changed at once");
        await Assertions.Expect(page.Locator("#counts")).ToContainTextAsync("open incidents1");

        await rows.First.FocusAsync();
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(rows).ToHaveCountAsync(4);
        await Assertions.Expect(rows.First.GetByRole(AriaRole.Button)).ToHaveAttributeAsync("aria-expanded", "true");
        await Assertions.Expect(rows.Nth(1)).ToContainTextAsync("plant/boiler/b");
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("plant/boiler/b");
        await rows.Nth(2).ClickAsync();
        await Assertions.Expect(rows.Nth(2).Locator(".shares meter").First).ToBeVisibleAsync();
        await Assertions.Expect(rows.Nth(2).Locator(".label button")).ToHaveCountAsync(4);

        await rows.First.ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(1);
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task A_false_alarm_is_labelled_by_a_button_and_taken_back_by_the_same()
    {
        double[] values = Series.Daily(3, 900);
        values[^1] = 80;
        await Daemon.PostAsync("plant/boiler", values, DateTimeOffset.UtcNow.AddMinutes(-20));
        IPage page = await OpenAsync();
        await page.Locator("#incidents tbody tr").First.ClickAsync();
        ILocator button = page.Locator(".label button", new() { HasText = "false alarm" });

        await button.ClickAsync();
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-pressed", "true");
        await Assertions.Expect(page.Locator("#incidents td.why").First).ToContainTextAsync("false alarm: ");

        await button.ClickAsync();
        await Assertions.Expect(button).ToHaveAttributeAsync("aria-pressed", "false");
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task An_open_incident_is_accepted_by_a_button_and_closes()
    {
        double[] values = Series.Daily(3, 900);
        values[^1] = 80;
        await Daemon.PostAsync("plant/boiler 1", values, DateTimeOffset.UtcNow.AddMinutes(-20));
        IPage page = await OpenAsync();
        ILocator row = page.Locator("#incidents tbody tr").First;
        await row.ClickAsync();
        ILocator button = page.Locator(".label button", new() { HasText = "accept as the new normal" });

        await button.ClickAsync();

        await Assertions.Expect(row).ToContainClassAsync("closed");
        await Assertions.Expect(button).ToHaveCountAsync(0);
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task What_was_kept_back_is_counted_with_the_reason()
    {
        double[] values = Series.Daily(3, 900);
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-20);
        await Daemon.PostAsync("plant/boiler", values[..899], start);
        using var window = new StringContent($"{{\"streams\":\"plant/*\",\"from\":\"{start.AddSeconds(890):O}\",\"for\":\"1h\"}}", null, "application/json");
        using HttpResponseMessage asked = await Daemon.Http.PostAsync("/api/v1/maintenance", window, TestContext.Current.CancellationToken);
        IPage page = await OpenAsync();
        await Assertions.Expect(page.Locator("#kept-back")).ToBeHiddenAsync();

        await Daemon.PostAsync("plant/boiler", [80], start.AddSeconds(899));

        await Assertions.Expect(page.Locator("#kept-back")).ToHaveTextAsync("1 alert kept back since the start: 1 in maintenance");
        await Assertions.Expect(page.Locator("#quiet")).ToBeVisibleAsync();
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task What_the_levels_of_a_streams_topic_say_stands_beside_its_name()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess labelled = await DaemonProcess.StartAsync(
            directory.Path, $"sources.mqtt.0.url=mqtt://127.0.0.1:{Daemon.MqttPort}", "sources.mqtt.0.topics.0=plant/#", "sources.mqtt.0.templates.0.topic=plant/{site}/{device}/{field}");
        await labelled.PostAsync("plant/hamburg/pump3/flow", Series.Daily(1, 50), DateTimeOffset.UtcNow.AddMinutes(-10));
        IPage page = await OpenAsync(of: labelled);

        await Assertions.Expect(page.Locator("#labels")).ToHaveTextAsync("site hamburg · device pump3 · field flow");
        Assert.Empty(_watcher!.Complaints);
    }

    [Fact]
    public async Task What_a_device_declares_of_its_metric_stands_behind_the_value()
    {
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-10);
        await using SparkplugNode node = await SparkplugNode.StartAsync(Daemon.MqttPort, 50, start);
        IPage page = await OpenAsync();

        await node.SendAsync(51.5, start.AddSeconds(1));

        await page.Locator($".row[data-stream='{SparkplugNode.Stream}']").ClickAsync();
        await Assertions.Expect(page.Locator("#figures")).ToContainTextAsync("now 51.5 %, declared 0 to 100, ");
        Assert.Empty(_watcher!.Complaints);
    }

    private Task<IPage> OpenAsync(int width = 1280, int height = 800, DaemonProcess? of = null) => _watcher!.OpenAsync(of ?? Daemon, "", width, height);

    /// <summary>Share of the chart's pixels that are not empty.</summary>
    private static async Task<double> DrawnShareAsync(IPage page)
    {
        await page.WaitForTimeoutAsync(1500);
        return await page.EvaluateAsync<double>(
            """
            () => {
              const canvas = document.querySelector('#chart canvas');
              const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
              let drawn = 0;
              for (let i = 3; i < data.length; i += 4) if (data[i] > 0) drawn++;
              return drawn / (data.length / 4);
            }
            """);
    }

    [GeneratedRegex("open")]
    private static partial Regex Open();
}
