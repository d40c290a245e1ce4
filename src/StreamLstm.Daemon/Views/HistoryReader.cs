using StreamLstm.Daemon.Sinks;

namespace StreamLstm.Daemon.Views;

/// <summary>Reads the history for the API; each call has a connection of its own, beside the writer's.</summary>
/// <param name="sink">The writer.</param>
internal sealed class HistoryReader(HistorySink sink)
{
    private readonly HistoryQuery _file = new(sink.ConnectionString);

    /// <summary>What was measured.</summary>
    public ValueHistory Values { get; } = new(new HistoryQuery(sink.ConnectionString), sink.Recent);

    /// <summary>Incidents' last events as JSON, newest onset first.</summary>
    public IReadOnlyList<string> Incidents(int limit, int offset, string? stream) => _file.Query(
        "SELECT json FROM incident WHERE $stream IS NULL OR stream = $stream ORDER BY onset DESC LIMIT $limit OFFSET $offset",
        reader => reader.GetString(0),
        ("$stream", stream), ("$limit", limit), ("$offset", offset));

    /// <summary>Groups of incidents as JSON, newest onset first; those that a stream is in, or all.</summary>
    public IReadOnlyList<string> Groups(int limit, int offset, string? stream) => _file.Query(
        """
        SELECT json FROM incident_group
        WHERE $stream IS NULL OR id IN (SELECT group_id FROM incident WHERE stream = $stream) ORDER BY onset DESC LIMIT $limit OFFSET $offset
        """,
        reader => reader.GetString(0),
        ("$stream", stream), ("$limit", limit), ("$offset", offset));

    /// <summary>The stream an incident is about; null where it is not known.</summary>
    public string? StreamOfIncident(string incidentId) => _file.Query(
        "SELECT stream FROM incident WHERE id = $id", reader => reader.GetString(0), ("$id", incidentId)).FirstOrDefault();
}
