using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using MQTTnet;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Benchmarks;

/// <summary>Messages of QoS 1 from a real mosquitto: the source, which decodes, writes and syncs before it acknowledges, beside MQTTnet's own client, which does nothing with them.</summary>
internal static class MqttBenchmark
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Nudge = TimeSpan.FromMilliseconds(200);

    /// <summary>The broker's program; null where there is none.</summary>
    public static string? Mosquitto => new[] { "/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto" }.FirstOrDefault(File.Exists);

    public static void Run(BenchmarkRun run) => RunAsync(run).GetAwaiter().GetResult();

    private static async Task RunAsync(BenchmarkRun run)
    {
        if (Mosquitto is not { } program)
        {
            run.Print("mqtt: mosquitto is missing: apt-get install mosquitto");
            return;
        }

        int messages = run.Small ? 2_000 : 40_000;
        string directory = Directory.CreateTempSubdirectory("streamlstm-mqtt-").FullName;

        try
        {
            List<double> ratios = [];

            for (int round = 0; round < (run.Small ? 1 : 3); round++)
            {
                (double rate, double cpu) library = await TimedAsync(program, directory, messages, (port, done) => LibraryAsync(port, messages, done));
                (double rate, double cpu) source = await TimedAsync(program, directory, messages, (port, done) => SourceAsync(port, messages, directory, done));
                ratios.Add(source.rate / library.rate);
                run.Print(string.Create(
                    CultureInfo.InvariantCulture,
                    $"round {round}: MQTTnet's client {library.rate:0} messages/s, {library.cpu:0.0} us of processor time each; the source {source.rate:0} messages/s, {source.cpu:0.0} us each, journal synced"));
            }

            run.Goal("the source's rate, of MQTTnet's client's", ratios.Order().ElementAt(ratios.Count / 2), "", 1);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>The messages wait in a broker of their own before whoever takes them comes back to its session.</summary>
    private static async Task<(double Rate, double MicrosecondsEach)> TimedAsync(
        string program, string directory, int messages, Func<int, TaskCompletionSource, Task<Func<Task>>> begin)
    {
        int port = FreePort();
        using Process broker = Start(program, directory, port);

        try
        {
            await Task.Delay(500);
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

            // First life: subscribes, and goes.
            Func<Task> end = await begin(port, new TaskCompletionSource());
            await Task.Delay(300);
            await end();
            await PublishAsync(port, messages);
            TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
            long started = Stopwatch.GetTimestamp();
            end = await begin(port, done);

            while (await Task.WhenAny(done.Task, Task.Delay(Nudge)) != done.Task)
            {
                // mosquitto 2.0.11 may keep the end of a session that it went on with until something else is published to it.
                await PublishAsync(port, 1);

                if (Stopwatch.GetElapsedTime(started) > Patience)
                {
                    throw new TimeoutException($"{messages} messages were not taken in {Patience}.");
                }
            }

            TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
            cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
            await end();
            return (messages / elapsed.TotalSeconds, cpu.TotalMicroseconds / messages);
        }
        finally
        {
            broker.Kill();
            await broker.WaitForExitAsync();
        }
    }

    /// <summary>A broker that keeps whatever waits, in memory.</summary>
    public static Process Start(string program, string directory, int port)
    {
        string configuration = Path.Combine(directory, "mosquitto.conf");
        File.WriteAllText(
            configuration,
            $"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nlog_dest none\n{(Environment.UserName == "root" ? "user root\n" : "")}");
        return Process.Start(program, ["-c", configuration]);
    }

    private static async Task PublishAsync(int port, int messages)
    {
        using IMqttClient client = new MqttClientFactory().CreateMqttClient();
        await client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", port).WithClientId("publisher").Build());

        for (int from = 0; from < messages; from += 200)
        {
            await Task.WhenAll(Enumerable.Range(from, Math.Min(200, messages - from)).Select(i => client.PublishStringAsync(
                $"plant/{i % 100}/temperature", (20 + (i % 97 / 10.0)).ToString(CultureInfo.InvariantCulture), MqttQualityOfServiceLevel.AtLeastOnce)));
        }

        await client.DisconnectAsync();
    }

    private static async Task<Func<Task>> LibraryAsync(int port, int messages, TaskCompletionSource done)
    {
        IMqttClient client = new MqttClientFactory().CreateMqttClient();
        int received = 0;
        client.ApplicationMessageReceivedAsync += _ =>
        {
            if (Interlocked.Increment(ref received) >= messages)
            {
                done.TrySetResult();
            }

            return Task.CompletedTask;
        };
        await client.ConnectAsync(new MqttClientOptionsBuilder()
            .WithTcpServer("127.0.0.1", port).WithClientId("library").WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithCleanStart(false).WithSessionExpiryInterval(3_600).WithReceiveMaximum(1_000).Build());
        await client.SubscribeAsync("plant/#", MqttQualityOfServiceLevel.AtLeastOnce);
        return async () =>
        {
            await client.DisconnectAsync();
            client.Dispose();
        };
    }

    private static async Task<Func<Task>> SourceAsync(int port, int messages, string directory, TaskCompletionSource done)
    {
        string storage = Path.Combine(directory, $"{Guid.NewGuid():N}");
        Directory.CreateDirectory(storage);
        var ledger = new Ledger();
        var metrics = new DaemonMetrics(ledger);
        var positions = new SourcePositions();
        var receipts = new Receipts();
        Channel<Handed> handed = Channel.CreateBounded<Handed>(256);
        Channel<Sequenced> journalled = Channel.CreateBounded<Sequenced>(256);
        Journal journal = Journal.Open(new LocalDisk(storage), after: null, firstEver: 1);
        var stage = new JournalStage(journal, handed, journalled.Writer, ledger, positions, receipts, metrics, NullLogger.Instance);
        var stopping = new CancellationTokenSource();
        Task journalling = stage.RunAsync(0, CancellationToken.None, CancellationToken.None);
        int taken = 0;
        Task scoring = Task.Run(async () =>
        {
            await foreach (Sequenced one in journalled.Reader.ReadAllAsync())
            {
                taken += one.Entry is ObservationsEntry entry ? entry.Batch.Observations.Length : 0;

                if (taken >= messages)
                {
                    done.TrySetResult();
                }
            }
        });
        var source = new MqttSource(
            new MqttSourceOptions { Url = $"mqtt://127.0.0.1:{port}", Topics = ["plant/#"], ClientId = "source" }, 0, "", RecordRules.None, 256,
            metrics, TimeProvider.System, NullLogger<MqttSource>.Instance);
        Task running = source.RunAsync(new ObservationIntake(handed.Writer, ledger, new NoLetters(), positions, receipts), stopping.Token);
        return async () =>
        {
            await stopping.CancelAsync();
            await running;
            handed.Writer.Complete();
            await journalling;
            journalled.Writer.Complete();
            await scoring;
            journal.Dispose();
            metrics.Dispose();
            stopping.Dispose();
        };
    }

    public static int FreePort()
    {
        using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        probe.Start();
        return ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
    }
}
