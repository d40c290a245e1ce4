using Microsoft.Playwright;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Backtesting;

public sealed class ReportPageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1400, ColorScheme.Light)]
    [InlineData(700, ColorScheme.Dark)]
    public async Task The_page_opens_from_the_disk_without_complaint_and_shows_the_incident(int width, ColorScheme scheme)
    {
        string chromium = Parts.Require("chromium", "chromium");
        double[] values = Series.Daily(3, 1200);
        values[1000] = 80;
        string input = Path.Combine(_directory.Path, "boiler.csv");
        await File.WriteAllLinesAsync(
            input,
            values.Select((value, row) => FormattableString.Invariant($"{DateTimeOffset.UnixEpoch.AddMinutes(row):O},{value}")).Prepend("timestamp,value"),
            TestContext.Current.CancellationToken);
        string results = Path.Combine(_directory.Path, "out");
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["backtest", input, "--out", results, "--report"], TextWriter.Null, error);
        Assert.True(code == 0, error.ToString());

        List<string> complaints = [];
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = chromium,
            Args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        IPage page = await browser.NewPageAsync(new BrowserNewPageOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 1000 },
            ColorScheme = scheme,
            Offline = true,
        });
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                complaints.Add(message.Text);
            }
        };
        page.PageError += (_, wrong) => complaints.Add(wrong);
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                complaints.Add(request.Url);
            }
        };
        await page.GotoAsync(new Uri(Path.Combine(results, "report.html")).AbsoluteUri);

        ILocator first = page.Locator("#incidents tbody tr").First;
        await Assertions.Expect(first).ToContainTextAsync("boiler");
        await Assertions.Expect(first).ToContainTextAsync("expected");
        await Assertions.Expect(page.Locator("#headline")).ToContainTextAsync("the worst in boiler");
        await first.ClickAsync();
        await Assertions.Expect(page.Locator("#chart canvas").First).ToBeVisibleAsync();
        Assert.InRange(await DrawnShareAsync(page), 0.02, 0.98);
        await Assertions.Expect(page.Locator("#gates canvas")).ToHaveCountAsync(4);
        int[] size = await page.Locator("#gates canvas").First.EvaluateAsync<int[]>("canvas => [canvas.width, canvas.height]");
        Assert.Equal(24, size[1]);
        Assert.InRange(size[0], 48, 95);
        int shades = await page.Locator("#gates canvas").First.EvaluateAsync<int>("""
            canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 === 3)).size
            """);
        Assert.InRange(shades, 20, 256);
        double[] should = await page.EvaluateAsync<double[]>("() => chart.getOption().series.find(one => one.name === 'what it should have looked like').data.map(point => point[1])");
        Assert.All(should, value => Assert.InRange(value, 10, 30));      // and the spike is at 80
        Assert.InRange(await page.EvaluateAsync<int>("document.documentElement.scrollWidth"), 1, width);
        Assert.Empty(complaints);
    }

    /// <summary>Share of the chart's pixels that are not empty.</summary>
    private static Task<double> DrawnShareAsync(IPage page) => page.EvaluateAsync<double>(
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
