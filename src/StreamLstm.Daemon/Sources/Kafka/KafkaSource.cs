using StreamLstm.Daemon.Kafka;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Topics of an Apache Kafka cluster: each committed record once, in its partition's order, over every restart.</summary>
/// <remarks>
/// Of the kind that can be asked again: a partition's offset stands in the journal with what was read before it. This daemon
/// reads all partitions by itself; a group is at most told how far it is. librdkafka connects again by itself, so
/// one reader lives as long as the source.
/// </remarks>
/// <param name="options">Where, what, and how.</param>
/// <param name="index">Its place in sources.kafka.</param>
/// <param name="instance">Names this storage directory.</param>
/// <param name="rules">Which records are judged together.</param>
/// <param name="batchMax">Observations in a batch at most.</param>
/// <param name="metrics">Counts gaps, and whether it is connected.</param>
/// <param name="time">For waiting.</param>
/// <param name="logger">Where trouble is told, once a minute.</param>
internal sealed class KafkaSource(
    KafkaSourceOptions options, int index, string instance, RecordRules rules, int batchMax, DaemonMetrics metrics, TimeProvider time, ILogger<KafkaSource> logger)
    : IConnectedSource
{
    private static readonly TimeSpan TroubleInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CommitInterval = TimeSpan.FromSeconds(5);

    private readonly string _key = $"sources.kafka.{index}";
    private readonly OncePerMinute _told = new(time);
    private readonly Dictionary<string, string> _refused = new(StringComparer.Ordinal);
    private string? _lost;
    private string? _absent;
    private string? _uncommitted;
    private string? _unkept;
    private KafkaAssignment? _assignment;
    private KafkaSchemas? _schemas;

    public string Name { get; } = options.Name.Length > 0 ? options.Name : index == 0 ? "kafka" : $"kafka.{index}";

    public string? Trouble => _lost ?? _schemas?.Trouble ?? _absent ?? Refused ?? _assignment?.Trouble ?? _unkept ?? _uncommitted;

    private string? Refused
    {
        get
        {
            lock (_refused)
            {
                return _refused.Count == 0 ? null : _refused.First().Value;
            }
        }
    }

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        KafkaReader reader;

        try
        {
            reader = new KafkaReader(
                options.Access($"streamlstm-{instance}-{Name}"), new KafkaReaderOptions { Group = options.Group, HeldMaxBytes = options.HeldMaxMib << 20 });
        }
        catch (ArgumentException wrong)
        {
            throw new SourceException($"{_key}: librdkafka refuses its settings: {wrong.Message}", wrong);
        }

        try
        {
            using KafkaSchemas? schemas = KafkaSchemas.AreNamedBy(options.Format) ? new KafkaSchemas(options, _key, time) : null;
            _schemas = schemas;
            await ReadAsync(reader, intake, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop: what was read and not handed in is read again.
        }
        catch (SchemaRegistryTroubleException wrong)
        {
            throw new SourceException(wrong.Message, wrong);
        }
        finally
        {
            metrics.Connected(Name, isConnected: false);

            // Waits for the thread that reads, and for the answers to what was asked.
            await Task.Run(reader.Dispose, CancellationToken.None);
        }
    }

    private async Task ReadAsync(KafkaReader reader, ObservationIntake intake, CancellationToken stopping)
    {
        using KafkaDeadLetters? deadLetters = options.DeadLetters.Length == 0 ? null : new KafkaDeadLetters(options.DeadLetters, options.Access($"streamlstm-{instance}-{Name}"));
        var taking = new KafkaIntake(Name, options, rules, batchMax, intake, deadLetters, time, _schemas);
        var assignment = new KafkaAssignment(Name, _key, options, reader, taking, intake, metrics, logger);
        _assignment = assignment;
        taking.Restore();
        Task<KafkaFound>? finding = null;
        Task<bool>? readable = null;
        KafkaRecord? record = null;
        Task? loading = null;   // of the schema that this record names: nothing behind it is taken before
        Task committing = Task.CompletedTask;
        long looked = 0, committed = time.GetTimestamp();
        TimeSpan next = TimeSpan.Zero;

        while (true)
        {
            stopping.ThrowIfCancellationRequested();

            if (finding is null && time.GetElapsedTime(looked) >= next)
            {
                finding = reader.Topics.FindAsync(options.Topics);
            }

            if (finding is { IsCompleted: true } found)
            {
                finding = null;
                next = await LookAsync(found, reader, assignment, stopping) ? options.Refresh : RetryInterval;
                looked = time.GetTimestamp();
            }

            TellTrouble(reader);

            if (loading is { IsCompleted: true })
            {
                await loading;
                loading = null;
            }

            while (!taking.IsFull && loading is null && (record is not null || reader.TryRead(out record)))
            {
                if (record.Kind == KafkaReadKind.Record && _schemas?.Has(record) == false)
                {
                    loading = _schemas.LoadAsync(record, stopping);
                    break;
                }

                if (record.Kind == KafkaReadKind.Refused)
                {
                    Refuse(record.Partition.Topic, record.Trouble!);
                }
                else if (record.Kind == KafkaReadKind.OutOfRange)
                {
                    // What came before it is on the disk first.
                    await taking.HandInAsync(stopping);
                    await taking.SettleAsync();
                    next = await TryAsync(() => assignment.LostAsync(record.Partition, stopping)) && assignment.Count > 0 ? next : TimeSpan.Zero;
                }
                else
                {
                    taking.Take(record);
                    Refuse(record.Partition.Topic, null);
                }

                record = null;
            }

            if (taking.HasSomething)
            {
                await taking.HandInAsync(stopping);
                _unkept = deadLetters?.Trouble is { } why ? $"{_key}.dead_letters: {options.Brokers} does not take them: {why.Detail}" : null;
                continue;
            }

            if (taking.IsUnderWay && taking.UnderWay.IsCompleted)
            {
                await taking.SettleAsync();
            }

            if (committing.IsCompleted && time.GetElapsedTime(committed) >= CommitInterval)
            {
                committed = time.GetTimestamp();
                committing = CommitAsync(reader, taking.TakeOnDisk());
            }

            readable = readable is { IsCompleted: false } ? readable : reader.WaitToReadAsync(stopping).AsTask();

            if (readable.IsCompleted && loading is null)
            {
                // False only where the thread that reads has ended: its failure, if any, was thrown.
                if (!await readable)
                {
                    return;
                }

                continue;
            }

            using var rested = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            await Task.WhenAny(
                loading ?? readable, Task.Delay(TroubleInterval, time, rested.Token), finding ?? loading ?? readable, taking.IsUnderWay ? taking.UnderWay : loading ?? readable);
            await rested.CancelAsync();
        }
    }

    /// <summary>Takes notice of which topics there are.</summary>
    /// <returns>False where it is to be tried again soon.</returns>
    private async Task<bool> LookAsync(Task<KafkaFound> finding, KafkaReader reader, KafkaAssignment assignment, CancellationToken stopping)
    {
        int before = assignment.Count;
        KafkaFound? found = null;
        bool isDone = await TryAsync(async () =>
        {
            found = await finding;
            await assignment.ApplyAsync(found, stopping);
        });

        if (!isDone)
        {
            // Whatever said why says it better than that no answer came.
            _lost = reader.LastTrouble is { } why ? options.Words(_key, why) : _lost;
            metrics.Connected(Name, isConnected: false);
            return false;
        }

        if (_lost is not null || before != assignment.Count)
        {
            LogMessages.SourceStarted(logger, Name, $"{options.Brokers}: {assignment.Count} partitions of {string.Join(", ", options.Topics)}");
        }

        _lost = null;
        reader.Forgive();
        metrics.Connected(Name, isConnected: true);
        _absent = found!.Troubles.Count == 0 ? null : $"{_key}.topics: '{found.Troubles[0].Topic}' on {options.Brokers}: {found.Troubles[0].Trouble.Detail}";
        return _absent is null;
    }

    private async Task<bool> TryAsync(Func<Task> ask)
    {
        try
        {
            await ask();
            return true;
        }
        catch (KafkaTroubleException unanswered)
        {
            _lost = options.Words(_key, unanswered.Trouble);
            return false;
        }
    }

    private void TellTrouble(KafkaReader reader)
    {
        if (reader.Trouble is { } heard)
        {
            _lost = options.Words(_key, heard);
            metrics.Connected(Name, isConnected: false);
        }

        // librdkafka's own words differ from time to time: what counts is the setting.
        if (Trouble is { } trouble && _told.Tell(trouble[..trouble.IndexOf(':', StringComparison.Ordinal)], out int times))
        {
            LogMessages.SourceTrouble(logger, Name, times > 1 ? $"{trouble} ({times} times)" : trouble);
        }
    }

    /// <summary>A topic is refused, or something of it came.</summary>
    private void Refuse(string topic, KafkaTrouble? why)
    {
        lock (_refused)
        {
            if (why is not null)
            {
                _refused[topic] = $"{_key}.topics: '{topic}' on {options.Brokers}: {why.Detail}";
            }
            else if (_refused.Count > 0)
            {
                _refused.Remove(topic);
            }
        }
    }

    private async Task CommitAsync(KafkaReader reader, IReadOnlyList<KafkaStart> positions)
    {
        try
        {
            await reader.CommitAsync(positions);
            _uncommitted = null;
        }
        catch (KafkaTroubleException refused)
        {
            // Said, and no more: nothing depends on it.
            _uncommitted = $"{_key}.group: offsets of '{options.Group}' cannot be committed: {refused.Trouble.Detail}";
        }
    }
}
