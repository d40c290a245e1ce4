using System.Collections;
using System.Reflection;
using StreamLstm.Daemon.Messages;
using StreamLstm.Daemon.Mqtt;
using StreamLstm.Daemon.Retraining;
using StreamLstm.Daemon.Sources;
using StreamLstm.Daemon.Sources.Senses;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Daemon.Configuration;

/// <summary>What values must satisfy beyond their type: the attributes beside the options, and rules between options.</summary>
internal static class OptionRules
{
    public static void Check(DaemonOptions options, IReadOnlyDictionary<string, string> origins, List<string> errors)
    {
        Visit(options, "");

        if (BaseWeightsFile.ProblemOf(options.Detection.BaseWeights) is { } problem)
        {
            errors.Add($"{Origin("detection.base_weights")}detection.base_weights: {problem}");
        }

        // Not the address itself: it may be a secret.
        if (options.Sinks.Webhook.Enabled && !(Uri.TryCreate(options.Sinks.Webhook.Url, UriKind.Absolute, out Uri? webhook) && webhook.Scheme is "http" or "https"))
        {
            errors.Add($"{Origin("sinks.webhook.url")}sinks.webhook.url: {(options.Sinks.Webhook.Url.Length == 0 ? "missing" : "no such address")}, expected one such as https://example.com/hook");
        }

        DoorRules.Check(options, (key, what) => errors.Add($"{Origin(key)}{key}: {what}"));
        MqttRules.Check(options, (key, what) => errors.Add($"{Origin(key)}{key}: {what}"));
        KafkaRules.Check(options, (key, what) => errors.Add($"{Origin(key)}{key}: {what}"));
        NotifyRules.Check(options, (key, what) => errors.Add($"{Origin(key)}{key}: {what}"));
        ClusterRules.Check(options, (key, what) => errors.Add($"{Origin(key)}{key}: {what}"));

        string[] standardInput =
        [
            .. options.Sources.Stdin.Enabled ? ["sources.stdin.enabled"] : Array.Empty<string>(),
            .. options.Sources.Sound.Index().Where(sound => sound.Item.Path == BytesSource.StandardInput).Select(sound => $"sources.sound.{sound.Index}.path"),
            .. options.Sources.Video.Index().Where(video => video.Item.Path == BytesSource.StandardInput).Select(video => $"sources.video.{video.Index}.path"),
        ];

        foreach (string key in standardInput.Skip(1))
        {
            errors.Add($"{Origin(key)}{key}: standard input is read by {standardInput[0]} already, expected one source of it");
        }

        for (int i = 0; i < options.Vectors.Count; i++)
        {
            if (options.Vectors[i].Detection().Wrong() is { } wrong)
            {
                errors.Add($"{Origin($"vectors.{i}.columns.0")}vectors.{i}: {wrong}");
            }
        }

        ModelGroup[] groups = [.. options.Detection.ModelGroups.Select(group => group.Detection())];

        for (int i = 0; i < groups.Length; i++)
        {
            if (groups[i].Name.Length > 0 && groups[i].Wrong(groups.Take(i)) is { } wrong)
            {
                errors.Add($"{Origin($"detection.model_groups.{i}.name")}detection.model_groups.{i}.{wrong}");
            }
        }

        if (groups.Length > ModelGroup.Max)
        {
            errors.Add($"{Origin("detection.model_groups.0.name")}detection.model_groups: {groups.Length} groups, expected {ModelGroup.Max} at most: each is a training of its own");
        }

        for (int i = 0; i < options.Alerts.Count; i++)
        {
            AlertRule[] rules = [.. options.Alerts.Take(i).Select(rule => rule.Detection())];

            if (AlertRule.OtherBudget(rules, options.Alerts[i].Detection()) is { } other)
            {
                errors.Add(
                    $"{Origin($"alerts.{i}.budget")}alerts.{i}.budget: '{options.Alerts[i].Budget}', expected the budget that group '{other.Group}' has for '{other.Streams}' already");
            }

            if (options.Alerts[i] is { Group.Length: > 0, Budget.Length: 0 })
            {
                errors.Add($"{Origin($"alerts.{i}.group")}alerts.{i}.group: '{options.Alerts[i].Group}', expected a budget for it to share");
            }
        }

        for (int i = 0; i < options.Maintenance.Count; i++)
        {
            // A pattern that is missing is told by its attribute.
            if (options.Maintenance[i] is { Streams.Length: > 0 } window && window.Detection("", out string? wrong) is null)
            {
                errors.Add($"{Origin($"maintenance.{i}.{wrong!.Split(':')[0]}")}maintenance.{i}.{wrong}");
            }
        }

        void Visit(object section, string prefix)
        {
            foreach (PropertyInfo option in OptionPath.Options(section.GetType()))
            {
                string key = prefix + OptionPath.SnakeCase(option.Name);
                object? value = option.GetValue(section);

                foreach (ValidationAttribute rule in option.GetCustomAttributes<ValidationAttribute>())
                {
                    if (rule.GetValidationResult(value, new ValidationContext(section)) is not null)
                    {
                        string expected = rule switch
                        {
                            RangeAttribute range => $"{range.Minimum} to {range.Maximum}",
                            ParsedAttribute parsed => parsed.Expectation,
                            Sources.Mqtt.TimeZoneNameAttribute => "a time zone such as Europe/Berlin",
                            KeyExpressionAttribute => LogLineDecoder.KeyExpectation,
                            _ => "a value",
                        };
                        errors.Add($"{Origin(key)}{key}: '{(option.IsDefined(typeof(SecretAttribute)) ? "***" : value)}', expected {expected}");
                    }
                }

                if (value is TimeSpan duration && (duration < TimeSpan.Zero || (duration == TimeSpan.Zero && !MayBeNothing(key)) || duration.TotalMilliseconds > int.MaxValue && !key.EndsWith("retention", StringComparison.Ordinal)))
                {
                    errors.Add($"{Origin(key)}{key}: '{Duration.Format(duration)}', expected more than 0 and at most 24d");
                }

                if (value is IList items)
                {
                    for (int i = 0; i < items.Count; i++)
                    {
                        Visit(items[i]!, $"{key}.{i}.");
                    }
                }
                else if (value is not null && OptionPath.Options(value.GetType()).Length > 0)
                {
                    Visit(value, key + ".");
                }
            }
        }

        string Origin(string key) => origins.TryGetValue(key, out string? origin) ? origin + ": " : "";
    }

    /// <summary>Times that may be left out by saying 0.</summary>
    private static bool MayBeNothing(string key) => key == "retrain.shadow" || key.EndsWith("group_wait", StringComparison.Ordinal);
}
