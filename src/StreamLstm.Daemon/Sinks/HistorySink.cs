using Microsoft.Data.Sqlite;
using StreamLstm.Daemon.Durability;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Thinned scores, whole incidents and their labels in SQLite. State is never recovered from it; the page and people read it.</summary>
/// <remarks>
/// How far it has got in the journal stands in the same transaction as what it was told: after a kill it passes over what it has.
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
    private readonly Dictionary<string, ScoredObservation> _highest = new(StringComparer.Ordinal);
    private DateTimeOffset _intervalEnd;
    private DateTimeOffset _nextRetention;
    private long _position;   // of the last entry whose events are written
    private long _taken;      // of the last entry taken

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

        _intervalEnd = time.GetUtcNow() + options.ScoreInterval;
        _nextRetention = time.GetUtcNow();
        ConnectionString = new SqliteConnectionStringBuilder(HistoryFile.Text(path)) { Pooling = true }.ToString();
        _position = _file.Position;
    }

    public string Name => SinkName;

    public long Told => _position;

    /// <summary>For readers, each with a connection of its own.</summary>
    public string ConnectionString { get; }

    /// <summary>Takes out what was told behind a place in the journal, which ends there.</summary>
    public void TakeBack(long end)
    {
        _file.TakeBack(end);
        _position = Math.Min(_position, end);
    }

    public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        foreach (ScoredObservation scored in batch.Observations)
        {
            if (scored.Lifecycle == Lifecycle.Active
                && (!_highest.TryGetValue(scored.Stream, out ScoredObservation known) || scored.Score > known.Score))
            {
                _highest[scored.Stream] = scored;
            }
        }

        DateTimeOffset now = _time.GetUtcNow();
        bool intervalEnded = now >= _intervalEnd;
        bool isNew = batch.Sequence > _position;
        _taken = Math.Max(_taken, batch.Sequence);

        if (!isNew && batch.IsReplayed)
        {
            Compare(batch);
        }

        if ((isNew && (batch.Incidents.Count > 0 || batch.Swaps.Count > 0 || batch.Forgotten.Count > 0 || batch.Label is not null)) || intervalEnded)
        {
            using SqliteTransaction transaction = _file.Connection.BeginTransaction();

            if (isNew)
            {
                Write(batch, transaction);
                MoveTo(batch.Sequence, transaction);
            }

            if (intervalEnded)
            {
                WriteScores(transaction);
            }

            bool forgets = now >= _nextRetention;

            if (forgets)
            {
                Forget(now, transaction);
            }

            KillPoint.Pass(KillPoint.R3HistoryNotCommitted);
            transaction.Commit();
            _position = Math.Max(_position, batch.Sequence);
            _nextRetention = forgets ? now + RetentionInterval : _nextRetention;

            if (intervalEnded)
            {
                _highest.Clear();
                _intervalEnd = now + _options.ScoreInterval;
            }
        }

        return default;
    }

    public ValueTask<string> MarkAsync(CancellationToken cancellationToken)
    {
        using SqliteTransaction transaction = _file.Connection.BeginTransaction();
        WriteScores(transaction);
        _taken = Math.Max(_taken, _position);
        MoveTo(_taken, transaction);
        transaction.Commit();
        _highest.Clear();
        _position = _taken;
        return ValueTask.FromResult(_position.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_highest.Count > 0)
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

        foreach (ForgottenStream gone in batch.Forgotten.Where(gone => gone.Reason == ForgetReason.Asked))
        {
            // Incidents, and what people said of them, stay: they were told.
            using SqliteCommand command = _file.Connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "DELETE FROM score WHERE stream = $stream";
            command.Parameters.AddWithValue("$stream", gone.Stream);
            command.ExecuteNonQuery();
            _highest.Remove(gone.Stream);
        }

        if (batch.Label is { } label)
        {
            WriteLabel(_file.Connection, transaction, label, batch.Sequence);
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

    private void WriteScores(SqliteTransaction transaction)
    {
        using SqliteCommand command = _file.Connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText =
            "INSERT OR REPLACE INTO score (stream, time, value, score, expected, lower, upper) VALUES ($stream, $time, $value, $score, $expected, $lower, $upper)";
        string[] names = ["$stream", "$time", "$value", "$score", "$expected", "$lower", "$upper"];
        SqliteParameter[] parameters = [.. names.Select(name => command.Parameters.Add(new SqliteParameter { ParameterName = name }))];

        foreach (ScoredObservation scored in _highest.Values)
        {
            object?[] values = [scored.Stream, scored.Time.UtcTicks, scored.Value, scored.Score, scored.Expected, scored.Lower, scored.Upper];

            for (int i = 0; i < values.Length; i++)
            {
                parameters[i].Value = values[i] ?? DBNull.Value;
            }

            command.ExecuteNonQuery();
        }
    }

    private void Forget(DateTimeOffset now, SqliteTransaction transaction)
    {
        Execute("DELETE FROM score WHERE time < $before", transaction, ("$before", (now - _options.ScoreRetention).UtcTicks));
        long before = (now - _options.IncidentRetention).UtcTicks;
        Execute("DELETE FROM incident WHERE onset < $before", transaction, ("$before", before));
        Execute("DELETE FROM incident_group WHERE onset < $before", transaction, ("$before", before));
        Execute("DELETE FROM incident_event WHERE time < $before", transaction, ("$before", before));
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
