using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Dashboard;

/// <summary>The page for everybody: without eyes or a mouse, on a phone, in the dark, behind a proxy.</summary>
public sealed class PageAccessTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private Watcher? _watcher;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _watcher = await Watcher.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_watcher is not null)
        {
            await _watcher.DisposeAsync();
        }

        _directory.Dispose();
    }

    [Fact]
    public async Task Axe_finds_no_barrier_in_any_part_of_the_page_and_on_a_phone_all_can_be_reached()
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path);
        IPage page = await _watcher!.OpenAsync(daemon, width: 1440, height: 900);
        await Assertions.Expect(page.Locator("#empty")).ToBeVisibleAsync();
        await Watcher.PictureAsync(page, "empty");
        Assert.Empty(await Watcher.BarriersAsync(page));

        double[] values = Series.Daily(3, 900);
        values[^1] = 80;
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-20);
        await daemon.PostAsync("plant/hall/boiler/temperature", values, start);
        await daemon.PostAsync("plant/hall/pump/flow", Series.Daily(4, 900)[..200], start);
        await page.Locator("#incidents tbody tr").First.ClickAsync();
        await Assertions.Expect(page.Locator(".shares meter").First).ToBeVisibleAsync();
        await page.Locator("#why summary").ClickAsync();
        await page.Locator("#order").SelectOptionAsync("tree");
        await Assertions.Expect(page.Locator(".row[role=treeitem]").First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Checkbox).Last.CheckAsync();
        await Assertions.Expect(page.Locator("#why .indicators")).ToBeVisibleAsync();
        await Watcher.PictureAsync(page, "axe");
        Assert.Empty(await Watcher.BarriersAsync(page));

        IPage dark = await _watcher.OpenAsync(daemon, new Uri(page.Url).Fragment, 1440, 900, isDark: true);
        await Assertions.Expect(dark.Locator(".shares meter").First).ToBeVisibleAsync();
        await Watcher.PictureAsync(dark, "dark");
        Assert.Empty(await Watcher.BarriersAsync(dark));

        IPage phone = await _watcher.OpenAsync(daemon, width: 390, height: 800);
        foreach (string tab in new[] { "Streams", "Chart", "Incidents" })
        {
            await phone.Locator("#tabs").GetByRole(AriaRole.Button, new() { Name = tab }).ClickAsync();

            if (tab == "Incidents")
            {
                await phone.Locator("#incidents tbody tr .why").First.ClickAsync();
                ILocator button = phone.Locator(".label button", new() { HasText = "false alarm" });
                await Assertions.Expect(button).ToBeInViewportAsync(new() { Ratio = 1 });
                LocatorBoundingBoxResult box = (await button.BoundingBoxAsync())!;
                Assert.InRange(box.X + box.Width, 1, 390);
            }

            await Watcher.PictureAsync(phone, $"phone-{tab}");
            Assert.Empty(await Watcher.BarriersAsync(phone));
            Assert.InRange(await phone.EvaluateAsync<int>("document.documentElement.scrollWidth"), 1, 390);
            Assert.InRange(await phone.EvaluateAsync<int>("document.documentElement.scrollHeight"), 1, 1_600);
        }

        Assert.All(_watcher.Complaints, complaint => Assert.Contains("404", complaint, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Behind_a_proxy_it_is_below_a_path_whether_the_proxy_takes_that_away_or_not(bool takesAway)
    {
        int port = DaemonProcess.FreePort();
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path, "http.path_prefix=/tools/streamlstm", "http.hosts.0=localhost:" + port);
        await daemon.PostAsync("plant/boiler", Series.Daily(1, 50), DateTimeOffset.UtcNow.AddMinutes(-5));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using WebApplication proxy = builder.Build();
        proxy.Urls.Add($"http://127.0.0.1:{port}");
        proxy.Map("/tools/streamlstm/{**path}", (HttpContext context, string? path) => PassAsync(daemon, context, takesAway ? $"/{path}" : context.Request.Path.Value!));
        await proxy.StartAsync(Cancellation);

        IPage page = await _watcher!.OpenAsync($"http://localhost:{port}/tools/streamlstm{(takesAway ? "/" : "")}");

        await Assertions.Expect(page.Locator(".row[data-stream='plant/boiler']")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#name")).ToHaveTextAsync("plant/boiler");
        Assert.EndsWith("/tools/streamlstm/#plant%2Fboiler", page.Url, StringComparison.Ordinal);
        Assert.Empty(_watcher.Complaints);
        await page.CloseAsync();
        await proxy.StopAsync(Cancellation);
    }

    /// <summary>A proxy in a few lines: hands a request on with its name, and the answer back as it comes.</summary>
    private static async Task PassAsync(DaemonProcess daemon, HttpContext context, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), path + context.Request.QueryString);
        request.Headers.Host = context.Request.Host.Value;
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None }) { BaseAddress = daemon.Http.BaseAddress };
        using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.Headers.Location = answer.Headers.Location?.OriginalString;
        context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();

        try
        {
            await using Stream body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
            var buffer = new byte[16_384];

            for (int read; (read = await body.ReadAsync(buffer, context.RequestAborted)) > 0;)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The page was closed.
        }
    }
}
