using System.Buffers;
using System.Buffers.Text;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;

namespace StreamLstm.Daemon.Sources.Mqtt;

/// <summary>Recognises publications that were taken in, and come again because the broker has not seen their acknowledgement.</summary>
/// <remarks>
/// A broker sends them again in the same session, under the same packet identifier, marked as duplicates. Acknowledgements go out
/// in order, and a broker that has answered a ping has read those before it: what came since is all there can be. The receive
/// maximum is no bound of it: mosquitto 2.0.11 was seen with 61,000 under way where 1,000 were allowed, after a session went on.
/// Those are kept, in memory and in the journal beside the observations they brought. What comes again must also hold the same:
/// an identifier is used again for other messages later on.
/// </remarks>
/// <param name="least">How many publications are kept at least.</param>
internal sealed class RedeliveryFilter(int least)
{
    private const int EntryBytes = 9;    // identifier and 56 bits of hash: 12 characters without padding
    private const int EntryChars = 12;
    private const ulong HashMask = (1UL << 56) - 1;

    private readonly ulong[] _hashOf = new ulong[ushort.MaxValue + 1];
    private readonly long[] _numberOf = new long[ushort.MaxValue + 1];
    private long _confirmed;

    /// <summary>The number of the last publication, of all there were.</summary>
    public long Number { get; private set; }

    /// <summary>How many were taken in since the last of which the broker is known to have read the acknowledgement.</summary>
    public long Unconfirmed => Number - _confirmed;

    private long Window => Math.Clamp(Unconfirmed, least, ushort.MaxValue);

    /// <summary>What a publication is told from another one with the same identifier by.</summary>
    public static ulong HashOf(string topic, ReadOnlySpan<byte> payload)
    {
        var hash = new XxHash3();
        hash.Append(MemoryMarshal.AsBytes(topic.AsSpan()));
        hash.Append([0]);
        hash.Append(payload);
        return hash.GetCurrentHashAsUInt64() & HashMask;
    }

    public void Add(PublicationKey publication)
    {
        _hashOf[publication.PacketIdentifier] = publication.Hash;
        _numberOf[publication.PacketIdentifier] = ++Number;
    }

    /// <summary>It was not taken in after all.</summary>
    public void Remove(PublicationKey publication)
    {
        if (_hashOf[publication.PacketIdentifier] == publication.Hash)
        {
            _numberOf[publication.PacketIdentifier] = 0;
        }
    }

    public bool Knows(PublicationKey publication) =>
        _numberOf[publication.PacketIdentifier] is var number and > 0 && Number - number < Window
        && _hashOf[publication.PacketIdentifier] == publication.Hash;

    /// <summary>The broker has read the acknowledgements of publications up to this number: they do not come again.</summary>
    public void Confirm(long number) => _confirmed = Math.Max(_confirmed, number);

    /// <summary>The session is a new one: nothing of the former one comes again.</summary>
    public void Clear()
    {
        Array.Clear(_numberOf);
        _confirmed = Number;
    }

    /// <summary>Publications as the text that stands in the journal beside their observations; <see cref="Messages.SourcePosition"/> puts such texts together.</summary>
    public string Write(IEnumerable<PublicationKey> publications)
    {
        var text = new StringBuilder($"+{Window * EntryChars}:");
        Span<byte> entry = stackalloc byte[EntryBytes];

        foreach (PublicationKey publication in publications)
        {
            entry[0] = (byte)(publication.PacketIdentifier >> 8);
            entry[1] = (byte)publication.PacketIdentifier;

            for (int i = 0; i < 7; i++)
            {
                entry[2 + i] = (byte)(publication.Hash >> (8 * i));
            }

            text.Append(Base64Url.EncodeToString(entry));
        }

        return text.ToString();
    }

    /// <summary>Knows again what former lives wrote; text that is none of it is passed over.</summary>
    public void Read(string? written)
    {
        int begin = written?.IndexOf(':', StringComparison.Ordinal) ?? -1;

        Span<byte> entry = stackalloc byte[EntryBytes];

        for (int at = begin + 1; begin >= 0 && at + EntryChars <= written!.Length; at += EntryChars)
        {
            if (Base64Url.DecodeFromChars(written.AsSpan(at, EntryChars), entry, out _, out int read) != OperationStatus.Done || read != EntryBytes)
            {
                return;
            }

            ulong hash = 0;

            for (int i = 0; i < 7; i++)
            {
                hash |= (ulong)entry[2 + i] << (8 * i);
            }

            Add(new PublicationKey((ushort)((entry[0] << 8) | entry[1]), hash));
        }
    }
}

/// <summary>What a publication is known by.</summary>
/// <param name="PacketIdentifier">Its number in the session.</param>
/// <param name="Hash">Of its topic and payload.</param>
internal readonly record struct PublicationKey(ushort PacketIdentifier, ulong Hash);
