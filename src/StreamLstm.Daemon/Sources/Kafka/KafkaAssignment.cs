using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Which partitions are read, from where, and what becomes of one whose next record is not there.</summary>
/// <remarks>
/// Where a partition begins is on the disk before it is read: so "latest" is the latest of the first start, whenever that ends. What is
/// not there any more is never passed over without a word: a partition stops (<see cref="KafkaGap.Stop"/>), or goes on with what is there,
/// counted and told.
/// </remarks>
internal sealed class KafkaAssignment(
    string name, string key, KafkaSourceOptions options, KafkaReader reader, KafkaIntake taking, ObservationIntake intake, DaemonMetrics metrics, ILogger logger)
{
    private readonly Dictionary<string, string> _idOf = new(StringComparer.Ordinal);
    private readonly Dictionary<KafkaPartition, string> _stopped = [];
    private readonly string[] _before = intake.PositionOf($"kafka:{name}:topics")?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];
    private bool _isNoted;

    /// <summary>Partitions that are read.</summary>
    public int Count { get; private set; }

    /// <summary>Why some are read no further; null where all are.</summary>
    public string? Trouble { get; private set; }

    /// <summary>Begins with partitions that are new, and notices topics that are others of the same name.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer.</exception>
    public async Task ApplyAsync(KafkaFound found, CancellationToken stopping)
    {
        List<(KafkaPartition Partition, KafkaPosition At)> ready = [];
        List<(KafkaTopic Topic, KafkaPartition Partition)> fresh = [], created = [];
        List<(KafkaTopic Topic, KafkaPartition Partition, string What)> replaced = [];

        foreach (KafkaTopic topic in found.Topics)
        {
            if (_idOf.TryGetValue(topic.Name, out string? former) && former != topic.Id)
            {
                KafkaPartition[] read = [.. taking.Of(topic.Name)];
                reader.End(read);
                Array.ForEach(read, taking.Forget);
                Count -= read.Length;
            }

            _idOf[topic.Name] = topic.Id;
            KafkaPartition[] partitions = [.. Enumerable.Range(0, topic.Partitions).Select(number => new KafkaPartition(topic.Name, number))];
            bool wasRead = partitions.Any(partition => intake.PositionOf(taking.PositionName(partition)) is not null) || !MayBegin(topic.Name);

            foreach (KafkaPartition partition in partitions.Where(partition => taking.PositionOf(partition) is null && !_stopped.ContainsKey(partition)))
            {
                var noted = KafkaPosition.Parse(intake.PositionOf(taking.PositionName(partition)));

                if (noted is null)
                {
                    (wasRead ? created : fresh).Add((topic, partition));
                }
                else if (noted.IsOf(topic.Id))
                {
                    ready.Add((partition, noted with { TopicId = topic.Id }));
                }
                else
                {
                    replaced.Add((topic, partition, $"topic {topic.Name} was deleted and created anew: offset {noted.Offset} of partition {partition.Number} was to come next"));
                }
            }
        }

        List<(KafkaPartition Partition, KafkaPosition At)> begun =
        [
            .. At(fresh, await StartAsync([.. fresh.Select(one => one.Partition)])),
            .. At(created, await reader.Topics.FirstAsync([.. created.Select(one => one.Partition)])),
        ];

        if (replaced.Count > 0 && Passes([.. replaced.Select(one => (one.Partition, one.What))], lost: 0))
        {
            begun.AddRange(At([.. replaced.Select(one => (one.Topic, one.Partition))], await reader.Topics.FirstAsync([.. replaced.Select(one => one.Partition)])));
        }

        await BeginAsync(ready, begun, stopping);

        if (!_isNoted)
        {
            await taking.NoteAsync([($"kafka:{name}:topics", string.Join('\n', options.Topics))], stopping);
            _isNoted = true;
        }
    }

    /// <summary>What a partition should go on with is not there.</summary>
    /// <exception cref="KafkaTroubleException">The cluster does not answer: it is asked for the same again, and says the same.</exception>
    public async Task LostAsync(KafkaPartition partition, CancellationToken stopping)
    {
        if (taking.PositionOf(partition) is not { } at)
        {
            return;
        }

        reader.End([partition]);
        taking.Forget(partition);
        Count--;
        KafkaFound found = await reader.Topics.FindAsync([partition.Topic]);

        if (found.Topics is not [{ } topic] || !at.IsOf(topic.Id))
        {
            // The next look at the topics says what has become of it.
            return;
        }

        long first = (await reader.Topics.FirstAsync([partition]))[partition], next = (await reader.Topics.NextAsync([partition]))[partition];

        if (at.Offset >= first && at.Offset <= next)
        {
            await BeginAsync([(partition, at with { LeaderEpoch = -1 })], [], stopping);
            return;
        }

        long lost = Math.Max(0, first - at.Offset);
        string what = lost > 0
            ? $"{lost} records of {partition} from offset {at.Offset} on were deleted before they were read"
            : $"{partition} ends at offset {next}, and {at.Offset} was to come next: its log was cut";

        if (Passes([(partition, what)], lost))
        {
            await BeginAsync([], [(partition, new KafkaPosition(topic.Id, lost > 0 ? first : next, -1, 0, at.StampTicks))], stopping);
        }
    }

    /// <summary>Tells of a gap, counts it, and says whether to go on behind it.</summary>
    private bool Passes(IReadOnlyList<(KafkaPartition Partition, string What)> gaps, long lost)
    {
        foreach ((KafkaPartition partition, string what) in gaps)
        {
            metrics.Gap(name, lost);

            if (options.Gap == KafkaGap.Stop)
            {
                _stopped[partition] = what;
                Trouble = $"{key}.gap: {_stopped.Count} partitions are not read any further: {_stopped.First().Value}; set {key}.gap: reset and restart to go on with what is there";
            }

            LogMessages.SourceGap(logger, name, what, options.Gap == KafkaGap.Stop ? $"it is not read any further ({key}.gap: stop)" : $"it goes on with what is there ({key}.gap: reset)");
        }

        return options.Gap == KafkaGap.Reset;
    }

    /// <param name="ready">Where they begin is known.</param>
    /// <param name="begun">Where they begin is to be written down first.</param>
    /// <param name="stopping">Ends the waiting for the disk.</param>
    private async Task BeginAsync(
        IReadOnlyList<(KafkaPartition Partition, KafkaPosition At)> ready, IReadOnlyList<(KafkaPartition Partition, KafkaPosition At)> begun, CancellationToken stopping)
    {
        await taking.NoteAsync(begun.Select(one => (taking.PositionName(one.Partition), one.At.ToString())), stopping);
        (KafkaPartition Partition, KafkaPosition At)[] all = [.. ready, .. begun];

        if (all.Length > 0)
        {
            Array.ForEach(all, one => taking.Begin(one.Partition, one.At));
            reader.Begin([.. all.Select(one => new KafkaStart(one.Partition, one.At.Offset, one.At.LeaderEpoch))]);
            Count += all.Length;
        }
    }

    /// <summary>Whether a topic of which nothing was ever read begins as the start says: the first time that it is asked for. Later it has come into being since.</summary>
    private bool MayBegin(string topic) => !_isNoted && !_before.Any(asked => asked == topic || (KafkaTopics.IsPattern(asked) && KafkaTopics.Pattern(asked).IsMatch(topic)));

    private Task<Dictionary<KafkaPartition, long>> StartAsync(KafkaPartition[] partitions) => options.Start switch
    {
        "earliest" => reader.Topics.FirstAsync(partitions),
        "latest" => reader.Topics.NextAsync(partitions),
        _ => KafkaSourceOptions.TryStart(options.Start, out DateTimeOffset time)
            ? reader.Topics.FromAsync(partitions, time)
            : throw new SourceException($"{key}.start: '{options.Start}', {KafkaSourceOptions.WrongStart(options.Start)}"),
    };

    private static IEnumerable<(KafkaPartition Partition, KafkaPosition At)> At(
        IReadOnlyList<(KafkaTopic Topic, KafkaPartition Partition)> partitions, Dictionary<KafkaPartition, long> offsets) =>
        partitions.Select(one => (one.Partition, new KafkaPosition(one.Topic.Id, offsets[one.Partition], -1, 0, 0)));
}
