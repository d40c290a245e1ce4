using MQTTnet.Packets;
using MQTTnet.Protocol;
using StreamLstm.Daemon.Mqtt;

namespace StreamLstm.Daemon.Commands.Load;

/// <summary>Messages of QoS 1, each to the topic PREFIX/STREAM; acknowledged by the broker.</summary>
internal sealed class MqttTarget : ILoadTarget
{
    private const int Connections = 4;
    private const int UnderWayMax = 200;
    private const int AnswerBytesMax = 1 << 16;

    private readonly MqttConnection[] _connections;
    private readonly ushort[] _identifiers = new ushort[Connections];
    private readonly string _prefix;
    private readonly string _said;

    private MqttTarget(MqttConnection[] connections, string prefix, string said)
    {
        (_connections, _prefix, _said) = (connections, prefix, said);

        // MQTT 5: what the broker says it keeps in mind at once.
        BatchMax = Math.Min(UnderWayMax, connections.Min(one => one.Answer.ReceiveMaximum is > 0 and var most ? most : UnderWayMax));
    }

    public int Lanes => Connections;

    public int BatchMax { get; }

    public long Waits => 0;

    /// <summary>Connects.</summary>
    /// <param name="url">mqtt://HOST:1883/PREFIX or mqtts://HOST:8883/PREFIX.</param>
    /// <param name="time">For keeping the connections alive.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="IOException">The broker is not there, or lets nobody in.</exception>
    public static async Task<MqttTarget> OpenAsync(Uri url, TimeProvider time, CancellationToken cancellationToken)
    {
        var options = new MqttBrokerOptions { Url = url.GetLeftPart(UriPartial.Authority) };
        var connections = new List<MqttConnection>();

        try
        {
            for (int number = 0; number < Connections; number++)
            {
                string clientId = $"streamlstm-simulate-{Environment.ProcessId}-{number}";
                connections.Add(await MqttConnection.OpenAsync(
                    options, "--to", AnswerBytesMax, connect => (connect.ClientId, connect.CleanSession) = (clientId, true), time, cancellationToken));
            }
        }
        catch (Exception lost) when (MqttConnection.IsLoss(lost))
        {
            connections.ForEach(one => one.Abort());
            throw new IOException(lost is MqttTroubleException ? lost.Message : $"--to {url}: {lost.GetBaseException().Message}", lost);
        }

        return new MqttTarget([.. connections], Uri.UnescapeDataString(url.AbsolutePath.Trim('/')), $"--to {url}");
    }

    public async Task SendAsync(int lane, IReadOnlyList<LoadRow> rows, Action<LoadRow, bool> answered, CancellationToken cancellationToken)
    {
        MqttConnection connection = _connections[lane];
        var underWay = new Dictionary<ushort, LoadRow>(rows.Count);

        try
        {
            foreach (LoadRow row in rows)
            {
                ushort identifier = _identifiers[lane] = _identifiers[lane] == ushort.MaxValue ? (ushort)1 : (ushort)(_identifiers[lane] + 1);
                underWay.Add(identifier, row);
                await connection.SendAsync(
                    new MqttPublishPacket
                    {
                        Topic = _prefix.Length > 0 ? $"{_prefix}/{row.Stream}" : row.Stream,
                        PayloadSegment = SimulatedFleet.WithoutStream(row),
                        PacketIdentifier = identifier,
                        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                    },
                    cancellationToken);
            }

            while (underWay.Count > 0)
            {
                MqttPacket packet = await connection.ReceiveAsync(cancellationToken) ?? throw new MqttTroubleException($"{_said}: the broker ends the connection");

                if (packet is MqttPubAckPacket answer && underWay.Remove(answer.PacketIdentifier, out LoadRow row))
                {
                    answered(row, (int)answer.ReasonCode < 128);
                }
            }
        }
        catch (Exception lost) when (MqttConnection.IsLoss(lost))
        {
            throw new IOException(lost is MqttTroubleException ? lost.Message : $"{_said}: the connection is lost ({lost.GetBaseException().Message})", lost);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (MqttConnection connection in _connections)
        {
            await connection.DisconnectAsync();
            await connection.DisposeAsync();
        }
    }
}
