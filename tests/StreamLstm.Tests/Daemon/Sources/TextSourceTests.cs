using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StreamLstm.Daemon.Sources;
using StreamLstm.Decoding;
using StreamLstm.Detection;
using StreamLstm.Tests.Daemon.Support;

namespace StreamLstm.Tests.Daemon.Sources;

public sealed class TextSourceTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-files-").FullName;
    private readonly CaughtIntake _caught = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_file_is_read_to_its_end_in_batches_and_bad_rows_are_counted()
    {
        string path = Path.Combine(_directory, "boiler.csv");
        File.WriteAllText(path, "timestamp,temp,hum\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"{1_700_000_000 + i},{i},{(i == 50 ? "x" : i)}\n")));

        await Reading(path).RunAsync(_caught.Intake, TestContext.Current.CancellationToken);

        Observation[] observations = _caught.TakeAll();
        Assert.Equal(199, observations.Length);
        Assert.Equal(["boiler/temp", "boiler/hum"], observations.Select(o => o.Stream).Distinct());
        Assert.Equal("line 52: column hum: 'x', expected a number", Assert.Single(_caught.Letters.Letters).Detail);
        Assert.Equal((200, 1, 199), (_caught.Ledger.Cut().Received, _caught.Ledger.Cut().Rejected, _caught.Ledger.Cut().Queued));
    }

    [Fact]
    public async Task An_empty_file_a_header_alone_and_binary_rubbish_give_nothing_and_do_no_harm()
    {
        byte[] rubbish = new byte[5000];
        new Random(3).NextBytes(rubbish);

        foreach (byte[] content in new[] { [], "timestamp,a\n"u8.ToArray(), rubbish })
        {
            string path = Path.Combine(_directory, "odd");
            File.WriteAllBytes(path, content);
            await Reading(path).RunAsync(_caught.Intake, TestContext.Current.CancellationToken);
        }

        Assert.True(_caught.Ledger.Cut().Balances);
    }

    [Fact]
    public async Task A_followed_file_gives_what_is_appended_and_survives_rotation_and_truncation()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "rotation is recognised through /proc");
        string path = Path.Combine(_directory, "log.ndjson");
        File.WriteAllText(path, Line(1) + Line(2));
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task running = Reading(path, follow: true).RunAsync(_caught.Intake, stopping.Token);

        Assert.Equal([1, 2], Values(await _caught.TakeAsync(2)));

        File.AppendAllText(path, Line(3)[..10]);
        File.AppendAllText(path, Line(3)[10..]);
        Assert.Equal([3], Values(await _caught.TakeAsync(1)));

        File.Move(path, path + ".1");
        File.WriteAllText(path, Line(4));
        Assert.Equal([4], Values(await _caught.TakeAsync(1)));

        File.WriteAllText(path, "");
        await Task.Delay(500, stopping.Token);
        File.AppendAllText(path, Line(5));
        Assert.Equal([5], Values(await _caught.TakeAsync(1)));

        await stopping.CancelAsync();
        await running;

        static string Line(int value) => $$"""{"stream":"a","value":{{value}}}""" + "\n";
        static IEnumerable<double> Values(Observation[] observations) => observations.Select(o => o.Value);
    }

    [Fact]
    public async Task After_a_restart_no_line_is_taken_twice_and_none_is_missed_wherever_it_was_cut_off()
    {
        string path = Path.Combine(_directory, "boiler.csv");
        File.WriteAllText(path, "temp,hum\n" + string.Concat(Enumerable.Range(0, 40).Select(i => i % 9 == 3 ? $"\"{i}\",x\n" : $"{i},{i + 1000}\n")));
        List<double> expected = [.. Enumerable.Range(0, 40).SelectMany(i => i % 9 == 3 ? [i] : new double[] { i, i + 1000 })];
        List<double> taken = [];

        // Each life takes two batches of three, then the disk fails.
        for (int life = 0; life < 40 && taken.Count < expected.Count; life++)
        {
            int batches = 0;
            _caught.OnBatch = () => _caught.Refusal = ++batches == 2 ? "no space left" : null;
            await Assert.ThrowsAnyAsync<Exception>(() => Throwing(Reading(path, batchMax: 3).RunAsync(_caught.Intake, TestContext.Current.CancellationToken)));
            _caught.Refusal = null;
            taken.AddRange(_caught.TakeAll().Select(o => o.Value));
        }

        Assert.Equal(expected, taken);

        static async Task Throwing(Task reading)
        {
            await reading;
            throw new OperationCanceledException();
        }
    }

    [Theory]
    [InlineData(",result,table,_time,_value,_field,_measurement,host\n", ",,0,{0},{1},idle,cpu,pi\n", ",result,table,_time,_value,_field,_measurement,disk,host\n", ",,1,{0},{1},free,disk,sda,pi\n", "m/cpu/host=pi/idle", "m/disk/disk=sda/host=pi/free")]
    [InlineData("time,a\n", "{0},{1}\n", "time,b\n", "{0},{1}\n", "m", "m")]
    [InlineData("time;a;b\n", "{0};{1};1\n", "b;time;a\n", "2;{0};{1}\n", "m/a", "m/a")]
    [InlineData("time,a,b\n", "{0},{1},1\n", "\"time\",c,\"d \u00b0C\"\n", "{0},{1},2\n", "m/a", "m/c")]
    public async Task A_file_whose_header_changes_goes_on_with_the_one_in_force_wherever_it_is_restarted(
        string first, string row, string second, string otherRow, string stream, string otherStream)
    {
        string path = Path.Combine(_directory, "m.csv");
        File.WriteAllText(path, first + Rows(row, 0) + second + Rows(otherRow, 20));
        (string, double)[] expected = [.. Enumerable.Range(0, 40).Select(i => (i < 20 ? stream : otherStream, (double)i))];
        List<(string, double)> taken = [];

        // Each life takes one batch, then the disk fails.
        for (int life = 0; life < 200 && taken.Count < expected.Length; life++)
        {
            int batches = 0;
            _caught.OnBatch = () => _caught.Refusal = ++batches == 2 ? "no space left" : null;
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            await Task.WhenAny(Reading(path, batchMax: 7).RunAsync(_caught.Intake, stopping.Token));
            _caught.Refusal = null;
            taken.AddRange(_caught.TakeAll().Where(o => o.Stream == stream || o.Stream == otherStream).Select(o => (o.Stream, o.Value)));
        }

        Assert.Equal(expected, taken);
        Assert.Empty(_caught.Letters.Letters);

        // In the middle of what has the second header, behind a whole chunk: the position must know where that one stands.
        File.AppendAllText(path, Rows(otherRow, 40));
        await Reading(path).RunAsync(_caught.Intake, TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(40, 20).Select(i => (otherStream, (double)i)), _caught.TakeAll().Where(o => o.Stream == otherStream).Select(o => (o.Stream, o.Value)));
        Assert.Empty(_caught.Letters.Letters);

        static string Rows(string row, int from) => string.Concat(Enumerable.Range(from, 20).Select(i =>
            string.Format(System.Globalization.CultureInfo.InvariantCulture, row, $"2026-05-01T10:00:{i:00}Z", i)));
    }

    [Fact]
    public async Task A_followed_file_goes_on_after_a_restart_also_where_it_was_rotated_meanwhile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "files are told apart by their numbers");
        string path = Path.Combine(_directory, "m.csv");
        File.WriteAllText(path, "time,temp,pressure\n" + Row(0, "20,1013") + Row(1, "21,1014"));
        await FollowAsync(4);

        // While nobody reads: a line more, a rotation, and another order of columns.
        File.AppendAllText(path, Row(2, "22,1015"));
        File.Move(path, path + ".1");
        File.WriteAllText(path, "time,pressure,temp\n" + Row(100, "1016,23"));
        Observation[] found = await FollowAsync(4);

        Assert.Equal([("m/temp", 22), ("m/pressure", 1015), ("m/pressure", 1016), ("m/temp", 23)], found.Select(o => (o.Stream, o.Value)));

        // Cut and at once written longer than before, with a column more.
        File.WriteAllText(path, "time,temp,pressure,humidity\n" + string.Concat(Enumerable.Range(200, 20).Select(i => Row(i, "24,1017,50"))));
        found = await FollowAsync(60);
        Assert.Equal(20, found.Count(o => o.Stream == "m/humidity"));

        Assert.Empty(await FollowAsync(0));

        static string Row(int second, string values) => $"{1_700_000_000 + second},{values}\n";

        async Task<Observation[]> FollowAsync(int count)
        {
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            Task running = Reading(path, follow: true).RunAsync(_caught.Intake, stopping.Token);
            Observation[] taken = await _caught.TakeAsync(count);
            await stopping.CancelAsync();
            await running;
            return [.. taken, .. _caught.TakeAll()];
        }
    }

    [Fact]
    public async Task Lines_of_a_log_become_events_of_one_stream_and_of_the_sessions_their_key_names()
    {
        string path = Path.Combine(_directory, "shop.log");
        File.WriteAllText(path, "2026-05-01T10:00:00Z INFO [r1] began\n\n2026-05-01T10:00:00Z INFO [r2] began\n   at Shop.Pay()\nbad\0line\n");
        var options = new FileSourceOptions { Path = path, Key = @"\[(?<key>\w+)\]" };

        await new FileSource(options, 0, RecordRules.None, batchMax: 16, TimeProvider.System, NullLogger<FileSource>.Instance)
            .RunAsync(_caught.Intake, TestContext.Current.CancellationToken);

        Observation[] observations = _caught.TakeAll();
        Assert.All(observations, one => Assert.Equal(("shop", new DateTimeOffset(2026, 5, 1, 10, 0, 0, TimeSpan.Zero)), (one.Stream, one.Time)));
        Assert.Equal(
            [new TextEvent("INFO [<key>] began", "r1"), new TextEvent("INFO [<key>] began", "r2"), new TextEvent("at Shop.Pay()")],
            observations.Select(one => one.Event));
        Assert.Equal((4, 1, 3), (_caught.Ledger.Cut().Received, _caught.Ledger.Cut().Rejected, _caught.Ledger.Cut().Queued));
    }

    [Fact]
    public async Task Standard_input_is_read_until_it_ends()
    {
        using var input = new MemoryStream(Encoding.UTF8.GetBytes("a,b\n1,2\n3,4\n"));

        await new StdinSource(new StdinSourceOptions(), input, RecordRules.None, 10, TimeProvider.System, NullLogger<StdinSource>.Instance)
            .RunAsync(_caught.Intake, TestContext.Current.CancellationToken);

        Assert.Equal(
            [("stdin/a", 1.0), ("stdin/b", 2.0), ("stdin/a", 3.0), ("stdin/b", 4.0)],
            _caught.TakeAll().Select(o => (o.Stream, o.Value)));
    }

    private static FileSource Reading(string path, bool follow = false, int batchMax = 16) => new(
        new FileSourceOptions { Path = path, Follow = follow }, 0, RecordRules.None, batchMax, TimeProvider.System, NullLogger<FileSource>.Instance);
}
