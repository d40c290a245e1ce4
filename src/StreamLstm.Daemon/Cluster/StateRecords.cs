using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace StreamLstm.Daemon.Cluster;

/// <summary>A record of the topic of state.</summary>
/// <param name="Key">What it is about.</param>
/// <param name="Value">What is so from here on; null where there is no such thing any more.</param>
internal readonly record struct StateRecord(string Key, byte[]? Value);

/// <summary>What the topic of state holds of one partition: the last record of each key counts.</summary>
/// <remarks>
/// Keys are "partition", "told", "weights", "groups", "births:NODE" and "stream:PIECE:NAME". A stream's bytes are pieces below what
/// a broker takes by default, each with how many there are and as of where: what a compaction has left of a longer one is not taken for part of it.
/// </remarks>
internal sealed class StateRecords
{
    public const string Partition = "partition";
    public const string Told = "told";
    public const string Weights = "weights";
    public const string Groups = "groups";
    private const string Births = "births:";
    private const string Stream = "stream:";
    private const int PieceMaxBytes = 768 << 10;
    private const int PieceHeadBytes = sizeof(int) + sizeof(long);

    private readonly Dictionary<string, byte[]> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _pieces = new(StringComparer.Ordinal);   // by stream, of those that the topic holds

    /// <summary>Takes the next record of the topic.</summary>
    public void Take(byte[] key, byte[]? value)
    {
        string text = Encoding.UTF8.GetString(key);

        if (value is null)
        {
            _values.Remove(text);
        }
        else
        {
            _values[text] = value;
        }
    }

    /// <summary>The value of a key; null where there is none.</summary>
    public byte[]? Of(string key) => _values.GetValueOrDefault(key);

    /// <summary>What births of Sparkplug B have told.</summary>
    public IEnumerable<(string Node, string Told)> BirthsTold() =>
        _values.Where(pair => pair.Key.StartsWith(Births, StringComparison.Ordinal)).Select(pair => (pair.Key[Births.Length..], Encoding.UTF8.GetString(pair.Value)));

    /// <summary>Each stream's bytes, in the order of names; the records are let go of with it.</summary>
    /// <exception cref="InvalidDataException">Pieces are missing.</exception>
    public IEnumerable<(string Name, byte[] Bytes)> TakeStreams()
    {
        string first = $"{Stream}0:";

        foreach (string name in _values.Keys.Where(key => key.StartsWith(first, StringComparison.Ordinal)).Select(key => key[first.Length..]).Order(StringComparer.Ordinal).ToArray())
        {
            (int count, long at, _) = Read(_values[Key(name, 0)]);
            byte[][] pieces = [.. Enumerable.Range(0, count).Select(piece =>
                _values.Remove(Key(name, piece), out byte[]? value) && Read(value) is var (of, asOf, bytes) && of == count && asOf == at
                    ? bytes
                    : throw new InvalidDataException($"piece {piece} of {count} of stream '{name}' as of offset {at} is not there"))];
            _pieces[name] = count;
            yield return (name, pieces.Length == 1 ? pieces[0] : [.. pieces.SelectMany(piece => piece)]);
        }

        _values.Clear();
    }

    /// <summary>A stream's records.</summary>
    /// <param name="name">The stream.</param>
    /// <param name="bytes">Its bytes; null where it is no more.</param>
    /// <param name="at">The offset as of which they are.</param>
    public IEnumerable<StateRecord> OfStream(string name, ReadOnlyMemory<byte>? bytes, long at)
    {
        int count = bytes is { } there ? Math.Max(1, (there.Length + PieceMaxBytes - 1) / PieceMaxBytes) : 0;
        int before = _pieces.GetValueOrDefault(name);

        for (int piece = 0; piece < count; piece++)
        {
            ReadOnlyMemory<byte> part = bytes!.Value[(piece * PieceMaxBytes)..Math.Min(bytes.Value.Length, (piece + 1) * PieceMaxBytes)];
            byte[] value = new byte[PieceHeadBytes + part.Length];
            BinaryPrimitives.WriteInt32LittleEndian(value, count);
            BinaryPrimitives.WriteInt64LittleEndian(value.AsSpan(sizeof(int)), at);
            part.CopyTo(value.AsMemory(PieceHeadBytes));
            yield return new StateRecord(Key(name, piece), value);
        }

        for (int piece = count; piece < before; piece++)
        {
            yield return new StateRecord(Key(name, piece), null);
        }

        if (count > 0)
        {
            _pieces[name] = count;
        }
        else
        {
            _pieces.Remove(name);
        }
    }

    public static StateRecord OfBirth(string node, string told) => new(Births + node, Encoding.UTF8.GetBytes(told));

    private static string Key(string name, int piece) => string.Create(CultureInfo.InvariantCulture, $"{Stream}{piece}:{name}");

    private static (int Count, long At, byte[] Bytes) Read(byte[] value) => value.Length < PieceHeadBytes
        ? throw new InvalidDataException($"a piece of {value.Length} bytes, expected {PieceHeadBytes} or more")
        : (BinaryPrimitives.ReadInt32LittleEndian(value), BinaryPrimitives.ReadInt64LittleEndian(value.AsSpan(sizeof(int))), value[PieceHeadBytes..]);
}
