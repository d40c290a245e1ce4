using System.Text;

namespace StreamLstm.Daemon.Messages;

/// <summary>What a request was answered, to be answered again.</summary>
/// <param name="Key">What its sender calls it; empty where it is not to be known again.</param>
/// <param name="BodyHash">XXH3 of what it brought.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Answer">The body, JSON.</param>
internal sealed record Receipt(string Key, ulong BodyHash, int Status, byte[] Answer)
{
    /// <summary>Gets what scoring made of it, once it has.</summary>
    public TaskCompletionSource<ScoredCounts> Scored { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Write(BinaryWriter writer)
    {
        writer.Write(Key);
        writer.Write(BodyHash);
        writer.Write((short)Status);
        writer.Write7BitEncodedInt(Answer.Length);
        writer.Write(Answer);
    }

    public static Receipt Read(BinaryReader reader) =>
        new(reader.ReadString(), reader.ReadUInt64(), reader.ReadInt16(), reader.ReadBytes(reader.Read7BitEncodedInt()));
}

/// <summary>What scoring made of one entry.</summary>
/// <param name="Scored">Observations scored or learnt from.</param>
/// <param name="Refused">Observations that scoring rejected: late, duplicate and so on.</param>
/// <param name="Alerts">Incidents that it opened or raised.</param>
/// <param name="HighestScore">The highest score, 0 to 100.</param>
internal sealed record ScoredCounts(long Scored, long Refused, long Alerts, double HighestScore)
{
    /// <summary>The refused ones by the names of their reasons; null where a version counted them that kept only their sum.</summary>
    public IReadOnlyDictionary<string, long>? RefusedByReason { get; init; }
}

/// <summary>The receipts of the last 24 hours of journal time, the oldest gone first where there are too many.</summary>
/// <remarks>A function of the journal, as all behind it: a replay makes the same of it, and a snapshot holds it up to its end.</remarks>
internal sealed class Receipts(int countMax = 100_000, long bytesMax = 16L << 20)
{
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    private const int KeyOverhead = 64;

    private readonly Lock _lock = new();   // requests ask while the journal goes on
    private readonly Dictionary<string, Receipt> _byKey = new(StringComparer.Ordinal);
    private readonly Queue<(DateTimeOffset At, Receipt Receipt)> _inOrder = new();
    private long _bytes;

    /// <summary>The receipt of a key; null where there is none any more, or never was.</summary>
    public Receipt? Of(string key)
    {
        lock (_lock)
        {
            return _byKey.GetValueOrDefault(key);
        }
    }

    /// <summary>Takes notice of an entry: its receipt is kept, and what its time makes too old goes.</summary>
    public void Add(Entry entry)
    {
        lock (_lock)
        {
            switch (entry)
            {
                case ObservationsEntry { Batch: { Receipt: { Key.Length: > 0 } receipt } batch } when _byKey.TryAdd(receipt.Key, receipt):
                    _inOrder.Enqueue((batch.IngestedAt, receipt));
                    _bytes += Size(receipt);
                    Forget(batch.IngestedAt);
                    break;
                case TickEntry tick:
                    Forget(tick.Now);
                    break;
            }
        }
    }

    /// <summary>All of them as bytes: their count, each with what scoring made of it, and behind all of them the reasons, which a version before did not keep.</summary>
    public byte[] Save()
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);

        lock (_lock)
        {
            writer.Write7BitEncodedInt(_inOrder.Count);

            foreach ((DateTimeOffset at, Receipt receipt) in _inOrder)
            {
                writer.Write(at.UtcTicks);
                receipt.Write(writer);
                ScoredCounts? counts = receipt.Scored.Task.IsCompletedSuccessfully ? receipt.Scored.Task.Result : null;
                writer.Write(counts is not null);

                if (counts is not null)
                {
                    writer.Write(counts.Scored);
                    writer.Write(counts.Refused);
                    writer.Write(counts.Alerts);
                    writer.Write(counts.HighestScore);
                }
            }

            foreach ((_, Receipt receipt) in _inOrder)
            {
                WriteReasons(writer, receipt.Scored.Task.IsCompletedSuccessfully ? receipt.Scored.Task.Result.RefusedByReason : null);
            }
        }

        writer.Flush();
        return buffer.ToArray();
    }

    /// <summary>Reads what <see cref="Save"/> wrote; nothing of an empty array.</summary>
    public void Load(byte[] bytes)
    {
        if (bytes.Length == 0)
        {
            return;
        }

        using var reader = new BinaryReader(new MemoryStream(bytes, writable: false), Encoding.UTF8);
        List<(Receipt Receipt, ScoredCounts? Counts)> counted = [];

        lock (_lock)
        {
            for (int left = reader.Read7BitEncodedInt(); left > 0; left--)
            {
                var at = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
                Receipt receipt = Receipt.Read(reader);

                ScoredCounts? counts = reader.ReadBoolean() ? new(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadDouble()) : null;
                _byKey.Add(receipt.Key, receipt);
                _inOrder.Enqueue((at, receipt));
                _bytes += Size(receipt);
                counted.Add((receipt, counts));
            }

            bool hasReasons = reader.BaseStream.Position < reader.BaseStream.Length;

            foreach ((Receipt receipt, ScoredCounts? counts) in counted)
            {
                IReadOnlyDictionary<string, long>? reasons = hasReasons ? ReadReasons(reader) : null;

                if (counts is not null)
                {
                    receipt.Scored.TrySetResult(counts with { RefusedByReason = reasons });
                }
            }
        }
    }

    private static void WriteReasons(BinaryWriter writer, IReadOnlyDictionary<string, long>? reasons)
    {
        writer.Write(reasons is not null);

        if (reasons is not null)
        {
            writer.Write7BitEncodedInt(reasons.Count);

            foreach ((string reason, long count) in reasons)
            {
                writer.Write(reason);
                writer.Write(count);
            }
        }
    }

    private static Dictionary<string, long>? ReadReasons(BinaryReader reader)
    {
        if (!reader.ReadBoolean())
        {
            return null;
        }

        var reasons = new Dictionary<string, long>(StringComparer.Ordinal);

        for (int left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            reasons.Add(reader.ReadString(), reader.ReadInt64());
        }

        return reasons;
    }

    private void Forget(DateTimeOffset now)
    {
        while (_inOrder.TryPeek(out (DateTimeOffset At, Receipt Receipt) oldest)
            && (now - oldest.At > Kept || _inOrder.Count > countMax || _bytes > bytesMax))
        {
            _inOrder.Dequeue();
            _byKey.Remove(oldest.Receipt.Key);
            _bytes -= Size(oldest.Receipt);
        }
    }

    private static long Size(Receipt receipt) => (2 * receipt.Key.Length) + receipt.Answer.Length + KeyOverhead;
}
