using System.Threading.Channels;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Service;

/// <summary>Reads the configuration again and puts what it says into force: only what changed begins anew, and no stream is stopped.</summary>
/// <remarks>
/// A configuration with an error changes nothing: the last good one holds, and readiness says why. What cannot change while the daemon
/// runs (the storage directory, the port, how streams are learnt) waits for the next start, and is told as waiting.
/// </remarks>
/// <param name="started">The configuration at the start.</param>
/// <param name="read">Reads it again.</param>
/// <param name="service">Whose parts change.</param>
/// <param name="tokens">The tokens of the API.</param>
/// <param name="labels">What streams' names say.</param>
/// <param name="metrics">Counts reloads.</param>
/// <param name="logger">Is told each difference.</param>
internal sealed class Reload(
    LoadedOptions started, Func<LoadedOptions> read, PipelineService service, AccessTokens tokens, StreamLabels labels, DaemonMetrics metrics, ILogger<Reload> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private LoadedOptions _inForce = started;
    private IReadOnlyList<string> _wrong = [];

    /// <summary>The configuration in force: what waits for the next start is in it as it was.</summary>
    public DaemonOptions Options => _inForce.Options;

    /// <summary>Why the configuration as it is written is not the one in force.</summary>
    public IEnumerable<string> Troubles => _wrong.Count == 0 ? [] : [$"the configuration cannot be reloaded, and the one before holds: {_wrong[0]}{(_wrong.Count > 1 ? $" (and {_wrong.Count - 1} more)" : "")}"];

    /// <summary>Reads the configuration and puts it into force.</summary>
    /// <param name="cause">Who asked, for the log.</param>
    /// <param name="cancellationToken">Gives up waiting for another reload.</param>
    /// <exception cref="ConfigurationException">It has errors; nothing has changed.</exception>
    /// <exception cref="NotTakenException">The disk takes no decision: nothing more has changed.</exception>
    public async Task<ReloadReport> RunAsync(string cause, CancellationToken cancellationToken)
    {
        await service.GoneOn.WaitAsync(cancellationToken);
        await _oneAtATime.WaitAsync(cancellationToken);

        try
        {
            LoadedOptions next = read();
            ReloadReport report = await PutIntoForceAsync(next);
            _wrong = [];
            metrics.Reloaded("done");
            LogMessages.Reloaded(logger, cause, report.Changes.Count);

            foreach (ReloadedOption changed in report.Changes)
            {
                LogMessages.OptionChanged(logger, changed.Change.ToString(), changed.Words);
            }

            return report;
        }
        catch (ConfigurationException wrong)
        {
            _wrong = wrong.Errors;
            metrics.Reloaded("refused");

            foreach (string error in wrong.Errors)
            {
                LogMessages.ReloadRefused(logger, cause, error);
            }

            throw;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task<ReloadReport> PutIntoForceAsync(LoadedOptions next)
    {
        IReadOnlyList<OptionChange> changes = _inForce.ChangesTo(next);
        HashSet<string> waiting = [.. changes.Where(change => !MayChange(change, next.Options, changes)).Select(change => change.Key)];
        LoadedOptions merged = next.With(_inForce, waiting.Contains);
        IReadOnlyDictionary<string, string> refused = await ChangeAsync(merged.Options, [.. changes.Where(change => !waiting.Contains(change.Key))]);
        _inForce = next.With(_inForce, key => waiting.Contains(key) || refused.ContainsKey(key));
        return new ReloadReport(
        [
            .. changes.Select(change => new ReloadedOption(
                change,
                waiting.Contains(change.Key) ? ReloadOutcome.NextStart : refused.ContainsKey(change.Key) ? ReloadOutcome.Refused : ReloadOutcome.InForce,
                refused.GetValueOrDefault(change.Key))),
        ]);
    }

    private bool MayChange(OptionChange change, DaemonOptions next, IReadOnlyList<OptionChange> changes)
    {
        if (change.IsOf("http.tokens") || change.IsOf("http.hosts"))
        {
            // Who listens elsewhere after the next start may ask for less then: not yet.
            return !changes.Any(other => other.Key is "http.address" or "http.port" || other.IsOf("http.tls"));
        }

        return service.Cluster is null && change switch
        {
            _ when change.IsOf("alerts") => next.DetectorOptions().Terms().HasGroupsOf(Options.DetectorOptions().Terms()),
            { Key: "detection.clean_rows_per_alert" or "detection.clean_days_per_alert" or "detection.per_stream_max" or "detection.learning" } => true,
            { Key: "limits.streams" or "limits.memory_mib" or "limits.stream_retention" } => true,
            { Key: "retrain.enabled" or "retrain.period" or "retrain.first_after" or "retrain.windows_min" or "retrain.shadow" or "retrain.time_max" } => true,
            _ when change.IsOf("maintenance") => true,

            // Joined messages are records, whose columns the shards must know.
            _ when change.IsOf("sources.mqtt") || change.IsOf("sources.mqtt_embedded") => Joins(next).SequenceEqual(Joins(Options)),
            _ when change.IsOf("sources.http") || change.IsOf("sources.stdin") => false,
            _ when change.IsOf("sinks.history") => false,
            _ => change.IsOf("sources") || change.IsOf("sinks"),
        };

        static IEnumerable<string> Joins(DaemonOptions options) =>
            options.Sources.TopicTemplates().Where(template => template.Join is not null).Select(template => $"{template.Pattern}\n{string.Join('\n', template.Join!.Fields)}");
    }

    /// <summary>Each part that changed, in an order in which none depends on a later one.</summary>
    /// <returns>Keys that could not be put into force, and why.</returns>
    private async Task<IReadOnlyDictionary<string, string>> ChangeAsync(DaemonOptions options, IReadOnlyList<OptionChange> changes)
    {
        if (changes.Any(change => change.IsOf("http.tokens")))
        {
            tokens.Replace(options.Http.Tokens);
        }

        if (service.Pipeline is not { } pipeline || !changes.Any(change => !change.IsOf("http")))
        {
            return new Dictionary<string, string>();
        }

        AlertTerms terms = options.DetectorOptions().Terms(), before = Options.DetectorOptions().Terms();

        if (terms != before with { Rules = terms.Rules } || !terms.Rules.SequenceEqual(before.Rules))
        {
            await pipeline.Decisions.AskAsync(terms, CancellationToken.None);
        }

        if (changes.Any(change => change.IsOf("maintenance")))
        {
            service.Maintenance!.Configure(options.DetectorOptions().Maintenance);
            await pipeline.Decisions.MaintainAsync(service.Maintenance.All, CancellationToken.None);
        }

        if (StreamBounds.Of(options) is var limits && limits != StreamBounds.Of(Options))
        {
            await pipeline.Decisions.LimitAsync(limits, CancellationToken.None);
        }

        if (changes.Any(change => change.IsOf("retrain")))
        {
            service.Retrainer!.Change(options.Retrain);
        }

        Dictionary<string, string> refused = [];
        await service.ConfiguredSinks!.ChangeAsync(pipeline, options, section => changes.Any(change => change.IsOf(section)), Refuse);
        labels.Templates = options.Sources.TopicTemplates();
        await service.ConfiguredSources!.ChangeAsync(pipeline, options, section => changes.Any(change => change.IsOf(section)));
        return refused;

        void Refuse(string section, Exception why)
        {
            foreach (OptionChange change in changes.Where(change => change.IsOf(section)))
            {
                refused[change.Key] = why.Message;
            }
        }
    }
}

/// <summary>What became of an option that says something else.</summary>
internal enum ReloadOutcome
{
    /// <summary>It holds.</summary>
    InForce,

    /// <summary>It holds from the next start on.</summary>
    NextStart,

    /// <summary>It cannot be done; what held before holds.</summary>
    Refused,
}

/// <summary>An option that says something else, and what became of it.</summary>
/// <param name="Change">What it said and says.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Reason">Why it was refused; null where it was not.</param>
internal sealed record ReloadedOption(OptionChange Change, ReloadOutcome Outcome, string? Reason)
{
    /// <summary>For people.</summary>
    public string Words => Outcome switch
    {
        ReloadOutcome.InForce => "in force",
        ReloadOutcome.NextStart => "waits for the next start",
        _ => $"refused: {Reason}",
    };
}

/// <summary>What a reload changed.</summary>
internal sealed record ReloadReport(IReadOnlyList<ReloadedOption> Changes);
