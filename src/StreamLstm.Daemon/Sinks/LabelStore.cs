using Microsoft.Data.Sqlite;
using StreamLstm.Detection.Incidents;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Who said what of which incident, and when: a row is never removed, only marked as taken back.</summary>
/// <remarks>For people. What a label changes is part of the stream's own state. Each call has a connection of its own.</remarks>
internal sealed class LabelStore(string connectionString)
{
    /// <summary>Writes a label down; one that the incident had before is marked as taken back.</summary>
    public StoredLabel Add(string incidentId, string stream, IncidentLabel label, string note, DateTimeOffset time)
    {
        using SqliteConnection connection = Open();
        using SqliteTransaction transaction = connection.BeginTransaction();
        using SqliteCommand command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = """
            UPDATE label SET removed = $time WHERE incident = $incident AND removed IS NULL;
            INSERT INTO label (incident, stream, label, note, time) VALUES ($incident, $stream, $label, $note, $time);
            SELECT last_insert_rowid();
            """;
        command.Parameters.AddWithValue("$incident", incidentId);
        command.Parameters.AddWithValue("$stream", stream);
        command.Parameters.AddWithValue("$label", label.ToString());
        command.Parameters.AddWithValue("$note", note);
        command.Parameters.AddWithValue("$time", time.UtcTicks);
        long id = (long)command.ExecuteScalar()!;
        transaction.Commit();
        return new StoredLabel(id, incidentId, stream, label, note, time, RemovedAt: null);
    }

    /// <summary>Marks a label as taken back.</summary>
    public void Remove(long id, DateTimeOffset time)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "UPDATE label SET removed = $time WHERE id = $id AND removed IS NULL";
        command.Parameters.AddWithValue("$id", id);
        command.Parameters.AddWithValue("$time", time.UtcTicks);
        command.ExecuteNonQuery();
    }

    /// <summary>One label; null where there is none of that id.</summary>
    public StoredLabel? Find(long id) => Query("WHERE id = $a", id, 1).FirstOrDefault();

    /// <summary>Labels, the newest first, those taken back among them.</summary>
    public IReadOnlyList<StoredLabel> List(int limit, int offset) => Query("ORDER BY id DESC LIMIT $b OFFSET $a", offset, limit);

    private List<StoredLabel> Query(string which, long a, long b)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT id, incident, stream, label, note, time, removed FROM label {which}";
        command.Parameters.AddWithValue("$a", a);
        command.Parameters.AddWithValue("$b", b);
        using SqliteDataReader reader = command.ExecuteReader();
        List<StoredLabel> labels = [];

        while (reader.Read())
        {
            labels.Add(new StoredLabel(
                reader.GetInt64(0), reader.GetString(1), reader.GetString(2), Enum.Parse<IncidentLabel>(reader.GetString(3)), reader.GetString(4),
                new DateTimeOffset(reader.GetInt64(5), TimeSpan.Zero),
                reader.IsDBNull(6) ? null : new DateTimeOffset(reader.GetInt64(6), TimeSpan.Zero)));
        }

        return labels;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        return connection;
    }
}

/// <summary>A label as it was given.</summary>
internal sealed record StoredLabel(
    long Id, string IncidentId, string Stream, IncidentLabel Label, string Note, DateTimeOffset Time, DateTimeOffset? RemovedAt);
