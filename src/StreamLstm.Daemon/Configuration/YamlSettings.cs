using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Reads YAML (or JSON, which is YAML) into settings that know their line.</summary>
internal static class YamlSettings
{
    // An alias stands for all of what it names, and nine lines of aliases of aliases for a thousand million values; or for itself, without end.
    private const int NodesMax = 100_000, DepthMax = 32;

    public static IReadOnlyList<Setting> Read(TextReader text, string file, Interpolation interpolation, List<string> errors)
    {
        var stream = new YamlStream();
        var settings = new List<Setting>();
        int nodes = 0;
        bool isTooMuch = false;

        try
        {
            stream.Load(text);
        }
        catch (YamlException malformed)
        {
            errors.Add($"{file}:{malformed.Start.Line}: {malformed.InnerException?.Message ?? malformed.Message}");
            return settings;
        }

        if (stream.Documents.Count > 0)
        {
            Visit(stream.Documents[0].RootNode, []);
        }

        return settings;

        void Visit(YamlNode node, List<string> path)
        {
            if (path.Count > DepthMax || ++nodes > NodesMax)
            {
                if (!isTooMuch)
                {
                    isTooMuch = true;
                    errors.Add($"{file}:{node.Start.Line}: more than {(path.Count > DepthMax ? $"{DepthMax} levels" : $"{NodesMax} values")}, expected fewer; aliases (*name) stand for all of what they name");
                }

                return;
            }

            string origin = string.Create(CultureInfo.InvariantCulture, $"{file}:{node.Start.Line}");

            switch (node)
            {
                case YamlMappingNode mapping:
                    foreach ((YamlNode key, YamlNode value) in mapping.Children)
                    {
                        if (key is YamlScalarNode name)
                        {
                            Visit(value, [.. path, name.Value ?? ""]);
                        }
                        else
                        {
                            errors.Add($"{file}:{key.Start.Line}: a key that is no word, expected a mapping of keys to values");
                        }
                    }

                    break;
                case YamlSequenceNode sequence:
                    for (int i = 0; i < sequence.Children.Count; i++)
                    {
                        Visit(sequence.Children[i], [.. path, i.ToString(CultureInfo.InvariantCulture)]);
                    }

                    break;
                case YamlScalarNode scalar when path.Count > 0:
                    bool isNull = scalar.Style == ScalarStyle.Plain && scalar.Value is null or "" or "~" or "null";
                    settings.Add(new Setting(
                        path, isNull ? null : interpolation.Apply(scalar.Value!, string.Join('.', path), origin, errors), origin));
                    break;
                case YamlScalarNode { Value: not (null or "") } scalar:
                    errors.Add($"{origin}: '{scalar.Value}', expected a mapping of keys to values");
                    break;
            }
        }
    }
}
