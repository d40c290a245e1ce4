using Microsoft.Playwright;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Kafka;

/// <summary>The page of one member, in a real browser, lists all of its group.</summary>
[Collection(KafkaTests.Name)]
public sealed class FleetPageTests(KafkaTests kafka)
{
    [Fact]
    public async Task The_page_lists_every_daemon_with_its_partitions_and_the_incidents_that_go_on()
    {
        string chromium = Parts.Require("chromium", "chromium");
        KafkaBroker broker = await kafka.BrokerAsync();
        using var directory = new TemporaryDirectory();
        string topic = KafkaDaemon.NewTopic("page");
        await SharedTopic.CreateAsync(broker, topic, partitions: 2);
        await using ClusterNodes nodes = new(broker, topic, directory.Path, "many", "classic");
        await nodes.CreateTopicsAsync();
        var trial = new SharedTopic(broker, topic, partitions: 2, streamsPerPartition: 2, rows: 1_190);
        await nodes.StartAsync(2);
        await trial.SendAsync(TimeSpan.FromSeconds(1));
        await nodes.UntilReadAsync(trial.Sent);
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
        IPage page = await browser.NewPageAsync();
        List<string> complaints = [];
        page.PageError += (_, error) => complaints.Add(error);
        await page.GotoAsync($"http://127.0.0.1:{nodes.Running.First().HttpPort}/");
        await Assertions.Expect(page.Locator("#fleet .nodes tbody tr")).ToHaveCountAsync(2, new() { Timeout = 30_000 });
        await Assertions.Expect(page.Locator("#fleet .nodes tbody")).ToContainTextAsync("node-1");

        // The second stream of each partition has fallen silent.
        ILocator silences = page.Locator("#fleet .incidents tbody tr").Filter(new() { HasText = "nothing for" });
        await Assertions.Expect(silences).ToHaveCountAsync(2, new() { Timeout = 30_000 });
        await Assertions.Expect(silences.Filter(new() { HasText = "machine-1" })).ToHaveCountAsync(1);
        await Assertions.Expect(silences.Filter(new() { HasText = "machine-3" })).ToHaveCountAsync(1);
        await Assertions.Expect(page.Locator("#fleet p")).ToContainTextAsync($"group {topic}.many");
        Assert.Empty(complaints);
        await nodes.StopAsync();
    }
}
