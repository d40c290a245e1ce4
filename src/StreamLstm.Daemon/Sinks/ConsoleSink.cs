using System.Globalization;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Grouping;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Incidents as lines for people, one for all that began together; colour only where somebody looks.</summary>
internal sealed class ConsoleSink(ConsoleSinkOptions options, TextWriter output, bool colour) : ITap
{
    /// <summary>Of those that join a group so many are named; then they are counted, at every tenfold and where it becomes more severe.</summary>
    private const int JoinedNamed = 3;

    public string Name => "console";

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        if (options.Scores)
        {
            foreach (ScoredObservation scored in batch.Observations)
            {
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{scored.Time:HH:mm:ss} {scored.Score,5:0.0} {Plain(scored.Stream)} = {scored.Value:G6} ({scored.Lifecycle.ToString().ToLowerInvariant()})"));
            }
        }

        foreach (GroupEvent group in batch.Groups)
        {
            if (Line(group) is { } said)
            {
                string line = Plain(said);
                await output.WriteLineAsync(colour ? $"\e[{Colour(group)}m{line}\e[0m" : line);
            }
        }

        foreach (ModelSwap swap in batch.Swaps)
        {
            await output.WriteLineAsync(FormattableString.Invariant(
                swap.Reason != SwapReason.Trained
                    ? (FormattableString)$"{swap.Time:HH:mm:ss} MODEL     version {swap.Version} in service: {(swap.Reason == SwapReason.RolledBack ? "rolled back" : "promoted")} by {Plain(swap.By)}"
                    : $"{swap.Time:HH:mm:ss} MODEL     version {swap.Version} in service: loss {swap.ChampionLoss:0.000} -> {swap.CandidateLoss:0.000} nats on held-out windows"));
        }
    }

    public ValueTask DisposeAsync() => new(output.FlushAsync());

    /// <summary>One line, whatever names hold: a line end would forge another one, an escape the terminal's own words.</summary>
    private static string Plain(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(character => char.IsControl(character) ? $"\\u{(int)character:x4}" : $"{character}")) : text;

    private static string? Line(GroupEvent group) => group.State switch
    {
        GroupState.Joined when group.Size <= 1 + JoinedNamed =>
            Joined(group.Members.First(member => member.IncidentId == group.Incident!.IncidentId)) + Again(group.Incident!),
        GroupState.Joined when group.IsMoreSevere || IsTenfold(group.Size) => $"  now {Words(group.Severity, group.MaxScore)} {group.Title}",
        GroupState.Joined => null,
        GroupState.Continued when !(group.Size == 1 || group.IsMoreSevere) => null,
        _ => string.Create(
            CultureInfo.InvariantCulture,
            $"{group.Time:HH:mm:ss} {group.State.ToString().ToUpperInvariant(),-9} {Words(group.Severity, group.MaxScore)} {(group.Size == 1 && group.Incident is { } only ? Said(only) : group.Title)}"),
    };

    private static string Joined(GroupMember member) => $"  and {Words(member.Severity, member.MaxScore)} {member.Stream} {member.Figure}";

    private static string Words(IncidentSeverity severity, double score) =>
        string.Create(CultureInfo.InvariantCulture, $"{severity.ToString().ToLowerInvariant(),-8} {score,5:0.0}");

    private static string Said(IncidentEvent incident) =>
        $"{incident.Stream} [{incident.Kind.ToString().ToLowerInvariant()}] {incident.Explanation}{Again(incident)}";

    /// <summary>" (3rd time since 12 May, last 14:02)"; nothing of the first of its kind.</summary>
    private static string Again(IncidentEvent incident)
    {
        if (incident.PreviousAt is not { } previous)
        {
            return "";
        }

        int last = incident.Occurrence % 10;
        string ending = incident.Occurrence % 100 is >= 11 and <= 13 ? "th" : last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th";
        return string.Create(CultureInfo.InvariantCulture, $" ({incident.Occurrence}{ending} time since {Day(incident.FirstSeen)}, last {Instant(previous)})");

        // In the clock of the line's own time.
        DateTimeOffset Here(DateTimeOffset time) => time.ToOffset(incident.Time.Offset);
        bool IsSameDay(DateTimeOffset time) => Here(time).Date == incident.Time.Date;
        string Date(DateTimeOffset time) => Here(time).ToString(Here(time).Year == incident.Time.Year ? "d MMM" : "d MMM yyyy", CultureInfo.InvariantCulture);
        string Clock(DateTimeOffset time) => Here(time).ToString("HH:mm", CultureInfo.InvariantCulture);
        string Day(DateTimeOffset time) => IsSameDay(time) ? Clock(time) : Date(time);
        string Instant(DateTimeOffset time) => IsSameDay(time) ? Clock(time) : $"{Date(time)} {Clock(time)}";
    }

    private static bool IsTenfold(int size)
    {
        while (size > 1 && size % 10 == 0)
        {
            size /= 10;
        }

        return size == 1;
    }

    private static int Colour(GroupEvent group) =>
        group.State == GroupState.Closed ? 32
        : group.Severity switch
        {
            IncidentSeverity.Critical => 31,
            IncidentSeverity.Warning => 33,
            _ => 36,
        };
}
