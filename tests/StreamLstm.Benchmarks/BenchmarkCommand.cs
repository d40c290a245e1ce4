using System.Globalization;
using StreamLstm.Benchmarks.Load;
using StreamLstm.Benchmarks.LongMemory;
using StreamLstm.Benchmarks.Quality;
using StreamLstm.Benchmarks.Quality.Vus;
using StreamLstm.Benchmarks.Sequences;

namespace StreamLstm.Benchmarks;

/// <summary>Runs groups of benchmarks: <c>-- list</c> names them, <c>--small</c> keeps each under a few seconds, <c>--pictures DIR</c> draws what has a picture.</summary>
internal static class BenchmarkCommand
{
    private static readonly (string Name, string About, Action<BenchmarkRun> Run)[] Groups =
    [
        ("step", "one LSTM step of 1 to 512 streams, against ONNX Runtime and the machine's peak (P1 to P3)", NetworkBenchmarks.Step),
        ("cold", "one LSTM step of a million streams in random order, against streams at hand (P4)", NetworkBenchmarks.Cold),
        ("accuracy", "the network's error against double after 1,000 and 100,000 steps", Accuracy.AccuracyBenchmark.Run),
        ("train", "forward, backward and Adam, against the machine's peak (P5)", NetworkBenchmarks.Train),
        ("score", "one observation through DetectionShard with on-line learning, 200 streams in turn, against a random cut forest (P7)", DetectionBenchmarks.Score),
        ("engine", "an observation and the bytes of streams in shared form, against the bare step of their network and against lean (P6, P9)", EngineBenchmark.Run),
        ("size", "bytes of a stream as it grows, measured and as the limit on memory counts them", SizeBenchmark.Run),
        ("snapshots", "time, bytes and recovery of snapshots at 1,000 to 100,000 streams", SnapshotBenchmark.Run),
        ("latency", "hand-in to score, journal synced: undisturbed, and while snapshots, swaps and trainings go on (P10)", LatencyBenchmark.Run),
        ("growth", "time and memory of an observation from 1,000 to 1,000,000 streams (P11)", GrowthBenchmark.Run),
        ("memory", "RSS and heap of the whole pipeline for 1,000 to 1,000,000 streams of each form (P9)", MemoryBenchmark.Run),
        ("stall", "the longest that one observation holds its shard up", DetectionBenchmarks.Stall),
        ("mqtt", "messages of QoS 1 from mosquitto through the source to the synced journal, against MQTTnet's own client", MqttBenchmark.Run),
        ("mqtt-memory", "what the MQTT source holds while nothing takes what it hands in", MqttMemoryBenchmark.Run),
        ("kafka", "records of a Kafka (KAFKA_BOOTSTRAP) to the synced journal and to scores, against Consume, JsonSerializer and a dictionary", KafkaBenchmark.Run),
        ("joint", "records of 3 to 128 values judged and forecast together: time, memory, and how good the forecast is", JointBenchmark.Run),
        ("events", "a service's log through the detector: false alarms, what is found, time and memory", Events.EventsBenchmark.Run),
        ("log-lives", "whole lives of a service's log in which the same fault comes seven times: recall by occurrence, false alarms", Events.LogLivesBenchmark.Run),
    ];

    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        if (args is ["quality", .. string[] chosen])
        {
            return QualityCommand.Run(chosen, output, error);
        }

        if (args is [LivesCommand.Name, .. string[] asked])
        {
            return LivesCommand.Run(asked, output, error);
        }

        if (args is [JobsCommand.Name, .. string[] folders])
        {
            return JobsCommand.Run(folders, output, error);
        }

        if (args is [SoakCommand.Name, .. string[] soaked])
        {
            return SoakCommand.Run(soaked, output, error);
        }

        if (args is [MemoryBenchmark.LifeName, .. string[] life])
        {
            return MemoryBenchmark.RunLifeAsync(life, output).GetAwaiter().GetResult();
        }

        if (args is [VusCommand.Name, .. string[] sets])
        {
            return VusCommand.Run(sets, output, error);
        }

        if (args is [SequencesCommand.Name, .. string[] which])
        {
            return SequencesCommand.Run(which, output, error);
        }

        if (args is [LongMemoryBenchmark.Name, .. string[] rest])
        {
            return LongMemoryBenchmark.Run(rest, output, error);
        }

        int option = Array.IndexOf(args, "--pictures");
        string? pictures = option >= 0 && option + 1 < args.Length ? args[option + 1] : null;
        string[] names = [.. args.Where((arg, i) => arg != "--small" && (pictures is null || (i != option && i != option + 1)))];

        if (names is ["list"])
        {
            foreach ((string name, string about, _) in Groups)
            {
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-11} {about}"));
            }

            output.WriteLine($"{QualityCommand.Usage}: detection scores on labelled data, and the goals");
            output.WriteLine($"{LivesCommand.Usage}: {LivesCommand.About}");
            output.WriteLine($"{JobsCommand.Usage}: {JobsCommand.About}");
            output.WriteLine($"{SoakCommand.Usage}: {SoakCommand.About}");
            output.WriteLine($"{VusCommand.Usage}: {VusCommand.About}");
            output.WriteLine($"{SequencesCommand.Usage}: {SequencesCommand.About}");
            output.WriteLine($"{LongMemoryBenchmark.Name} {LongMemoryBenchmark.About}");
            return 0;
        }

        if (names.Length == 0 || names.Any(name => Groups.All(group => group.Name != name)))
        {
            error.WriteLine($"usage: [--small] [--pictures DIR] list|{string.Join('|', Groups.Select(group => group.Name))} ..., or {LongMemoryBenchmark.Name} ...");
            return 2;
        }

        var run = new BenchmarkRun(output, args.Contains("--small"), pictures);

        foreach (string name in names)
        {
            Groups.First(group => group.Name == name).Run(run);
        }

        return 0;
    }
}
