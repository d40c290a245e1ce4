using System.Globalization;
using System.Text;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Sinks.Kafka;

/// <summary>Incidents, and scores where asked for, as records of a Kafka cluster: each at least once with the same id, or exactly once for who reads what is committed.</summary>
/// <remarks>
/// What came of one entry of the journal is written together, and where the sink stands is the entry's place: in a file that is
/// replaced behind the brokers' answer, or, exactly once, a record in the same transaction. After any failure the writer is
/// replaced, and what it was writing is written again unless its transaction was committed: the cursor says so.
/// </remarks>
internal sealed class KafkaSink : IJournalSink, IConnectedSink
{
    private readonly KafkaSinkOptions _options;
    private readonly string _key;
    private readonly KafkaAccess _access;
    private readonly string? _transactionalId;
    private readonly string _cursorTopic;
    private readonly string _cursorFile;
    private KafkaWriter? _writer;
    private readonly long _journalEnd;
    private readonly Action<long, string> _endsEarly;
    private bool _isRecovered;
    private bool _isFirst = true;
    private long _done;

    /// <param name="options">Where, and what.</param>
    /// <param name="index">Its place in sinks.kafka.</param>
    /// <param name="instance">Names this storage directory.</param>
    /// <param name="cursorFile">Says how far it is, where the cluster does not.</param>
    /// <param name="mark">Where it stood at the last snapshot; null where it never did.</param>
    /// <param name="journalEnd">The last entry of former lives: what the cluster says beyond it is of a journal whose end is gone, and says nothing of the entries that took its place.</param>
    /// <param name="endsEarly">Hears the place that the cluster holds, and the sink's name, where that is so.</param>
    public KafkaSink(KafkaSinkOptions options, int index, string instance, string cursorFile, string? mark, long journalEnd, Action<long, string> endsEarly)
    {
        (_journalEnd, _endsEarly) = (journalEnd, endsEarly);
        Name = NameOf(options, index);
        (_options, _key, _cursorFile) = (options, $"sinks.kafka.{index}", cursorFile);
        _access = options.Access($"streamlstm-{instance}-out-{Name}");
        _transactionalId = !options.ExactlyOnce ? null : options.TransactionalId.Length > 0 ? options.TransactionalId : $"streamlstm-{instance}-{Name}";
        _cursorTopic = options.CursorTopic.Length > 0 ? options.CursorTopic : $"{options.Topic}.cursor";
        _done = Math.Max(Place(mark), File.Exists(cursorFile) ? Place(File.ReadAllText(cursorFile)) : -1);

        try
        {
            // Now, and not with the first incident: that nobody is there to take it is known before it is needed.
            _writer = new KafkaWriter(_access, _transactionalId, _cursorTopic);
        }
        catch (ArgumentException)
        {
            // Said when something is to be written.
        }
    }

    public string Name { get; }

    public long Told => _done;

    public static string NameOf(KafkaSinkOptions options, int index) => options.Name.Length > 0 ? options.Name : index == 0 ? "kafka" : $"kafka.{index}";

    public string? Trouble => _writer?.Trouble is { } trouble ? Words(trouble) : null;

    public bool Takes(ScoredBatch batch) => batch.Incidents.Count > 0 || (_options.ScoresTopic.Length > 0 && batch.Observations.Count > 0);

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            _writer ??= new KafkaWriter(_access, _transactionalId, _cursorTopic);

            if (_transactionalId is not null && !_isRecovered)
            {
                _done = Math.Max(_done, Known(Place(await _writer.RecoverAsync())));
                (_isRecovered, _isFirst) = (true, false);
            }

            if (batch.Sequence <= _done)
            {
                return;
            }

            string place = batch.Sequence.ToString(CultureInfo.InvariantCulture);
            List<KafkaMessage> messages = KafkaEvents.Of(_options, batch, place);

            if (_transactionalId is null)
            {
                await _writer.WriteAsync(messages, cancellationToken);
                Keep(place);
            }
            else
            {
                await _writer.CommitAsync(messages, place, cancellationToken);
            }

            _done = batch.Sequence;
        }
        catch (Exception refused) when (refused is KafkaTroubleException or ArgumentException or InvalidOperationException)
        {
            // What of it is there is not known: what comes next is written by another, which finds out.
            KafkaTrouble? why = _writer?.Trouble;
            KafkaWriter? former = _writer;
            (_writer, _isRecovered) = (null, false);
            await Task.Run(() => former?.Dispose(), CancellationToken.None);
            throw new IOException(
                refused is not KafkaTroubleException { Trouble: var said } ? $"{_key}: librdkafka refuses: {refused.Message}" : Words(said.IsVague ? why ?? said : said),
                refused);
        }
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_done.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync() => await Task.Run(() => _writer?.Dispose());

    private string Words(KafkaTrouble trouble) => _options.Words(_key, trouble).Replace($"{_key}.topics", $"{_key}.topic", StringComparison.Ordinal);

    /// <summary>What of the cluster's place counts: what this life wrote, and of former ones what the journal has.</summary>
    private long Known(long place)
    {
        if (!_isFirst || place <= _journalEnd)
        {
            return place;
        }

        _endsEarly(place, Name);
        return _journalEnd;
    }

    private static long Place(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long place) ? place : -1;

    /// <summary>Not synced: what a power loss takes of it is written again.</summary>
    private void Keep(string place) => ReplacedFile.Write(_cursorFile, Encoding.ASCII.GetBytes(place), isSynced: false);
}
