using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Host;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Daemon.Sources;

public sealed class HostSourceTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly HostSample _sample = new("h", RecordRules.None);

    [Fact]
    public void Cpu_time_becomes_each_modes_share_of_the_tick()
    {
        const string Before = "cpu  100 0 50 800 10 0 5 0 0 0\ncpu0 100 0 50 800 10 0 5 0 0 0\nctxt 1000\nprocesses 10\nprocs_running 2\nprocs_blocked 0\n";
        const string After = "cpu  130 0 60 850 15 0 10 0 0 0\ncpu0 130 0 60 850 15 0 10 0 0 0\nctxt 1500\nprocesses 12\nprocs_running 3\nprocs_blocked 1\n";

        Dictionary<string, double> figures = Tick(CpuFigures.Stat, Before, After, seconds: 2);

        Assert.Equal(30, figures["h/cpu/total/user"]);
        Assert.Equal(45, figures["h/cpu/0/busy"]);
        Assert.Equal(5, figures["h/cpu/total/iowait"]);
        Assert.Equal(250, figures["h/cpu/context_switches"]);
        Assert.Equal(1, figures["h/cpu/forks"]);
        Assert.Equal(3, figures["h/cpu/run_queue"]);
        Assert.False(figures.ContainsKey("h/cpu/total/idle"));
    }

    [Theory]
    [InlineData("host/m/cpu/1/iowait", 5.0)]
    [InlineData("host/m/cpu/blocked", 3.0)]
    [InlineData("host/m/disk/vda/write_latency_ms", 10.0)]
    [InlineData("host/m/disk/vda/read_bytes", 1_048_576.0)]
    [InlineData("host/m/net/lo/rx_packets", 100.0)]
    [InlineData("host/m/memory/dirty_bytes", 16_777_216.0)]
    [InlineData("host/m/pressure/io/full_10s", 5.0)]
    [InlineData("host/m/net/eth0/rx_errors", null)]
    [InlineData("host/m/filesystem/root/used_percent", null)]
    [InlineData("plant/cpu/1/iowait", null)]
    public void What_is_too_little_to_tell_is_said_in_each_figures_own_unit(string stream, double? least)
    {
        IReadOnlyList<AlertRule> rules = new DaemonOptions { Sources = new() { Host = new() { Prefix = "host/m" } } }.DetectorOptions().AlertRules;

        Assert.Equal(least, AlertRule.Of(rules, stream)?.MinDeviation);
    }

    [Fact]
    public void A_rule_of_the_users_stands_before_them()
    {
        var options = new DaemonOptions
        {
            Alerts = [new() { Streams = "host/m/*", MinDeviation = 0 }],
            Sources = new() { Host = new() { Prefix = "host/m" } },
        };

        Assert.Equal(0, AlertRule.Of(options.DetectorOptions().AlertRules, "host/m/cpu/1/iowait")!.MinDeviation);
    }

    [Fact]
    public void Memory_is_told_in_bytes_and_percent_and_swap_only_where_there_is_some()
    {
        Dictionary<string, double> figures = Tick(
            MemoryFigures.MemInfo, "", "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");

        Assert.Equal(102_400, figures["h/memory/free_bytes"]);
        Assert.Equal(75, figures["h/memory/used_percent"]);
        Assert.False(figures.ContainsKey("h/swap/used_percent"));
    }

    [Fact]
    public void Pressure_is_the_share_of_the_tick_that_was_waited()
    {
        Dictionary<string, double> figures = Tick(
            (text, sample) => PressureFigures.Parse("io", text, sample),
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
            "some avg10=2.50 avg60=0.00 avg300=0.00 total=1250000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");

        Assert.Equal(25, figures["h/pressure/io/some"], 1e-9);
        Assert.Equal(2.5, figures["h/pressure/io/some_10s"]);
        Assert.Equal(0, figures["h/pressure/io/full"]);
    }

    [Fact]
    public void Disks_are_told_without_partitions_and_an_idle_one_has_no_latency()
    {
        static string Line(string name, int reads, int readMs, int writes, int sectors) => $"254 0 {name} {reads} 0 0 {readMs} {writes} 0 {sectors} 0 0 500 700\n";

        Dictionary<string, double> figures = Tick(
            (text, sample) => DiskFigures.Parse(text, disk => disk == "vda", sample),
            Line("vda", 10, 100, 0, 0) + Line("vda1", 10, 100, 0, 0) + Line("loop0", 1, 1, 1, 1),
            Line("vda", 14, 120, 0, 8) + Line("vda1", 14, 120, 0, 8) + Line("loop0", 9, 9, 9, 9));

        Assert.Equal(4, figures["h/disk/vda/reads"]);
        Assert.Equal(4096, figures["h/disk/vda/write_bytes"]);
        Assert.Equal(5, figures["h/disk/vda/read_latency_ms"]);
        Assert.Equal(0, figures["h/disk/vda/write_latency_ms"]);
        Assert.DoesNotContain(figures.Keys, name => name.Contains("vda1", StringComparison.Ordinal) || name.Contains("loop", StringComparison.Ordinal));
    }

    [Fact]
    public void Interfaces_sockets_and_retransmissions_are_told()
    {
        const string Head = "Inter-| Receive | Transmit\n face |bytes packets\n";
        Dictionary<string, double> figures = Tick(
            NetworkFigures.Interfaces,
            Head + "    lo: 100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n",
            Head + "    lo: 1100 6 1 2 0 0 0 0 2200 22 0 0 0 0 0 0\n");
        Dictionary<string, double> sockets = Tick(
            NetworkFigures.Sockets, "", "sockets: used 17\nTCP: inuse 3 orphan 1 tw 5 alloc 4 mem 1\nUDP: inuse 2 mem 0\n");
        Dictionary<string, double> snmp = Tick(
            NetworkFigures.Snmp, "Tcp: InSegs RetransSegs\nTcp: 5 10\n", "Tcp: InSegs RetransSegs\nTcp: 9 13\n");

        Assert.Equal((1000, 5, 1, 2, 2000), (figures["h/net/lo/rx_bytes"], figures["h/net/lo/rx_packets"], figures["h/net/lo/rx_errors"], figures["h/net/lo/rx_drops"], figures["h/net/lo/tx_bytes"]));
        Assert.Equal((17, 3, 1, 5, 2), (sockets["h/sockets/used"], sockets["h/sockets/tcp_in_use"], sockets["h/sockets/tcp_orphan"], sockets["h/sockets/tcp_time_wait"], sockets["h/sockets/udp_in_use"]));
        Assert.Equal(3, snmp["h/net/tcp_retransmits"]);
    }

    [Fact]
    public void A_counter_that_went_back_gives_no_value_rather_than_a_wild_one()
    {
        Dictionary<string, double> figures = Tick(CpuFigures.Stat, "ctxt 1000\n", "ctxt 5\n");

        Assert.Empty(figures);
    }

    [Fact]
    public void This_computer_has_at_least_forty_streams()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the host source reads Linux's /proc");
        var source = new HostSource(new HostSourceOptions { Prefix = "h" }, RecordRules.None, TimeProvider.System, NullLogger<HostSource>.Instance);
        source.Take(Now, 0);
        Thread.Sleep(150);

        Observation[] observations = source.Take(Now.AddSeconds(1), 0.15);

        Assert.InRange(observations.Length, 40, 100_000);
        Assert.Equal(observations.Length, observations.Select(o => o.Stream).Distinct().Count());
        Assert.All(observations, o => Assert.True(double.IsFinite(o.Value), o.Stream));
    }

    [Fact]
    public async Task A_computer_without_proc_is_told_what_to_set()
    {
        var source = new HostSource(
            new HostSourceOptions { ProcPath = "/nowhere" }, RecordRules.None, TimeProvider.System, NullLogger<HostSource>.Instance);

        var refused = await Assert.ThrowsAsync<SourceException>(() => source.RunAsync(null!, TestContext.Current.CancellationToken));

        Assert.Contains("set sources.host.enabled: false", refused.Message, StringComparison.Ordinal);
    }

    private Dictionary<string, double> Tick(Action<string, HostSample> parse, string before, string after, double seconds = 1)
    {
        _sample.Begin(Now, 0);
        parse(before, _sample);
        _sample.Begin(Now.AddSeconds(seconds), seconds);
        parse(after, _sample);
        return _sample.End().ToDictionary(o => o.Stream, o => o.Value);
    }
}
