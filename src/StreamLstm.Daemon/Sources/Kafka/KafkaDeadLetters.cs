using System.Globalization;
using System.Text;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sources.Kafka;

/// <summary>Records that could not be read, as they came, in a topic of the same cluster: with what was wrong and where they stood.</summary>
/// <remarks>
/// A record is there before the source's position passes it, so a kill may bring it twice and loses none. A topic that does not
/// take it holds nothing up: it is told, and the file of dead letters has the record's beginning.
/// </remarks>
/// <param name="topic">Where they go.</param>
/// <param name="access">The cluster.</param>
internal sealed class KafkaDeadLetters(string topic, KafkaAccess access) : IDisposable
{
    private readonly List<KafkaMessage> _waiting = [];
    private KafkaWriter? _writer;

    /// <summary>Why the last ones were not taken; null where they were.</summary>
    public KafkaTrouble? Trouble { get; private set; }

    /// <summary>A record as it came, with what is wrong with it.</summary>
    /// <param name="topic">Where it goes.</param>
    /// <param name="record">The record.</param>
    /// <param name="reason">For machines: one word.</param>
    /// <param name="detail">For people: the field, the value and what was expected.</param>
    public static KafkaMessage Of(string topic, KafkaRecord record, string reason, string detail) => new(
        topic, record.Key, record.Value,
        [
            .. record.AllHeaders(),
            ("streamlstm.reason", Encoding.UTF8.GetBytes(reason)),
            ("streamlstm.detail", Encoding.UTF8.GetBytes(detail)),
            ("streamlstm.topic", Encoding.UTF8.GetBytes(record.Partition.Topic)),
            ("streamlstm.partition", Text(record.Partition.Number)),
            ("streamlstm.offset", Text(record.Offset)),
        ]);

    /// <summary>Keeps a record until <see cref="WriteAsync"/>.</summary>
    public void Add(KafkaRecord record, string reason, string detail) => _waiting.Add(Of(topic, record, reason, detail));

    /// <summary>Keeps a letter until <see cref="WriteAsync"/>.</summary>
    public void Add(KafkaMessage letter) => _waiting.Add(letter);

    /// <summary>Writes what was kept; ends once the brokers have it, or do not take it.</summary>
    public async Task WriteAsync(CancellationToken stopping)
    {
        if (_waiting.Count == 0)
        {
            return;
        }

        try
        {
            _writer ??= new KafkaWriter(access);
            await _writer.WriteAsync(_waiting, stopping);
            Trouble = null;
        }
        catch (KafkaTroubleException refused)
        {
            Trouble = refused.Trouble;
            await Task.Run(_writer!.Dispose, CancellationToken.None);
            _writer = null;
        }

        _waiting.Clear();
    }

    public void Dispose() => _writer?.Dispose();

    private static byte[] Text(long number) => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));
}
