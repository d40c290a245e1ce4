using System.Threading.Channels;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>What people, rules and the retrainer decide: each decision is an entry of the journal, and holds for what is taken in behind it.</summary>
/// <param name="handed">The way to the journal, which observations go too.</param>
/// <param name="time">When it was decided.</param>
internal sealed class Decisions(ChannelWriter<Handed> handed, TimeProvider time)
{
    /// <summary>Puts new base weights into service for what is taken in afterwards. Their file is durable by now.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public Task SwapAsync(BaseModel model, ModelSwap swap, CancellationToken cancellationToken) =>
        DecideAsync(new SwapEntry(swap) { Model = model }, cancellationToken);

    /// <summary>Other maintenance windows hold for what is taken in afterwards.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public Task MaintainAsync(IReadOnlyList<MaintenanceWindow> windows, CancellationToken cancellationToken) =>
        DecideAsync(new MaintenanceEntry(windows), cancellationToken);

    /// <summary>Other things are asked of alerts of what is taken in afterwards.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public Task AskAsync(AlertTerms terms, CancellationToken cancellationToken) => DecideAsync(new TermsEntry(terms), cancellationToken);

    /// <summary>Other bounds on streams hold for what is taken in afterwards.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public Task LimitAsync(StreamLimits limits, CancellationToken cancellationToken) => DecideAsync(new LimitsEntry(limits), cancellationToken);

    /// <summary>Has a stream forgotten: what comes under its name afterwards is a new one.</summary>
    /// <returns>Whether there was such a stream, and the decision's place in the journal.</returns>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public async Task<(bool WasKnown, long Sequence)> ForgetAsync(string stream, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<(bool, long)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await DecideAsync(new ForgetEntry(stream, time.GetUtcNow()) { Answer = answer }, cancellationToken);
        return await answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Takes a person's word that a stream's present level is its new normal.</summary>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public async Task<AcceptOutcome> AcceptAsync(string stream, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<AcceptOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        await DecideAsync(new AcceptEntry(stream, time.GetUtcNow()) { Answer = answer }, cancellationToken);
        return await answer.AwaitAsync(cancellationToken);
    }

    /// <summary>Takes a person's word on an incident: it holds for what the stream's owner scores afterwards.</summary>
    /// <returns>What became of it, and its place in the journal.</returns>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public async Task<(LabelOutcome Outcome, long Sequence)> LabelAsync(
        string stream, string incidentId, IncidentLabel? label, string note, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<(LabelOutcome, long)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await DecideAsync(new LabelEntry(stream, incidentId, label, note, now) { Answer = answer }, cancellationToken);
        return await answer.AwaitAsync(cancellationToken);
    }

    /// <summary>Takes notice that a person looks after an incident, or with an empty name does no longer.</summary>
    /// <returns>Its place in the journal.</returns>
    /// <exception cref="ChannelClosedException">Scoring has ended.</exception>
    /// <exception cref="NotTakenException">It could not be written down, and does not hold.</exception>
    public Task<long> AcknowledgeAsync(string incidentId, string by, string note, DateTimeOffset now, CancellationToken cancellationToken) =>
        DecideAsync(new AcknowledgeEntry(incidentId, by, note, now), cancellationToken);

    /// <summary>R4: a decision is on the disk before it holds.</summary>
    private async Task<long> DecideAsync(Entry decision, CancellationToken cancellationToken)
    {
        var onDisk = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        await handed.WriteAsync(new Handed(decision, onDisk), cancellationToken);
        long sequence = await onDisk.AwaitAsync(cancellationToken);
        KillPoint.Pass(KillPoint.R4OnDiskNotInForce);
        return sequence;
    }
}
