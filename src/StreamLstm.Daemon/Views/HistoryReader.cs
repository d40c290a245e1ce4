using Microsoft.Data.Sqlite;

namespace StreamLstm.Daemon.Views;

/// <summary>Reads the history for the API; each call has a connection of its own, beside the writer's.</summary>
internal sealed class HistoryReader(string connectionString)
{
    /// <summary>Incidents' last events as JSON, newest onset first.</summary>
    public IReadOnlyList<string> Incidents(int limit, int offset, string? stream) => Query(
        "SELECT json FROM incident WHERE $stream IS NULL OR stream = $stream ORDER BY onset DESC LIMIT $limit OFFSET $offset",
        reader => reader.GetString(0),
        ("$stream", stream), ("$limit", limit), ("$offset", offset));

    /// <summary>Groups of incidents as JSON, newest onset first; those that a stream is in, or all.</summary>
    public IReadOnlyList<string> Groups(int limit, int offset, string? stream) => Query(
        """
        SELECT json FROM incident_group
        WHERE $stream IS NULL OR id IN (SELECT group_id FROM incident WHERE stream = $stream) ORDER BY onset DESC LIMIT $limit OFFSET $offset
        """,
        reader => reader.GetString(0),
        ("$stream", stream), ("$limit", limit), ("$offset", offset));

    /// <summary>A stream's thinned scores in a range of time, oldest first.</summary>
    public IReadOnlyList<HistoryScore> Scores(string stream, DateTimeOffset since, DateTimeOffset until, int limit) => Query(
        "SELECT time, value, score, expected, lower, upper FROM score WHERE stream = $stream AND time >= $since AND time < $until ORDER BY time LIMIT $limit",
        reader => new HistoryScore(
            new DateTimeOffset(reader.GetInt64(0), TimeSpan.Zero), reader.GetDouble(1), reader.GetDouble(2),
            Number(reader, 3), Number(reader, 4), Number(reader, 5)),
        ("$stream", stream), ("$since", since.UtcTicks), ("$until", until.UtcTicks), ("$limit", limit));

    /// <summary>The stream an incident is about; null where it is not known.</summary>
    public string? StreamOfIncident(string incidentId) => Query(
        "SELECT stream FROM incident WHERE id = $id", reader => reader.GetString(0), ("$id", incidentId)).FirstOrDefault();

    private static double? Number(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetDouble(column);

    private List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var connection = new SqliteConnection(connectionString);
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;

        foreach ((string name, object? value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        using SqliteDataReader reader = command.ExecuteReader();
        List<T> rows = [];

        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}

/// <summary>One thinned score: the highest of its interval.</summary>
internal sealed record HistoryScore(
    DateTimeOffset Time, double Value, double Score, double? Expected, double? Lower, double? Upper);
