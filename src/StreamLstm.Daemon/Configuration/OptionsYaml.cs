using System.Collections;
using System.Globalization;
using System.Reflection;
using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using YamlDotNet.RepresentationModel;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Writes options as the YAML that would configure them, but for secrets.</summary>
internal static class OptionsYaml
{
    public static string Write(DaemonOptions options)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        new YamlStream(new YamlDocument(Node(options))).Save(text, assignAnchors: false);
        return text.ToString().Replace("...\n", "", StringComparison.Ordinal);
    }

    private static YamlNode Node(object? value) => value switch
    {
        null => new YamlScalarNode("null"),
        string text => new YamlScalarNode(text) { Style = text.Length == 0 ? YamlDotNet.Core.ScalarStyle.DoubleQuoted : YamlDotNet.Core.ScalarStyle.Any },
        bool flag => new YamlScalarNode(flag ? "true" : "false"),
        TimeSpan duration => new YamlScalarNode(Duration.Format(duration)),
        Enum name => new YamlScalarNode(OptionPath.SnakeCase(name.ToString())),
        IList items => new YamlSequenceNode(items.Cast<object?>().Select(Node)),
        IFormattable number => new YamlScalarNode(number.ToString(null, CultureInfo.InvariantCulture)),
        _ => new YamlMappingNode(OptionPath.Options(value.GetType()).Select(option => new KeyValuePair<YamlNode, YamlNode>(
            new YamlScalarNode(OptionPath.SnakeCase(option.Name)),
            option.IsDefined(typeof(SecretAttribute), inherit: true) && option.GetValue(value) is string { Length: > 0 } ? new YamlScalarNode("***") : Node(option.GetValue(value))))),
    };
}
