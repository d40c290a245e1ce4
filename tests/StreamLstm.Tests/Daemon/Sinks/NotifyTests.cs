using System.Text.Json;
using MailKit.Security;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Sinks.Notify;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Daemon.Sinks;

public sealed class NotifyTests
{
    private static readonly Notification Hostile = new(
        "key-0-1", "key", "opened", "critical", "a \"quoted\" {{ title }} <b>\\", "line\nnext\t\u001b", "plant/\"x\"", 2, 71.5, "2026-05-01T10:00:00Z", null, "http://monitor/#a",
        [new NotifiedStream("plant/\"x\"", "critical", "97 (expected 3 to 12)", "why"), new NotifiedStream("b", "info", "1", "so")]);

    [Theory]
    [InlineData("json", "title", "a \"quoted\" {{ title }} <b>\\")]
    [InlineData("slack", "text", "🔴 critical *a \"quoted\" {{ title }} <b>\\*\nline\nnext\t\u001b\n<http://monitor/#a|open>")]
    [InlineData("mattermost", "text", "🔴 critical **a \"quoted\" {{ title }} <b>\\**\nline\nnext\t\u001b\n[open](http://monitor/#a)")]
    [InlineData("teams", "type", "message")]
    [InlineData("ntfy", "topic", "plant")]
    [InlineData("gotify", "title", "a \"quoted\" {{ title }} <b>\\")]
    public void Each_template_makes_json_whatever_the_words_hold(string name, string field, string expected)
    {
        string body = MessageTemplate.TryParse(name, "plant", out _)!.Render(Hostile);

        Assert.Equal(expected, JsonDocument.Parse(body).RootElement.GetProperty(field).GetString());
    }

    [Fact]
    public void A_template_of_ones_own_knows_the_notifications_words()
    {
        MessageTemplate template = MessageTemplate.TryParse("{{ severity | upcase }} {{ size }} {% for member in members %}{{ member.figure }};{% endfor %}{{ resolved_at }}", "", out _)!;

        Assert.Equal("CRITICAL 2 97 (expected 3 to 12);1;", template.Render(Hostile));
        Assert.Null(MessageTemplate.TryParse("{% if %}", "", out string? wrong));
        Assert.NotNull(wrong);
    }

    [Fact]
    public void A_summary_of_quiet_hours_has_the_same_key_for_the_same_causes_and_reads_so_in_each_template()
    {
        Notification over = Hostile with { Id = "other", Key = "other-2-9", Score = 80, ResolvedAt = "2026-05-01T11:00:00Z", Title = "pump fell silent", Text = "It did." };
        Notification summary = Notification.Summary([Hostile, over], 3, "http://monitor"), again = Notification.Summary([over, Hostile], 3, "http://monitor");

        Assert.Equal(summary.Key, again.Key);
        Assert.Equal(("summary", 5, "5 incidents were kept back in quiet hours, one goes on", "The strongest: pump fell silent. It did."), (summary.State, summary.Size, summary.Title, summary.Text));
        Assert.Null(summary.ResolvedAt);
        Assert.Equal("2026-05-01T11:00:00Z", Notification.Summary([over], 0, "").ResolvedAt);
        Assert.StartsWith("🌙 quiet hours *5 incidents", JsonDocument.Parse(MessageTemplate.TryParse("slack", "", out _)!.Render(summary)).RootElement.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.All(MessageTemplate.Names.Where(name => name != "email"), name => JsonDocument.Parse(MessageTemplate.TryParse(name, "t", out _)!.Render(summary)).Dispose());
    }

    [Theory]
    [InlineData("smtp://mail.example:587", true, SecureSocketOptions.StartTls)]
    [InlineData("smtp://mail.example:25", false, SecureSocketOptions.StartTlsWhenAvailable)]
    [InlineData("smtp://127.0.0.1:25", true, SecureSocketOptions.StartTlsWhenAvailable)]
    [InlineData("smtps://mail.example:465", true, SecureSocketOptions.SslOnConnect)]
    public void A_password_goes_to_another_computer_by_TLS_only(string url, bool hasPassword, SecureSocketOptions expected) =>
        Assert.Equal(expected, EmailDelivery.SecurityOf(new Uri(url), hasPassword));

    [Theory]
    [InlineData("2026-05-01T21:30:00Z", IncidentSeverity.Warning, true)]     // 23:30 in Berlin
    [InlineData("2026-05-01T21:30:00Z", IncidentSeverity.Critical, false)]
    [InlineData("2026-05-01T04:59:59Z", IncidentSeverity.Info, true)]
    [InlineData("2026-05-01T05:00:00Z", IncidentSeverity.Info, false)]
    [InlineData("2026-05-01T12:00:00Z", IncidentSeverity.Info, false)]
    public void Quiet_hours_are_those_of_their_time_zone(string time, IncidentSeverity severity, bool isKeptBack)
    {
        QuietHours quiet = QuietHours.Of(new QuietHoursOptions { From = "22:00", To = "07:00", TimeZone = "Europe/Berlin" }, out _)!;

        Assert.Equal(isKeptBack, quiet.Holds(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture), severity));
    }

    [Theory]
    [InlineData("sinks.notify.0.url: missing, expected one such as https://example.com/hook", "sinks.notify.0.by=webhook")]
    [InlineData("sinks.notify.0.url: no such address, expected one such as smtp://host:25", "sinks.notify.0.by=email", "sinks.notify.0.url=http://secret")]
    [InlineData("sinks.notify.0.to: none, expected addresses", "sinks.notify.0.by=email", "sinks.notify.0.url=smtp://h:25", "sinks.notify.0.from=a@b.example")]
    [InlineData("sinks.notify.0.from: 'me', expected an address", "sinks.notify.0.by=email", "sinks.notify.0.url=smtp://h:25", "sinks.notify.0.from=me", "sinks.notify.0.to.0=a@b.example")]
    [InlineData("sinks.notify.0.template: ", "sinks.notify.0.url=http://h/x", "sinks.notify.0.template={% if %}")]
    [InlineData("sinks.notify.0.topic: none, expected the topic", "sinks.notify.0.url=http://h/x", "sinks.notify.0.template=ntfy")]
    [InlineData("sinks.notify.0.quiet.to: '', expected another time of day than from", "sinks.notify.0.url=http://h/x", "sinks.notify.0.quiet.from=22:00")]
    [InlineData("sinks.notify.0.quiet.time_zone: 'Mars', expected a time zone", "sinks.notify.0.url=http://h/x", "sinks.notify.0.quiet.from=22:00", "sinks.notify.0.quiet.to=07:00", "sinks.notify.0.quiet.time_zone=Mars")]
    [InlineData("sinks.notify.1.name: 'a', expected letters", "sinks.notify.0.url=http://h/x", "sinks.notify.0.name=a", "sinks.notify.1.url=http://h/x", "sinks.notify.1.name=a")]
    public void A_receiver_that_cannot_be_reached_so_is_named_without_its_secrets(string expected, params string[] settings)
    {
        var wrong = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([], settings, new Dictionary<string, string>()));

        Assert.Contains(wrong.Errors, error => error.Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(wrong.Errors, error => error.Contains("secret", StringComparison.Ordinal));
    }
}
