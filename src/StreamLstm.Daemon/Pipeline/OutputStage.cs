using System.Threading.Channels;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Puts together what all workers made of each entry, in the order of the journal, and hands it to the sinks.</summary>
/// <remarks>
/// So what a sink is told, and in which order, follows from the journal alone: not from which worker was faster, nor from how
/// many there are. After a restart the same is told again, in the same words, and a sink that has it already passes over it.
/// Groups are made here, in one place for all shards; the loop alone touches them.
/// </remarks>
internal sealed class OutputStage
{
    private readonly ChannelReader<Sequenced> _passed;
    private readonly IReadOnlyList<ChannelReader<WorkerOutput>> _outputs;
    private readonly SinkLanes _lanes;
    private readonly DaemonMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly StreamLabels _labels;
    private readonly StreamUnits _units;
    private readonly IncidentGrouping _grouping = new();
    private readonly Receipts _receipts = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _told;
    private long _at;

    /// <param name="passed">Every entry, in order.</param>
    /// <param name="outputs">The workers' answers to them.</param>
    /// <param name="lanes">The ways to the sinks.</param>
    /// <param name="restored">What the snapshot held: what came up to its end has been told.</param>
    /// <param name="metrics">Counts what is handed on.</param>
    /// <param name="time">For latencies.</param>
    /// <param name="labels">What streams' names say.</param>
    /// <param name="units">Takes what devices declare of their streams.</param>
    public OutputStage(
        ChannelReader<Sequenced> passed, IReadOnlyList<ChannelReader<WorkerOutput>> outputs, SinkLanes lanes,
        RestoredState restored, DaemonMetrics metrics, TimeProvider time, StreamLabels labels, StreamUnits units)
    {
        (_passed, _outputs, _lanes, _metrics, _time, _labels, _units) = (passed, outputs, lanes, metrics, time, labels, units);
        _told = _at = restored.End;
        Books = restored.Books;
        Books.Positions.ToList().ForEach(position => _units.Take(new SourcePosition(position.Key, position.Value)));
        _receipts.Load(restored.Receipts);

        if (restored.Groups.Length > 0)
        {
            using var reader = new BinaryReader(new MemoryStream(restored.Groups, writable: false));
            _grouping.Load(reader);
        }
    }

    /// <summary>Ends once every verdict has been handed to the sinks, or cannot be any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>The books as of the last entry that came through here.</summary>
    public Books Books { get; }

    public async Task RunAsync(CancellationToken failure)
    {
        var answers = new WorkerOutput[_outputs.Count];

        try
        {
            await foreach (Sequenced one in _passed.EachAsync(failure))
            {
                for (int worker = 0; worker < answers.Length; worker++)
                {
                    answers[worker] = await _outputs[worker].ReadAsync(failure);
                }

                if (one.Entry is EndQuestion question)
                {
                    await AnswerAsync(question, failure);
                }
                else if (one.Sequence > _told)
                {
                    _at = one.Sequence;
                    await HandOnAsync(one, answers, failure);
                }
            }
        }
        finally
        {
            _ended.TrySetResult();
        }

        // Here every verdict has been handed to the sinks.
    }

    /// <summary>What this stage adds to a snapshot but for the sinks; from outside once <see cref="RunAsync"/> has ended.</summary>
    public EndPart Part()
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer);
        _grouping.Save(writer);
        writer.Flush();
        return new EndPart(_at, buffer.ToArray(), Books.Copy(), _receipts.Save(), new Dictionary<string, string>());
    }

    private async ValueTask HandOnAsync(Sequenced one, WorkerOutput[] answers, CancellationToken failure)
    {
        Books.Add(one.Entry, answers);
        Settle(one.Entry, answers);
        _units.Take((one.Entry as ObservationsEntry)?.Batch.Position);
        DateTimeOffset ingestedAt = TimeOf(one.Entry);
        ShardPart[] parts = [.. answers.SelectMany(answer => answer.Parts).OrderBy(part => part.Shard)];
        IncidentEvent[] incidents = [.. parts.SelectMany(part => part.Incidents).Select(incident => _units.Tell(incident with { Labels = _labels.Of(incident.Stream) }))];
        GroupedIncidents grouped = _grouping.Apply(incidents);
        var batch = new ScoredBatch(
            parts.Length == 1 ? parts[0].Scored : [.. parts.SelectMany(part => part.Scored)],
            grouped.Incidents,
            one.Entry is SwapEntry swap ? [swap.Swap] : [],
            ingestedAt,
            answers.FirstOrDefault(answer => answer.Parts.Count > 0)?.Trace ?? default)
        {
            Sequence = one.Sequence,
            IsReplayed = one.IsReplayed,
            Groups = grouped.Groups,
            Label = answers.FirstOrDefault(answer => answer.Label is not null)?.Label,
            Acknowledged = one.Entry as AcknowledgeEntry,
            Forgotten = answers.All(answer => answer.Forgotten.Count == 0)
                ? []
                : [.. answers.SelectMany(answer => answer.Forgotten).OrderBy(what => what.Stream, StringComparer.Ordinal)],
        };

        if (!batch.IsEmpty)
        {
            _metrics.Handed(batch, _time.GetUtcNow() - ingestedAt);
        }

        foreach (SinkLane lane in _lanes.All)
        {
            if (!batch.IsEmpty)
            {
                await lane.OfferAsync(batch, failure);
            }

            lane.Pass(one.Sequence);
        }
    }

    /// <summary>Whoever waits for the scores of what was sent hears of them, and a repetition of the request is told the same.</summary>
    private void Settle(Entry entry, WorkerOutput[] answers)
    {
        _receipts.Add(entry);

        if (entry is ObservationsEntry { Batch.Receipt: { } receipt })
        {
            ScoredObservation[] scored = [.. answers.SelectMany(answer => answer.Parts).SelectMany(part => part.Scored)];
            receipt.Scored.TrySetResult(new ScoredCounts(
                scored.Length, answers.Sum(answer => answer.Rejected.Sum(count => (long)count)), scored.Count(one => one.IsAlert),
                scored.Length == 0 ? 0 : scored.Max(one => one.Score))
            {
                RefusedByReason = Enum.GetValues<RejectionReason>()
                    .Select(reason => (Reason: reason, Count: answers.Where(answer => answer.Rejected.Length > 0).Sum(answer => (long)answer.Rejected[(int)reason])))
                    .Where(one => one.Count > 0)
                    .ToDictionary(one => EventJson.Word(one.Reason), one => one.Count),
            });
        }
    }

    private DateTimeOffset TimeOf(Entry entry) => entry switch
    {
        ObservationsEntry observations => observations.Batch.IngestedAt,
        TickEntry tick => tick.Now,
        SwapEntry swap => swap.Swap.Time,
        LabelEntry label => label.Now,
        AcknowledgeEntry acknowledge => acknowledge.Now,
        AcceptEntry accept => accept.Now,
        ForgetEntry forget => forget.Now,
        _ => _time.GetUtcNow(),
    };

    /// <summary>R2: the answer, and with it the manifest, waits until every sink with a promise has made durable what is behind it.</summary>
    private async ValueTask AnswerAsync(EndQuestion question, CancellationToken failure)
    {
        EndPart part = Part();
        List<(string Sink, Task<string> Mark)> marks = [];

        foreach (SinkLane lane in _lanes.All)
        {
            if (await lane.AskForMarkAsync(failure) is { } mark)
            {
                marks.Add((lane.Name, mark));
            }
        }

        // Not waited for here: the next entries go on while the disk is busy.
        _ = AnswerBehindAsync();

        async Task AnswerBehindAsync()
        {
            try
            {
                var found = new Dictionary<string, string>();

                foreach ((string sink, Task<string> mark) in marks)
                {
                    found[sink] = await mark;
                }

                question.Answer.TrySetResult(part with { Sinks = found });
            }
#pragma warning disable CA1031 // travels to whoever asked
            catch (Exception failed)
#pragma warning restore CA1031
            {
                question.Answer.TrySetException(failed);
            }
        }
    }
}
