using System.Collections;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Puts the daemon's options together: built-in defaults, files, environment, command line; the later wins.</summary>
internal static class ConfigurationLoader
{
    private const string EnvironmentPrefix = "STREAMLSTM__";

    /// <summary>The options, complete and checked.</summary>
    /// <param name="configPaths">YAML or JSON files, or directories of them, merged in order.</param>
    /// <param name="settings">a.b=c, each.</param>
    /// <param name="environment">Null for the process's own.</param>
    /// <exception cref="ConfigurationException">With every error: key, value, place, and what was expected.</exception>
    public static DaemonOptions Load(
        IReadOnlyList<string> configPaths, IReadOnlyList<string> settings, IReadOnlyDictionary<string, string>? environment = null) =>
        Read(configPaths, settings, environment).Options;

    /// <summary>The same, with the values they were made of.</summary>
    /// <inheritdoc cref="Load"/>
    public static LoadedOptions Read(
        IReadOnlyList<string> configPaths, IReadOnlyList<string> settings, IReadOnlyDictionary<string, string>? environment = null)
    {
        var errors = new List<string>();
        LoadedOptions? options = TryLoad(configPaths, settings, environment ?? ProcessEnvironment(), errors);
        return errors.Count == 0 ? options! : throw new ConfigurationException(errors);
    }

    /// <summary>The files that are read, those of directories among them.</summary>
    public static IReadOnlyList<string> FilesOf(IReadOnlyList<string> configPaths) => [.. configPaths.SelectMany(path => Files(path, []))];

    /// <summary>The embedded configuration, with its comments.</summary>
    public static string DefaultYaml()
    {
        using Stream resource = typeof(ConfigurationLoader).Assembly.GetManifestResourceStream("default.yaml")
            ?? throw new InvalidOperationException("default.yaml is not embedded");
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }

    private static LoadedOptions? TryLoad(
        IReadOnlyList<string> configPaths,
        IReadOnlyList<string> settings,
        IReadOnlyDictionary<string, string> environment,
        List<string> errors)
    {
        var interpolation = new Interpolation(environment);
        var all = new List<Setting>();
        all.AddRange(YamlSettings.Read(new StringReader(DefaultYaml()), "default.yaml", interpolation, errors));

        foreach (string file in configPaths.SelectMany(path => Files(path, errors)))
        {
            using var reader = new StreamReader(file);
            all.AddRange(YamlSettings.Read(reader, file, interpolation, errors));
        }

        all.AddRange(environment
            .Where(variable => variable.Key.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
            .OrderBy(variable => variable.Key, StringComparer.Ordinal)
            .Select(variable => new Setting(
                [.. variable.Key[EnvironmentPrefix.Length..].Split("__").Select(part => part.ToLowerInvariant())],
                variable.Value,
                $"environment variable {variable.Key}")));

        foreach (string setting in settings)
        {
            int equals = setting.IndexOf('=', StringComparison.Ordinal);

            if (equals <= 0)
            {
                errors.Add($"--set {setting}: expected KEY=VALUE, for example --set http.port=0");
                continue;
            }

            // Without the value, which may be a secret.
            all.Add(new Setting(setting[..equals].Split('.'), setting[(equals + 1)..], $"--set {setting[..equals]}"));
        }

        var values = new Dictionary<string, OptionPath>(StringComparer.Ordinal);
        var origins = new Dictionary<string, string>(StringComparer.Ordinal);

        foreach (Setting setting in all)
        {
            if (OptionPath.Resolve(setting, errors) is { } option)
            {
                values[setting.Key] = option;
                origins[setting.Key] = setting.Origin;
            }
        }

        if (errors.Count > 0)
        {
            return null;
        }

        var loaded = new LoadedOptions(values);
        OptionRules.Check(loaded.Options, origins, errors);
        return loaded;
    }

    private static IEnumerable<string> Files(string path, List<string> errors)
    {
        if (Directory.Exists(path))
        {
            return Directory.GetFiles(path)
                .Where(file => Path.GetExtension(file) is ".yaml" or ".yml" or ".json")
                .Order(StringComparer.Ordinal);
        }

        if (File.Exists(path))
        {
            return [path];
        }

        errors.Add($"--config {path}: no such file or directory");
        return [];
    }

    private static Dictionary<string, string> ProcessEnvironment() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(
            entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}
