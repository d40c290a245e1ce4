using System.Net;
using System.Net.Sockets;
using StreamLstm.Daemon.Commands;

namespace StreamLstm.Tests.Daemon.Commands;

public sealed class CheckCommandTests
{
    [Fact]
    public async Task What_listens_and_can_be_used_is_told_and_what_does_not_makes_it_fail()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        string file = Path.GetTempFileName(), state = Path.Combine(Path.GetTempPath(), $"streamlstm-check-{Guid.NewGuid():N}");
        string[] quiet = [$"storage.directory={state}", "http.port=0", "sources.mqtt_embedded.port=0", "sources.host.enabled=false", $"sources.files.0.path={file}"];

        (int code, string said) = await CheckAsync([.. quiet, "sinks.webhook.enabled=true", $"sinks.webhook.url=http://127.0.0.1:{port}/secret-path"]);
        Assert.True(code == 0, said);
        Assert.Contains($"ok      sinks.webhook: http://127.0.0.1:{port} listens", said, StringComparison.Ordinal);
        Assert.Contains($"ok      sources.files.0: {file} can be read", said, StringComparison.Ordinal);
        Assert.Contains($"ok      storage.directory: {state} can be made", said, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", said, StringComparison.Ordinal);
        Assert.False(Directory.Exists(state));
        Assert.True(listener.Pending());

        File.Delete(file);
        listener.Stop();
        (code, said) = await CheckAsync([.. quiet, "sinks.webhook.enabled=true", $"sinks.webhook.url=http://127.0.0.1:{port}/secret-path"]);
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains($"failed  sinks.webhook: http://127.0.0.1:{port}: Connection refused", said, StringComparison.Ordinal);
        Assert.Contains($"failed  sources.files.0: {file} is not there", said, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-path", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_is_told_before_anything_is_asked()
    {
        (int code, _) = await CheckAsync(["http.port=many"]);
        Assert.Equal(CommandLine.WrongConfiguration, code);
    }

    private static async Task<(int Code, string Said)> CheckAsync(string[] settings)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await CommandLine.InvokeAsync(["check", .. settings.SelectMany(setting => new[] { "--set", setting })], output, error);
        return (code, output.ToString() + error);
    }
}
