using System.Diagnostics;
using Microsoft.Data.Sqlite;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.History;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Values in roll-ups, whole incidents and their labels in SQLite. State is never recovered from it; the page and people read it.</summary>
/// <remarks>
/// How far it has got in the journal stands in the same transaction as what it was told: after a kill it passes over what it has. Values have a
/// place of their own there, as they are written with each snapshot only: those behind it come again. Of very many streams they are written some
/// hundreds at a time, each such part with its place beside the names, while it takes what else there is to tell. A disk syncs one thing at a time,
/// and the journal is waited for: so only what a mark ends with is synced, as the journal is kept until then, and a rest follows each part.
/// </remarks>
internal sealed class HistorySink : IJournalSink
{
    public const string SinkName = "history";

    /// <summary>Streams whose values are written in one transaction: some ten milliseconds, for which events wait.</summary>
    private const int StreamsEach = 500;
    private const int StretchesEach = 5_000;

    private static readonly TimeSpan RetentionInterval = TimeSpan.FromHours(1);

    private readonly HistorySinkOptions _options;
    private readonly TimeProvider _time;
    private readonly Action _toldOtherwise;
    private readonly ILogger _logger;
    private readonly HistoryFile _file;
    private readonly Lock _gate = new();                // what writes to the file: the lane, and values beside it
    private readonly SemaphoreSlim _oneMark = new(1);
    private readonly Dictionary<string, long> _ahead;   // streams whose values were written beyond _valuesPosition before a kill, and how far
    private Task _makingRoom = Task.CompletedTask;
    private DateTimeOffset _nextRetention;
    private long _position;         // of the last entry whose events are written
    private long _valuesPosition;   // of the last entry whose values are written
    private long _taken = -1;       // of the last entry taken

    public HistorySink(HistorySinkOptions options, string path, TimeProvider time, ILogger<HistorySink> logger, Action? toldOtherwise = null, int stretchesMax = int.MaxValue)
    {
        (_logger, _toldOtherwise) = (logger, toldOtherwise ?? (() => { }));
        _options = options;
        Recent = new RollUps(stretchesMax);
        _time = time;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);

        try
        {
            _file = HistoryFile.Open(path);
        }
        catch (Exception damaged) when (damaged is SqliteException or InvalidDataException)
        {
            string aside = $"{path}.{time.GetUtcNow():yyyyMMddHHmmss}.damaged";
            SqliteConnection.ClearAllPools();
            File.Move(path, aside);
            File.Delete(path + "-wal");
            File.Delete(path + "-shm");
            LogMessages.HistorySetAside(logger, path, damaged.Message, aside);
            _file = HistoryFile.Open(path);
        }

        _nextRetention = time.GetUtcNow();
        ConnectionString = new SqliteConnectionStringBuilder(HistoryFile.Text(path)) { Pooling = true }.ToString();
        (_position, _valuesPosition, _ahead) = (_file.Position, _file.ValuesPosition, _file.ValuesAhead());

        if (_file.HasThinnedScores)
        {
            TakeOverThinnedScores();
        }
    }

    public string Name => SinkName;

    public long Told => _position;

    public bool TakesWhileMarking => true;

    /// <summary>For readers, each with a connection of its own.</summary>
    public string ConnectionString { get; }

    /// <summary>Values that are not in the file yet.</summary>
    public RollUps Recent { get; }

    /// <summary>Takes out what was told behind a place in the journal, which ends there.</summary>
    public void TakeBack(long end)
    {
        _file.TakeBack(end);
        (_position, _valuesPosition) = (Math.Min(_position, end), Math.Min(_valuesPosition, end));

        foreach (string stream in _ahead.Keys.ToList())
        {
            _ahead[stream] = Math.Min(_ahead[stream], end);
        }
    }

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        Take(batch);

        if (Recent.IsFull)
        {
            // Values that come while others are written have as much room once more; beyond that they wait. What failed is told here.
            (Task before, _makingRoom) = (_makingRoom, Task.CompletedTask);
            await before;
            _makingRoom = Recent.IsFull ? MarkAsync(cancellationToken).AsTask() : Task.CompletedTask;
        }
    }

    public async ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        await _oneMark.WaitAsync(cancellationToken);

        try
        {
            long end;

            lock (_gate)
            {
                end = _taken = Math.Max(_taken, _position);
                Recent.Leave();
            }

            await Task.Run(() => WriteLeaving(end, cancellationToken), cancellationToken);
            return end.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        finally
        {
            _oneMark.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _makingRoom.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            if (!Recent.IsEmpty)
            {
                await MarkAsync(CancellationToken.None);
            }
        }
        finally
        {
            _oneMark.Dispose();
            _file.Dispose();
        }
    }

    private void Take(ScoredBatch batch)
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            bool isNew = batch.Sequence > _position;

            if (batch.Sequence > Math.Max(_taken, _valuesPosition))
            {
                // Once, also where its writing fails below and it comes again.
                Recent.Add(_ahead.Count == 0 ? batch.Observations : batch.Observations.Where(one => _ahead.GetValueOrDefault(one.Stream, -1) < batch.Sequence));
            }

            _taken = Math.Max(_taken, batch.Sequence);

            if (!isNew && batch.IsReplayed)
            {
                // What is told again must be what was told before, as far as it is still kept.
                foreach (IncidentEvent incident in EventTables.ToldOtherwise(_file.Connection, batch))
                {
                    LogMessages.IncidentToldOtherwise(_logger, incident.Id);
                    _toldOtherwise();
                }
            }

            string[] deleted = batch.Sequence > _valuesPosition ? [.. batch.Forgotten.Where(gone => gone.Reason == ForgetReason.Asked).Select(gone => gone.Stream)] : [];
            bool tells = deleted.Length > 0 || (isNew && (batch.Incidents.Count > 0 || batch.Swaps.Count > 0 || batch.Label is not null || batch.Acknowledged is not null));
            bool forgets = now >= _nextRetention;

            if (tells || forgets)
            {
                using SqliteTransaction transaction = _file.Connection.BeginTransaction();

                if (isNew)
                {
                    EventTables.Write(_file.Connection, transaction, batch);
                    EventTables.MoveTo(_file.Connection, transaction, batch.Sequence);
                }

                foreach (string stream in deleted)
                {
                    // Incidents, and what people said of them, stay: they were told.
                    ValueBlocks.Remove(_file.Connection, transaction, stream);
                    Recent.Remove(stream);
                }

                if (forgets)
                {
                    EventTables.Forget(_file.Connection, transaction, now - _options.IncidentRetention);
                }

                KillPoint.Pass(KillPoint.R3HistoryNotCommitted);
                transaction.Commit();
                _position = Math.Max(_position, batch.Sequence);
                _nextRetention = forgets ? now + RetentionInterval : _nextRetention;
            }
        }
    }

    /// <summary>Writes the values that are on their way, a part at a time; with the last part the file has all up to a place in the journal.</summary>
    private void WriteLeaving(long end, CancellationToken cancellationToken)
    {
        InParts(() =>
        {
            IReadOnlyDictionary<string, List<RollUp>> part = Recent.NextLeaving(StreamsEach, StretchesEach);
            bool isLast = Recent.IsAllLeaving(part);
            _file.SyncCommits(isLast);

            try
            {
                using SqliteTransaction transaction = _file.Connection.BeginTransaction();
                ValueBlocks.Write(_file.Connection, transaction, part, end);

                if (isLast)
                {
                    ValueBlocks.Write(_file.Connection, transaction, Recent.LeavingOdd());
                    EventTables.MoveValuesTo(_file.Connection, transaction, end);
                }

                transaction.Commit();
            }
            finally
            {
                _file.SyncCommits(false);
            }

            Recent.Left(part.Keys);

            if (isLast)
            {
                (_position, _valuesPosition) = (Math.Max(_position, end), Math.Max(_valuesPosition, end));
                _ahead.Clear();
            }

            return isLast;
        }, cancellationToken);

        InParts(() =>
        {
            using SqliteTransaction transaction = _file.Connection.BeginTransaction();
            bool fits = ValueBlocks.Bound(_file.Connection, transaction, _options.ValuesMib * 1024L * 1024L);
            transaction.Commit();
            return fits;
        }, cancellationToken);
    }

    /// <summary>Does a part after the other until one was the last. Between two, others get their turn at the file, and, as long again, at the disk.</summary>
    private void InParts(Func<bool> part, CancellationToken cancellationToken)
    {
        for (bool isLast = false; !isLast;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long begun = Stopwatch.GetTimestamp();

            lock (_gate)
            {
                isLast = part();
            }

            if (!isLast)
            {
                Thread.Sleep(Stopwatch.GetElapsedTime(begun));
            }
        }
    }

    /// <summary>What versions before 5 of the file kept: one row for each ten seconds, the one with the highest score.</summary>
    private void TakeOverThinnedScores()
    {
        using SqliteTransaction transaction = _file.Connection.BeginTransaction();

        using (SqliteCommand command = _file.Connection.CreateCommand())
        {
            command.Transaction = transaction;
            command.CommandText = "SELECT stream, time, value, score, expected, lower, upper FROM score";
            using SqliteDataReader rows = command.ExecuteReader();

            while (rows.Read())
            {
                Recent.Add([new ScoredObservation(
                    rows.GetString(0), new DateTimeOffset(rows.GetInt64(1), TimeSpan.Zero), rows.GetDouble(2), Lifecycle.Active, Progress: 1, ModelVersion: 0)
                {
                    AnomalyScore = rows.GetDouble(3) / 100,
                    Expected = rows.IsDBNull(4) ? null : rows.GetDouble(4),
                    Lower = rows.IsDBNull(5) ? null : rows.GetDouble(5),
                    Upper = rows.IsDBNull(6) ? null : rows.GetDouble(6),
                }]);

                if (Recent.IsFull)
                {
                    WriteAll(transaction);
                }
            }
        }

        WriteAll(transaction);

        using (SqliteCommand drop = _file.Connection.CreateCommand())
        {
            (drop.Transaction, drop.CommandText) = (transaction, "DROP TABLE score");
            drop.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    private void WriteAll(SqliteTransaction transaction)
    {
        Recent.Leave();
        IReadOnlyDictionary<string, List<RollUp>> all = Recent.NextLeaving(int.MaxValue, int.MaxValue);
        ValueBlocks.Write(_file.Connection, transaction, all, _valuesPosition);
        ValueBlocks.Write(_file.Connection, transaction, Recent.LeavingOdd());
        Recent.Left(all.Keys);
    }
}
