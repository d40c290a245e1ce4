using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.Tests.Support;

namespace StreamLstm.Tests.Daemon.Api;

public sealed class ExplainEndpointTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-1);
    private HostedDaemon? _daemon;

    public async ValueTask InitializeAsync() => _daemon = await HostedDaemon.StartAsync();

    public ValueTask DisposeAsync() => _daemon!.DisposeAsync();

    [Fact]
    public async Task What_an_incident_should_have_looked_like_is_told_row_by_row_and_by_the_command()
    {
        double[] clean = DailySeries.Clean(3, 1200);
        await PostAsync("boiler", [.. clean[..1140], .. Enumerable.Repeat(80.0, 60)]);

        (HttpStatusCode code, JsonElement answer) = await GetAsync("explain?stream=boiler&reconstruction=true");

        Assert.Equal(HttpStatusCode.OK, code);
        JsonElement[] rows = [.. answer.GetProperty("rows").EnumerateArray()];
        Assert.InRange(rows.Length, 60, 80);
        Assert.InRange(answer.GetProperty("in_band").GetDouble(), 0, 0.3);
        Assert.InRange(answer.GetProperty("clean_rows").GetInt32(), 1024, 1140);
        Assert.All(rows, row => Assert.InRange(row.GetProperty("expected").GetDouble(), 10, 40));
        Assert.All(rows, row => Assert.True(row.GetProperty("lower").GetDouble() < row.GetProperty("upper").GetDouble()));
        Assert.Equal(80, rows[^1].GetProperty("actual").GetDouble());
        Assert.Equal(Start.AddSeconds(1199), rows[^1].GetProperty("time").GetDateTimeOffset(), TimeSpan.FromMilliseconds(1));

        (_, JsonElement at) = await GetAsync($"explain?stream=boiler&reconstruction=true&at={Uri.EscapeDataString(Start.AddSeconds(1150).ToString("O"))}");
        Assert.Equal(answer.GetRawText(), at.GetRawText());

        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(0, await CommandLine.InvokeAsync(["explain", "--stream", "boiler", "--reconstruction", "--url", _daemon!.Http.BaseAddress!.ToString()], output, error));
        Assert.Contains("inside the 90 % band; known from 1,1", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("should be", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_too_little_is_known_it_says_so()
    {
        await PostAsync("young", DailySeries.Clean(3, 100));

        (HttpStatusCode code, JsonElement answer) = await GetAsync("explain?stream=young&reconstruction=true");
        (HttpStatusCode unknown, JsonElement nobody) = await GetAsync("explain?stream=nobody&reconstruction=true");

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (code, unknown));
        Assert.Contains("clean rows are held from before the stretch, expected 256", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Contains("is not known", nobody.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    private async Task PostAsync(string stream, double[] values)
    {
        using HttpResponseMessage answer = await _daemon!.Http.PostAsJsonAsync(
            "/api/v1/observations?wait=scored", values.Select((value, row) => new { stream, timestamp = Start.AddSeconds(row), value }), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private async Task<(HttpStatusCode Code, JsonElement Answer)> GetAsync(string path)
    {
        using HttpResponseMessage answer = await _daemon!.Http.GetAsync($"/api/v1/{path}", TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken));
    }
}
