using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Host;
using StreamLstm.Daemon.Sources.Http;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Sources.Senses;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Service;

/// <summary>The sources that the configuration names, each by the part of it that does.</summary>
internal sealed class ConfiguredSources(
    DaemonOptions options, StorageDirectory storage, HttpSource http, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers)
{
    /// <summary>By the part of the configuration, as sources.mqtt.0.</summary>
    private volatile Dictionary<string, IObservationSource> _present = Parts(options, storage, http, metrics, time, loggers)
        .ToDictionary(part => part.Section, part => part.Make());

    /// <summary>Those that there are at present.</summary>
    public IReadOnlyList<IObservationSource> Present => [.. _present.Values];

    /// <summary>Ends the sources that the configuration says other things of, and begins them as it says; the others go on.</summary>
    /// <param name="pipeline">What they hand to.</param>
    /// <param name="next">The configuration from now on.</param>
    /// <param name="isChanged">Whether it says other things of a part.</param>
    public async Task ChangeAsync(DetectionPipeline pipeline, DaemonOptions next, Func<string, bool> isChanged)
    {
        Dictionary<string, Func<IObservationSource>> parts = Parts(next, storage, http, metrics, time, loggers).ToDictionary(part => part.Section, part => part.Make);

        foreach (string section in _present.Keys.Union(parts.Keys).Where(section => isChanged(section) || _present.ContainsKey(section) != parts.ContainsKey(section)).ToArray())
        {
            IObservationSource? begun = await pipeline.ReplaceSourceAsync(_present.GetValueOrDefault(section), parts.GetValueOrDefault(section));
            var present = new Dictionary<string, IObservationSource>(_present);
            present.Remove(section);

            if (begun is not null)
            {
                present.Add(section, begun);
            }

            // Replaced as a whole: the page asks for what there is at any time.
            _present = present;
        }
    }

    private static IEnumerable<(string Section, Func<IObservationSource> Make)> Parts(
        DaemonOptions options, StorageDirectory storage, HttpSource http, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        SourcesOptions sources = options.Sources;
        RecordRules rules = VectorsOptions.Rules(options.Vectors);
        int batchMax = options.Pipeline.BatchMax;

        if (sources.Host.Enabled)
        {
            yield return ("sources.host", () => new HostSource(sources.Host, rules, time, loggers.CreateLogger<HostSource>()));
        }

        foreach ((int i, MqttSourceOptions mqtt) in sources.Mqtt.Index())
        {
            yield return ($"sources.mqtt.{i}", () => new MqttSource(mqtt, i, storage.Instance, rules, batchMax, metrics, time, loggers.CreateLogger<MqttSource>()));
        }

        foreach ((int i, KafkaSourceOptions kafka) in sources.Kafka.Index())
        {
            yield return ($"sources.kafka.{i}", () => new KafkaSource(kafka, i, storage.Instance, rules, batchMax, metrics, time, loggers.CreateLogger<KafkaSource>()));
        }

        if (sources.MqttEmbedded.Enabled)
        {
            yield return ("sources.mqtt_embedded", () => new MqttEmbeddedSource(sources.MqttEmbedded, rules, metrics, time, loggers.CreateLogger<MqttEmbeddedSource>()));
        }

        if (sources.Http.Enabled)
        {
            yield return ("sources.http", () => http);
        }

        foreach ((int i, FileSourceOptions file) in sources.Files.Index())
        {
            yield return ($"sources.files.{i}", () => new FileSource(file, i, rules, batchMax, time, loggers.CreateLogger<FileSource>()));
        }

        foreach ((int i, SoundSourceOptions sound) in sources.Sound.Index())
        {
            yield return ($"sources.sound.{i}", () => new BytesSource($"sources.sound.{i}", sound.Path, sound.Decoder, rules, batchMax, time, loggers.CreateLogger<BytesSource>()));
        }

        foreach ((int i, VideoSourceOptions video) in sources.Video.Index())
        {
            yield return ($"sources.video.{i}", () => new BytesSource($"sources.video.{i}", video.Path, video.Decoder, rules, batchMax, time, loggers.CreateLogger<BytesSource>()));
        }

        if (sources.Stdin.Enabled)
        {
            yield return ("sources.stdin", () => new StdinSource(sources.Stdin, Console.OpenStandardInput(), rules, batchMax, time, loggers.CreateLogger<StdinSource>()));
        }
    }
}
