using StreamLstm.Daemon.Mqtt;
using StreamLstm.Daemon.Sinks.Mqtt;
using StreamLstm.Daemon.Sources.Mqtt;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What must hold of the options of brokers, and what is worth a warning.</summary>
internal static class MqttRules
{
    /// <param name="options">All options.</param>
    /// <param name="wrong">Takes the key of what is wrong, and what was expected instead.</param>
    public static void Check(DaemonOptions options, Action<string, string> wrong)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Sinks(options, wrong);
        Templates(options.Sources.MqttEmbedded.Templates, "", [], PayloadFormat.Auto, "sources.mqtt_embedded", wrong);

        foreach ((int i, MqttSourceOptions source) in options.Sources.Mqtt.Index())
        {
            string key = $"sources.mqtt.{i}";
            Broker(source, key, wrong);

            if (source.Name.Length > 0 && !names.Add(source.Name))
            {
                wrong($"{key}.name", $"'{source.Name}', expected a name that no other source has");
            }

            if (source.Topics.Count == 0)
            {
                wrong($"{key}.topics", "none, expected topic filters such as plant/#");
            }

            Templates(source.Templates, source.Prefix, source.Topics, source.Format, key, wrong);

            foreach (MqttSinkOptions sink in options.Sinks.Mqtt.Where(sink => sink.Url == source.Url))
            {
                if (source.Topics.FirstOrDefault(topic => topic == "#" || topic.StartsWith(sink.Topic + "/", StringComparison.Ordinal)) is { } circle)
                {
                    wrong($"{key}.topics", $"'{circle}' takes in what sinks.mqtt publishes under {sink.Topic}/ on the same broker; expected filters that leave it out");
                }
            }

            foreach ((int n, string topic) in source.Topics.Index())
            {
                if (!IsFilter(topic))
                {
                    wrong($"{key}.topics.{n}", $"'{topic}', expected a topic filter: # at its end only, + for a whole level, $share/GROUP/FILTER");
                }
                else if (topic.StartsWith("$share/", StringComparison.Ordinal) && source.Delivery != MqttDelivery.AtLeastOnce)
                {
                    wrong(
                        $"{key}.delivery",
                        $"exactly_once, but '{topic}' is shared with others, to whom the broker may send again what this daemon has taken in; write delivery: at_least_once");
                }
            }
        }
    }

    private static void Templates(
        IReadOnlyList<TopicTemplateOptions> templates, string prefix, IReadOnlyList<string> topics, PayloadFormat format, string key, Action<string, string> wrong)
    {
        if (templates.Count > 0 && format == PayloadFormat.Influx)
        {
            wrong($"{key}.templates", "set, but with format influx a stream is named by the line's measurement and tags, and a line's fields are one record already; expected none, and vectors to judge its fields together");
        }

        // Streams of Sparkplug B are named by other levels than their topics.
        string[] filters = format == PayloadFormat.SparkplugB || topics.Any(topic => SparkplugB.IsTopic(WithoutGroup(topic))) ? [] : [.. topics];

        foreach ((int n, TopicTemplateOptions options) in templates.Index())
        {
            if (SparkplugB.IsTopic(options.Topic))
            {
                wrong($"{key}.templates.{n}.topic", $"'{options.Topic}': of Sparkplug B a template is of what names the stream, expected levels such as {{group}}/{{node}}/{{device}}/{{field}}");
            }
            else if (!TopicTemplate.TryParse(options.Topic, options.Stream, prefix, options.Join.Rule(), out TopicTemplate? template, out (string Option, string What) problem))
            {
                wrong($"{key}.templates.{n}.{problem.Option}", problem.What);
            }
            else if (filters.Length > 0 && !filters.Any(template.MayPass))
            {
                wrong($"{key}.templates.{n}.topic", $"'{options.Topic}', expected levels that one of {key}.topics lets through: {string.Join(", ", topics)}");
            }

            if (options.Join.Fields is { Count: > 0 } fields
                && (fields.Count is < JoinRule.FieldsMin or > JoinRule.FieldsMax || fields.Contains("") || fields.Distinct(StringComparer.Ordinal).Count() < fields.Count))
            {
                wrong($"{key}.templates.{n}.join.fields", $"'{string.Join(", ", fields)}', expected {JoinRule.FieldsMin} to {JoinRule.FieldsMax} names, each once");
            }
        }
    }

    /// <summary>The filter of $share/GROUP/FILTER, or the filter itself.</summary>
    private static string WithoutGroup(string topic) => topic.StartsWith("$share/", StringComparison.Ordinal) ? topic.Split('/', 3)[^1] : topic;

    private static void Sinks(DaemonOptions options, Action<string, string> wrong)
    {
        foreach ((int i, MqttSinkOptions sink) in options.Sinks.Mqtt.Index())
        {
            string key = $"sinks.mqtt.{i}";
            Broker(sink, key, wrong);

            if (sink.Topic.Length == 0 || sink.Topic.AsSpan().ContainsAny("+#\0") || sink.Topic.StartsWith('$') || sink.Topic.EndsWith('/'))
            {
                wrong($"{key}.topic", $"'{sink.Topic}', expected the beginning of a topic, such as streamlstm");
            }
        }
    }

    /// <summary>What may be meant so, and loses messages.</summary>
    public static IEnumerable<string> Warnings(DaemonOptions options)
    {
        foreach ((int i, MqttSourceOptions source) in options.Sources.Mqtt.Index())
        {
            string key = $"sources.mqtt.{i}";

            if (source.Qos == 0)
            {
                yield return $"{key}.qos: 0: what is published while the daemon is away, busy or killed is lost; 1 keeps it";
            }

            if (source.CleanStart)
            {
                yield return $"{key}.clean_start: true: what is published while the daemon is away is lost; false keeps it";
            }
            else if (source.SessionExpiry < TimeSpan.FromMinutes(10))
            {
                yield return $"{key}.session_expiry: {Duration.Format(source.SessionExpiry)}: after so long without the daemon the broker forgets what it kept for it; a restart of the machine may take longer";
            }

            if (source.Password.Length > 0 && MqttAddress.TryParse(source.Url, out MqttAddress? address) && !address.UsesTls && !IsLocal(address.Host))
            {
                yield return $"{key}.url: {source.Url}: the password goes over the network unencrypted; mqtts:// does not show it";
            }
        }
    }

    private static void Broker(MqttBrokerOptions broker, string key, Action<string, string> wrong)
    {
        if (!MqttAddress.TryParse(broker.Url, out MqttAddress? address))
        {
            // A password may stand in it.
            wrong($"{key}.url", $"{(broker.Url.Contains('@', StringComparison.Ordinal) ? "an address with a user in it" : $"'{broker.Url}'")}, expected {MqttAddress.Expectation}");
        }
        else if (!address.UsesTls && (broker.Tls.CaFile.Length > 0 || broker.Tls.CertificateFile.Length > 0))
        {
            wrong($"{key}.url", $"'{broker.Url}' is without TLS, but {key}.tls is set; expected mqtts:// or wss://");
        }

        if (broker.Password.Length > 0 && broker.Username.Length == 0)
        {
            wrong($"{key}.username", "none, expected the user whose password is set");
        }

        if (broker.Password.Length > 0 && broker.TokenFile.Length > 0)
        {
            wrong($"{key}.token_file", "set, and password too; expected one of them");
        }

        if (broker.Tls.KeyFile.Length > 0 && broker.Tls.CertificateFile.Length == 0)
        {
            wrong($"{key}.tls.certificate_file", "none, expected the certificate that tls.key_file belongs to");
        }
    }

    /// <summary>Whether it may be subscribed to (MQTT 5, 4.7 and 4.8.2).</summary>
    private static bool IsFilter(string topic)
    {
        string filter = topic;

        if (topic.StartsWith("$share/", StringComparison.Ordinal))
        {
            string[] parts = topic.Split('/', 3);

            if (parts.Length < 3 || parts[1].Length == 0 || parts[1].AsSpan().ContainsAny("+#"))
            {
                return false;
            }

            filter = parts[2];
        }

        string[] levels = filter.Split('/');
        return filter.Length is > 0 and <= 65_535 && !filter.Contains('\0', StringComparison.Ordinal)
            && levels.Index().All(level => !level.Item.AsSpan().ContainsAny("+#") || level.Item == "+" || (level.Item == "#" && level.Index == levels.Length - 1));
    }

    private static bool IsLocal(string host) =>
        host == "localhost" || (System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? address) && System.Net.IPAddress.IsLoopback(address));
}
