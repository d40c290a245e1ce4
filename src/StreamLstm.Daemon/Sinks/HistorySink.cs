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
/// place of their own there, as they are written with each snapshot only: those behind it come again.
/// </remarks>
internal sealed class HistorySink : IJournalSink
{
    public const string SinkName = "history";

    private static readonly TimeSpan RetentionInterval = TimeSpan.FromHours(1);

    private readonly HistorySinkOptions _options;
    private readonly TimeProvider _time;
    private readonly Action _toldOtherwise;
    private readonly ILogger _logger;
    private readonly HistoryFile _file;
    private DateTimeOffset _nextRetention;
    private long _position;         // of the last entry whose events are written
    private long _valuesPosition;   // of the last entry whose values are written
    private long _taken = -1;       // of the last entry taken

    public HistorySink(HistorySinkOptions options, string path, TimeProvider time, ILogger<HistorySink> logger, Action? toldOtherwise = null)
    {
        (_logger, _toldOtherwise) = (logger, toldOtherwise ?? (() => { }));
        _options = options;
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
        (_position, _valuesPosition) = (_file.Position, _file.ValuesPosition);

        if (_file.HasThinnedScores)
        {
            TakeOverThinnedScores();
        }
    }

    public string Name => SinkName;

    public long Told => _position;

    /// <summary>For readers, each with a connection of its own.</summary>
    public string ConnectionString { get; }

    /// <summary>Values that are not in the file yet.</summary>
    public RollUps Recent { get; } = new();

    /// <summary>Takes out what was told behind a place in the journal, which ends there.</summary>
    public void TakeBack(long end)
    {
        _file.TakeBack(end);
        (_position, _valuesPosition) = (Math.Min(_position, end), Math.Min(_valuesPosition, end));
    }

    public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        DateTimeOffset now = _time.GetUtcNow();
        bool isNew = batch.Sequence > _position;

        if (batch.Sequence > Math.Max(_taken, _valuesPosition))
        {
            // Once, also where its writing fails below and it comes again.
            Recent.Add(batch.Observations);
        }

        _taken = Math.Max(_taken, batch.Sequence);

        if (!isNew && batch.IsReplayed)
        {
            Compare(batch);
        }

        string[] deleted = batch.Sequence > _valuesPosition ? [.. batch.Forgotten.Where(gone => gone.Reason == ForgetReason.Asked).Select(gone => gone.Stream)] : [];
        bool tells = deleted.Length > 0 || (isNew && (batch.Incidents.Count > 0 || batch.Swaps.Count > 0 || batch.Label is not null || batch.Acknowledged is not null));
        bool isFull = Recent.IsFull, forgets = now >= _nextRetention;

        if (tells || isFull || forgets)
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

            if (isFull)
            {
                WriteValues(transaction);
            }

            if (forgets)
            {
                Forget(now, transaction);
            }

            KillPoint.Pass(KillPoint.R3HistoryNotCommitted);
            transaction.Commit();
            _position = Math.Max(_position, batch.Sequence);
            _nextRetention = forgets ? now + RetentionInterval : _nextRetention;

            if (isFull)
            {
                ValuesWritten();
            }
        }

        return default;
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        using SqliteTransaction transaction = _file.Connection.BeginTransaction();
        _taken = Math.Max(_taken, _position);
        MoveTo(_taken, transaction);
        WriteValues(transaction);
        transaction.Commit();
        ValuesWritten();
        _position = _taken;
        return ValueTask.FromResult(_position.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!Recent.IsEmpty)
            {
                await MarkAsync(CancellationToken.None);
            }
        }
        finally
        {
            _file.Dispose();
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

    /// <summary>Behind it stands a commit, and behind that <see cref="ValuesWritten"/>.</summary>
    private void WriteValues(SqliteTransaction transaction)
    {
        ValueBlocks.Write(_file.Connection, transaction, Recent);
        ValueBlocks.Bound(_file.Connection, transaction, _options.ValuesMib * 1024L * 1024L);
        Execute(
            "INSERT INTO cursor (one, position, values_position) VALUES (1, -1, $position) ON CONFLICT (one) DO UPDATE SET values_position = $position", transaction,
            ("$position", _taken));
    }

    private void ValuesWritten()
    {
        _valuesPosition = Math.Max(_valuesPosition, _taken);
        Recent.Clear();
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
                    ValueBlocks.Write(_file.Connection, transaction, Recent);
                    Recent.Clear();
                }
            }
        }

        ValueBlocks.Write(_file.Connection, transaction, Recent);
        Execute("DROP TABLE score", transaction);
        transaction.Commit();
        Recent.Clear();
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
