using StreamLstm.Daemon.Mqtt;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Sources.Mqtt;

/// <summary>Which messages are taken that the broker kept for whoever subscribes.</summary>
internal enum RetainedMessages
{
    /// <summary>Once, when a topic is subscribed to for the first time.</summary>
    First,

    /// <summary>Every time the daemon connects: an old value comes again.</summary>
    Always,

    /// <summary>None.</summary>
    Never,
}

/// <summary>How often an observation may count that the broker sends again.</summary>
internal enum MqttDelivery
{
    /// <summary>Once: what is sent again to the same session is recognised.</summary>
    ExactlyOnce,

    /// <summary>Once or more: with $share a message may be sent again to another member of the group.</summary>
    AtLeastOnce,
}

/// <summary>Topics of an MQTT broker: mosquitto, EMQX, HiveMQ ...</summary>
internal sealed class MqttSourceOptions : MqttBrokerOptions
{
    /// <summary>Its name in metrics and logs; empty = mqtt, mqtt.1 and so on, by its place in the list.</summary>
    public string Name { get; init; } = "";

    /// <summary>Topic filters: plant/#, plant/+/temperature, $share/GROUP/plant/#.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>0, 1 or 2. With 1 and 2 a message is acknowledged once it is on the disk.</summary>
    [Range(0, 2)]
    public int Qos { get; init; } = 1;

    /// <summary>Begins a new session at each connection: what was published meanwhile is lost.</summary>
    public bool CleanStart { get; init; }

    /// <summary>How long the broker keeps the session, and what is published for it, while the daemon is away (MQTT 5; with 3.1.1 the broker decides).</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Messages that may be under way without being acknowledged (MQTT 5), and those that are recognised when they are sent again.</summary>
    [Range(1, 4_096)]
    public int ReceiveMaximum { get; init; } = 1_000;

    /// <summary>Largest packet, in bytes; one that is larger ends the connection before anything is made of it.</summary>
    [Range(128, 268_435_455)]
    public int PacketMaxBytes { get; init; } = 262_144;

    /// <summary>Payloads that may wait for the disk, in MiB; beyond it nothing is read.</summary>
    [Range(1, 65_536)]
    public int UnwrittenMaxMib { get; init; } = 32;

    /// <summary>first, always or never.</summary>
    public RetainedMessages Retained { get; init; } = RetainedMessages.First;

    /// <summary>exactly_once, or at_least_once, which $share needs.</summary>
    public MqttDelivery Delivery { get; init; } = MqttDelivery.ExactlyOnce;

    /// <summary>Streams are named PREFIX/topic; empty = the topic.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>What the levels of topics say; the first that a topic fits counts.</summary>
    public IReadOnlyList<TopicTemplateOptions> Templates { get; init; } = [];

    /// <summary>auto, json, csv, influx, sparkplug_b, text or pcm.</summary>
    public PayloadFormat Format { get; init; } = PayloadFormat.Auto;

    /// <summary>Of pcm: how its samples are written, and how they become records.</summary>
    public Senses.SoundOptions Sound { get; init; } = new();

    /// <summary>Of CSV without a header: the columns.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>Whether "21.5 °C" is 21.5: a number may have a unit behind a blank.</summary>
    public bool Units { get; init; }

    /// <summary>Fields that name the objects of an array, such as id; without one they are numbered from 0.</summary>
    public IReadOnlyList<string> ArrayKeys { get; init; } = [];

    /// <summary>Of times that say no offset, as Tasmota's, such as Europe/Berlin.</summary>
    [TimeZoneName]
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Of Sparkplug B: how long a message waits for those before it, as clusters of brokers may swap them; then a new birth is asked for. 0 = not at all.</summary>
    public TimeSpan ReorderTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The templates that are right; validation tells of others.</summary>
    public IReadOnlyList<TopicTemplate> TopicTemplates() => TopicTemplateOptions.Parsed(Templates, Prefix);
}

/// <summary>What the levels of a topic say.</summary>
internal sealed class TopicTemplateOptions
{
    /// <summary>plant/{site}/{device}/{field}: labels of the stream, which incidents, the API and the page show.</summary>
    public string Topic { get; init; } = "";

    /// <summary>The stream's name of the same labels, such as {device}/{field}/{site}; empty = as the topic, and where fields are joined without {field}.</summary>
    public string Stream { get; init; } = "";

    /// <summary>Fields that come in messages of their own and are judged together.</summary>
    public JoinOptions Join { get; init; } = new();

    /// <summary>The templates that are right.</summary>
    public static IReadOnlyList<TopicTemplate> Parsed(IReadOnlyList<TopicTemplateOptions> templates, string prefix) =>
    [
        .. templates.Select(options => TopicTemplate.TryParse(options.Topic, options.Stream, prefix, options.Join.Rule(), out TopicTemplate? template, out _) ? template : null)
            .OfType<TopicTemplate>(),
    ];
}

/// <summary>Fields of one device that come in messages of their own and make one record.</summary>
internal sealed class JoinOptions
{
    /// <summary>What stands at {field}, or the fields of JSON payloads: the record's columns; empty = nothing is joined.</summary>
    public IReadOnlyList<string> Fields { get; init; } = [];

    /// <summary>How long a record waits for its fields: longer than a device takes to send them, shorter than the time between two rounds.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The decoder's part; null where nothing is joined.</summary>
    public JoinRule? Rule() => Fields.Count == 0 ? null : new JoinRule([.. Fields], Window);
}

/// <summary>The text names a time zone.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class TimeZoneNameAttribute : ValidationAttribute
{
    public override bool IsValid(object? value) => TimeZoneInfo.TryFindSystemTimeZoneById((string?)value ?? "", out _);
}
