using Microsoft.Data.Sqlite;

namespace StreamLstm.Daemon.Durability;

/// <summary>The file of the history: its tables, and what must be taken out of it when the journal no longer reaches as far as it does.</summary>
/// <remarks>Each table that is told in the journal's order holds the place in it; of rows that versions before 4 wrote it is null, and they stay.</remarks>
internal sealed class HistoryFile : IDisposable
{
    /// <summary>2 added groups: incident.group_id, incident_group; 3 the cursor and label.position; 4 position elsewhere; 5 values in blocks instead of thinned scores; 6 who looks after an incident; 7 stream_name.position. An older file gets them when it is opened.</summary>
    private const int SchemaVersion = 7;

    private const string Tables = """
        CREATE TABLE IF NOT EXISTS stream_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL, position INTEGER);
        CREATE TABLE IF NOT EXISTS value_block (id INTEGER PRIMARY KEY, stretches BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS value_span (level INTEGER NOT NULL, block INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (level, block)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS odd_minute (id INTEGER PRIMARY KEY, score INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS incident (
            id TEXT PRIMARY KEY, stream TEXT NOT NULL, state TEXT NOT NULL, onset INTEGER NOT NULL,
            closed INTEGER, max_score REAL NOT NULL, opening TEXT NOT NULL, json TEXT NOT NULL,
            group_id TEXT) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS incident_by_onset ON incident (onset);
        CREATE INDEX IF NOT EXISTS incident_by_stream ON incident (stream, onset);
        CREATE TABLE IF NOT EXISTS incident_event (
            id TEXT PRIMARY KEY, incident TEXT NOT NULL, time INTEGER NOT NULL, json TEXT NOT NULL, position INTEGER) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS incident_event_by_incident ON incident_event (incident);
        CREATE TABLE IF NOT EXISTS incident_group (
            id TEXT PRIMARY KEY, onset INTEGER NOT NULL, closed INTEGER, size INTEGER NOT NULL, max_score REAL NOT NULL,
            json TEXT NOT NULL, position INTEGER) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS incident_group_by_onset ON incident_group (onset);
        CREATE TABLE IF NOT EXISTS swap (version INTEGER PRIMARY KEY, time INTEGER NOT NULL, json TEXT NOT NULL, position INTEGER);
        CREATE TABLE IF NOT EXISTS label (
            id INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, stream TEXT NOT NULL, label TEXT NOT NULL,
            note TEXT NOT NULL, time INTEGER NOT NULL, removed INTEGER, position INTEGER, removed_position INTEGER);
        CREATE TABLE IF NOT EXISTS acknowledgement (
            position INTEGER PRIMARY KEY, incident TEXT NOT NULL, who TEXT NOT NULL, note TEXT NOT NULL, time INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS acknowledgement_by_incident ON acknowledgement (incident);
        CREATE TABLE IF NOT EXISTS cursor (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, values_position INTEGER);
        """;

    /// <summary>
    /// An incident that was told of before is as it was then: its last event that stays says how it stands. Of a group that was begun before, the
    /// size and the words stay as they were told last, until it is told of again.
    /// </summary>
    private const string TakingBack = """
        DELETE FROM incident_event WHERE position > $end;
        DELETE FROM incident WHERE id IN (SELECT incident FROM taken) AND id NOT IN (SELECT incident FROM incident_event);
        UPDATE incident SET
            json = last.json, state = json_extract(last.json, '$.state'), max_score = json_extract(last.json, '$.max_score'),
            closed = CASE json_extract(last.json, '$.state') WHEN 'closed' THEN closed END
        FROM (SELECT incident, json, MAX(COALESCE(position, 0)) FROM incident_event WHERE incident IN (SELECT incident FROM taken) GROUP BY incident) AS last
        WHERE incident.id = last.incident;
        DELETE FROM incident_group WHERE position > $end;
        DELETE FROM swap WHERE position > $end;
        DELETE FROM label WHERE position > $end;
        DELETE FROM acknowledgement WHERE position > $end;
        UPDATE label SET removed = NULL, removed_position = NULL WHERE removed_position > $end;
        UPDATE cursor SET position = MIN(position, $end), values_position = MIN(values_position, $end);
        UPDATE stream_name SET position = MIN(position, $end) WHERE position > $end;
        """;

    private HistoryFile(SqliteConnection connection) => Connection = connection;

    public SqliteConnection Connection { get; }

    /// <summary>The place in the journal up to which it holds what there was to tell; -1 where it holds nothing.</summary>
    public long Position => Ask("SELECT position FROM cursor") as long? ?? -1;

    /// <summary>The place in the journal up to which it holds values; -1 where it holds none.</summary>
    public long ValuesPosition => Ask("SELECT values_position FROM cursor") as long? ?? -1;

    /// <summary>Streams of which it holds values beyond <see cref="ValuesPosition"/>, and up to which place: a kill cut short what was being written.</summary>
    public Dictionary<string, long> ValuesAhead()
    {
        var ahead = new Dictionary<string, long>(StringComparer.Ordinal);
        using SqliteCommand command = Connection.CreateCommand();
        command.CommandText = "SELECT name, position FROM stream_name WHERE position > $position";
        command.Parameters.AddWithValue("$position", ValuesPosition);
        using SqliteDataReader rows = command.ExecuteReader();

        while (rows.Read())
        {
            ahead.Add(rows.GetString(0), rows.GetInt64(1));
        }

        return ahead;
    }

    /// <summary>Whether a version before 5 left thinned scores in it.</summary>
    public bool HasThinnedScores => (long)Ask("SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'score'")! > 0;

    /// <summary>Opens the file, or makes it.</summary>
    /// <exception cref="InvalidDataException">A later version wrote it.</exception>
    /// <exception cref="SqliteException">It is no history, or damaged.</exception>
    public static HistoryFile Open(string path)
    {
        var file = new HistoryFile(new SqliteConnection(Text(path)));

        try
        {
            file.Connection.Open();
            file.Execute("PRAGMA journal_mode = WAL;");
            file.SyncCommits(false);
            long found = (long)file.Ask("PRAGMA user_version")!;

            if (found is < 0 or > SchemaVersion)
            {
                throw new InvalidDataException($"schema version {found}, expected {SchemaVersion}");
            }

            file.Execute(Tables);
            file.Add("incident", "group_id", "TEXT");
            file.Add("label", "position", "INTEGER");
            file.Add("label", "removed_position", "INTEGER");
            file.Add("incident_event", "position", "INTEGER");
            file.Add("incident_group", "position", "INTEGER");
            file.Add("swap", "position", "INTEGER");
            file.Add("cursor", "values_position", "INTEGER");
            file.Add("stream_name", "position", "INTEGER");
            file.Execute($"PRAGMA user_version = {SchemaVersion}");
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>What a connection to it is opened with.</summary>
    public static string Text(string path) => new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 5, Pooling = false }.ToString();

    /// <summary>Whether what is committed from here on survives a power loss at once, and all before it, or with a later one that does. A kill loses nothing of either.</summary>
    public void SyncCommits(bool areSynced) => Execute($"PRAGMA synchronous = {(areSynced ? "FULL" : "NORMAL")}");

    /// <summary>Copies it as it is now.</summary>
    public void CopyTo(string path)
    {
        File.Delete(path);
        using SqliteCommand command = Connection.CreateCommand();
        command.CommandText = "VACUUM INTO $path";
        command.Parameters.AddWithValue("$path", path);
        command.ExecuteNonQuery();
    }

    /// <summary>Takes out what was told behind a place in the journal. Values stay: that one came and what was said of it then is no less true.</summary>
    public void TakeBack(long end)
    {
        using SqliteTransaction transaction = Connection.BeginTransaction();
        using SqliteCommand command = Connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = $"CREATE TEMP TABLE taken AS SELECT DISTINCT incident FROM incident_event WHERE position > $end; {TakingBack} DROP TABLE taken";
        command.Parameters.AddWithValue("$end", end);
        command.ExecuteNonQuery();
        transaction.Commit();
    }

    public void Dispose() => Connection.Dispose();

    private void Add(string table, string column, string type)
    {
        if ((long)Ask($"SELECT COUNT(*) FROM pragma_table_info('{table}') WHERE name = '{column}'")! == 0)
        {
            Execute($"ALTER TABLE {table} ADD COLUMN {column} {type}");
        }
    }

    private object? Ask(string sql)
    {
        using SqliteCommand command = Connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private void Execute(string sql)
    {
        using SqliteCommand command = Connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
