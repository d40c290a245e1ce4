using System.Globalization;
using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks;

/// <summary>Incidents as lines for people; colour only where somebody looks.</summary>
internal sealed class ConsoleSink(ConsoleSinkOptions options, TextWriter output, bool colour) : IScoreSink
{
    public string Name => "console";

    public async ValueTask WriteAsync(ScoredBatch batch, CancellationToken cancellationToken)
    {
        if (options.Scores)
        {
            foreach (ScoredObservation scored in batch.Observations)
            {
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{scored.Time:HH:mm:ss} {scored.Score,5:0.0} {scored.Stream} = {scored.Value:G6} ({scored.Lifecycle.ToString().ToLowerInvariant()})"));
            }
        }

        foreach (IncidentEvent incident in batch.Incidents)
        {
            string line = string.Create(
                CultureInfo.InvariantCulture,
                $"{incident.Time:HH:mm:ss} {incident.State.ToString().ToUpperInvariant(),-9} {incident.Severity.ToString().ToLowerInvariant(),-8} {incident.MaxScore,5:0.0} {incident.Stream} [{incident.Kind.ToString().ToLowerInvariant()}] {incident.Explanation}");
            await output.WriteLineAsync(colour ? $"\e[{Colour(incident)}m{line}\e[0m" : line);
        }

        foreach (ModelSwap swap in batch.Swaps)
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{swap.Time:HH:mm:ss} MODEL     version {swap.Version} in service: loss {swap.ChampionLoss:0.000} -> {swap.CandidateLoss:0.000} nats on held-out windows"));
        }
    }

    public ValueTask DisposeAsync() => new(output.FlushAsync());

    private static int Colour(IncidentEvent incident) =>
        incident.State == IncidentState.Closed ? 32
        : incident.Severity switch
        {
            IncidentSeverity.Critical => 31,
            IncidentSeverity.Warning => 33,
            _ => 36,
        };
}
