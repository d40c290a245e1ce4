using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Sends each entry of the journal to every worker, each observation to the one that owns its stream's shard, stamped with the weights in service.</summary>
/// <param name="liveModel">The weights in service: a swap takes effect here, at its place in the order.</param>
/// <param name="detection">How streams are judged.</param>
/// <param name="places">Who has a place: decided here, where there is one order.</param>
/// <param name="restored">What the snapshot held.</param>
/// <param name="modelOf">Finds the weights of a swap that a former life made.</param>
/// <param name="inboxes">The workers'.</param>
/// <param name="passed">Every entry, for what lies behind the workers.</param>
internal sealed class StreamRouter(
    LiveModel liveModel,
    DetectionOptions detection,
    StreamPlaces places,
    RestoredState restored,
    Func<ModelSwap, BaseModel> modelOf,
    IReadOnlyList<ChannelWriter<WorkerMessage>> inboxes,
    ChannelWriter<Sequenced> passed)
{
    /// <summary>Virtual shards, fixed for ever: the number of workers never changes where a stream lives.</summary>
    public const int ShardCount = 64;

    /// <summary>As many places are written of a cut between two entries: some 30 us.</summary>
    private const int PlacesAtATime = 256;

    private readonly List<Observation>[] _byShard = [.. Enumerable.Range(0, ShardCount).Select(_ => new List<Observation>())];
    private readonly bool _hasGroups = detection.AlertRules.Any(rule => rule.Group.Length > 0);
    private readonly AlertTerms _configured = detection.Terms();
    private IReadOnlyList<MaintenanceWindow> _maintenance = detection.Maintenance;
    private AlertTerms _terms = detection.Terms();
    private long _at = restored.RouterAt;
    private (Func<RouterPart> Part, TaskCompletionSource<RouterPart> Answer)? _cut;   // under way

    /// <summary>Streams that the configuration has moved to another shard, and the sequence up to which they were cut at their former one.</summary>
    public Dictionary<string, long> Moved { get; } = new(StringComparer.Ordinal);

    /// <summary>The shard of a name: its XXH3, the same in every process and for ever.</summary>
    public static int ShardOf(string stream) =>
        (int)(XxHash3.HashToUInt64(MemoryMarshal.AsBytes(stream.AsSpan())) % ShardCount);

    /// <summary>The shard of a stream: by its name, or by that of the group whose alert budget it shares.</summary>
    public int HomeOf(string stream) => ShardOf(_hasGroups ? AlertRule.GroupOf(detection.AlertRules, stream) ?? stream : stream);

    /// <summary>Hands a question about one shard to its owner, between two batches.</summary>
    public ValueTask TellAsync(int shard, WorkerMessage message, CancellationToken cancellationToken) =>
        inboxes[shard % inboxes.Count].WriteAsync(message, cancellationToken);

    public async Task RunAsync(ChannelReader<Sequenced> entries, CancellationToken cancellationToken)
    {
        while (_cut is not null || await entries.WaitToReadAsync(cancellationToken))
        {
            // A few places between two entries: no batch waits for all of them to be written.
            GoOnWithCut();

            if (!entries.TryRead(out Sequenced? one))
            {
                continue;
            }

            if (one.Entry is RouterQuestion question)
            {
                Answer(question);
                continue;
            }

            // What the router's own part of the snapshot holds already; shards may have been cut before it, never after.
            bool isKnown = one.Sequence <= restored.RouterAt;
            _at = Math.Max(_at, one.Sequence);

            // Before the workers' answers: whoever puts them together knows what they answer to.
            await passed.WriteAsync(one, cancellationToken);

            switch (one.Entry)
            {
                case ObservationsEntry { Batch: var batch }:
                    await RouteAsync(one, batch, isKnown, cancellationToken);
                    break;
                case TickEntry tick:
                    // In this order: who becomes smaller may go all the same.
                    (int Shard, ForgottenStream What)[] gone = isKnown ? [] : [.. places.Tick(tick.Elapsed).Select(what => (HomeOf(what.Stream), what))];
                    (int Shard, ResizedStream What)[] resized = Resized(one.Sequence, places.TakeResized());
                    await TellAllAsync(
                        worker => new Tick(one.Sequence, tick.Now, tick.Elapsed) { Forgotten = [.. gone.Where(one => one.Shard % inboxes.Count == worker)], Resized = OfWorker(resized, worker) },
                        cancellationToken);
                    break;
                case ForgetEntry forget:
                    if (!isKnown)
                    {
                        places.Remove(forget.Stream);
                    }

                    await TellAllAsync(worker => new ForgetStep(one.Sequence, ShardAt(worker, forget.Stream), forget), cancellationToken);
                    break;
                case LimitsEntry limits:
                    if (!isKnown)
                    {
                        places.Limit(limits.Limits);
                    }

                    await TellAllAsync(_ => Nothing(one.Sequence), cancellationToken);
                    break;
                case SwapEntry swap:
                    liveModel.Swap(liveModel.Serving.Model.With(swap.Swap.Group, swap.Model ?? modelOf(swap.Swap)), swap.Swap);
                    await TellAllAsync(_ => Nothing(one.Sequence), cancellationToken);
                    break;
                case TermsEntry terms:
                    // A former life's, by which other streams shared a budget: streams have been sorted by the configuration's.
                    _terms = terms.Terms.HasGroupsOf(_configured) ? terms.Terms : _terms;
                    await TellAllAsync(_ => new TermsChange(one.Sequence, _terms), cancellationToken);
                    break;
                case MaintenanceEntry maintenance:
                    _maintenance = maintenance.Windows;
                    await TellAllAsync(_ => new MaintenanceChange(one.Sequence, maintenance.Windows), cancellationToken);
                    break;
                case LabelEntry label:
                    await TellAllAsync(worker => new LabelStep(one.Sequence, ShardAt(worker, label.Stream), label), cancellationToken);
                    break;
                case AcceptEntry accept:
                    await TellAllAsync(worker => new AcceptStep(one.Sequence, ShardAt(worker, accept.Stream), accept), cancellationToken);
                    break;
                case EndQuestion or VoidEntry or AcknowledgeEntry:
                    await TellAllAsync(_ => Nothing(one.Sequence), cancellationToken);
                    break;
            }
        }

        // Here every entry taken has been handed to the workers.
    }

    /// <summary>The router's part of a snapshot; from outside once <see cref="RunAsync"/> has ended.</summary>
    public RouterPart Part()
    {
        Func<RouterPart> part = BeginPart();
        places.GoOnWithCut(int.MaxValue);
        return part();
    }

    /// <summary>Reads what <see cref="Part"/> wrote; the maintenance windows and the terms that were in force then.</summary>
    /// <param name="state">Its bytes.</param>
    /// <param name="names">Streams' names that are in memory already.</param>
    public (IReadOnlyList<MaintenanceWindow> Maintenance, AlertTerms Terms) Load(byte[] state, HashSet<string> names)
    {
        using var reader = new BinaryReader(new MemoryStream(state, writable: false), Encoding.UTF8);
        places.Load(reader, names);
        _maintenance = EntryCodec.ReadWindows(reader);

        // Snapshots of before end here.
        if (reader.BaseStream.Position < reader.BaseStream.Length && EntryCodec.ReadTerms(reader) is var terms && terms.HasGroupsOf(_configured))
        {
            _terms = terms;
        }

        return (_maintenance, _terms);
    }

    /// <summary>Begins to write what holds now; the part, once the cut is whole.</summary>
    private Func<RouterPart> BeginPart()
    {
        (long at, IReadOnlyList<MaintenanceWindow> maintenance, AlertTerms terms, BaseModel model) = (_at, _maintenance, _terms, liveModel.Serving.Model);
        PlacesCut cut = places.Cut();
        return () =>
        {
            EntryCodec.Write(cut.Writer, maintenance);
            EntryCodec.Write(cut.Writer, terms);
            return new RouterPart(at, cut.End(), model);
        };
    }

    private void Answer(RouterQuestion question)
    {
        if (!question.WithState)
        {
            question.Answer.TrySetResult(new RouterPart(_at, [], liveModel.Serving.Model));
            return;
        }

        _cut = (BeginPart(), question.Answer);
    }

    private void GoOnWithCut()
    {
        if (_cut is var (part, answer) && places.GoOnWithCut(PlacesAtATime))
        {
            _cut = null;
            answer.TrySetResult(part());
        }
    }

    private ShardBatch Nothing(long sequence) => new(sequence, [], liveModel.Serving.Model, default, default);

    private int ShardAt(int worker, string stream) => HomeOf(stream) is var shard && shard % inboxes.Count == worker ? shard : -1;

    private async ValueTask TellAllAsync(Func<int, WorkerMessage> message, CancellationToken cancellationToken)
    {
        for (int worker = 0; worker < inboxes.Count; worker++)
        {
            await inboxes[worker].WriteAsync(message(worker), cancellationToken);
        }
    }

    private async ValueTask RouteAsync(Sequenced one, ObservationBatch batch, bool isKnown, CancellationToken cancellationToken)
    {
        Dictionary<string, StreamBirth> begins = new(StringComparer.Ordinal);

        foreach (ref readonly Observation observation in batch.Observations.Span)
        {
            string stream = observation.Stream ?? "";

            if (!isKnown && places.Route(observation) is { } birth)
            {
                begins.Add(stream, birth);
            }

            int shard = HomeOf(stream);

            // What the shard has applied already is passed over.
            if (one.Sequence > CutOf(stream, shard))
            {
                _byShard[shard].Add(observation);
            }
        }

        IReadOnlyList<ResizedStream> made = places.TakeResized();

        foreach (ResizedStream what in made)
        {
            // One that has only begun begins as it is now.
            if (begins.ContainsKey(what.Stream))
            {
                begins[what.Stream] = new StreamBirth(what.Form, OwnWeights: false);
            }
        }

        (int Shard, ResizedStream What)[] resized = Resized(one.Sequence, made.Where(what => !begins.ContainsKey(what.Stream)));

        for (int worker = 0; worker < inboxes.Count; worker++)
        {
            await inboxes[worker].WriteAsync(
                new ShardBatch(one.Sequence, TakeShardsOf(worker), liveModel.Serving.Model, batch.IngestedAt, batch.Trace) { Source = batch.Source, Begins = begins, Resized = OfWorker(resized, worker), IsReplayed = one.IsReplayed },
                cancellationToken);
        }
    }

    /// <summary>Each with its shard; without those that their shard knows of already.</summary>
    private (int Shard, ResizedStream What)[] Resized(long sequence, IEnumerable<ResizedStream> made) =>
        [.. made.Select(what => (Shard: HomeOf(what.Stream), What: what)).Where(one => sequence > CutOf(one.What.Stream, one.Shard))];

    private (int Shard, ResizedStream What)[] OfWorker((int Shard, ResizedStream What)[] resized, int worker) =>
        resized.Length == 0 ? resized : [.. resized.Where(one => one.Shard % inboxes.Count == worker)];

    /// <summary>Up to where a stream is known to its shard from the snapshot.</summary>
    private long CutOf(string stream, int shard) => Moved.Count > 0 && Moved.TryGetValue(stream, out long cut) ? cut : restored.Cuts[shard];

    private List<(int Shard, Observation[] Observations)> TakeShardsOf(int worker)
    {
        List<(int, Observation[])> shards = [];

        for (int shard = worker; shard < ShardCount; shard += inboxes.Count)
        {
            if (_byShard[shard].Count > 0)
            {
                shards.Add((shard, _byShard[shard].ToArray()));
                _byShard[shard].Clear();
            }
        }

        return shards;
    }
}
