using System.Globalization;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Daemon.Sinks;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Simulation;

/// <summary>A sink with a promise whose medium loses at a crash what was not made durable: as the JSONL file does.</summary>
internal sealed class SimulatedSink
{
    private readonly List<(long Sequence, string What)> _told = [];
    private int _durable;

    /// <summary>Broken on purpose: it says that all is durable, and it is not.</summary>
    public bool LosesMarks { get; set; }

    /// <summary>All that it holds.</summary>
    public IReadOnlyList<(long Sequence, string What)> Told => _told;

    /// <summary>The first thing told otherwise than before; null for none.</summary>
    public string? ToldOtherwise { get; private set; }

    /// <summary>The ids of incidents it was told of, newest last, with their streams.</summary>
    public List<(string Stream, string Id)> Incidents { get; } = [];

    /// <summary>The sink of one life, which begins where the snapshot says it stood.</summary>
    public IJournalSink Open(string? mark, Func<bool> isDead) =>
        new Life(this, int.Parse(mark ?? "0", CultureInfo.InvariantCulture), isDead);

    /// <summary>The power goes.</summary>
    public void Crash(Random random)
    {
        int left = _durable + random.Next(_told.Count - _durable + 1);
        _told.RemoveRange(left, _told.Count - left);
        _durable = _told.Count;
    }

    private sealed class Life(SimulatedSink medium, int at, Func<bool> isDead) : IJournalSink
    {
        public string Name => "simulated";

        public ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
        {
            if (isDead())
            {
                return default;
            }

            foreach (IncidentEvent incident in batch.Incidents)
            {
                medium.Incidents.Add((incident.Stream, incident.IncidentId));
            }

            // The order of what one entry brought is part of what is told.
            string what = string.Join('|',
            [
                .. batch.Observations.Select(one => $"{one}"), .. batch.Incidents.Select(EventJson.Incident), .. batch.Groups.Select(EventJson.Group),
                .. batch.Swaps.Select(swap => $"{swap}"), $"{batch.Label?.IncidentId} {batch.Label?.Label}",
            ]);

            if (at > medium._told.Count)
            {
                medium.ToldOtherwise ??= $"the snapshot says {at} were durable, and there are {medium._told.Count}";
            }
            else if (at < medium._told.Count)
            {
                if (medium._told[at] != (batch.Sequence, what))
                {
                    medium.ToldOtherwise ??= $"entry {batch.Sequence} was told otherwise: {what}; before: {medium._told[at]}";
                }
            }
            else
            {
                medium._told.Add((batch.Sequence, what));
            }

            at++;
            return default;
        }

        public ValueTask<string> MarkAsync(CancellationToken cancellationToken)
        {
            if (!isDead() && !medium.LosesMarks)
            {
                medium._durable = medium._told.Count;
            }

            return ValueTask.FromResult(at.ToString(CultureInfo.InvariantCulture));
        }

        public ValueTask DisposeAsync() => default;
    }
}
