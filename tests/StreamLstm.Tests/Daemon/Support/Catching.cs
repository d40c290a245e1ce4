using System.Threading.Channels;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Daemon.Sources;
using StreamLstm.Detection;

namespace StreamLstm.Tests.Daemon.Support;

/// <summary>Keeps dead letters in memory.</summary>
internal sealed class CaughtLetters : IDeadLetters
{
    public List<(string Source, RejectionReason Reason, string Detail)> Letters { get; } = [];

    public void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload)
    {
        lock (Letters)
        {
            Letters.Add((source, reason, detail));
        }
    }
}

/// <summary>An intake whose batches can be read again.</summary>
internal sealed class CaughtIntake
{
    private readonly Channel<ObservationBatch> _channel = Channel.CreateBounded<ObservationBatch>(1024);

    public CaughtIntake() => Intake = new ObservationIntake(_channel.Writer, Ledger, Letters);

    public Ledger Ledger { get; } = new();

    public CaughtLetters Letters { get; } = new();

    public ObservationIntake Intake { get; }

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
                await intake.AcceptAsync(new ObservationBatch(Name, batch, batch[^1].Time, Trace), stopping);
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
