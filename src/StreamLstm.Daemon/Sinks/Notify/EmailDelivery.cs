using System.Net.Sockets;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace StreamLstm.Daemon.Sinks.Notify;

/// <summary>E-mail by SMTP: what is said of one cause is one thread, and a message that is sent again has the same Message-ID.</summary>
internal sealed class EmailDelivery(NotifyOptions options) : IDelivery
{
    private readonly Uri _url = new(options.Url);
    private readonly MessageTemplate _template = MessageTemplate.TryParse(options.Template.Length > 0 ? options.Template : "email", "", out _)!;

    public async Task SendAsync(Notification notification, string? told, CancellationToken cancellationToken)
    {
        string place = MailboxAddress.Parse(options.From).Domain;
        using var message = new MimeMessage();
        message.From.Add(MailboxAddress.Parse(options.From));
        message.To.AddRange(options.To.Select(MailboxAddress.Parse));
        message.Subject = $"[{notification.State switch { "resolved" => "resolved", "summary" => "quiet hours", _ => notification.Severity }}] {notification.Title}";
        message.MessageId = $"{notification.Key}@{place}";
        message.References.Add($"{notification.Id}@{place}");
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new TextPart("plain") { Text = _template.Render(notification).Trim() + "\n" };
        await TalkAsync((client, token) => client.SendAsync(message, token), cancellationToken);
    }

    public async Task<string> ReachAsync(CancellationToken cancellationToken)
    {
        string words = "";
        await TalkAsync(
            (client, _) =>
            {
                words = $"{_url.Host}:{_url.Port} lets in{(options.Username.Length > 0 ? $" '{options.Username}'" : "")} ({(client.IsSecure ? $"{client.SslProtocol}" : "no TLS")})";
                return Task.CompletedTask;
            },
            cancellationToken);
        return words;
    }

    /// <summary>smtps begins with TLS. Else it is used where the server offers it; a password goes to another computer only by it, whatever stands between says.</summary>
    internal static SecureSocketOptions SecurityOf(Uri url, bool hasPassword) =>
        url.Scheme == "smtps" ? SecureSocketOptions.SslOnConnect
        : hasPassword && !url.IsLoopback ? SecureSocketOptions.StartTls
        : SecureSocketOptions.StartTlsWhenAvailable;

    public void Dispose()
    {
        // A connection lasts for one message.
    }

    /// <summary>Connects, logs in, does something, and says goodbye.</summary>
    private async Task TalkAsync(Func<SmtpClient, CancellationToken, Task> what, CancellationToken cancellationToken)
    {
        string where = $"{_url.Host}:{_url.Port}";

        try
        {
            using var tooLong = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            tooLong.CancelAfter(options.Timeout);
            using var client = new SmtpClient();

            // As for HTTP: an authority of one's own has no place where it says what it takes back, and the library would refuse it for that.
            client.CheckCertificateRevocation = false;
            await client.ConnectAsync(_url.Host, _url.Port, SecurityOf(_url, options.Username.Length > 0), tooLong.Token);

            if (options.Username.Length > 0)
            {
                await client.AuthenticateAsync(options.Username, options.Password, tooLong.Token);
            }

            await what(client, tooLong.Token);
            await client.DisconnectAsync(quit: true, tooLong.Token);
        }
        catch (SmtpCommandException refused) when ((int)refused.StatusCode is >= 550 and <= 554)
        {
            throw new RefusedException($"{where} refused it: {refused.Message}");
        }
        catch (NotSupportedException)
        {
            throw new IOException($"{where} offers no STARTTLS, and the password is sent to another computer over TLS only; use smtps:// or leave username out");
        }
        catch (SslHandshakeException untrusted) when (untrusted.ServerCertificate is not null)
        {
            throw new IOException($"{where}: its certificate is not trusted on this computer, or is one of another name or time", untrusted);
        }
        catch (Exception failed) when (failed is SmtpCommandException or SmtpProtocolException or AuthenticationException or SslHandshakeException or SocketException or MailKit.ServiceNotConnectedException)
        {
            throw new IOException($"{where}: {failed.Message.Split('\n')[0]}", failed);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"{where} did not answer within {options.Timeout.TotalSeconds:0.#} s");
        }
    }
}
