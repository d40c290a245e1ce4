using StreamLstm.Daemon.Messages;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>By which way people are told.</summary>
internal enum NotifyBy
{
    /// <summary>A POST request whose body is a template's: Slack, Teams, Mattermost, ntfy, Gotify, or what you write.</summary>
    Webhook,

    /// <summary>Alerts of Prometheus Alertmanager, API v2.</summary>
    Alertmanager,

    /// <summary>E-mail by SMTP.</summary>
    Email,
}

/// <summary>Somebody who is told of incidents: one message for what began together, when it opens, becomes more severe and ends.</summary>
internal sealed class NotifyOptions
{
    /// <summary>In metrics, logs and `streamlstm notify test`; empty = by, with a number from the second on.</summary>
    public string Name { get; init; } = "";

    /// <summary>webhook, alertmanager or email.</summary>
    public NotifyBy By { get; init; } = NotifyBy.Webhook;

    /// <summary>Where to: http or https, of Alertmanager its own address; smtp://host:port or smtps://host:port for e-mail. Often a secret, and kept out of logs and echo.</summary>
    [Secret]
    public string Url { get; init; } = "";

    /// <summary>The Authorization header, as "Bearer ${file:/run/secrets/token}"; empty for none.</summary>
    [Secret]
    public string Authorization { get; init; } = "";

    /// <summary>Signs webhooks as standardwebhooks.com says (webhook-signature); empty = not signed.</summary>
    [Secret]
    public string Secret { get; init; } = "";

    /// <summary>The body: json, slack, mattermost, teams, ntfy, gotify, or a text of your own in Liquid; of e-mail its text.</summary>
    public string Template { get; init; } = "";

    /// <summary>Of ntfy: the topic.</summary>
    public string Topic { get; init; } = "";

    /// <summary>Least severity that is told: info, warning, critical.</summary>
    public IncidentSeverity SeverityMin { get; init; } = IncidentSeverity.Info;

    /// <summary>Names of the streams: * stands for any characters, ? for one; a group is told if one of its members matches.</summary>
    public string Streams { get; init; } = "*";

    /// <summary>How long the first message of a cause waits for further streams of it; 0s: not at all.</summary>
    public TimeSpan GroupWait { get; init; } = TimeSpan.Zero;

    /// <summary>Whether the end is told too, of what was told.</summary>
    public bool Resolved { get; init; } = true;

    /// <summary>Hours in which less is told; what they keep back is told in one message when they end.</summary>
    public QuietHoursOptions Quiet { get; init; } = new();

    /// <summary>The page's address as people reach it, for links; empty for none.</summary>
    public string Page { get; init; } = "";

    /// <summary>Time for one answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>drop: what finds the queue full is dropped, and counted; block: all waits, sources too.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.Drop;

    /// <summary>Of e-mail: the sender's address.</summary>
    public string From { get; init; } = "";

    /// <summary>Of e-mail: the receivers' addresses.</summary>
    public IReadOnlyList<string> To { get; init; } = [];

    /// <summary>Of e-mail: the user at the server; empty for none.</summary>
    public string Username { get; init; } = "";

    /// <summary>Of e-mail: its password.</summary>
    [Secret]
    public string Password { get; init; } = "";

    /// <summary>The name in metrics and logs.</summary>
    /// <param name="notify">The configuration.</param>
    /// <param name="index">Its place in the list.</param>
    public static string NameOf(NotifyOptions notify, int index) =>
        notify.Name.Length > 0 ? notify.Name : $"notify.{notify.By.ToString().ToLowerInvariant()}{(index == 0 ? "" : $".{index}")}";
}

/// <summary>Hours of the day in which only what is severe enough is told.</summary>
internal sealed class QuietHoursOptions
{
    /// <summary>Time of day at which they begin, such as 22:00; empty = never.</summary>
    public string From { get; init; } = "";

    /// <summary>Time of day at which they end; before from: on the next day.</summary>
    public string To { get; init; } = "";

    /// <summary>Of from and to, such as Europe/Berlin.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>What is told all the same.</summary>
    public IncidentSeverity SeverityMin { get; init; } = IncidentSeverity.Critical;
}
