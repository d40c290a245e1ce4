using System.Text;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Decoding;

/// <summary>What a decoder could not read: where, why, and the record itself.</summary>
/// <param name="Line">Counting from 1.</param>
/// <param name="Reason">For the books.</param>
/// <param name="Detail">For people: the field, the value and what was expected.</param>
/// <param name="Payload">The record's beginning.</param>
internal sealed record DecodeError(int Line, RejectionReason Reason, string Detail, byte[] Payload);

/// <summary>Collects what decoders read; they never throw for what the world sends.</summary>
internal sealed class Decoded(IngestStamp stamp)
{
    private const int PayloadKeptBytes = 1024;

    public List<Observation> Observations { get; } = [];

    public List<DecodeError> Errors { get; } = [];

    public void Add(string stream, DateTimeOffset? time, double value) =>
        Observations.Add(new Observation(stream, time ?? stamp.Next(), value));

    public void Add(string stream, DateTimeOffset? time, TextEvent what) =>
        Observations.Add(Observation.Of(stream, time ?? stamp.Next(), what));

    public void Reject(int line, string detail, ReadOnlySpan<byte> payload, RejectionReason reason = RejectionReason.Malformed) =>
        Errors.Add(new DecodeError(line, reason, detail, payload[..Math.Min(payload.Length, PayloadKeptBytes)].ToArray()));

    public void Reject(int line, string detail, string payload) => Reject(line, detail, Encoding.UTF8.GetBytes(payload));
}

/// <summary>The time of records that carry none: now, but never the same twice, so that two of one stream are no conflict.</summary>
internal sealed class IngestStamp(TimeProvider time)
{
    private long _lastTicks;

    public DateTimeOffset Next()
    {
        long now = time.GetUtcNow().UtcTicks;
        long last, next;

        do
        {
            last = Volatile.Read(ref _lastTicks);
            next = Math.Max(now, last + 1);
        }
        while (Interlocked.CompareExchange(ref _lastTicks, next, last) != last);

        return new DateTimeOffset(next, TimeSpan.Zero);
    }
}
