using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Benchmarks;

/// <summary>What the MQTT source holds while nothing takes what it hands in, and two publishers go on at full speed.</summary>
internal static class MqttMemoryBenchmark
{
    private const int PayloadBytes = 1_024;

    public static void Run(BenchmarkRun run) => RunAsync(run).GetAwaiter().GetResult();

    private static async Task RunAsync(BenchmarkRun run)
    {
        if (MqttBenchmark.Mosquitto is not { } program || !File.Exists("/usr/bin/mosquitto_pub"))
        {
            run.Print("mqtt-memory: mosquitto is missing: apt-get install mosquitto mosquitto-clients");
            return;
        }

        int messages = run.Small ? 2_000 : 150_000;
        string directory = Directory.CreateTempSubdirectory("streamlstm-mqtt-").FullName;
        int port = MqttBenchmark.FreePort();
        using Process broker = MqttBenchmark.Start(program, directory, port);
        using var stopping = new CancellationTokenSource();

        try
        {
            await Task.Delay(500);
            var ledger = new Ledger();
            using var metrics = new DaemonMetrics(ledger);
            var positions = new SourcePositions();
            Channel<Handed> handed = Channel.CreateBounded<Handed>(4);
            var source = new MqttSource(
                new MqttSourceOptions { Url = $"mqtt://127.0.0.1:{port}", Topics = ["plant/#"], ClientId = "source" }, 0, "", RecordRules.None, 256,
                metrics, TimeProvider.System, NullLogger<MqttSource>.Instance);
            Task running = source.RunAsync(new ObservationIntake(handed.Writer, ledger, new NoLetters(), positions, new Receipts()), stopping.Token);

            // What is subscribed to is taken; from then on nothing is.
            (await handed.Reader.ReadAsync()).OnDisk!.SetResult(1);
            await Task.Delay(300);
            long before = GC.GetTotalMemory(forceFullCollection: true);
            using Process once = Publish(port, qos: 0, messages), least = Publish(port, qos: 1, messages);
            List<double> held = [];

            for (int second = 0; second < (run.Small ? 2 : 15); second++)
            {
                await Task.Delay(1_000);
                held.Add((GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0);
            }

            run.Print($"MiB held, second by second, of {2L * messages * PayloadBytes / 1048576} MiB published, {ledger.Cut().Received} values read: {string.Join(' ', held.Select(mebibytes => mebibytes.ToString("0.0", CultureInfo.InvariantCulture)))}");
            run.Goal("most of it", held.Max(), " MiB", 32, atLeast: false);
            await stopping.CancelAsync();
            handed.Writer.Complete();

            while (handed.Reader.TryRead(out Handed? one))
            {
                one.OnDisk?.TrySetException(new ChannelClosedException());
            }

            await running;
            once.Kill();
            least.Kill();
        }
        finally
        {
            broker.Kill();
            await broker.WaitForExitAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>JSON of one value and a text that makes it large.</summary>
    private static Process Publish(int port, int qos, int messages) => Process.Start(new ProcessStartInfo(
        "/usr/bin/mosquitto_pub",
        [
            "-h", "127.0.0.1", "-p", $"{port}", "-q", $"{qos}", "-t", $"plant/{qos}", "-m", $"{{\"value\":1,\"text\":\"{new string('x', PayloadBytes - 22)}\"}}", "--repeat", $"{messages}",
        ])
    { RedirectStandardError = true })!;
}
