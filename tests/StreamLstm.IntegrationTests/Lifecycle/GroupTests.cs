using System.Text.Json;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Lifecycle;

public sealed class GroupTests
{
    [Fact]
    public async Task What_begins_together_is_told_once_and_ends_once_also_after_a_restart()
    {
        using var directory = new TemporaryDirectory();
        DateTimeOffset start = DateTimeOffset.UtcNow.AddMinutes(-20);
        string[] streams = ["plant/boiler/temperature", "plant/boiler/pressure", "plant/pump/current"];
        string id;

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(directory.Path))
        {
            for (int i = 0; i < 3; i++)
            {
                double[] values = Series.Daily(i, 900);
                values[^1] = 80 + (10 * i);
                await daemon.PostAsync(streams[i], values, start);
            }

            JsonElement group = await GroupAsync(daemon, one => one.GetProperty("size").GetInt32() == 3);
            id = group.GetProperty("id").GetString()!;
            Assert.Matches("^3 streams of plant changed at once: .* and 2 more$", group.GetProperty("title").GetString());
            Assert.Equal(streams.Order(), group.GetProperty("members").EnumerateArray().Select(member => member.GetProperty("stream").GetString()).Order());
            JsonElement[] incidents = [.. (await daemon.GetAsync("/api/v1/incidents")).GetProperty("incidents").EnumerateArray()];
            Assert.Equal([id, id, id], incidents.Select(incident => incident.GetProperty("group_id").GetString()));
            Assert.Equal(0, await daemon.TerminateAsync());
            Assert.Single(daemon.Output.Split('\n'), line => line.Contains(" OPENED ", StringComparison.Ordinal));
            Assert.Equal(2, daemon.Output.Split('\n').Count(line => line.StartsWith("  and ", StringComparison.Ordinal)));
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(directory.Path);

        for (int i = 0; i < 3; i++)
        {
            await again.PostAsync(streams[i], Series.Daily(i, 1000)[900..], start.AddSeconds(900));
        }

        JsonElement closed = await GroupAsync(again, one => one.GetProperty("state").GetString() == "closed");
        Assert.Equal((id, 3, 0), (closed.GetProperty("id").GetString(), closed.GetProperty("size").GetInt32(), closed.GetProperty("open_size").GetInt32()));
        Assert.Single(again.Output.Split('\n'), line => line.Contains(" CLOSED ", StringComparison.Ordinal));
    }

    private static async Task<JsonElement> GroupAsync(DaemonProcess daemon, Predicate<JsonElement> condition)
    {
        JsonElement[] groups = [];
        await daemon.UntilAsync(
            async () =>
            {
                groups = [.. (await daemon.GetAsync("/api/v1/incidents?grouped=true")).GetProperty("groups").EnumerateArray()];
                return groups.Length == 1 && condition(groups[0]);
            },
            "one such group");
        return groups[0];
    }
}
