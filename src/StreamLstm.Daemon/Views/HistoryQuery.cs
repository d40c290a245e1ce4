using Microsoft.Data.Sqlite;

namespace StreamLstm.Daemon.Views;

/// <summary>Asks the history's file, each time over a connection of its own.</summary>
internal sealed class HistoryQuery(string connectionString)
{
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters) =>
        Query(sql, takes: null, read, parameters);

    /// <param name="sql">The statement.</param>
    /// <param name="takes">What the function takes(NAME) in it says; null where it has none.</param>
    /// <param name="read">Reads a row.</param>
    /// <param name="parameters">Its parameters.</param>
    public List<T> Query<T>(string sql, Func<string, bool>? takes, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var connection = new SqliteConnection(connectionString);
        connection.Open();

        if (takes is not null)
        {
            connection.CreateFunction("takes", takes);
        }

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
