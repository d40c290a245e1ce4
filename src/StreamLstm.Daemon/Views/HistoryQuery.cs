using Microsoft.Data.Sqlite;

namespace StreamLstm.Daemon.Views;

/// <summary>Asks the history's file, each time over a connection of its own.</summary>
internal sealed class HistoryQuery(string connectionString)
{
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters)
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
