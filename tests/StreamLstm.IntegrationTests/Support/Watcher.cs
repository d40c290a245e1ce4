using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>Somebody who looks at a daemon's page with a real browser, and notes what the browser complains of.</summary>
internal sealed class Watcher : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly List<string> _complaints = [];

    private Watcher(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Errors and warnings of all pages so far.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    public static async Task<Watcher> StartAsync()
    {
        string chromium = Parts.Require("chromium", "chromium");
        Assertions.SetDefaultExpectTimeout(20_000);   // where other suites run beside, a page takes its time
        IPlaywright playwright = await Playwright.CreateAsync();
        return new Watcher(playwright, await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = chromium,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        }));
    }

    /// <summary>Opens the page, as far as it is live.</summary>
    public async Task<IPage> OpenAsync(string url, int width = 1280, int height = 800, bool isDark = false)
    {
        IPage page = await _browser.NewPageAsync(new BrowserNewPageOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
        });
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Add($"{message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => _complaints.Add(error);
        await page.GotoAsync(url);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        return page;
    }

    public Task<IPage> OpenAsync(DaemonProcess daemon, string hash = "", int width = 1280, int height = 800, bool isDark = false) =>
        OpenAsync($"http://127.0.0.1:{daemon.HttpPort}/{hash}", width, height, isDark);

    /// <summary>Keeps a picture, where they are asked for: they are looked at by people.</summary>
    public static async Task PictureAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PICTURES") is { } pictures)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(pictures, $"{name}.png") });
        }
    }

    /// <summary>What axe finds wrong with a page for those who do not see it, or use no mouse: a line for each, with where it is.</summary>
    public static async Task<IReadOnlyList<string>> BarriersAsync(IPage page)
    {
        AxeResult found = await page.RunAxe();
        return [.. found.Violations.SelectMany(violation => violation.Nodes.Select(node => $"{violation.Id}: {violation.Help}: {node.Html}"))];
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
