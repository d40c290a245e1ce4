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
    private readonly ConcurrentDictionary<string, Acknowledgement> _lookedAfter = new(StringComparer.Ordinal);

    public LabelStore(string connectionString)
    {
        _connectionString = connectionString;
        Refresh();
    }

    /// <summary>Another one where what holds has changed.</summary>
    public long Revision { get; private set; }

    /// <summary>The label that an incident has; null for none.</summary>
    public StoredLabel? Of(string incidentId) => _holding.GetValueOrDefault(incidentId);

    /// <summary>Who looks after an incident; null for nobody.</summary>
    public Acknowledgement? LookedAfter(string incidentId) => _lookedAfter.GetValueOrDefault(incidentId);

    /// <summary>What the history has written down of an incident last; null where nobody looks after it any more.</summary>
    public Acknowledgement? Acknowledged(string incidentId)
    {
        Revision++;

        // Of two at once the later one holds, whichever answers first.
        foreach ((string incident, Acknowledgement said) in Acknowledgements("WHERE incident = $incident AND position = (SELECT MAX(position) FROM acknowledgement WHERE incident = $incident)", incidentId))
        {
            Hold(incident, said);
        }

        return LookedAfter(incidentId);
    }

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

        foreach ((string incident, Acknowledgement said) in Acknowledgements("WHERE position IN (SELECT MAX(position) FROM acknowledgement GROUP BY incident)", ""))
        {
            Hold(incident, said);
        }
    }

    private void Hold(string incident, Acknowledgement said)
    {
        if (said.By.Length > 0)
        {
            _lookedAfter[incident] = said;
        }
        else
        {
            _lookedAfter.TryRemove(incident, out _);
        }
    }

    private List<(string Incident, Acknowledgement Said)> Acknowledgements(string which, string incident)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT incident, who, note, time FROM acknowledgement {which}";
        command.Parameters.AddWithValue("$incident", incident);
        using SqliteDataReader reader = command.ExecuteReader();
        List<(string, Acknowledgement)> found = [];

        while (reader.Read())
        {
            found.Add((reader.GetString(0), new Acknowledgement(reader.GetString(1), reader.GetString(2), new DateTimeOffset(reader.GetInt64(3), TimeSpan.Zero))));
        }

        return found;
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

/// <summary>That somebody looks after an incident.</summary>
/// <param name="By">Who.</param>
/// <param name="Note">What else was said.</param>
/// <param name="Time">Since when.</param>
internal sealed record Acknowledgement(string By, string Note, DateTimeOffset Time);

/// <summary>A label as it was given.</summary>
internal sealed record StoredLabel(
    long Id, string IncidentId, string Stream, IncidentLabel Label, string Note, DateTimeOffset Time, DateTimeOffset? RemovedAt);
