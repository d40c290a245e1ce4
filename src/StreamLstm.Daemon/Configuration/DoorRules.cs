using System.Net;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Sources;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What must hold of what listens: who beyond this computer may come in has to show that he may.</summary>
internal static class DoorRules
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <param name="options">All options.</param>
    /// <param name="wrong">Takes the key of what is wrong, and what was expected instead.</param>
    public static void Check(DaemonOptions options, Action<string, string> wrong)
    {
        HttpOptions http = options.Http;
        MqttEmbeddedOptions broker = options.Sources.MqttEmbedded;

        if (IsBeyondLoopback(http.Address, "http", wrong) && http.Tokens.Count == 0)
        {
            wrong(
                "http.address",
                $"'{http.Address}' lets the network in, expected 127.0.0.1, or tokens that say who may do what: "
                + "http: {tokens: [{role: admin, file: /etc/streamlstm/admin.token}]} (openssl rand -hex 24 makes one)");
        }

        if (broker.Enabled && IsBeyondLoopback(broker.Address, "sources.mqtt_embedded", wrong) && broker.PasswordFile.Length == 0)
        {
            wrong(
                "sources.mqtt_embedded.address",
                $"'{broker.Address}' lets the network in, expected 127.0.0.1, or sources.mqtt_embedded.password_file (mosquitto_passwd -c FILE USER makes one), or enabled: false");
        }

        for (int i = 0; i < http.Tokens.Count; i++)
        {
            Token(http.Tokens[i], $"http.tokens.{i}", wrong);
        }

        for (int i = 0; i < http.Hosts.Count; i++)
        {
            if (http.Hosts[i].Length == 0 || http.Hosts[i].Any(character => !char.IsAsciiLetterOrDigit(character) && character is not ('.' or '-' or '_' or ':' or '[' or ']')))
            {
                wrong($"http.hosts.{i}", $"'{http.Hosts[i]}', expected a name such as monitor.example or monitor.example:8443, without http://");
            }
        }

        if (http.PathPrefix.Length > 0 && (http.PathPrefix is not ['/', _, ..] || http.PathPrefix[^1] == '/' || !Uri.IsWellFormedUriString(http.PathPrefix, UriKind.Relative)))
        {
            wrong("http.path_prefix", $"'{http.PathPrefix}', expected a path such as /streamlstm, with a slash before it and none behind it");
        }

        Tls(http.Tls, "http.tls", wrong);
        Tls(broker.Tls, "sources.mqtt_embedded.tls", wrong);

        if (broker.PasswordFile.Length > 0 && PasswordFile.ProblemOf(broker.PasswordFile) is { } problem)
        {
            wrong("sources.mqtt_embedded.password_file", $"'{broker.PasswordFile}': {problem}");
        }
    }

    /// <summary>What lets others in than those who are meant.</summary>
    public static IEnumerable<string> Warnings(DaemonOptions options)
    {
        HttpOptions http = options.Http;
        MqttEmbeddedOptions broker = options.Sources.MqttEmbedded;

        if (http.Tokens.Count > 0 && http.Tls.CertificateFile.Length == 0 && !IPAddress.IsLoopback(IPAddress.Parse(http.Address)))
        {
            yield return $"http.tls: none on {http.Address}: tokens go over the network unencrypted; give certificate_file and key_file, or a proxy with TLS before it";
        }

        if (broker is { Enabled: true, PasswordFile.Length: > 0, Tls.CertificateFile.Length: 0 } && !IPAddress.IsLoopback(IPAddress.Parse(broker.Address)))
        {
            yield return $"sources.mqtt_embedded.tls: none on {broker.Address}: passwords go over the network unencrypted; give certificate_file and key_file";
        }

        (string Key, string File)[] secrets =
        [
            .. http.Tokens.Index().Select(token => ($"http.tokens.{token.Index}.file", token.Item.File)),
            ("http.tls.key_file", http.Tls.KeyFile),
            ("sources.mqtt_embedded.tls.key_file", broker.Tls.KeyFile),
            ("sources.mqtt_embedded.password_file", broker.PasswordFile),
        ];

        foreach ((string key, string file) in secrets)
        {
            if (file.Length > 0 && !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) is not UnixFileMode.None and var open)
            {
                yield return $"{key}: {file} is open to others ({open}); chmod 600 {file}";
            }
        }
    }

    private static bool IsBeyondLoopback(string address, string section, Action<string, string> wrong)
    {
        if (IPAddress.TryParse(address, out IPAddress? parsed))
        {
            return !IPAddress.IsLoopback(parsed);
        }

        wrong($"{section}.address", $"'{address}', expected an IP address such as 127.0.0.1");
        return false;
    }

    private static void Token(AccessTokenOptions token, string key, Action<string, string> wrong)
    {
        if (token.Token.Length > 0 == token.File.Length > 0)
        {
            wrong($"{key}.file", $"{(token.File.Length > 0 ? "set, and token too" : "none, and no token")}, expected one of them");
        }
        else if (token.Token.Length > 0 && AccessTokens.WrongToken(token.Token) is { } weak)
        {
            wrong($"{key}.token", weak);
        }
        else if (token.File.Length > 0 && RereadFiles<string>.ProblemOf([token.File], bytes => AccessTokens.FromFile(bytes[0])) is { } problem)
        {
            wrong($"{key}.file", $"'{token.File}': {problem}");
        }
    }

    private static void Tls(ServerTlsOptions tls, string key, Action<string, string> wrong)
    {
        if (tls.CertificateFile.Length > 0 != tls.KeyFile.Length > 0)
        {
            wrong(tls.KeyFile.Length > 0 ? $"{key}.certificate_file" : $"{key}.key_file", "none, expected both, as PEM");
        }
        else if (tls.CertificateFile.Length > 0 && ServerCertificate.ProblemOf(tls) is { } problem)
        {
            wrong($"{key}.certificate_file", $"'{tls.CertificateFile}' with key '{tls.KeyFile}': {problem}");
        }
    }
}
