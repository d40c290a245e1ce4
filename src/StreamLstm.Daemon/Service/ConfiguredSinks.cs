using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sinks.Mqtt;
using StreamLstm.Daemon.Sinks.Notify;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;

namespace StreamLstm.Daemon.Service;

/// <summary>The sinks that the configuration names, each by the part of it that does; beside them the live view and the history, which stay.</summary>
internal sealed class ConfiguredSinks
{
    private readonly StorageDirectory _storage;
    private readonly long _journalEnd;
    private readonly DaemonMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;

    /// <summary>By the part of the configuration, as sinks.notify.0.</summary>
    private readonly Dictionary<string, Configured> _present;

    /// <param name="options">The configuration.</param>
    /// <param name="storage">Where they keep what they have told.</param>
    /// <param name="restored">Where each stood.</param>
    /// <param name="journalEnd">The last entry of former lives.</param>
    /// <param name="live">The live view.</param>
    /// <param name="metrics">Counts what they do.</param>
    /// <param name="time">Theirs.</param>
    /// <param name="loggers">Theirs.</param>
    public ConfiguredSinks(
        DaemonOptions options, StorageDirectory storage, RestoredState restored, long journalEnd, LiveView live, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        (_storage, _journalEnd, _metrics, _time, _loggers) = (storage, journalEnd, metrics, time, loggers);

        // Whoever is made once more while the daemon runs begins where it stands, and not where it stood at the last snapshot.
        Dictionary<string, Func<long?, IScoreSink>> again = Unmarked(options);
        _present = Parts(options, (restored, journalEnd)).ToDictionary(part => part.Section, part => new Configured(again[part.Section], part.Make(null)));
        All = [live, .. _present.Values.Select(one => one.Sink)];

        if (options.Sinks.History.Enabled)
        {
            var history = new HistorySink(
                options.Sinks.History, storage.FileIn(options.Sinks.History.Path), time, loggers.CreateLogger<HistorySink>(), () => metrics.ToldOtherwise(HistorySink.SinkName),
                MemoryBudget.OfProcess.StretchesMax);
            History = new HistoryReader(history);
            Labels = new LabelStore(history.ConnectionString);
            All = [.. All, history];
        }
    }

    /// <summary>Those to begin with.</summary>
    public IReadOnlyList<IScoreSink> All { get; }

    /// <summary>Reads the history; null where none is kept.</summary>
    public HistoryReader? History { get; }

    /// <summary>The labels people gave; null where no history is kept.</summary>
    public LabelStore? Labels { get; }

    /// <summary>Has the sinks that the configuration says other things of go on as it says; what waits for one waits for the next.</summary>
    /// <param name="pipeline">What tells them.</param>
    /// <param name="next">The configuration from now on.</param>
    /// <param name="isChanged">Whether it says other things of a part.</param>
    /// <param name="refused">Hears of a part whose sink cannot be made as it is to be, and why: it goes on as it was.</param>
    public async Task ChangeAsync(DetectionPipeline pipeline, DaemonOptions next, Func<string, bool> isChanged, Action<string, Exception> refused)
    {
        Dictionary<string, Func<long?, IScoreSink>> parts = Unmarked(next);

        foreach (string section in _present.Keys.Union(parts.Keys).Where(section => isChanged(section) || _present.ContainsKey(section) != parts.ContainsKey(section)).ToArray())
        {
            Configured? former = _present.GetValueOrDefault(section);
            Func<long?, IScoreSink>? make = parts.GetValueOrDefault(section);

            try
            {
                IScoreSink? begun = await pipeline.ReplaceSinkAsync(former?.Sink, make, former?.Make);
                _present.Remove(section);

                if (begun is not null)
                {
                    _present.Add(section, new Configured(make!, begun));
                }
            }
#pragma warning disable CA1031 // told; the other parts change nevertheless
            catch (Exception why)
#pragma warning restore CA1031
            {
                refused(section, why);

                if (former is not null)
                {
                    // It was made again as it was: another object at the end of its lane.
                    _present[section] = former with { Sink = pipeline.PresentSinks.First(sink => sink.Name == former.Sink.Name) };
                }
            }
        }
    }

    /// <summary>How each is made now, with nothing that a former life marked.</summary>
    private Dictionary<string, Func<long?, IScoreSink>> Unmarked(DaemonOptions options) =>
        Parts(options, former: null).ToDictionary(part => part.Section, part => part.Make);

    /// <param name="options">The configuration.</param>
    /// <param name="former">What former lives left and the last entry of theirs; null where it is not of their sinks that these go on.</param>
    private IEnumerable<(string Section, Func<long?, IScoreSink> Make)> Parts(DaemonOptions options, (RestoredState State, long JournalEnd)? former)
    {
        IReadOnlyDictionary<string, string> marks = former?.State.Sinks ?? new Dictionary<string, string>();
        SinksOptions sinks = options.Sinks;

        if (sinks.Console.Enabled)
        {
            bool colour = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
            yield return ("sinks.console", _ => new ConsoleSink(sinks.Console, Console.Out, colour));
        }

        if (sinks.Jsonl.Enabled)
        {
            string path = _storage.FileIn(sinks.Jsonl.Path), beginning = _storage.FileIn(JsonlStart.BeginningFile);
            yield return ("sinks.jsonl", told => new JsonlSink(
                sinks.Jsonl, path,
                former is { State: var state } ? JsonlStart.AtStart(beginning, path, marks.GetValueOrDefault("jsonl"), state.End) : JsonlStart.Now(beginning, path, told),
                _loggers.CreateLogger<JsonlSink>(), () => _metrics.ToldOtherwise("jsonl")));
        }

        foreach ((int i, MqttSinkOptions mqtt) in sinks.Mqtt.Index())
        {
            yield return ($"sinks.mqtt.{i}", _ => new MqttSink(
                mqtt, i, _storage.Instance, _storage.FileIn($"mqtt-waiting.{i}.ndjson"), _time, _loggers.CreateLogger<MqttSink>()));
        }

        foreach ((int i, KafkaSinkOptions kafka) in sinks.Kafka.Index())
        {
            string name = KafkaSink.NameOf(kafka, i);
            yield return ($"sinks.kafka.{i}", _ => new KafkaSink(
                kafka, i, _storage.Instance, _storage.FileIn($"{Uri.EscapeDataString(name)}.kafka.cursor"), marks.GetValueOrDefault(name), former?.JournalEnd ?? long.MaxValue, EndsEarly));
        }

        if (sinks.Webhook.Enabled)
        {
            yield return ("sinks.webhook", _ => new WebhookSink(sinks.Webhook, _storage.FileIn("webhook.cursor"), _metrics, _loggers.CreateLogger<WebhookSink>()));
        }

        foreach ((int i, NotifyOptions notify) in sinks.Notify.Index())
        {
            yield return ($"sinks.notify.{i}", _ => new NotifySink(
                notify, i, _storage.FileIn($"{NotifyOptions.NameOf(notify, i)}.cursor"), _metrics, _time, _loggers.CreateLogger<NotifySink>()));
        }
    }

    private void EndsEarly(long told, string sink)
    {
        LogMessages.JournalEndsEarly(_loggers.CreateLogger<ConfiguredSinks>(), _journalEnd, sink, told);
        _metrics.JournalFailed();
    }

    private sealed record Configured(Func<long?, IScoreSink> Make, IScoreSink Sink);
}
