using Microsoft.Data.Sqlite;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks.History;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Values in roll-ups, whole incidents and their labels in SQLite. State is never recovered from it; the page and people read it.</summary>
/// <remarks>
/// How far it has got in the journal stands in the same transaction as what it was told: after a kill it passes over what it has. Values have a
/// place of their own there, as they are written with each snapshot only: those behind it come again. Of very many streams they are written some
/// thousands at a time, each such part with its place beside the names, while it takes what else there is to tell.
/// </remarks>
internal sealed class HistorySink : IJournalSink
{
    public const string SinkName = "history";

    /// <summary>Streams whose values are written in one transaction: some fifty milliseconds, for which events wait.</summary>
    private const int StreamsEach = 2_000;

    private static readonly TimeSpan RetentionInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan RestBetweenParts = TimeSpan.FromMilliseconds(2);

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
                Compare(batch);
            }

            string[] deleted = batch.Sequence > _valuesPosition ? [.. batch.Forgotten.Where(gone => gone.Reason == ForgetReason.Asked).Select(gone => gone.Stream)] : [];
            bool tells = deleted.Length > 0 || (isNew && (batch.Incidents.Count > 0 || batch.Swaps.Count > 0 || batch.Label is not null || batch.Acknowledged is not null));
            bool forgets = now >= _nextRetention;

            if (tells || forgets)
            {
                using SqliteTransaction transaction = _file.Connection.BeginTransaction();

                if (isNew)
                {
                    Write(batch, transaction);
                    MoveTo(batch.Sequence, transaction);
                }

                foreach (string stream in deleted)
                {
                    // Incidents, and what people said of them, stay: they were told.
                    ValueBlocks.Remove(_file.Connection, transaction, stream);
                    Recent.Remove(stream);
                }

                if (forgets)
                {
                    Forget(now, transaction);
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
        for (bool isLast = false; !isLast;)
        {
            cancellationToken.ThrowIfCancellationRequested();

            lock (_gate)
            {
                IReadOnlyDictionary<string, List<RollUp>> part = Recent.NextLeaving(StreamsEach);
                using SqliteTransaction transaction = _file.Connection.BeginTransaction();
                ValueBlocks.Write(_file.Connection, transaction, part, end);
                isLast = part.Count < StreamsEach;

                if (isLast)
                {
                    ValueBlocks.Write(_file.Connection, transaction, Recent.LeavingOdd());
                    ValueBlocks.Bound(_file.Connection, transaction, _options.ValuesMib * 1024L * 1024L);
                    Execute(
                        """
                        INSERT INTO cursor (one, position, values_position) VALUES (1, $position, $position)
                        ON CONFLICT (one) DO UPDATE SET position = MAX(position, $position), values_position = $position
                        """,
                        transaction, ("$position", end));
                }

                transaction.Commit();
                Recent.Left(part.Keys);

                if (isLast)
                {
                    (_position, _valuesPosition) = (Math.Max(_position, end), Math.Max(_valuesPosition, end));
                    _ahead.Clear();
                }
            }

            if (!isLast)
            {
                Thread.Sleep(RestBetweenParts);
            }
        }
    }

    /// <summary>Writes a person's word down, once however often it is told.</summary>
    private static void WriteLabel(SqliteConnection connection, SqliteTransaction transaction, LabelEntry label, long position)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            UPDATE label SET removed = $time, removed_position = $position
            WHERE incident = $incident AND removed IS NULL AND (position IS NULL OR position < $position)
                AND NOT EXISTS (SELECT 1 FROM label WHERE position = $position);
            INSERT INTO label (incident, stream, label, note, time, position)
            SELECT $incident, $stream, $label, $note, $time, $position
            WHERE $label IS NOT NULL AND NOT EXISTS (SELECT 1 FROM label WHERE position = $position);
            """;
        command.Parameters.AddWithValue("$incident", label.IncidentId);
        command.Parameters.AddWithValue("$stream", label.Stream);
        command.Parameters.AddWithValue("$label", label.Label?.ToString() ?? (object)DBNull.Value);
        command.Parameters.AddWithValue("$note", label.Note);
        command.Parameters.AddWithValue("$time", label.Now.UtcTicks);
        command.Parameters.AddWithValue("$position", position);
        command.ExecuteNonQuery();
    }

    /// <summary>Writes down who looks after an incident: of several words the last one holds.</summary>
    private static void WriteAcknowledged(SqliteConnection connection, SqliteTransaction transaction, AcknowledgeEntry said, long position)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "INSERT OR REPLACE INTO acknowledgement (position, incident, who, note, time) VALUES ($position, $incident, $who, $note, $time)";
        command.Parameters.AddWithValue("$position", position);
        command.Parameters.AddWithValue("$incident", said.IncidentId);
        command.Parameters.AddWithValue("$who", said.By);
        command.Parameters.AddWithValue("$note", said.Note);
        command.Parameters.AddWithValue("$time", said.Now.UtcTicks);
        command.ExecuteNonQuery();
    }

    /// <summary>What is told again must be what was told before, as far as it is still kept.</summary>
    private void Compare(ScoredBatch batch)
    {
        foreach (IncidentEvent incident in batch.Incidents)
        {
            using SqliteCommand command = _file.Connection.CreateCommand();
            command.CommandText = "SELECT json FROM incident_event WHERE id = $id";
            command.Parameters.AddWithValue("$id", incident.Id);

            if (command.ExecuteScalar() is string before && before != EventJson.Incident(incident))
            {
                LogMessages.IncidentToldOtherwise(_logger, incident.Id);
                _toldOtherwise();
            }
        }
    }

    private void Write(ScoredBatch batch, SqliteTransaction transaction)
    {
        foreach (IncidentEvent incident in batch.Incidents)
        {
            Write(incident, batch.Sequence, transaction);
        }

        foreach (GroupEvent group in batch.Groups)
        {
            Write(group, batch.Sequence, transaction);
        }

        foreach (ModelSwap swap in batch.Swaps)
        {
            Execute(
                "INSERT OR REPLACE INTO swap (version, time, json, position) VALUES ($version, $time, $json, $position)", transaction,
                ("$version", swap.Version), ("$time", swap.Time.UtcTicks), ("$json", EventJson.Swap(swap)), ("$position", batch.Sequence));
        }

        if (batch.Label is { } label)
        {
            WriteLabel(_file.Connection, transaction, label, batch.Sequence);
        }

        if (batch.Acknowledged is { } said)
        {
            WriteAcknowledged(_file.Connection, transaction, said, batch.Sequence);
        }
    }

    private void MoveTo(long position, SqliteTransaction transaction) => Execute(
        "INSERT INTO cursor (one, position) VALUES (1, $position) ON CONFLICT (one) DO UPDATE SET position = $position", transaction,
        ("$position", position));

    private void Write(IncidentEvent incident, long position, SqliteTransaction transaction)
    {
        string json = EventJson.Incident(incident);
        Execute(
            "INSERT OR IGNORE INTO incident_event (id, incident, time, json, position) VALUES ($id, $incident, $time, $json, $position)", transaction,
            ("$id", incident.Id), ("$incident", incident.IncidentId), ("$time", incident.Time.UtcTicks), ("$json", json), ("$position", position));
        Execute(
            """
            INSERT INTO incident (id, stream, state, onset, closed, max_score, opening, json, group_id)
            VALUES ($incident, $stream, $state, $onset, $closed, $max_score, $json, $json, $group)
            ON CONFLICT (id) DO UPDATE SET state = $state, closed = $closed, max_score = $max_score, json = $json, group_id = COALESCE(group_id, $group)
            """,
            transaction,
            ("$incident", incident.IncidentId), ("$stream", incident.Stream),
            ("$state", EventJson.Word(incident.State)),
            ("$onset", incident.Onset.UtcTicks), ("$closed", incident.ClosedAt?.UtcTicks), ("$max_score", incident.MaxScore), ("$json", json),
            ("$group", incident.GroupId));
    }

    private void Write(GroupEvent group, long position, SqliteTransaction transaction) => Execute(
        """
        INSERT INTO incident_group (id, onset, closed, size, max_score, json, position) VALUES ($id, $onset, $closed, $size, $max_score, $json, $position)
        ON CONFLICT (id) DO UPDATE SET onset = $onset, closed = $closed, size = $size, max_score = $max_score, json = $json
        """,
        transaction,
        ("$id", group.Id), ("$onset", group.Onset.UtcTicks), ("$closed", group.ClosedAt?.UtcTicks), ("$size", group.Size),
        ("$max_score", group.MaxScore), ("$json", EventJson.Group(group)), ("$position", position));

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
        Execute("DROP TABLE score", transaction);
        transaction.Commit();
    }

    private void WriteAll(SqliteTransaction transaction)
    {
        Recent.Leave();
        IReadOnlyDictionary<string, List<RollUp>> all = Recent.NextLeaving(int.MaxValue);
        ValueBlocks.Write(_file.Connection, transaction, all, _valuesPosition);
        ValueBlocks.Write(_file.Connection, transaction, Recent.LeavingOdd());
        Recent.Left(all.Keys);
    }

    private void Forget(DateTimeOffset now, SqliteTransaction transaction)
    {
        long before = (now - _options.IncidentRetention).UtcTicks;
        Execute("DELETE FROM incident WHERE onset < $before", transaction, ("$before", before));
        Execute("DELETE FROM incident_group WHERE onset < $before", transaction, ("$before", before));
        Execute("DELETE FROM incident_event WHERE time < $before", transaction, ("$before", before));
        Execute("DELETE FROM acknowledgement WHERE time < $before", transaction, ("$before", before));
    }

    private void Execute(string sql, SqliteTransaction transaction, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = _file.Connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;

        foreach ((string name, object? value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        command.ExecuteNonQuery();
    }
}
