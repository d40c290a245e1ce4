using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Playwright;
using StreamLstm.Daemon.Commands;
using StreamLstm.IntegrationTests.Support;

namespace StreamLstm.IntegrationTests.Notify;

/// <summary>People are told of a fault by the real receivers that Debian has: Alertmanager, an SMTP server; the others by their documented requests.</summary>
public sealed class NotifyTests : IDisposable
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UtcNow.AddMinutes(-30);

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Alertmanager_has_the_alert_while_the_incident_goes_on_and_hears_of_its_end()
    {
        string alertmanager = Parts.Require("prometheus-alertmanager", "prometheus-alertmanager");
        await using HttpReceiver receiver = await HttpReceiver.StartAsync(_ => 200);
        int port = DaemonProcess.FreePort();
        string file = Path.Combine(_directory.Path, "alertmanager.yml");
        await File.WriteAllTextAsync(
            file,
            $"route: {{receiver: us, group_by: ['...'], group_wait: 0s, group_interval: 1s}}\nreceivers: [{{name: us, webhook_configs: [{{url: '{receiver.Url}'}}]}}]\n",
            TestContext.Current.CancellationToken);
        using Running running = Running.Start(
            alertmanager, $"--config.file={file}", $"--storage.path={_directory.Path}/alertmanager", $"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=");
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, "sinks.notify.0.by=alertmanager", $"sinks.notify.0.url=http://127.0.0.1:{port}", "sinks.notify.0.page=http://monitor.example:8080");

        double[] values = Series.Daily(3, 950);
        values[899] = 60;
        await daemon.PostAsync("boiler", values[..900], Start);
        JsonElement alert = default;
        await daemon.UntilAsync(
            async () => (await daemon.Http.GetFromJsonAsync<JsonElement>($"http://127.0.0.1:{port}/api/v2/alerts?active=true")) is { } alerts && alerts.GetArrayLength() == 1
                && (alert = alerts[0]).ValueKind == JsonValueKind.Object,
            "an alert in Alertmanager");
        Assert.Equal("StreamLstmIncident", alert.GetProperty("labels").GetProperty("alertname").GetString());
        Assert.Contains(alert.GetProperty("labels").GetProperty("severity").GetString(), new[] { "info", "warning", "critical" });
        Assert.StartsWith("boiler: ", alert.GetProperty("annotations").GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("http://monitor.example:8080/#boiler?incident=", alert.GetProperty("generatorURL").GetString(), StringComparison.Ordinal);

        await daemon.PostAsync("boiler", values[900..], Start.AddSeconds(900));
        await daemon.UntilAsync(() => Task.FromResult(receiver.Got.Any(one => one.Body.Contains("\"status\":\"resolved\"", StringComparison.Ordinal))), "resolved in Alertmanager");
        Assert.Contains(receiver.Got, one => one.Body.Contains("\"status\":\"firing\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_mail_server_gets_one_mail_when_it_begins_and_one_of_the_same_thread_when_it_ends()
    {
        const string python = "/usr/bin/python3";
        Parts.RequireFile("/usr/lib", "lmtp.py", "python3-aiosmtpd");
        int port = DaemonProcess.FreePort();
        using Running running = Running.Start(python, "-u", "-m", "aiosmtpd", "-n", "-l", $"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Debugging", "stdout");
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, "sinks.notify.0.by=email", $"sinks.notify.0.url=smtp://127.0.0.1:{port}", "sinks.notify.0.from=StreamLstm <lstm@plant.example>",
            "sinks.notify.0.to.0=ops@plant.example", "sinks.notify.0.name=mail");

        await SpikeAsync(daemon);
        await daemon.UntilAsync(() => Task.FromResult(running.Output.Contains("[resolved]", StringComparison.Ordinal) && running.Output.EndsWith("END MESSAGE ------------", StringComparison.Ordinal)), "both mails there");

        string[] mails = running.Output.Split("---------- MESSAGE FOLLOWS ----------", StringSplitOptions.RemoveEmptyEntries);
        mails = [.. mails.Where(mail => mail.Contains("Subject:", StringComparison.Ordinal))];
        Assert.Equal(2, mails.Length);
        Assert.Matches(@"Subject: \[(info|warning|critical)\] boiler: ", mails[0]);
        Assert.Matches(@"Message-Id: <.+-0-\d+@plant\.example>", mails[0]);
        Assert.Contains("expected", mails[0], StringComparison.Ordinal);
        Assert.Contains("Subject: [resolved] boiler: ", mails[1], StringComparison.Ordinal);
        Assert.Equal(ThreadOf(mails[0]), ThreadOf(mails[1]));

        static string ThreadOf(string mail) => mail.Split('\n').First(line => line.StartsWith("References:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("plain", "smtp")]
    [InlineData("starttls", "smtp")]
    [InlineData("smtps", "smtps")]
    public async Task A_mail_server_that_asks_for_a_login_gets_it_and_one_that_nobody_vouches_for_does_not(string mode, string scheme)
    {
        const string python = "/usr/bin/python3", Password = "mail-pass-0123456789";
        Parts.RequireFile("/usr/lib", "lmtp.py", "python3-aiosmtpd");
        using Authority ours = Authority.Create(_directory.Path, "ours"), others = Authority.Create(_directory.Path, "others");
        (string certificate, string key) = ours.Issue("mail", ["127.0.0.1", "localhost"]);
        int port = DaemonProcess.FreePort();
        string server = """
            import ssl, sys, time
            from aiosmtpd.controller import Controller
            from aiosmtpd.handlers import Debugging
            from aiosmtpd.smtp import AuthResult
            mode, port, certificate, key, password = sys.argv[1:]
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate, key)
            def check(server, session, envelope, mechanism, data):
                return AuthResult(success=(data.login, data.password) == (b'ops', password.encode()), handled=False)
            tls = {'tls_context': context, 'require_starttls': True} if mode == 'starttls' else {'ssl_context': context} if mode == 'smtps' else {}
            Controller(Debugging(sys.stdout), hostname='127.0.0.1', port=int(port), authenticator=check, auth_required=True, auth_require_tls=mode == 'starttls', **tls).start()
            print('listening')
            time.sleep(600)
            """;
        using Running running = Running.Start(python, "-u", "-c", server, mode, $"{port}", certificate, key, Password);
        await UntilAsync(() => running.Output.Contains("listening", StringComparison.Ordinal), "listening");

        (int Code, string Said) right = await TestAsync(ours.CaFile, Password), wrong = await TestAsync(ours.CaFile, "another-pass-0123456789"), unknown = await TestAsync(others.CaFile, Password);
        Assert.Equal((0, "mail: sent\n"), right);
        await UntilAsync(() => running.Output.Contains("StreamLstm test notification", StringComparison.Ordinal), "a mail");
        Assert.Equal(1, wrong.Code);
        Assert.Contains($"mail: 127.0.0.1:{port}: 535", wrong.Said, StringComparison.Ordinal);
        Assert.Equal(mode == "plain" ? 0 : 1, unknown.Code);
        Assert.Equal(mode != "plain", unknown.Said.Contains("certificate", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("pass-0123456789", wrong.Said + unknown.Said, StringComparison.Ordinal);

        // Without a user the server takes nothing.
        Assert.Equal(1, (await TestAsync(ours.CaFile, Password, "sinks.notify.0.username=")).Code);

        Task<(int Code, string Said)> TestAsync(string trusted, string password, params string[] more) => Command.RunAsync(
            "env",
            [
                $"SSL_CERT_FILE={trusted}", "SSL_CERT_DIR=/var/empty", "dotnet", typeof(CommandLine).Assembly.Location, "notify", "test",
                .. ((string[])
                [
                    "sinks.notify.0.by=email", "sinks.notify.0.name=mail", $"sinks.notify.0.url={scheme}://127.0.0.1:{port}", "sinks.notify.0.from=lstm@plant.example",
                    "sinks.notify.0.to.0=ops@plant.example", "sinks.notify.0.username=ops", $"sinks.notify.0.password={password}", .. more,
                ]).SelectMany(setting => new[] { "--set", setting }),
            ]);
    }

    [Fact]
    public async Task What_joins_a_cause_within_the_wait_is_one_message_over_a_kill_too()
    {
        await using HttpReceiver receiver = await HttpReceiver.StartAsync(_ => 204);
        string[] settings = [$"sinks.notify.0.url={receiver.Url}", "sinks.notify.0.name=chat", "sinks.notify.0.group_wait=12s", "storage.snapshot_interval=1h"];
        double[][] values = [.. Enumerable.Range(0, 3).Select(i => Series.Daily(i + 3, 900))];

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path, settings))
        {
            for (int i = 0; i < 3; i++)
            {
                await daemon.PostAsync($"plant/boiler/{(char)('a' + i)}", values[i][..899], Start);
            }

            for (int i = 0; i < 3; i++)
            {
                await daemon.PostAsync($"plant/boiler/{(char)('a' + i)}", [60], Start.AddSeconds(899));
            }

            await daemon.UntilSettledAsync("chat");
            Assert.Empty(receiver.Got);
            await daemon.KillAsync();
        }

        await using DaemonProcess again = await DaemonProcess.StartAsync(_directory.Path, settings);
        await again.UntilAsync(() => Task.FromResult(!receiver.Got.IsEmpty), "told");
        JsonElement told = JsonDocument.Parse(Assert.Single(receiver.Got).Body).RootElement;
        Assert.Equal(("opened", 3), (told.GetProperty("state").GetString(), told.GetProperty("size").GetInt32()));
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (int tries = 0; !condition(); tries++)
        {
            Assert.True(tries < 600, $"never {what}");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_signed_webhook_is_tried_again_until_it_is_taken_and_after_a_kill_comes_with_the_same_key()
    {
        const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        await using HttpReceiver receiver = await HttpReceiver.StartAsync(request => request <= 2 ? 500 : 204);
        string[] settings =
        [
            $"sinks.notify.0.url={receiver.Url}", "sinks.notify.0.template=slack", $"sinks.notify.0.secret={Secret}", "sinks.notify.0.name=chat", "storage.snapshot_interval=1h",
        ];

        await using (DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path, settings))
        {
            await SpikeAsync(daemon);
            await daemon.UntilAsync(() => Task.FromResult(receiver.Got.Count >= 4), "opened, twice more, and resolved");
            await daemon.UntilSettledAsync("chat");
            Assert.DoesNotContain("secret-path", daemon.Output, StringComparison.Ordinal);
            await daemon.KillAsync();
        }

        (string Key, string Body)[] got = [.. receiver.Got.Select(one => (one.Headers["Idempotency-Key"].ToString(), one.Body))];
        Assert.Equal([got[0].Key, got[0].Key, got[0].Key], got[..3].Select(one => one.Key));
        Assert.NotEqual(got[0].Key, got[3].Key);
        Assert.Contains("✅ resolved *boiler: ", JsonDocument.Parse(got[3].Body).RootElement.GetProperty("text").GetString(), StringComparison.Ordinal);

        foreach ((Microsoft.AspNetCore.Http.IHeaderDictionary headers, string body) in receiver.Got)
        {
            byte[] mac = HMACSHA256.HashData(
                Convert.FromBase64String(Secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{body}"));
            Assert.Equal($"v1,{Convert.ToBase64String(mac)}", headers["webhook-signature"].ToString());
        }

        // What it says of itself is lost: all is told again, under the keys of before.
        File.Delete(Path.Combine(_directory.Path, "chat.cursor"));
        await using DaemonProcess again = await DaemonProcess.StartAsync(_directory.Path, settings);
        await again.UntilSettledAsync("chat");
        Assert.Equal([got[0].Key, got[3].Key], receiver.Got.Skip(4).Select(one => one.Headers["Idempotency-Key"].ToString()));
    }

    [Fact]
    public async Task What_began_together_is_one_message_and_quiet_hours_keep_back_what_is_not_severe_enough()
    {
        await using HttpReceiver loud = await HttpReceiver.StartAsync(_ => 204), quiet = await HttpReceiver.StartAsync(_ => 204);
        await using DaemonProcess daemon = await DaemonProcess.StartAsync(
            _directory.Path, $"sinks.notify.0.url={loud.Url}", $"sinks.notify.1.url={quiet.Url}",
            "sinks.notify.1.severity_min=critical", "sinks.notify.1.quiet.from=00:00", "sinks.notify.1.quiet.to=23:59", "sinks.notify.1.streams=hall/*");

        double[][] values = [.. Enumerable.Range(0, 3).Select(i => Series.Daily(i + 3, 950))];

        // All begin before any ends.
        foreach (Range rows in new[] { ..900, 900.. })
        {
            for (int i = 0; i < 3; i++)
            {
                values[i][899] = 60;
                await daemon.PostAsync($"plant/boiler/{(char)('a' + i)}", values[i][rows], Start.AddSeconds(rows.Start.Value));
            }
        }

        await daemon.UntilScoredAsync(3 * 950);
        await daemon.UntilSettledAsync("notify.webhook");
        await daemon.UntilSettledAsync("notify.webhook.1");
        JsonElement[] told = [.. loud.Got.Select(one => JsonDocument.Parse(one.Body).RootElement)];
        Assert.Single(told, one => one.GetProperty("state").GetString() == "opened");
        Assert.Single(told.Select(one => one.GetProperty("id").GetString()).Distinct());
        Assert.Equal(3, (await daemon.GetAsync("/api/v1/incidents?grouped=true")).GetProperty("groups")[0].GetProperty("size").GetInt32());
        Assert.Empty(quiet.Got);
    }

    [Fact]
    public async Task The_verb_and_the_pages_button_send_a_test_and_say_what_became_of_it()
    {
        string chromium = Parts.Require("chromium", "chromium");
        await using HttpReceiver receiver = await HttpReceiver.StartAsync(_ => 204);
        string[] notify = [$"sinks.notify.0.url={receiver.Url}", "sinks.notify.0.name=chat", "sinks.notify.0.template=teams"];
        string[] dead = [.. notify, "sinks.notify.1.name=dead", $"sinks.notify.1.url=http://127.0.0.1:{DaemonProcess.FreePort()}/hook"];
        string[] verb = [typeof(CommandLine).Assembly.Location, "notify", "test"];

        Assert.Equal((0, "chat: sent\n"), await Command.RunAsync("dotnet", [.. verb, .. notify.SelectMany(setting => new[] { "--set", setting })]));
        (int code, string said) = await Command.RunAsync("dotnet", [.. verb, .. dead.SelectMany(setting => new[] { "--set", setting })]);
        Assert.Equal(1, code);
        Assert.Contains("dead: http://127.0.0.1", said, StringComparison.Ordinal);
        Assert.Contains("cannot be reached", said, StringComparison.Ordinal);
        Assert.DoesNotContain("/hook", said, StringComparison.Ordinal);
        Assert.Contains("sinks.notify is empty", (await Command.RunAsync("dotnet", verb)).Said, StringComparison.Ordinal);

        await using DaemonProcess daemon = await DaemonProcess.StartAsync(_directory.Path, dead);
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Args = ["--no-sandbox", "--disable-gpu"] });
        IPage page = await browser.NewPageAsync();
        await page.GotoAsync($"http://127.0.0.1:{daemon.HttpPort}/");
        await page.Locator("#notify button").ClickAsync();
        await Assertions.Expect(page.Locator("#notify span")).ToContainTextAsync("chat: sent · dead: http://127.0.0.1");

        if (Environment.GetEnvironmentVariable("STREAMLSTM_TEST_PICTURES") is { } pictures)
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(pictures, "notify.png") });
        }

        Assert.All(receiver.Got, one => Assert.Contains("AdaptiveCard", one.Body, StringComparison.Ordinal));
        Assert.Equal(3, receiver.Got.Count);
    }

    private static async Task SpikeAsync(DaemonProcess daemon)
    {
        double[] values = Series.Daily(3, 950);
        values[899] = 60;
        await daemon.PostAsync("boiler", values, Start);
        await daemon.UntilScoredAsync(950);
    }
}
