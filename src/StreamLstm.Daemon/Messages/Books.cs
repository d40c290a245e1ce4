using System.Text.Json;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Messages;

/// <summary>The books at one place of the journal, where nothing is queued: what a restart goes on from.</summary>
internal sealed class Books
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _receivedBySource = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> _rejectedByReason = new(StringComparer.Ordinal);

    private readonly SortedDictionary<string, string> _positions = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> ReceivedBySource => _receivedBySource;

    public IReadOnlyDictionary<string, long> RejectedByReason => _rejectedByReason;

    public long Scored { get; private set; }

    /// <summary>Up to where each source has been read.</summary>
    public IReadOnlyDictionary<string, string> Positions => _positions;

    /// <summary>All of one entry at once.</summary>
    public void Add(Entry entry, IEnumerable<WorkerOutput> answers)
    {
        lock (_lock)
        {
            foreach (WorkerOutput answer in answers)
            {
                Scored += answer.Parts.Sum(part => part.Scored.Length);

                for (int reason = 0; reason < answer.Rejected.Length; reason++)
                {
                    Rejected((RejectionReason)reason, answer.Rejected[reason]);
                }
            }

            switch (entry)
            {
                case ObservationsEntry { Batch: var batch }:
                    Received(batch.Source, batch.Observations.Length);

                    foreach (SourcePosition position in batch.Position?.Each() ?? [])
                    {
                        if (position.At.Length == 0)
                        {
                            _positions.Remove(position.Of);
                        }
                        else
                        {
                            _positions[position.Of] = position.After(_positions.GetValueOrDefault(position.Of));
                        }
                    }

                    break;
                case TickEntry tick:
                    foreach (RejectedCount rejected in tick.Rejected)
                    {
                        Received(rejected.Source, rejected.Count);
                        Rejected(rejected.Reason, rejected.Count);
                    }

                    break;
            }
        }
    }

    public Books Copy() => Read(Write());

    public byte[] Write()
    {
        lock (_lock)
        {
            return JsonSerializer.SerializeToUtf8Bytes(
                new Written(new(_receivedBySource), Scored, new(_rejectedByReason), new(_positions)), EventJson.Options);
        }
    }

    public static Books Read(ReadOnlySpan<byte> bytes)
    {
        Written written = JsonSerializer.Deserialize<Written>(bytes, EventJson.Options) ?? throw new InvalidDataException("no books");
        var books = new Books { Scored = written.Scored };

        foreach ((string source, long count) in written.Received)
        {
            books._receivedBySource[source] = count;
        }

        foreach ((string reason, long count) in written.Rejected)
        {
            books._rejectedByReason[reason] = count;
        }

        foreach ((string of, string at) in written.Positions)
        {
            books._positions[of] = at;
        }

        return books;
    }

    private void Received(string source, long count)
    {
        if (count > 0)
        {
            _receivedBySource[source] = _receivedBySource.GetValueOrDefault(source) + count;
        }
    }

    private void Rejected(RejectionReason reason, long count)
    {
        if (count > 0)
        {
            _rejectedByReason[reason.ToString()] = _rejectedByReason.GetValueOrDefault(reason.ToString()) + count;
        }
    }

    private sealed record Written(
        Dictionary<string, long> Received, long Scored, Dictionary<string, long> Rejected, Dictionary<string, string> Positions);
}
