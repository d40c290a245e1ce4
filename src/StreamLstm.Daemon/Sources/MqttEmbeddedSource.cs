using System.Buffers;
using System.Net;
using System.Net.Sockets;
using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using StreamLstm.Daemon.Doors;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Daemon.Telemetry;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Sources;

/// <summary>An MQTT broker inside the daemon: a topic is a stream, a payload a number or JSON.</summary>
/// <remarks>
/// R1: a publication is acknowledged once it is in the journal and synced. The interceptor waits for that, and for room, so a
/// full pipeline slows publishers down instead of growing a queue. One publication is one batch; a client's next one is
/// read when this one is on the disk, so many publishers get further in a second than one.
/// </remarks>
internal sealed class MqttEmbeddedSource(MqttEmbeddedOptions options, RecordRules rules, DaemonMetrics metrics, TimeProvider time, ILogger<MqttEmbeddedSource> logger)
    : IObservationSource
{
    /// <summary>Who asks nodes of Sparkplug B for a birth, as the broker is their host application; no client can have this name.</summary>
    private readonly string _host = $"streamlstm-{Guid.NewGuid():N}";
    private readonly TaskCompletionSource<int> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Name => "mqtt_embedded";

    /// <summary>The port that listens, once it does.</summary>
    public Task<int> BoundPort => _started.Task;

    public async Task RunAsync(ObservationIntake intake, CancellationToken stopping)
    {
        IReadOnlyList<TopicTemplate> templates = options.TopicTemplates();
        var decoder = new PayloadDecoder(PayloadFormat.Auto, new PayloadRules { Zone = TimeZoneInfo.FindSystemTimeZoneById(options.TimeZone) }, [], templates);

        foreach ((string of, string told) in intake.PositionsUnder(MqttIntake.BirthsOf(Name)))
        {
            decoder.Sparkplug.Restore(of, told);
        }

        using var taking = new EmbeddedIntake(Name, decoder, rules, intake, metrics, time);

        // Room for a topic and properties beside the payload, whose own limit is told by topic.
        using var listener = new EmbeddedBrokerListener(
            options.Tls.CertificateFile.Length > 0 ? new ServerCertificate(options.Tls, time, Changed, Unreadable) : null,
            options.PayloadMaxBytes + 131_072,
            (client, larger) => intake.Reject(Name, RejectionReason.Oversize, $"client {client}: {larger.Message}; disconnected", default));
        int port;

        try
        {
            port = listener.Open(IPAddress.Parse(options.Address), options.Port);
        }
        catch (SocketException refused)
        {
            var failure = new SourceException(
                $"sources.mqtt_embedded.port: {options.Port} cannot be opened on {options.Address}, nor one of the nine behind it ({refused.Message}); "
                + "set another port, 0 for any free one, or sources.mqtt_embedded.enabled: false",
                refused);
            _started.TrySetException(failure);
            throw failure;
        }

        var factory = new MqttServerFactory();
        using MqttServer server = factory.CreateMqttServer(factory.CreateServerOptionsBuilder().Build(), [listener]);

        if (options.PasswordFile.Length > 0)
        {
            var passwords = new PasswordFile(options.PasswordFile, time, Changed, Unreadable);
            server.ValidatingConnectionAsync += asked =>
            {
                asked.ReasonCode = passwords.Takes(asked.UserName, asked.RawPassword) ? MqttConnectReasonCode.Success : MqttConnectReasonCode.BadUserNameOrPassword;
                return Task.CompletedTask;
            };
        }

        server.InterceptingPublishAsync += publication => TakeInAsync(server, publication, taking, intake, stopping);
        await server.StartAsync();

        if (options.Port > 0 && port != options.Port)
        {
            LogMessages.SourceTrouble(
                logger, Name,
                $"sources.mqtt_embedded.port: {options.Port} is taken on {options.Address}, so port {port} is used. If another broker has it, sources.mqtt reads from that one (README, From MQTT)");
        }

        _started.TrySetResult(port);
        LogMessages.SourceStarted(logger, Name, $"MQTT{(options.Tls.CertificateFile.Length > 0 ? " with TLS" : "")} on {options.Address}:{port}");

        try
        {
            await (templates.Any(template => template.Join is not null) ? taking.ExpireAsync(stopping) : Task.Delay(Timeout.InfiniteTimeSpan, time, stopping));
        }
        catch (Exception ended) when (ended is System.Threading.Channels.ChannelClosedException || (ended is OperationCanceledException && stopping.IsCancellationRequested))
        {
            // Asked to stop, or nothing is taken in any more.
        }

        await server.StopAsync();
    }

    private void Changed(string file) => LogMessages.SecretChanged(logger, file);

    private void Unreadable(string problem) => LogMessages.SecretUnreadable(logger, problem);

    private async Task TakeInAsync(
        MqttServer server, InterceptingPublishEventArgs publication, EmbeddedIntake taking, ObservationIntake intake, CancellationToken stopping)
    {
        string topic = publication.ApplicationMessage.Topic;
        ReadOnlySequence<byte> payload = publication.ApplicationMessage.Payload;

        if (topic.StartsWith('$') || payload.IsEmpty || publication.ClientId == _host)
        {
            // The broker's own topics, the removal of a retained message, and what is asked of nodes here.
            return;
        }

        if (payload.Length > options.PayloadMaxBytes)
        {
            intake.Reject(
                Name, RejectionReason.Oversize, $"topic {topic}: {payload.Length} bytes, expected at most {options.PayloadMaxBytes}",
                payload.Slice(0, Math.Min(payload.Length, 1024)).ToArray());
            return;
        }

        try
        {
            // Asked and not waited for: this publication's client may be the one that is asked.
            await taking.TakeAsync(
                topic,
                payload.ToArray(),
                (command, request) => _ = server.InjectApplicationMessage(
                    new InjectedMqttApplicationMessage(new MqttApplicationMessage { Topic = command, PayloadSegment = request }) { SenderClientId = _host }, stopping),
                stopping);
        }
        catch (Exception refused) when (refused is OperationCanceledException or System.Threading.Channels.ChannelClosedException or NotTakenException)
        {
            // Not taken in, so not acknowledged: the publisher keeps it.
            publication.ProcessPublish = false;
            publication.CloseConnection = true;
            publication.Response.ReasonCode = MqttPubAckReasonCode.UnspecifiedError;
            publication.Response.ReasonString = refused is NotTakenException ? refused.Message : "the daemon is stopping";
        }
    }
}
