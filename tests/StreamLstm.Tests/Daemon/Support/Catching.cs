using System.Threading.Channels;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Support;

/// <summary>Keeps dead letters in memory.</summary>
internal sealed class CaughtLetters : IDeadLetters
{
    public List<(string Source, RejectionReason Reason, string Detail)> Letters { get; } = [];

    public bool Takes(string source, RejectionReason reason) => true;

    public void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload)
    {
        lock (Letters)
        {
            Letters.Add((source, reason, detail));
        }
    }

    public List<(string Source, LeftOutReason Reason, string Detail, string Payload)> LeftOut { get; } = [];

    public void AddLeftOut(string source, LeftOutReason reason, string detail, ReadOnlySpan<byte> payload)
    {
        lock (Letters)
        {
            LeftOut.Add((source, reason, detail, System.Text.Encoding.UTF8.GetString(payload)));
        }
    }
}

/// <summary>An intake whose batches can be read again; each is on the disk as soon as it is handed in, unless it is refused.</summary>
internal sealed class CaughtIntake
{
    private readonly Channel<ObservationBatch> _channel = Channel.CreateBounded<ObservationBatch>(1024);

    public CaughtIntake() => Intake = new ObservationIntake(new Writer(this), Ledger, Letters, Positions, Receipts);

    public Ledger Ledger { get; } = new();

    public CaughtLetters Letters { get; } = new();

    public SourcePositions Positions { get; } = new();

    public Receipts Receipts { get; } = new();

    public ObservationIntake Intake { get; }

    /// <summary>Called behind each batch that was taken.</summary>
    public Action? OnBatch { get; set; }

    /// <summary>Why nothing is taken; null where it is.</summary>
    public string? Refusal { get; set; }

    public async Task<Observation[]> TakeAsync(int count)
    {
        List<Observation> observations = [];

        while (observations.Count < count)
        {
            ObservationBatch batch = await _channel.Reader.ReadAsync(TestContext.Current.CancellationToken);
            observations.AddRange(batch.Observations.ToArray());
        }

        return [.. observations];
    }

    public Observation[] TakeAll()
    {
        List<Observation> observations = [];

        while (_channel.Reader.TryRead(out ObservationBatch? batch))
        {
            observations.AddRange(batch.Observations.ToArray());
        }

        return [.. observations];
    }

    private sealed class Writer(CaughtIntake caught) : ChannelWriter<Handed>
    {
        public override bool TryWrite(Handed item)
        {
            ObservationBatch batch = ((ObservationsEntry)item.Entry).Batch;

            if (caught.Refusal is { } refusal)
            {
                caught.Ledger.TakeBack(batch.Source, batch.Observations.Length);
                item.OnDisk!.SetException(new NotTakenException(refusal, new IOException(refusal)));
                return true;
            }

            if (batch.Position is { } position)
            {
                caught.Positions.Set(position);
            }

            item.OnDisk!.SetResult(1);
            bool written = caught._channel.Writer.TryWrite(batch);
            caught.OnBatch?.Invoke();
            return written;
        }

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => caught._channel.Writer.WaitToWriteAsync(cancellationToken);
    }
}

/// <summary>A sink that keeps what it got, and may be slow or fail.</summary>
internal sealed class CatchingSink(Func<ScoredBatch, Task>? onBatch = null) : IScoreSink
{
    public List<ScoredBatch> Batches { get; } = [];

    public IEnumerable<ScoredObservation> Scored => Batches.SelectMany(batch => batch.Observations);

    public string Name => "catching";

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        Batches.Add(batch);

        if (onBatch is not null)
        {
            await onBatch(batch);
        }
    }

    public ValueTask DisposeAsync() => default;
}

/// <summary>The same with a promise, which may refuse to write.</summary>
internal sealed class CatchingJournalSink(Func<int> onWrite) : IJournalSink
{
    public List<ScoredBatch> Batches { get; } = [];

    public string Name => "catching_journal";

    public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        _ = onWrite();
        Batches.Add(batch);
        return default;
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken) => ValueTask.FromResult("");

    public ValueTask DisposeAsync() => default;
}

/// <summary>A source that hands in what it was given, then ends or waits to be stopped.</summary>
internal sealed class ListSource(IEnumerable<Observation[]> batches, bool waits = false) : IObservationSource
{
    public string Name => "list";

    public int HandedIn { get; private set; }

    public System.Diagnostics.ActivityContext Trace { get; init; }

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        try
        {
            foreach (Observation[] batch in batches)
            {
                await await intake.AcceptAsync(new ObservationBatch(Name, batch, batch[^1].Time, Trace), stopping);
                HandedIn += batch.Length;
            }

            if (waits)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }
}
