using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Mqtt;

/// <summary>What a node of Sparkplug B declares of its metrics in a birth, once: unit and range, in all that is told, also after a kill.</summary>
public sealed class UnitTests
{
    private const int Rows = 1_000;

    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddHours(-12);

    [Fact]
    public async Task Unit_and_range_of_a_birth_stand_at_the_stream_and_in_the_incident_also_after_a_kill()
    {
        using var directory = new TemporaryDirectory();
        DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path, "retrain.enabled=false");

        try
        {
            double[] values = Series.Daily(2, Rows);
            values[^10] = 140;

            await using (SparkplugNode node = await SparkplugNode.StartAsync(daemon.MqttPort, values[0], Start))
            {
                for (int row = 1; row < Rows; row++)
                {
                    await node.SendAsync(values[row], Start.AddSeconds(row));
                }
            }

            await daemon.UntilScoredAsync(Rows);
            await daemon.UntilSettledAsync("history");
            await LookAsync();
            await daemon.KillAsync();
            await daemon.DisposeAsync();
            daemon = await DaemonProcess.StartAsync(directory.Path, "retrain.enabled=false");
            await daemon.UntilSettledAsync("live");
            await LookAsync();
        }
        finally
        {
            await daemon.DisposeAsync();
        }

        async Task LookAsync()
        {
            JsonElement state = (await daemon.GetAsync($"/api/v1/streams/{SparkplugNode.Stream}")).GetProperty("state");
            Assert.Equal(("%", 0d, 100d), (state.GetProperty("unit").GetString(), state.GetProperty("declared_low").GetDouble(), state.GetProperty("declared_high").GetDouble()));
            JsonElement incident = Assert.Single(
                (await daemon.GetAsync($"/api/v1/incidents?stream={SparkplugNode.Stream}")).GetProperty("incidents").EnumerateArray(),
                incident => incident.GetProperty("kind").GetString() != "silence");
            Assert.StartsWith("140%, out of the declared 0 to 100%: ", incident.GetProperty("explanation").GetString(), StringComparison.Ordinal);
            Assert.Equal("%", incident.GetProperty("unit").GetString());
        }
    }
}
