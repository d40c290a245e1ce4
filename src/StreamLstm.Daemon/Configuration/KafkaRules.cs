using System.Net;
using StreamLstm.Daemon.Kafka;
using StreamLstm.Daemon.Sinks.Kafka;
using StreamLstm.Daemon.Sources.Kafka;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What must hold of the options of Kafka clusters.</summary>
internal static class KafkaRules
{
    /// <param name="options">All options.</param>
    /// <param name="wrong">Takes the key of what is wrong, and what was expected instead.</param>
    public static void Check(DaemonOptions options, Action<string, string> wrong)
    {
        HashSet<string> names = [.. options.Sources.Mqtt.Select(source => source.Name)];

        foreach ((int i, KafkaSourceOptions source) in options.Sources.Kafka.Index())
        {
            string key = $"sources.kafka.{i}";
            Cluster(source, key, wrong);

            if (source.Name.Length > 0 && !names.Add(source.Name))
            {
                wrong($"{key}.name", $"'{source.Name}', expected a name that no other source has");
            }

            if (source.Topics.Count == 0)
            {
                wrong($"{key}.topics", "none, expected topics such as plant, or patterns such as ^plant\\..*");
            }

            foreach ((int n, string topic) in source.Topics.Index())
            {
                if (WrongTopic(topic) is { } what)
                {
                    wrong($"{key}.topics.{n}", $"'{topic}', {what}");
                }
            }

            if (KafkaSourceOptions.WrongStart(source.Start) is { } start)
            {
                wrong($"{key}.start", $"{(source.Start.Length == 0 ? "missing" : $"'{source.Start}'")}, {start}");
            }

            if (source.DeadLetters.Length > 0 && (KafkaTopics.IsPattern(source.DeadLetters) || WrongTopic(source.DeadLetters) is not null || source.Topics.Any(topic => Reads(topic, source.DeadLetters))))
            {
                wrong($"{key}.dead_letters", $"'{source.DeadLetters}', expected a topic's name (letters, digits, . _ -) that topics does not read");
            }

            if (KafkaRecordDecoder.WrongStream(source.Stream) is { } stream)
            {
                wrong($"{key}.stream", $"'{source.Stream}', {stream}");
            }

            Registry(source, key, wrong);

            foreach (KafkaSinkOptions sink in options.Sinks.Kafka.Where(sink => sink.Brokers == source.Brokers))
            {
                if (source.Topics.FirstOrDefault(topic => TopicsOf(sink).Any(written => Reads(topic, written))) is { } circle)
                {
                    wrong($"{key}.topics", $"'{circle}' takes in what sinks.kafka writes to the same cluster; expected topics that leave it out");
                }
            }
        }

        Sinks(options, wrong);
    }

    private static void Registry(KafkaSourceOptions source, string key, Action<string, string> wrong)
    {
        SchemaRegistryOptions registry = source.SchemaRegistry;
        key = $"{key}.schema_registry";

        if (source.Format is not (KafkaFormat.Avro or KafkaFormat.Protobuf))
        {
            if (registry.Url.Length > 0)
            {
                wrong($"{key}.url", $"'{registry.Url}', but format is {OptionPath.SnakeCase(source.Format.ToString())}; expected none, or format: avro or protobuf");
            }

            return;
        }

        Uri[] urls = [.. registry.Url.Split(',', StringSplitOptions.TrimEntries).Select(url => Uri.TryCreate(url, UriKind.Absolute, out Uri? one) ? one : null).OfType<Uri>()];

        if (urls.Length == 0 || urls.Length < registry.Url.Split(',').Length || urls.Any(url => url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0))
        {
            // What stands before an @ may be a password.
            wrong($"{key}.url", $"{(registry.Url.Length == 0 ? "none" : registry.Url.Contains('@', StringComparison.Ordinal) ? "a user in it" : $"'{registry.Url}'")}, expected the registry's address such as http://registry:8081, with the user in username and password");
            return;
        }

        bool isTls = urls.All(url => url.Scheme == "https");

        if (!isTls && (registry.Password.Length > 0 || registry.TokenFile.Length > 0) && !urls.All(url => url.IsLoopback))
        {
            wrong($"{key}.{(registry.TokenFile.Length > 0 ? "token_file" : "password")}", "set, but over http it would go over the network as it is; expected https in url");
        }

        if ((registry.Username.Length > 0) != (registry.Password.Length > 0))
        {
            wrong($"{key}.{(registry.Username.Length > 0 ? "password" : "username")}", "none, expected the other half of username and password");
        }

        if (registry.TokenFile.Length > 0 && registry.Username.Length > 0)
        {
            wrong($"{key}.token_file", "set, and username too; expected one of them");
        }

        if (!isTls && registry.Tls.CaFile.Length + registry.Tls.CertificateFile.Length > 0)
        {
            wrong($"{key}.url", $"'{registry.Url}', but certificates are set in tls; expected https");
        }

        if ((registry.Tls.KeyFile.Length > 0) != (registry.Tls.CertificateFile.Length > 0))
        {
            wrong($"{key}.tls.{(registry.Tls.KeyFile.Length > 0 ? "certificate_file" : "key_file")}", "none, expected the other half of certificate_file and key_file");
        }
    }

    private static void Sinks(DaemonOptions options, Action<string, string> wrong)
    {
        HashSet<string> names = [.. options.Sinks.Mqtt.Select(sink => sink.Name)];

        foreach ((int i, KafkaSinkOptions sink) in options.Sinks.Kafka.Index())
        {
            string key = $"sinks.kafka.{i}";
            Cluster(sink, key, wrong);

            if (sink.Name.Length > 0 && !names.Add(sink.Name))
            {
                wrong($"{key}.name", $"'{sink.Name}', expected a name that no other sink has");
            }

            if (KafkaTopics.IsPattern(sink.Topic) || WrongTopic(sink.Topic) is not null)
            {
                wrong($"{key}.topic", $"{(sink.Topic.Length == 0 ? "missing" : $"'{sink.Topic}'")}, expected the topic of incidents, such as anomalies");
            }

            if (sink.ScoresTopic.Length > 0 && (KafkaTopics.IsPattern(sink.ScoresTopic) || WrongTopic(sink.ScoresTopic) is not null))
            {
                wrong($"{key}.scores_topic", $"'{sink.ScoresTopic}', expected a topic's name (letters, digits, . _ -)");
            }

            if (!sink.ExactlyOnce && sink.TransactionalId.Length + sink.CursorTopic.Length > 0)
            {
                wrong($"{key}.exactly_once", "false, but what it needs is set; expected true");
            }
        }
    }

    private static string[] TopicsOf(KafkaSinkOptions sink) =>
        [sink.Topic, sink.ScoresTopic, sink.CursorTopic.Length > 0 ? sink.CursorTopic : $"{sink.Topic}.cursor"];

    private static bool Reads(string topic, string written) =>
        topic == written || (written.Length > 0 && KafkaTopics.IsPattern(topic) && WrongTopic(topic) is null && KafkaTopics.Pattern(topic).IsMatch(written));

    private static void Cluster(KafkaBrokerOptions broker, string key, Action<string, string> wrong)
    {
        string[] hosts = broker.Brokers.Split(',', StringSplitOptions.TrimEntries);

        if (hosts.FirstOrDefault(host => !IsAddress(host)) is { } none)
        {
            wrong($"{key}.brokers", $"'{none}', expected HOST:PORT of brokers, separated by commas, such as kafka-1:9092,kafka-2:9092");
        }

        KafkaSaslOptions sasl = broker.Sasl;

        if (sasl.Mechanism == KafkaMechanism.Plain && !broker.Tls.Enabled && !hosts.All(IsLocal))
        {
            wrong($"{key}.sasl.mechanism", "plain, but without tls.enabled: true the password would go over the network as it is; expected scram_sha256, scram_sha512 or TLS");
        }

        if (sasl.Mechanism is KafkaMechanism.Plain or KafkaMechanism.ScramSha256 or KafkaMechanism.ScramSha512 && (sasl.Username.Length == 0 || sasl.Password.Length == 0))
        {
            wrong($"{key}.sasl.{(sasl.Username.Length == 0 ? "username" : "password")}", $"none, expected the user's for mechanism {OptionPath.SnakeCase(sasl.Mechanism.ToString())}");
        }

        if (sasl.Mechanism == KafkaMechanism.None && sasl.Username.Length + sasl.Password.Length > 0)
        {
            wrong($"{key}.sasl.mechanism", "none, but a user is set; expected plain, scram_sha256 or scram_sha512");
        }

        if (sasl.Mechanism == KafkaMechanism.Oauthbearer && (!Uri.TryCreate(sasl.TokenUrl, UriKind.Absolute, out Uri? url) || url.Scheme is not ("https" or "http")))
        {
            wrong($"{key}.sasl.token_url", $"'{sasl.TokenUrl}', expected where the provider gives tokens, such as https://login.example.com/oauth2/token");
        }

        if (sasl.TokenCaFile.Length > 0 && !sasl.TokenUrl.StartsWith("https:", StringComparison.OrdinalIgnoreCase))
        {
            wrong($"{key}.sasl.token_ca_file", $"'{sasl.TokenCaFile}', but token_url is '{sasl.TokenUrl}'; expected https there, or none here");
        }

        if (!broker.Tls.Enabled && broker.Tls.CaFile.Length + broker.Tls.CertificateFile.Length > 0)
        {
            wrong($"{key}.tls.enabled", "false, but certificates are set; expected true");
        }

        if ((broker.Tls.KeyFile.Length > 0) != (broker.Tls.CertificateFile.Length > 0))
        {
            wrong($"{key}.tls.{(broker.Tls.KeyFile.Length > 0 ? "certificate_file" : "key_file")}", "none, expected the other half of certificate_file and key_file");
        }

        foreach ((int n, string setting) in broker.Settings.Index())
        {
            if (KafkaSettings.Wrong(setting) is { } expected)
            {
                // What may not be set may be a secret.
                wrong($"{key}.settings.{n}", $"'{setting.Split('=')[0]}', {expected}");
            }
        }
    }

    /// <summary>What is said of what is no topic (Kafka: letters, digits, points, underscores and hyphens, 249 at most); null where it is one.</summary>
    internal static string? WrongTopic(string topic)
    {
        if (!KafkaTopics.IsPattern(topic))
        {
            return topic.Length is > 0 and <= 249 && topic is not ("." or "..") && topic.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
                ? null
                : "expected a topic's name (letters, digits, . _ -), or a pattern that begins with ^";
        }

        try
        {
            _ = KafkaTopics.Pattern(topic);
            return null;
        }
        catch (ArgumentException none)
        {
            return $"expected a regular expression without look-around and back-references ({none.Message})";
        }
    }

    private static bool IsAddress(string host)
    {
        int colon = host.LastIndexOf(':');
        return colon > 0 && int.TryParse(host[(colon + 1)..], out int port) && port is > 0 and <= IPEndPoint.MaxPort && !host.Contains("://", StringComparison.Ordinal);
    }

    private static bool IsLocal(string host)
    {
        string name = host[..Math.Max(0, host.LastIndexOf(':'))].Trim('[', ']');
        return name == "localhost" || (IPAddress.TryParse(name, out IPAddress? address) && IPAddress.IsLoopback(address));
    }
}
