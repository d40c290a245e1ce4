using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Daemon.Views;
using StreamLstm.Detection;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Cluster;

/// <summary>This daemon as a member of its group: begins and ends the work on partitions as they become its own and go to others.</summary>
internal sealed class ClusterNode : IAsyncDisposable
{
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, (OwnedPartition Owned, CancellationTokenSource Cut, Task Running)> _owned = [];
    private readonly ClusterOptions _options;
    private readonly string _instance;
    private readonly PartitionSetting _setting;
    private readonly LiveView _live;
    private readonly SinkLane[] _lanes;
    private readonly Func<KafkaPartition, OwnedPartition> _own;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly OncePerMinute _told;
    private readonly Fleet _fleet;
    private readonly ClusterPeers _peers;
    private readonly ClusterWeights _weights;
    private volatile KafkaMember? _member;
    private volatile string? _trouble;
    private volatile int _partitions;   // of the topic; 0 as long as nobody has said so

    /// <param name="options">The group, and how.</param>
    /// <param name="instance">Names this storage directory.</param>
    /// <param name="url">Where the others reach this daemon; empty where they do not.</param>
    /// <param name="setting">What partitions have in common; its member and its teller are this node's.</param>
    /// <param name="live">What the page shows.</param>
    /// <param name="serving">The newest weights that this daemon knows of.</param>
    /// <param name="lanes">The ways to the page and the console.</param>
    /// <param name="ledger">The books.</param>
    /// <param name="deadLetters">Keeps what was rejected.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="loggers">Where trouble is told, once a minute.</param>
    public ClusterNode(
        ClusterOptions options, string instance, string url, PartitionSetting setting, LiveView live, LiveModel serving, IReadOnlyList<SinkLane> lanes,
        Ledger ledger, IDeadLetters deadLetters, DaemonMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        (_options, _live, _time, _logger) = (options, live, time, loggers.CreateLogger<ClusterNode>());
        _instance = options.Instance.Length > 0 ? options.Instance : $"streamlstm-{instance}";
        _told = new OncePerMinute(time);
        _lanes = [.. lanes];
        _setting = setting with { Member = () => _member ?? throw new InvalidOperationException("this daemon is no member of its group at present"), Tell = TellAsync };
        _own = partition => new OwnedPartition(partition, _setting, ledger, deadLetters, metrics, time, loggers.CreateLogger<OwnedPartition>());
        _fleet = new Fleet(
            options, setting.Rules.Source, setting.Access, _instance, url, () => [.. Owned.Select(owned => owned.Summary).OfType<PartitionSummary>()], () => Troubles, time);
        _peers = new ClusterPeers(_instance, _fleet);
        _weights = new ClusterWeights(_fleet, () => Owned, serving, metrics, _logger);
        metrics.Watch(() => Owned.Count, () => Owned.Sum(owned => owned.State?.Streams.Count ?? 0));
    }

    /// <summary>Partitions that are this daemon's, in the order of their numbers.</summary>
    public IReadOnlyList<OwnedPartition> Owned
    {
        get
        {
            lock (_lock)
            {
                return [.. _owned.Values.Select(one => one.Owned)];
            }
        }
    }

    /// <summary>Why it cannot be said that no daemon of the group has a stream, by whose partitions were looked at; null where it can.</summary>
    /// <param name="lookedAt">Numbers of the partitions in which the stream is not.</param>
    public string? WhereElse(IReadOnlySet<int> lookedAt)
    {
        string topic = _setting.Rules.Source.Topics[0];
        int count = _partitions;
        string[] others = [.. Enumerable.Range(0, count).Where(number => !lookedAt.Contains(number)).Select(number => $"{topic}/{number}")];
        return count == 0 ? $"how many partitions '{topic}' has is not known yet"
            : others.Length == 0 ? null
            : $"{string.Join(", ", others.Take(5))}{(others.Length > 5 ? $" and {others.Length - 5} more" : "")} may be going from one daemon to another; ask again in a moment";
    }

    /// <summary>All daemons of its group.</summary>
    public Fleet Fleet => _fleet;

    /// <summary>The others, to whom what is asked of their streams is passed on.</summary>
    public ClusterPeers Peers => _peers;

    /// <summary>The weights that serve the group.</summary>
    public ClusterWeights Weights => _weights;

    /// <summary>Has a word or a question carried out by the partition of this daemon that has the stream.</summary>
    /// <param name="changes">Whether it changes the stream.</param>
    /// <param name="act">Carries it out, or says that there is no such stream.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public async Task<VerbAnswer> SayAsync(bool changes, Func<PartitionState, VerbAnswer> act, CancellationToken cancellationToken)
    {
        VerbAnswer[] answers = await Task.WhenAll(Owned.Select(async owned =>
        {
            try
            {
                return await owned.SayAsync(new StreamVerb(changes, act)).WaitAsync(AnswerMax, _time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return VerbAnswer.NotTaken($"{owned.Partition} is being taken over, and may have it; ask again in a moment");
            }
        }));
        return answers.MaxBy(answer => answer.Outcome) ?? VerbAnswer.Unknown;
    }

    /// <summary>The group's name.</summary>
    public string Group => _options.Group;

    /// <summary>What does less than it should, with the reason.</summary>
    public IReadOnlyList<string> Troubles =>
        [.. new[] { _trouble, _fleet.Trouble }.OfType<string>(), .. Owned.Select(owned => owned.Trouble).OfType<string>()];

    /// <summary>Works on what is this daemon's until it is time to go; then has all of it written down.</summary>
    /// <exception cref="ArgumentException">librdkafka refuses a setting.</exception>
    public async Task RunAsync(CancellationToken stopping)
    {
        Task telling = Task.WhenAll(_lanes.Select(lane => lane.RunAsync(CancellationToken.None))), sharing = _fleet.RunAsync(stopping);

        for (TimeSpan wait = FirstWait; !stopping.IsCancellationRequested; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            var member = new KafkaMember(
                _setting.Access,
                new KafkaMemberOptions(_options.Group, _instance, _setting.Rules.Source.Topics[0])
                {
                    IsSharedByBrokers = _options.Protocol == ClusterProtocol.Consumer,
                    SessionTimeout = _options.SessionTimeout,
                    Refresh = _setting.Rules.Source.Refresh,
                },
                Gain,
                (partitions, areGone) => LeaveAsync(partitions, areGone, isShown: false).GetAwaiter().GetResult());
            _member = member;
            Task<KafkaFound>? finding = member.Topics.FindAsync(_setting.Rules.Source.Topics);
            long looked = _time.GetTimestamp();

            while (!stopping.IsCancellationRequested && !member.Failed.IsCompleted)
            {
                await Task.WhenAny(member.Failed, Task.Delay(FirstWait, _time, stopping));
                Notice(member);
                _weights.Follow();

                if (finding is null && _time.GetElapsedTime(looked) >= _setting.Rules.Source.Refresh)
                {
                    finding = member.Topics.FindAsync(_setting.Rules.Source.Topics);
                }

                if (finding is { IsCompleted: true } found)
                {
                    (finding, looked) = (null, Notice(found));
                }
            }

            // Whoever has been fenced off owns nothing; whoever stops writes down what it has.
            await LeaveAsync([.. Owned.Select(owned => owned.Partition)], areGone: member.Failed.IsCompleted, isShown: true);
            _member = null;
            await Task.Run(member.Dispose, CancellationToken.None);

            if (member.Failed.IsCompleted)
            {
                KafkaTrouble why = await member.Failed;
                _trouble = Words(why);

                if (_told.Tell(_trouble, out _))
                {
                    LogMessages.MemberFailed(_logger, _instance, _options.Group, _trouble);
                }

                await Task.Delay(wait, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        foreach (SinkLane lane in _lanes)
        {
            lane.Complete();
        }

        await telling;
        await sharing;
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync([.. Owned.Select(owned => owned.Partition)], areGone: true, isShown: true);
        _setting.Rules.Schemas?.Dispose();
        _peers.Dispose();
    }

    private async ValueTask TellAsync(ScoredBatch batch, CancellationToken cut)
    {
        foreach (SinkLane lane in _lanes)
        {
            await lane.OfferAsync(batch, cut);
        }
    }

    private void Notice(KafkaMember member)
    {
        KafkaTrouble? heard = member.Trouble;
        member.Forgive();
        _trouble = heard is null ? null : Words(heard);

        foreach (string trouble in Troubles)
        {
            if (_told.Tell(trouble, out int times))
            {
                LogMessages.SourceTrouble(_logger, "kafka", times > 1 ? $"{trouble} ({times} times)" : trouble);
            }
        }
    }

    /// <summary>A topic may have more partitions than before; one that was deleted and created anew has another id.</summary>
    private long Notice(Task<KafkaFound> finding)
    {
        if (finding.IsCompletedSuccessfully && finding.Result.Topics is [{ } topic])
        {
            _partitions = topic.Partitions;

            foreach (OwnedPartition owned in Owned)
            {
                owned.Notice(topic.Id);
            }
        }

        // Where the brokers do not answer the member says so.
        return _time.GetTimestamp();
    }

    private string Words(KafkaTrouble trouble) => trouble.Concern == KafkaConcern.Group
        ? $"cluster.instance: {_instance}, group {_options.Group}: {trouble.Detail}"
        : _setting.Rules.Source.Words("sources.kafka.0", trouble);

    private void Gain(IReadOnlyList<KafkaPartition> partitions)
    {
        lock (_lock)
        {
            foreach (KafkaPartition partition in partitions.Where(partition => !_owned.ContainsKey(partition.Number)))
            {
                OwnedPartition owned = _own(partition);
                var cut = new CancellationTokenSource();
                _owned[partition.Number] = (owned, cut, Task.Run(() => owned.RunAsync(cut.Token)));
            }
        }
    }

    /// <summary>Ends the work on partitions, and returns once nothing more is written for them.</summary>
    private async Task LeaveAsync(IReadOnlyList<KafkaPartition> partitions, bool areGone, bool isShown)
    {
        List<(OwnedPartition Owned, CancellationTokenSource Cut, Task Running)> leaving = [];

        lock (_lock)
        {
            foreach (KafkaPartition partition in partitions)
            {
                if (_owned.Remove(partition.Number, out var one))
                {
                    leaving.Add(one);
                }
            }
        }

        foreach (var one in leaving)
        {
            one.Owned.End();
            one.Cut.CancelAfter(areGone ? TimeSpan.Zero : EndMax);
        }

        await Task.WhenAll(leaving.Select(one => one.Running));

        foreach (var one in leaving)
        {
            one.Cut.Dispose();
            LogMessages.PartitionLeft(_logger, one.Owned.Partition.ToString());
        }

        string[] streams = isShown ? [] : [.. leaving.SelectMany(one => one.Owned.StreamsLeft)];

        if (streams.Length > 0)
        {
            await _live.WriteAsync(
                new ScoredBatch([], [], [], _time.GetUtcNow()) { Forgotten = [.. streams.Select(stream => new ForgottenStream(stream, ForgetReason.Asked))] }, CancellationToken.None);
        }
    }
}
