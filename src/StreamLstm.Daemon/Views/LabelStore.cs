using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Views;

/// <summary>Who said what of which incident, and when: a row is never removed, only marked as taken back.</summary>
/// <remarks>
/// A label is a decision: its place is in the journal, what it changes is the stream's own state, and the history writes it down in
/// the journal's order. This reads it there, each call with a connection of its own; those that hold are kept in memory beside.
/// </remarks>
internal sealed class LabelStore
{
    private readonly string _connectionString;
    private readonly ConcurrentDictionary<string, StoredLabel> _holding = new(StringComparer.Ordinal);

    public LabelStore(string connectionString)
    {
        _connectionString = connectionString;
        Refresh();
    }

    /// <summary>Another one where what holds has changed.</summary>
    public long Revision { get; private set; }

    /// <summary>The label that an incident has; null for none.</summary>
    public StoredLabel? Of(string incidentId) => _holding.GetValueOrDefault(incidentId);

    /// <summary>The label that the history has written down of a place in the journal; null for none.</summary>
    public StoredLabel? Given(long position)
    {
        Revision++;
        return Query("WHERE position = $a", position, 1).FirstOrDefault() is { } label ? _holding[label.IncidentId] = label : null;
    }

    /// <summary>A label that was taken back: as the history holds it now.</summary>
    public StoredLabel TakenBack(StoredLabel label)
    {
        _holding.TryRemove(KeyValuePair.Create(label.IncidentId, label));
        Revision++;
        return Find(label.Id)!;
    }

    /// <summary>Reads again which labels hold: the history may have written some of a former life.</summary>
    public void Refresh()
    {
        foreach (StoredLabel label in Query("WHERE removed IS NULL", 0, 0))
        {
            _holding[label.IncidentId] = label;
        }
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
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }
}

/// <summary>A label as it was given.</summary>
internal sealed record StoredLabel(
    long Id, string IncidentId, string Stream, IncidentLabel Label, string Note, DateTimeOffset Time, DateTimeOffset? RemovedAt);
