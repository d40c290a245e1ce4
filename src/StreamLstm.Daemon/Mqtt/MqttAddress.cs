using System.Diagnostics.CodeAnalysis;

namespace StreamLstm.Daemon.Mqtt;

/// <summary>Where a broker is.</summary>
/// <param name="Host">Its name or address.</param>
/// <param name="Port">Its port.</param>
/// <param name="UsesTls">Whether TLS is spoken.</param>
/// <param name="WebSocket">The whole address where WebSocket is spoken; null for TCP.</param>
internal sealed record MqttAddress(string Host, int Port, bool UsesTls, Uri? WebSocket)
{
    public const string Expectation = "mqtt://HOST, mqtts://HOST, ws://HOST/PATH or wss://HOST/PATH, without a user in it (username and password are options)";

    public static bool TryParse(string text, [NotNullWhen(true)] out MqttAddress? address)
    {
        address = null;

        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Host.Length == 0 || uri.UserInfo.Length > 0)
        {
            return false;
        }

        (int port, bool usesTls, bool isWeb)? known = uri.Scheme switch
        {
            "mqtt" or "tcp" => (1883, false, false),
            "mqtts" or "ssl" => (8883, true, false),
            "ws" => (80, false, true),
            "wss" => (443, true, true),
            _ => null,
        };

        if (known is not var (usual, tls, web) || (!web && uri.PathAndQuery is not ("" or "/")))
        {
            return false;
        }

        address = new MqttAddress(uri.IdnHost, uri.Port > 0 ? uri.Port : usual, tls, web ? uri : null);
        return true;
    }

    public override string ToString() => WebSocket?.ToString() ?? $"{(UsesTls ? "mqtts" : "mqtt")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";
}
