using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Detection.Deciding;

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

    /// <summary>Another one where there may be something new about incidents.</summary>
    public long IncidentRevision => sink.Told;

    /// <summary>An incident's last event as JSON; null where it is not known.</summary>
    public string? Incident(string id) => _file.Query("SELECT json FROM incident WHERE id = $id", reader => reader.GetString(0), ("$id", id)).FirstOrDefault();

    /// <summary>Groups of incidents as JSON, and how many there are in all.</summary>
    public (IReadOnlyList<string> Groups, int Total) Groups(IncidentQuery query, DateTimeOffset now, int limit, int offset)
    {
        const string Labelled = "SELECT group_id FROM incident JOIN label ON label.incident = incident.id AND label.removed IS NULL AND group_id IS NOT NULL";
        var filter = new StreamFilter(query.Filter);
        string where = string.Join(" AND ", Conditions().Select(condition => $"({condition})"));
        string order = query.Order switch
        {
            GroupsOrder.Score => "max_score",
            GroupsOrder.Size => "size",
            GroupsOrder.Lasted => "COALESCE(closed, $now) - onset",
            _ => "onset",
        };
        ReadOnlySpan<(string, object?)> parameters =
        [
            ("$stream", query.Stream), ("$label", query.Label?.ToString()), ("$since", query.Since?.UtcTicks), ("$until", query.Until?.UtcTicks),
            ("$now", now.UtcTicks), ("$limit", limit), ("$offset", offset),
        ];
        int total = (int)_file.Query($"SELECT COUNT(*) FROM incident_group WHERE {where}", filter.Takes, reader => reader.GetInt64(0), parameters)[0];
        return (_file.Query(
            $"SELECT json FROM incident_group WHERE {where} ORDER BY {order} DESC, onset DESC LIMIT $limit OFFSET $offset", filter.Takes, reader => reader.GetString(0), parameters), total);

        IEnumerable<string> Conditions()
        {
            yield return "$stream IS NULL OR id IN (SELECT group_id FROM incident WHERE stream = $stream)";

            if (!string.IsNullOrWhiteSpace(query.Filter))
            {
                yield return "id IN (SELECT group_id FROM incident WHERE takes(stream))";
            }

            if (query.State is { } state)
            {
                yield return state == GroupsState.Open ? "closed IS NULL" : "closed IS NOT NULL";
            }

            if (query.Severity is { } least)
            {
                yield return $"json_extract(json, '$.severity') IN ({string.Join(", ", Enum.GetValues<IncidentSeverity>().Where(severity => severity >= least).Select(severity => $"'{EventJson.Word(severity)}'"))})";
            }

            if (query.Label is { } label)
            {
                yield return label == GroupsLabel.None ? $"id NOT IN ({Labelled})" : $"id IN ({Labelled} AND label.label = $label)";
            }

            yield return "$since IS NULL OR closed IS NULL OR closed >= $since";
            yield return "$until IS NULL OR onset < $until";
        }
    }

    /// <summary>The event that opened the incident that a stream had at a time, to a second, as times of stretches are rounded; as JSON, null where it had none.</summary>
    public string? OpeningAt(string stream, DateTimeOffset at) => _file.Query(
        "SELECT opening FROM incident WHERE stream = $stream AND onset <= $at AND (closed IS NULL OR closed >= $at - 20000000) ORDER BY onset DESC LIMIT 1",
        reader => reader.GetString(0),
        ("$stream", stream), ("$at", at.UtcTicks + TimeSpan.TicksPerSecond)).FirstOrDefault();

    /// <summary>When a stream's incidents opened, or became worse, in a range of time: in UTC ticks, the earliest first.</summary>
    public IReadOnlyList<long> Alerts(string stream, DateTimeOffset since, DateTimeOffset until) => _file.Query(
        """
        SELECT incident_event.time FROM incident JOIN incident_event ON incident_event.incident = incident.id
        WHERE stream = $stream AND incident_event.time >= $since AND incident_event.time <= $until AND json_extract(incident_event.json, '$.state') <> 'closed'
        ORDER BY incident_event.time LIMIT 10000
        """,
        reader => reader.GetInt64(0),
        ("$stream", stream), ("$since", since.UtcTicks), ("$until", until.UtcTicks));

    /// <summary>The stream an incident is about; null where it is not known.</summary>
    public string? StreamOfIncident(string incidentId) => _file.Query(
        "SELECT stream FROM incident WHERE id = $id", reader => reader.GetString(0), ("$id", incidentId)).FirstOrDefault();
}
