using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Confluent.Kafka;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>Several daemons that share a topic tell together what one undisturbed daemon tells: each event once, each score the same bits.</summary>
/// <remarks>
/// STREAMLSTM_TEST_MINUTES lengthens the trial by kills, STREAMLSTM_TEST_PROGRESS names a file that says how it goes.
/// </remarks>
[Collection(KafkaTests.Name)]
public sealed class ClusterTests(KafkaTests kafka)
{
    private const int Partitions = 12;
    private const int Nodes = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static double Minutes => double.Parse(Environment.GetEnvironmentVariable("STREAMLSTM_TEST_MINUTES") ?? "0.6", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("classic")]
    [InlineData("consumer")]
    public async Task Three_daemons_that_are_killed_again_and_again_tell_what_one_undisturbed_tells(string protocol)
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("shared");
        await SharedTopic.CreateAsync(broker, topic, Partitions);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", protocol);
        await nodes.CreateTopicsAsync();
        var trial = new SharedTopic(broker, topic, Partitions);
        var elapsed = Stopwatch.StartNew();
        TimeSpan length = TimeSpan.FromMinutes(Minutes), between = TimeSpan.FromSeconds(Minutes > 2 ? 20 : 9);
        await nodes.StartAsync(Nodes);
        Task sending = trial.SendAsync(length);
        List<double> takenOver = [];

        for (int kill = 0; !sending.IsCompleted; kill++)
        {
            await Task.WhenAny(sending, Task.Delay(between, Cancellation));
            int victim = kill % Nodes;
            await nodes.KillAsync(victim);

            // Every other one comes back under its name before anybody has noticed; the others are away until what they had is others'.
            if (kill % 2 == 0)
            {
                takenOver.Add(await nodes.UntilAllOwnedAsync());
            }

            await nodes.RestartAsync(victim);
        }

        await sending;
        await nodes.UntilReadAsync(trial.Sent);
        string books = await nodes.BooksAsync();
        await nodes.StopAsync();
        await using ClusterNodes alone = new(broker, topic, directory.Path, "one", protocol);
        await alone.CreateTopicsAsync();
        await alone.StartAsync(1);
        await alone.UntilReadAsync(trial.Sent);
        await alone.StopAsync();
        Report($"{protocol}: {trial.Sent} records in {elapsed.Elapsed.TotalSeconds:0} s, taken over in {string.Join(", ", takenOver.Select(seconds => $"{seconds:0.0}"))} s, {books}");
        int scores = Same(alone.Read("scores"), nodes.Read("scores"), "scores"), incidents = Same(alone.Read("incidents"), nodes.Read("incidents"), "incidents");
        Assert.Equal(trial.Observations, scores);
        Assert.InRange(incidents, trial.Streams / 4, int.MaxValue);
    }

    [Fact]
    public async Task A_member_gives_the_scores_that_a_daemon_by_itself_gives()
    {
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("alone");
        await SharedTopic.CreateAsync(broker, topic, Partitions);

        // Nobody falls silent: a daemon by itself has the wall's clock, and a member that of the records.
        var trial = new SharedTopic(broker, topic, Partitions, rows: 1_100, fallsSilent: false);
        await trial.SendAsync(TimeSpan.FromSeconds(1));
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "member", "classic");
        await nodes.CreateTopicsAsync();
        await nodes.StartAsync(1);
        await nodes.UntilReadAsync(trial.Sent);
        await nodes.StopAsync();
        await using DaemonProcess daemon = await KafkaDaemon.StartAsync(directory.Path, broker.Bootstrap, topic);
        await KafkaDaemon.UntilTotalAsync(daemon, trial.Observations);
        Assert.Equal(0, await daemon.TerminateAsync());
        Dictionary<string, string[]> byItself = File.ReadLines(Path.Combine(directory.Path, "state", "events.jsonl"))
            .Where(line => line.Contains("\"type\":\"score\"", StringComparison.Ordinal))
            .GroupBy(StreamOf).ToDictionary(stream => stream.Key, stream => stream.ToArray());
        Dictionary<string, string[]> member = nodes.Read("scores")
            .GroupBy(record => record.Message.Key).ToDictionary(stream => stream.Key, stream => stream.Select(record => record.Message.Value).ToArray());
        Assert.Equal(byItself.Keys.Order(), member.Keys.Order());
        Assert.All(byItself, stream => Assert.Equal(stream.Value, member[stream.Key]));
    }

    /// <summary>Each stream's events in their order, none missing, none twice, none other.</summary>
    /// <returns>How many there are.</returns>
    private static int Same(List<ConsumeResult<string, string>> one, List<ConsumeResult<string, string>> many, string what)
    {
        Dictionary<string, string[]> expected = ById(one), told = ById(many);
        int lost = expected.Keys.Except(told.Keys).Count(), foreign = told.Keys.Except(expected.Keys).Count();
        int twice = told.Values.Count(values => values.Length > 1), other = expected.Count(pair => told.TryGetValue(pair.Key, out string[]? values) && values[0] != pair.Value[0]);
        Report($"{what}: {expected.Count} expected, {told.Count} told, {lost} lost, {foreign} foreign, {twice} more than once, {other} different");
        Assert.Equal((0, 0, 0, 0), (lost, foreign, twice, other));
        Assert.All(
            one.GroupBy(record => record.Message.Key).Join(many.GroupBy(record => record.Message.Key), stream => stream.Key, stream => stream.Key, (a, b) => (a, b)),
            stream => Assert.Equal(stream.a.Select(Id), stream.b.Select(Id)));
        return expected.Count;
    }

    private static Dictionary<string, string[]> ById(List<ConsumeResult<string, string>> records) =>
        records.GroupBy(Id).ToDictionary(same => same.Key, same => same.Select(record => record.Message.Value).ToArray());

    private static string Id(ConsumeResult<string, string> record) => System.Text.Encoding.UTF8.GetString(record.Message.Headers.GetLastBytes("id"));

    private static string StreamOf(string line) => JsonDocument.Parse(line).RootElement.GetProperty("stream").GetString()!;

    private static void Report(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);

        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PROGRESS") is { Length: > 0 } file)
        {
            File.AppendAllText(file, line + "\n");
        }
    }
}
