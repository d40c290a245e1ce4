using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Mqtt;
using StreamLstm.Daemon.Sources.Mqtt;

namespace StreamLstm.Daemon.Checks;

/// <summary>Whether a broker lets this client in, and subscribe: under a name of its own and without a session, so that nobody's is disturbed.</summary>
internal static class MqttCheck
{
    private const int PacketMaxBytes = 1 << 20;

    /// <summary>Connects, and publishes nothing.</summary>
    /// <exception cref="MqttTroubleException">It did not come about; the message names the setting.</exception>
    public static async Task<string> ConnectsAsync(MqttBrokerOptions options, string key, TimeProvider time, CancellationToken cancellationToken)
    {
        await using MqttConnection connection = await OpenAsync(options, key, time, cancellationToken);
        await connection.DisconnectAsync();
        return Words(options, connection);
    }

    /// <summary>Connects and subscribes; what comes is thrown away.</summary>
    /// <exception cref="MqttTroubleException">It did not come about; the message names the setting.</exception>
    public static async Task<string> SubscribesAsync(MqttSourceOptions options, string key, TimeProvider time, CancellationToken cancellationToken)
    {
        // One more member of a group would take messages from the others.
        string[] topics = [.. options.Topics.Where(topic => !topic.StartsWith("$share/", StringComparison.Ordinal))];
        await using MqttConnection connection = await OpenAsync(options, key, time, cancellationToken);

        if (topics.Length == 0)
        {
            await connection.DisconnectAsync();
            return $"{Words(options, connection)}; shared subscriptions were not tried";
        }

        await connection.SendAsync(
            new MqttSubscribePacket
            {
                PacketIdentifier = 1,
                TopicFilters =
                [
                    .. topics.Select(topic => new MqttTopicFilter
                    {
                        Topic = topic, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce, RetainHandling = MqttRetainHandling.DoNotSendOnSubscribe,
                    }),
                ],
            },
            cancellationToken);

        while (await connection.ReceiveAsync(cancellationToken) is { } packet)
        {
            if (packet is MqttSubAckPacket answer)
            {
                await connection.DisconnectAsync();
                string[] refused = [.. topics.Zip(answer.ReasonCodes).Where(topic => (int)topic.Second >= 128).Select(topic => $"'{topic.First}' ({topic.Second})")];
                return refused.Length == 0
                    ? $"{Words(options, connection)}, and lets subscribe to {string.Join(", ", topics)}"
                    : throw new MqttTroubleException($"{key}.topics: {options.Url} refuses {string.Join(", ", refused)}");
            }
        }

        throw new MqttTroubleException($"{key}.url: {options.Url} ends the connection");
    }

    private static Task<MqttConnection> OpenAsync(MqttBrokerOptions options, string key, TimeProvider time, CancellationToken cancellationToken) => MqttConnection.OpenAsync(
        options, key, PacketMaxBytes,
        connect =>
        {
            connect.ClientId = $"streamlstm-check-{Guid.NewGuid():N}"[..23];
            connect.CleanSession = true;
        },
        time, cancellationToken);

    private static string Words(MqttBrokerOptions options, MqttConnection connection) =>
        $"{options.Url} lets in ({(connection.Version == MqttProtocolVersion.V500 ? "MQTT 5" : "MQTT 3.1.1")})";
}
