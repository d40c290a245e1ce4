using System.Text.Json;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

/// <summary>Verbs that ask a running daemon find it by --url, by STREAMLSTM_URL or by the configuration that it runs with.</summary>
public sealed class ClientVerbTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_daemon_is_found_as_it_was_configured_and_its_incidents_have_the_id_that_labels_them()
    {
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path, "sources.mqtt_embedded.enabled=false");
        double[] values = Series.Daily(3, 950);
        values[899] = 60;
        await daemon.PostAsync("boiler", values, DateTimeOffset.UtcNow.AddMinutes(-30));
        await daemon.UntilScoredAsync(950);
        string url = $"http://127.0.0.1:{daemon.HttpPort}";

        (int code, string status) = await RunAsync("", "status", "--set", $"http.port={daemon.HttpPort}");
        Assert.Equal(0, code);
        Assert.Contains("books: received 950 = scored 950 + rejected 0 + queued 0\n", status, StringComparison.Ordinal);

        (code, string streams) = await RunAsync(url, "streams", "--filter", "boil");
        Assert.Equal(0, code);
        Assert.Contains("boiler", streams, StringComparison.Ordinal);
        Assert.EndsWith("1 streams\n", streams, StringComparison.Ordinal);

        string id = "";
        await daemon.UntilAsync(
            async () =>
            {
                (_, string json) = await RunAsync(url, "incidents", "--output", "json");
                JsonElement incidents = JsonDocument.Parse(json).RootElement.GetProperty("incidents");
                return incidents.GetArrayLength() > 0 && (id = incidents[0].GetProperty("incident_id").GetString()!).Length > 0;
            },
            "an incident");
        (_, string table) = await RunAsync(url, "incidents");
        Assert.Contains(id, table, StringComparison.Ordinal);
        (code, string labelled) = await RunAsync("", "label", "--incident", id, "--as", "false_alarm", "--url", url);
        Assert.True(code == 0, labelled);

        (code, string nobody) = await RunAsync("", "status", "--set", $"http.port={DaemonProcess.FreePort()}");
        Assert.Equal(1, code);
        Assert.Contains("(http.address and http.port)", nobody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weights_go_from_one_daemon_into_another_serve_there_and_are_taken_back()
    {
        using var directory = new TemporaryDirectory();
        await using DaemonProcess from = await DaemonProcess.StartAsync(_directory.Path, "sources.mqtt_embedded.enabled=false", "detection.base_weights=random", "retrain.enabled=false");
        await using DaemonProcess to = await DaemonProcess.StartAsync(directory.Path, "sources.mqtt_embedded.enabled=false", "retrain.enabled=false");
        (string first, string second) = ($"http://127.0.0.1:{from.HttpPort}", $"http://127.0.0.1:{to.HttpPort}");
        string file = Path.Combine(directory.Path, "random.safetensors");

        (int code, string said) = await RunAsync(first, "models", "list");
        Assert.Equal((0, "version 0 serves\nnone is kept yet: the daemon began with these, and has trained none that are better\n"), (code, said));
        (code, said) = await RunAsync(first, "models", "export", "0", "--out", file);
        Assert.Equal(1, code);
        Assert.Contains("error: model '0' is not kept; expected a version or the first characters of a SHA-256", said, StringComparison.Ordinal);

        await using (FileStream written = File.Create(file))
        {
            StreamLstm.Model.Formats.WeightsFile.Write(written, StreamLstm.Detection.Learning.BaseModel.Untrained(7).Weights, new Dictionary<string, string>());
        }

        (code, said) = await RunAsync(second, "models", "import", file, "--promote", "--by", "ann");
        Assert.True(code == 0, said);
        Assert.Contains("origin               imported\n", said, StringComparison.Ordinal);
        (code, said) = await RunAsync(second, "models", "rollback", "--by", "bea");
        Assert.True(code == 0, said);
        Assert.StartsWith("version 2 serves: the weights ", said, StringComparison.Ordinal);
        (code, said) = await RunAsync(second, "models", "promote", "1", "--by", "ann");
        Assert.StartsWith("version 3 serves: the weights ", said, StringComparison.Ordinal);
        (code, said) = await RunAsync(second, "models", "show", "3");
        Assert.Contains("versions             1, 3\n", said, StringComparison.Ordinal);
        Assert.Contains("as version 3, promoted by ann\n", said, StringComparison.Ordinal);
        (_, said) = await RunAsync(second, "models", "list");
        Assert.Contains("imported", said, StringComparison.Ordinal);
        Assert.Contains("start", said, StringComparison.Ordinal);
        string copy = Path.Combine(directory.Path, "copy.safetensors");
        (code, said) = await RunAsync(second, "models", "export", "3", "--out", copy);
        Assert.True(code == 0, said);
        (code, said) = await RunAsync(first, "models", "import", copy);
        Assert.True(code == 0, said);
        Assert.Contains("serves               nobody\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shell_completes_verbs_and_options()
    {
        (int code, string bash) = await RunAsync("", "completion", "bash");
        Assert.Equal(0, code);
        Assert.Contains("complete -o default -F _streamlstm streamlstm\n", bash, StringComparison.Ordinal);

        (_, string found) = await RunAsync("", "[suggest:14]", "streamlstm sta");
        Assert.Equal("state\nstatus\n", found);
    }

    private static Task<(int Code, string Said)> RunAsync(string url, params string[] arguments) =>
        Command.RunAsync("/usr/bin/env", [$"STREAMLSTM_URL={url}", "dotnet", typeof(CommandLine).Assembly.Location, .. arguments]);
}
