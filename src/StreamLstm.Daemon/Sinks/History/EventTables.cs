using Microsoft.Data.Sqlite;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks.History;

/// <summary>What was told, in the history's file: incidents and their events, groups, swaps of weights, and what people said; each with its place in the journal.</summary>
internal static class EventTables
{
    /// <summary>Writes what of a batch is to be kept.</summary>
    public static void Write(SqliteConnection connection, SqliteTransaction transaction, ScoredBatch batch)
    {
        foreach (IncidentEvent incident in batch.Incidents)
        {
            Write(connection, transaction, incident, batch.Sequence);
        }

        foreach (GroupEvent group in batch.Groups)
        {
            Write(connection, transaction, group, batch.Sequence);
        }

        foreach (ModelSwap swap in batch.Swaps)
        {
            Execute(
                connection, transaction, "INSERT OR REPLACE INTO swap (version, time, json, position) VALUES ($version, $time, $json, $position)",
                ("$version", swap.Version), ("$time", swap.Time.UtcTicks), ("$json", EventJson.Swap(swap)), ("$position", batch.Sequence));
        }

        if (batch.Label is { } label)
        {
            Write(connection, transaction, label, batch.Sequence);
        }

        if (batch.Acknowledged is { } said)
        {
            // Of several words the last one holds.
            Execute(
                connection, transaction, "INSERT OR REPLACE INTO acknowledgement (position, incident, who, note, time) VALUES ($position, $incident, $who, $note, $time)",
                ("$position", batch.Sequence), ("$incident", said.IncidentId), ("$who", said.By), ("$note", said.Note), ("$time", said.Now.UtcTicks));
        }
    }

    /// <summary>Incidents of a batch that is told again, of which other words are kept than it has now.</summary>
    public static IEnumerable<IncidentEvent> ToldOtherwise(SqliteConnection connection, ScoredBatch batch)
    {
        foreach (IncidentEvent incident in batch.Incidents)
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "SELECT json FROM incident_event WHERE id = $id";
            command.Parameters.AddWithValue("$id", incident.Id);

            if (command.ExecuteScalar() is string before && before != EventJson.Incident(incident))
            {
                yield return incident;
            }
        }
    }

    /// <summary>Lets go of what began before a time.</summary>
    public static void Forget(SqliteConnection connection, SqliteTransaction transaction, DateTimeOffset before)
    {
        foreach (string old in (ReadOnlySpan<string>)["incident WHERE onset", "incident_group WHERE onset", "incident_event WHERE time", "acknowledgement WHERE time"])
        {
            Execute(connection, transaction, $"DELETE FROM {old} < $before", ("$before", before.UtcTicks));
        }
    }

    /// <summary>Says up to which place in the journal all that there was to tell is written.</summary>
    public static void MoveTo(SqliteConnection connection, SqliteTransaction transaction, long position) => Execute(
        connection, transaction, "INSERT INTO cursor (one, position) VALUES (1, $position) ON CONFLICT (one) DO UPDATE SET position = $position", ("$position", position));

    /// <summary>Says up to which place in the journal values are written; events are at least as far then.</summary>
    public static void MoveValuesTo(SqliteConnection connection, SqliteTransaction transaction, long position) => Execute(
        connection, transaction,
        """
        INSERT INTO cursor (one, position, values_position) VALUES (1, $position, $position)
        ON CONFLICT (one) DO UPDATE SET position = MAX(position, $position), values_position = $position
        """,
        ("$position", position));

    private static void Write(SqliteConnection connection, SqliteTransaction transaction, IncidentEvent incident, long position)
    {
        string json = EventJson.Incident(incident);
        Execute(
            connection, transaction,
            "INSERT OR IGNORE INTO incident_event (id, incident, time, json, position) VALUES ($id, $incident, $time, $json, $position)",
            ("$id", incident.Id), ("$incident", incident.IncidentId), ("$time", incident.Time.UtcTicks), ("$json", json), ("$position", position));
        Execute(
            connection, transaction,
            """
            INSERT INTO incident (id, stream, state, onset, closed, max_score, opening, json, group_id)
            VALUES ($incident, $stream, $state, $onset, $closed, $max_score, $json, $json, $group)
            ON CONFLICT (id) DO UPDATE SET state = $state, closed = $closed, max_score = $max_score, json = $json, group_id = COALESCE(group_id, $group)
            """,
            ("$incident", incident.IncidentId), ("$stream", incident.Stream),
            ("$state", EventJson.Word(incident.State)),
            ("$onset", incident.Onset.UtcTicks), ("$closed", incident.ClosedAt?.UtcTicks), ("$max_score", incident.MaxScore), ("$json", json),
            ("$group", incident.GroupId));
    }

    private static void Write(SqliteConnection connection, SqliteTransaction transaction, GroupEvent group, long position) => Execute(
        connection, transaction,
        """
        INSERT INTO incident_group (id, onset, closed, size, max_score, json, position) VALUES ($id, $onset, $closed, $size, $max_score, $json, $position)
        ON CONFLICT (id) DO UPDATE SET onset = $onset, closed = $closed, size = $size, max_score = $max_score, json = $json
        """,
        ("$id", group.Id), ("$onset", group.Onset.UtcTicks), ("$closed", group.ClosedAt?.UtcTicks), ("$size", group.Size),
        ("$max_score", group.MaxScore), ("$json", EventJson.Group(group)), ("$position", position));

    /// <summary>Writes a person's word down, once however often it is told.</summary>
    private static void Write(SqliteConnection connection, SqliteTransaction transaction, LabelEntry label, long position) => Execute(
        connection, transaction,
        """
        UPDATE label SET removed = $time, removed_position = $position
        WHERE incident = $incident AND removed IS NULL AND (position IS NULL OR position < $position)
            AND NOT EXISTS (SELECT 1 FROM label WHERE position = $position);
        INSERT INTO label (incident, stream, label, note, time, position)
        SELECT $incident, $stream, $label, $note, $time, $position
        WHERE $label IS NOT NULL AND NOT EXISTS (SELECT 1 FROM label WHERE position = $position);
        """,
        ("$incident", label.IncidentId), ("$stream", label.Stream), ("$label", label.Label?.ToString()), ("$note", label.Note),
        ("$time", label.Now.UtcTicks), ("$position", position));

    private static void Execute(SqliteConnection connection, SqliteTransaction transaction, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;

        foreach ((string name, object? value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        command.ExecuteNonQuery();
    }
}
