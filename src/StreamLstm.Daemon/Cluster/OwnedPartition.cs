using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection.Learning;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>What all partitions of this daemon have in common.</summary>
/// <param name="Options">The cluster's.</param>
/// <param name="Access">How brokers are reached.</param>
/// <param name="Rules">How records are read and judged.</param>
/// <param name="Model">Base weights for a partition that has none yet.</param>
/// <param name="Sink">Where incidents and scores go; null for nowhere.</param>
/// <param name="Member">This daemon in its group, at present.</param>
/// <param name="Tell">Hands what was committed to the page and the console.</param>
/// <param name="Scoring">As many as may score at once.</param>
internal sealed record PartitionSetting(
    ClusterOptions Options, KafkaAccess Access, PartitionRules Rules, BaseModel Model, KafkaSinkOptions? Sink,
    Func<KafkaMember> Member, Func<ScoredBatch, CancellationToken, ValueTask> Tell, SemaphoreSlim Scoring)
{
    /// <summary>Bytes of a partition's records that may wait.</summary>
    public int HeldMaxBytes { get; init; } = 4 << 20;
}

/// <summary>A partition that is this daemon's: its state is taken over, its records are scored, and both are written down together.</summary>
/// <remarks><code>
///   fence ──▶ restore ──▶ read ──▶ score ──▶ { incidents, scores, told, offsets } every second        in one transaction
///     ▲                                └───▶ { what changed of the streams, the rest, offsets } less often, with the former
///     └──────────── on any doubt: nothing of what is in memory counts
/// </code>
/// Who writes for a partition does so under the partition's own id: whoever begins last fences off all before it, so two owners never
/// both write, whatever the group, the clock or the network believes. State is older than what was told: what lies between is scored
/// again, to the same bits, and told no more.
/// </remarks>
internal sealed class OwnedPartition(
    KafkaPartition partition, PartitionSetting setting, Ledger ledger, IDeadLetters deadLetters, DaemonMetrics metrics, TimeProvider time, ILogger logger)
{
    private const int RecordsMax = 64;
    private const int VerbsMax = 64;

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan TroubleKept = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan SummaryInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private static readonly Dictionary<string, string> StateSettings = new()
    {
        ["segment.bytes"] = "67108864", ["min.cleanable.dirty.ratio"] = "0.3",
    };

    private readonly string _source = setting.Rules.Source.Name.Length > 0 ? setting.Rules.Source.Name : "kafka";
    private readonly OncePerMinute _toldTrouble = new(time);
    private readonly PartitionOutbox _outbox = new(partition, setting, ledger, deadLetters, metrics, time, logger);
    private readonly Channel<StreamVerb> _verbs = Channel.CreateBounded<StreamVerb>(VerbsMax);
    private volatile bool _isEnding;
    private volatile string _topicId = "";
    private KafkaRecord? _held;   // read, and not taken: its schema is not known yet
    private Task _following = Task.CompletedTask;
    private FleetWeights? _followed;
    private long _summedAt;
    private long _troubleAt;

    /// <summary>The partition.</summary>
    public KafkaPartition Partition => partition;

    /// <summary>Its streams; null while they are being taken over.</summary>
    public PartitionState? State { get; private set; }

    /// <summary>Names of its streams as they were when it ended last.</summary>
    public IReadOnlyList<string> StreamsLeft { get; private set; } = [];

    /// <summary>What people are shown of it; null while it is being taken over.</summary>
    public PartitionSummary? Summary { get; private set; }

    /// <summary>Why it gets no further at present; null where it does.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Bytes of state written by this daemon.</summary>
    public long StateBytes => _outbox.StateBytes;

    /// <summary>Has what was scored written down, and ends; whoever comes next need score nothing again.</summary>
    public void End() => _isEnding = true;

    /// <summary>Which topic of that name there is now.</summary>
    public void Notice(string topicId) => _topicId = topicId;

    /// <summary>Has a word or a question carried out between two records, once it is this daemon's turn.</summary>
    public Task<VerbAnswer> SayAsync(StreamVerb verb)
    {
        if (!_verbs.Writer.TryWrite(verb))
        {
            verb.Answer(VerbAnswer.NotTaken(_isEnding ? $"{partition} goes to another daemon; ask again in a moment" : $"more than {VerbsMax} requests wait for {partition}"));
        }

        return verb.Answered;
    }

    /// <summary>Has weights that the group was told of serve its streams from between two records on; asked for again until it is so.</summary>
    public void Follow(FleetWeights weights)
    {
        if (State is not null && _following.IsCompleted && !ReferenceEquals(_followed, weights))
        {
            _following = FollowAsync(weights);
        }
    }

    /// <param name="cut">Ends it at once: what was not written down is the next owner's to score.</param>
    public async Task RunAsync(CancellationToken cut)
    {
        try
        {
            await TryAgainAndAgainAsync(cut);
        }
        finally
        {
            _verbs.Writer.TryComplete();

            while (_verbs.Reader.TryRead(out StreamVerb? verb))
            {
                verb.Answer(VerbAnswer.NotTaken($"{partition} goes to another daemon; ask again in a moment"));
            }
        }
    }

    private async Task FollowAsync(FleetWeights weights)
    {
        VerbAnswer answer = await SayAsync(new StreamVerb(
            Changes: true, state => state.Serve(weights.Model) ? VerbAnswer.Done(weights.Model.Version) : VerbAnswer.Refused("these or newer ones serve already")));
        _followed = answer.Outcome is VerbOutcome.Done or VerbOutcome.Refused ? weights : null;
    }

    private async Task TryAgainAndAgainAsync(CancellationToken cut)
    {
        for (TimeSpan wait = FirstWait; !_isEnding;)
        {
            long began = time.GetTimestamp();

            try
            {
                await OwnAsync(cut);
                return;
            }
            catch (OperationCanceledException) when (cut.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // whatever it is, the other partitions go on, and this one is tried again
            catch (Exception failed)
#pragma warning restore CA1031
            {
                Trouble = failed is KafkaTroubleException { Trouble: var trouble }
                    ? Words(trouble)
                    : $"{partition} of {setting.Options.StateTopicName()}: {failed.Message}";

                if (_toldTrouble.Tell(Trouble, out int times))
                {
                    LogMessages.PartitionFailed(
                        logger, partition.ToString(), times > 1 ? $"{Trouble} ({times} times)" : Trouble,
                        failed is KafkaTroubleException or InvalidDataException or ArgumentException ? null : failed);
                }
            }
            finally
            {
                StreamsLeft = State is { } left ? [.. left.Streams.Select(stream => stream.Stream)] : StreamsLeft;
                (State, Summary) = (null, null);
                _outbox.Clear();
            }

            wait = time.GetElapsedTime(began) > LongestWait ? FirstWait : wait;

            try
            {
                await Task.Delay(wait * (0.5 + Random.Shared.NextDouble()), time, cut);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    private async Task OwnAsync(CancellationToken cut)
    {
        var writer = new KafkaWriter(setting.Access, $"{setting.Options.Group}-{partition.Topic}-{partition.Number}");
        KafkaReader? reader = null;

        try
        {
            long began = time.GetTimestamp();
            _held = null;
            await writer.FenceAsync();
            reader = new KafkaReader(setting.Access, new KafkaReaderOptions { HeldMaxBytes = setting.HeldMaxBytes });

            if (await RestoreAsync(reader, writer, cut) is not { } state)
            {
                return;
            }

            (State, Summary) = (state, state.Summary());
            Trouble = null;
            metrics.TookOver(time.GetElapsedTime(began));
            LogMessages.PartitionOwned(logger, partition.ToString(), state.At!.Offset, state.Streams.Count, time.GetElapsedTime(began).TotalSeconds);
            reader.Begin([new KafkaStart(partition, state.At.Offset, state.At.LeaderEpoch)]);
            await ReadAsync(reader, writer, state, cut);
        }
        finally
        {
            // Both wait for threads of their own.
            await Task.WhenAll(Task.Run(_outbox.Close, CancellationToken.None), Task.Run(writer.Dispose, CancellationToken.None), Task.Run(() => reader?.Dispose(), CancellationToken.None));
        }
    }

    /// <returns>Null where it ends instead.</returns>
    private async Task<PartitionState?> RestoreAsync(KafkaReader reader, KafkaWriter writer, CancellationToken cut)
    {
        string topic = setting.Options.StateTopicName();
        KafkaTopic source = (await reader.Topics.FindAsync([partition.Topic])) switch
        {
            { Topics: [{ } found] } => found,
            { Troubles: [(_, var why), ..] } => throw new KafkaTroubleException(why with { Detail = $"'{partition.Topic}': {why.Detail}" }),
            _ => throw new InvalidDataException($"topic '{partition.Topic}' is not there"),
        };
        _topicId = source.Id;
        await reader.Topics.HaveCompactedAsync(topic, source.Partitions, StateSettings);
        var records = new StateRecords();
        await KafkaLog.ReadAsync(setting.Access, new KafkaPartition(topic, partition.Number), records.Take, cut);
        var told = KafkaPosition.Parse(records.Of(StateRecords.Told) is { } text ? Encoding.UTF8.GetString(text) : null);
        var state = new PartitionState(setting.Rules, partition.Number, records, setting.Model);

        if (state.At is null)
        {
            // On the disk before anything is read: where it begins is the same for every owner.
            state.Begin(new KafkaPosition(source.Id, (await StartAsync(reader))[partition], -1, 0, 0));
            _outbox.Begin(state.At!.Offset);
            await _outbox.CommitAsync(writer, state, withState: true, cut);
        }
        else if (!state.At.IsOf(source.Id))
        {
            return await PassAsync(
                state, writer, $"topic {partition.Topic} was deleted and created anew: offset {state.At.Offset} of partition {partition.Number} was to come next", 0,
                new KafkaPosition(source.Id, (await reader.Topics.FirstAsync([partition]))[partition], -1, 0, state.At.StampTicks), cut)
                ? state
                : null;
        }
        else
        {
            _outbox.Begin(told is not null && told.IsOf(source.Id) ? Math.Max(told.Offset, state.At.Offset) : state.At.Offset);
        }

        return state;
    }

    private Task<Dictionary<KafkaPartition, long>> StartAsync(KafkaReader reader) =>
        KafkaSourceOptions.TryStart(setting.Rules.Source.Start, out DateTimeOffset from) ? reader.Topics.FromAsync([partition], from) : reader.Topics.FirstAsync([partition]);

    private async Task ReadAsync(KafkaReader reader, KafkaWriter writer, PartitionState state, CancellationToken cut)
    {
        Task<bool>? readable = null, asked = null;
        Task? loading = null;   // of the schema that the held record names

        while (true)
        {
            cut.ThrowIfCancellationRequested();

            if (_isEnding)
            {
                // All of it, so that the next owner goes on where this one ends.
                if (state.HasChanged || _outbox.HasSomething)
                {
                    await _outbox.CommitAsync(writer, state, withState: true, cut);
                }

                return;
            }

            if (!state.At!.IsOf(_topicId))
            {
                // What was scored since is not known to be of the topic that it was read of: taking over says what becomes of it.
                throw new InvalidDataException($"topic '{partition.Topic}' is another one of the same name");
            }

            if (time.GetElapsedTime(_summedAt) >= SummaryInterval)
            {
                (Summary, _summedAt) = (state.Summary(), time.GetTimestamp());
            }

            bool isStateDue = state.HasChanged && _outbox.IsStateDue;

            if (isStateDue || _outbox.IsDue)
            {
                await _outbox.CommitAsync(writer, state, isStateDue, cut);
            }

            if (_outbox.HasCaughtUp(state.At.Offset) && _verbs.Reader.TryRead(out StreamVerb? verb))
            {
                await CarryOutAsync(verb, writer, state, cut);
                continue;
            }

            if (loading is { IsCompleted: true })
            {
                await loading;
                loading = null;
            }

            if (loading is null && TryRead(reader, out KafkaRecord? record))
            {
                if (!IsReadable(record))
                {
                    (_held, loading) = (record, setting.Rules.Schemas!.LoadAsync(record, cut));
                    continue;
                }

                if (await TakeAsync(record, reader, state, cut) && !await LostAsync(reader, writer, state, cut))
                {
                    return;
                }

                continue;
            }

            if (loading is not null && setting.Rules.Schemas!.Trouble is { } unanswered)
            {
                (Trouble, _troubleAt) = (unanswered, time.GetTimestamp());
            }
            else if (reader.Trouble is { } heard)
            {
                (Trouble, _troubleAt) = (setting.Rules.Source.Words("sources.kafka.0", heard), time.GetTimestamp());
                reader.Forgive();
            }
            else if (_outbox.Unkept is { } unkept)
            {
                (Trouble, _troubleAt) = (unkept, time.GetTimestamp());
            }
            else if (Trouble is not null && time.GetElapsedTime(_troubleAt) > TroubleKept)
            {
                // Where nothing comes, that nothing is heard of it any more says that it is over.
                Trouble = null;
            }

            readable = readable is { IsCompleted: false } ? readable : reader.WaitToReadAsync(cut).AsTask();
            asked = asked is { IsCompleted: false } ? asked : _verbs.Reader.WaitToReadAsync(cut).AsTask();

            if (readable.IsCompleted && !await readable)
            {
                throw new InvalidDataException("the reader has ended");
            }

            await Task.WhenAny(loading ?? readable, asked, Task.Delay(LookInterval, time, cut));
        }
    }

    /// <summary>Carries out a word, and answers once the state that it made is written down: whoever owns the partition next goes on from there.</summary>
    private async Task CarryOutAsync(StreamVerb verb, KafkaWriter writer, PartitionState state, CancellationToken cut)
    {
        VerbAnswer answer = verb.Act(state);

        if (answer.Outcome == VerbOutcome.Done && verb.Changes)
        {
            _outbox.Add(state.TakeSaid());

            try
            {
                await _outbox.CommitAsync(writer, state, withState: true, cut);
            }
            catch (Exception failed)
            {
                verb.Answer(VerbAnswer.NotTaken($"{partition}: it could not be written down ({failed.Message}), and may hold or not; ask for it again"));
                throw;
            }
        }

        verb.Answer(answer);
    }

    /// <summary>The record that was held back, or the next one.</summary>
    private bool TryRead(KafkaReader reader, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out KafkaRecord? record)
    {
        (record, _held) = (_held, null);
        return record is not null || reader.TryRead(out record);
    }

    private bool IsReadable(KafkaRecord record) => record.Kind != KafkaReadKind.Record || setting.Rules.Schemas?.Has(record) != false;

    /// <summary>Takes a record, and those that are there behind it, up to a bound.</summary>
    /// <returns>Whether what should come next is not there.</returns>
    private async Task<bool> TakeAsync(KafkaRecord? record, KafkaReader reader, PartitionState state, CancellationToken cut)
    {
        await setting.Scoring.WaitAsync(cut);

        try
        {
            for (int left = RecordsMax; record is not null; record = --left > 0 && TryRead(reader, out KafkaRecord? next) ? next : null)
            {
                if (!IsReadable(record))
                {
                    _held = record;
                    return false;
                }

                switch (record.Kind)
                {
                    case KafkaReadKind.Refused:
                        throw new KafkaTroubleException(record.Trouble! with { Detail = $"'{partition.Topic}': {record.Trouble.Detail}" });
                    case KafkaReadKind.OutOfRange:
                        return true;
                    default:
                        Trouble = null;

                        if (record.Offset > state.At!.Offset || (record.Kind == KafkaReadKind.Record && record.Offset == state.At.Offset))
                        {
                            long started = Stopwatch.GetTimestamp();
                            _outbox.Add(record, state.Take(record), Stopwatch.GetElapsedTime(started));
                        }

                        break;
                }
            }

            return false;
        }
        finally
        {
            setting.Scoring.Release();
        }
    }

    /// <summary>What should come next is not there.</summary>
    /// <returns>False where it ends instead.</returns>
    private async Task<bool> LostAsync(KafkaReader reader, KafkaWriter writer, PartitionState state, CancellationToken cut)
    {
        KafkaPosition at = state.At!;
        reader.End([partition]);
        KafkaTopic? topic = (await reader.Topics.FindAsync([partition.Topic])).Topics.SingleOrDefault();
        long first = (await reader.Topics.FirstAsync([partition]))[partition], next = (await reader.Topics.NextAsync([partition]))[partition];

        if (topic is null || !at.IsOf(topic.Id))
        {
            throw new InvalidDataException($"topic '{partition.Topic}' is another one of the same name");
        }

        if (at.Offset >= first && at.Offset <= next)
        {
            reader.Begin([new KafkaStart(partition, at.Offset)]);
            return true;
        }

        long lost = Math.Max(0, first - at.Offset);

        if (!await PassAsync(
            state, writer,
            lost > 0
                ? $"{lost} records of {partition} from offset {at.Offset} on were deleted before they were read"
                : $"{partition} ends at offset {next}, and {at.Offset} was to come next: its log was cut",
            lost,
            new KafkaPosition(topic.Id, lost > 0 ? first : next, -1, 0, at.StampTicks), cut))
        {
            return false;
        }

        reader.Begin([new KafkaStart(partition, state.At!.Offset)]);
        return true;
    }

    private string Words(KafkaTrouble trouble) =>
        setting.Sink is { } sink && trouble.Detail.StartsWith($"'{sink.Topic}'", StringComparison.Ordinal) ? $"sinks.kafka.0.topic: {trouble.Detail}"
        : setting.Sink is { ScoresTopic.Length: > 0 } scores && trouble.Detail.StartsWith($"'{scores.ScoresTopic}'", StringComparison.Ordinal) ? $"sinks.kafka.0.scores_topic: {trouble.Detail}"
        : setting.Rules.Source.Words("sources.kafka.0", trouble);

    /// <summary>Tells of a gap, counts it, and goes on behind it; or stands still until a person has said what to do.</summary>
    /// <returns>False where it ends instead.</returns>
    private async Task<bool> PassAsync(PartitionState state, KafkaWriter writer, string what, long lost, KafkaPosition behind, CancellationToken cut)
    {
        metrics.Gap(_source, lost);
        bool stops = setting.Rules.Source.Gap == KafkaGap.Stop;
        LogMessages.SourceGap(logger, _source, what, stops ? "it is not read any further (sources.kafka.0.gap: stop)" : "it goes on with what is there (sources.kafka.0.gap: reset)");

        if (stops)
        {
            Trouble = $"sources.kafka.0.gap: {what}; set sources.kafka.0.gap: reset and restart to go on with what is there";

            while (!_isEnding)
            {
                await Task.Delay(LookInterval, time, cut);
            }

            return false;
        }

        state.Begin(behind);
        _outbox.Begin(behind.Offset);
        await _outbox.CommitAsync(writer, state, withState: true, cut);
        return true;
    }
}
