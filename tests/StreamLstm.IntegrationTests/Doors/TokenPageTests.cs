using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Doors;

public sealed class TokenPageTests
{
    private const string Admin = "admin-0123456789abcdef";

    [Fact]
    public async Task The_page_asks_for_the_token_and_keeps_it_for_the_tab()
    {
        string chromium = Parts.Require("chromium", "chromium");
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, $"http.tokens.0.token={Admin}", "http.tokens.0.role=admin");
        daemon.Http.DefaultRequestHeaders.Authorization = new("Bearer", Admin);
        await daemon.PostAsync("plant/boiler", Series.Daily(1, 600), DateTimeOffset.UtcNow.AddMinutes(-10));
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu"] });
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync($"http://localhost:{daemon.HttpPort}/");

        ILocator dialog = page.Locator("#access");
        await Assertions.Expect(dialog).ToContainTextAsync("This daemon asks for a token");
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("a token is needed");
        await Assertions.Expect(page.Locator(".row")).ToHaveCountAsync(0);

        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PICTURES") is { } pictures)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(pictures, "token.png") });
        }

        await dialog.Locator("input").FillAsync("wrong-0123456789abcdef");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(dialog).ToContainTextAsync("The daemon does not know this token");
        await dialog.Locator("input").FillAsync(Admin);
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        await Assertions.Expect(page.Locator(".row[data-stream='plant/boiler']")).ToBeVisibleAsync();
        await page.Locator("#why summary").ClickAsync();
        await Assertions.Expect(page.Locator("#why .indicators")).ToBeVisibleAsync();

        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("live");
        await Assertions.Expect(dialog).ToBeHiddenAsync();
        IPage other = await (await browser.NewContextAsync()).NewPageAsync();
        await other.GotoAsync($"http://localhost:{daemon.HttpPort}/");
        await Assertions.Expect(other.Locator("#access")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_page_of_another_site_can_send_nothing_to_a_daemon_without_tokens()
    {
        string chromium = Parts.Require("chromium", "chromium");
        using var directory = new TemporaryDirectory();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path);
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu"] });
        IPage page = await browser.NewPageAsync();

        // Another port is another origin.
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using WebApplication elsewhere = builder.Build();
        elsewhere.Urls.Add($"http://127.0.0.1:{DaemonProcess.FreePort()}");
        elsewhere.MapGet("/", () => Results.Text("<p>harmless", "text/html"));
        await elsewhere.StartAsync(TestContext.Current.CancellationToken);
        await page.GotoAsync(elsewhere.Urls.First());
        await page.EvaluateAsync(
            $"fetch('http://127.0.0.1:{daemon.HttpPort}/api/v1/observations', {{ method: 'POST', mode: 'no-cors', body: 'plant value=1', headers: {{ 'Content-Type': 'text/plain' }} }})");
        await page.EvaluateAsync(
            $"fetch('http://localhost:{daemon.HttpPort}/api/v1/observations', {{ method: 'POST', mode: 'no-cors', body: 'plant value=1', headers: {{ 'Content-Type': 'text/plain' }} }})");

        Assert.Matches("streamlstm_http_refused_total{[^}]*reason=\"origin\"[^}]*} 2", await daemon.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
        Assert.Equal(0, (await daemon.GetAsync("/api/v1/status")).GetProperty("books").GetProperty("received").GetInt64());
    }
}
