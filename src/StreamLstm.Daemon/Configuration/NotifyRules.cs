using MimeKit;
using StreamLstm.Daemon.Sinks.Notify;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What must hold of those who are told of incidents.</summary>
internal static class NotifyRules
{
    /// <param name="options">All options.</param>
    /// <param name="wrong">Takes the key of what is wrong, and what was expected instead.</param>
    public static void Check(DaemonOptions options, Action<string, string> wrong)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { "live", "console", "jsonl", "history", "webhook" };

        foreach ((int i, NotifyOptions notify) in options.Sinks.Notify.Index())
        {
            string key = $"sinks.notify.{i}";
            string schemes = notify.By == NotifyBy.Email ? "smtp://host:25 or smtps://host:465" : notify.By == NotifyBy.Alertmanager ? "http://host:9093" : "https://example.com/hook";

            // Not the address itself: it may be a secret.
            if (!Uri.TryCreate(notify.Url, UriKind.Absolute, out Uri? url)
                || (notify.By == NotifyBy.Email ? url.Scheme is not ("smtp" or "smtps") || url.Port <= 0 : url.Scheme is not ("http" or "https")))
            {
                wrong($"{key}.url", $"{(notify.Url.Length == 0 ? "missing" : "no such address")}, expected one such as {schemes}");
            }

            if (!names.Add(NotifyOptions.NameOf(notify, i)) || NotifyOptions.NameOf(notify, i).Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('.' or '-' or '_')))
            {
                wrong($"{key}.name", $"'{notify.Name}', expected letters, digits, . _ -, and a name that no other sink has");
            }

            if (notify.Template.Length > 0 && MessageTemplate.TryParse(notify.Template, notify.Topic, out string? problem) is null)
            {
                wrong($"{key}.template", $"{problem}; expected {string.Join(", ", MessageTemplate.Names)}, or a template in Liquid");
            }

            if (notify.Template == "ntfy" && notify.Topic.Length == 0)
            {
                wrong($"{key}.topic", "none, expected the topic that ntfy publishes to; url is the server's address");
            }

            if (notify.Secret.StartsWith("whsec_", StringComparison.Ordinal) && !Convert.TryFromBase64String(notify.Secret["whsec_".Length..], new byte[notify.Secret.Length], out _))
            {
                wrong($"{key}.secret", "expected base64 behind whsec_");
            }

            if (QuietHours.Of(notify.Quiet, out (string Option, string What)? quiet) is null && quiet is { } of)
            {
                wrong($"{key}.quiet.{of.Option}", of.What);
            }

            if (notify.By == NotifyBy.Email)
            {
                Email(notify, key, wrong);
            }
        }
    }

    private static void Email(NotifyOptions notify, string key, Action<string, string> wrong)
    {
        if (!IsAddress(notify.From))
        {
            wrong($"{key}.from", $"'{notify.From}', expected an address such as streamlstm@example.com");
        }

        if (notify.To.Count == 0)
        {
            wrong($"{key}.to", "none, expected addresses such as [ops@example.com]");
        }

        foreach ((int i, string to) in notify.To.Index())
        {
            if (!IsAddress(to))
            {
                wrong($"{key}.to.{i}", $"'{to}', expected an address such as ops@example.com");
            }
        }
    }

    /// <summary>With a place behind the name: "me" would be one for the library.</summary>
    private static bool IsAddress(string text) => MailboxAddress.TryParse(text, out MailboxAddress? address) && address.Domain.Length > 0;
}
