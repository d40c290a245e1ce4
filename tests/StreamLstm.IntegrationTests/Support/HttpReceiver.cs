using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A listener that keeps what is posted to it, and answers what it is told to.</summary>
internal sealed class HttpReceiver(WebApplication application, string url) : IAsyncDisposable
{
    public ConcurrentQueue<(IHeaderDictionary Headers, string Body)> Got { get; } = new();

    public string Url => url;

    /// <param name="status">The answer to the n-th request, counting from 1.</param>
    public static async Task<HttpReceiver> StartAsync(Func<int, int> status)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication application = builder.Build();
        application.Urls.Add($"http://127.0.0.1:{DaemonProcess.FreePort()}");
        var receiver = new HttpReceiver(application, $"{application.Urls.First()}/secret-path");
        application.MapPost("/secret-path", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            string body = await reader.ReadToEndAsync();
            receiver.Got.Enqueue((new HeaderDictionary(context.Request.Headers.ToDictionary()), body));
            context.Response.StatusCode = status(receiver.Got.Count);
        });
        await application.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
