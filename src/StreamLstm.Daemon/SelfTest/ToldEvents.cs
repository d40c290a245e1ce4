using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace StreamLstm.Daemon.SelfTest;

/// <summary>All that the sinks of a storage directory hold, by what it is of: JSONL lines and the history's incidents.</summary>
internal static class ToldEvents
{
    /// <returns>For each score and incident event every text that stands for it.</returns>
    public static IReadOnlyDictionary<string, List<string>> Of(string directory)
    {
        var told = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);

        foreach (string line in File.ReadLines(Path.Combine(directory, "events.jsonl")))
        {
            using var json = JsonDocument.Parse(line);
            JsonElement root = json.RootElement;
            Add(
                root.GetProperty("type").GetString() == "score"
                    ? $"score {root.GetProperty("stream").GetString()} {root.GetProperty("time").GetString()}"
                    : $"incident {root.GetProperty("id").GetString()}",
                line);
        }

        using var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory, "history.db"), Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT id, json FROM incident_event ORDER BY id";
        using SqliteDataReader reader = command.ExecuteReader();

        while (reader.Read())
        {
            Add($"history {reader.GetString(0)}", reader.GetString(1));
        }

        return told;

        void Add(string key, string what)
        {
            if (!told.TryGetValue(key, out List<string>? said))
            {
                told.Add(key, said = []);
            }

            said.Add(what);
        }
    }

    public static KillFindings Compare(IReadOnlyDictionary<string, List<string>> expected, IReadOnlyDictionary<string, List<string>> told)
    {
        string[] lost = [.. expected.Keys.Where(key => !told.ContainsKey(key))];
        string[] twice = [.. told.Where(pair => pair.Value.Count > 1 || !expected.ContainsKey(pair.Key)).Select(pair => pair.Key)];
        string[] different = [.. expected.Where(pair => told.TryGetValue(pair.Key, out List<string>? said) && said[0] != pair.Value[0]).Select(pair => pair.Key)];
        return new KillFindings
        {
            Lost = lost.Length,
            Duplicated = twice.Length,
            Different = different.Length,
            First = lost.Length > 0 ? $"lost {lost[0]}" : twice.Length > 0 ? $"twice {twice[0]}"
                : different.Length > 0 ? $"{expected[different[0]][0]} was told as {told[different[0]][0]}" : "",
        };
    }
}
