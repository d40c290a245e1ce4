using System.Reflection;
using System.Text.Json.Nodes;
using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Configuration;

/// <summary>The configuration as a JSON schema (draft 2020-12), from the classes that it is bound to: what editors complete and check by.</summary>
internal static class OptionSchema
{
    private const string InterpolationPattern = @"\$\{";

    public static JsonObject Write()
    {
        JsonObject schema = Section(typeof(DaemonOptions), new DaemonOptions(), "", Comments());
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "The configuration of StreamLstm");
        return schema;
    }

    /// <summary>What is said of options, where one is in several parts also what is said of it in another one.</summary>
    private static Func<string, PropertyInfo, string?> Comments()
    {
        IReadOnlyDictionary<string, string> byKey = OptionComments.Read(ConfigurationLoader.DefaultYaml());
        var byOption = new Dictionary<(Type?, string), string>();
        Visit(typeof(DaemonOptions), "");
        return (key, option) => byKey.GetValueOrDefault(key) ?? byOption.GetValueOrDefault((option.DeclaringType, option.Name));

        void Visit(Type type, string prefix)
        {
            foreach (PropertyInfo option in OptionPath.Options(type))
            {
                string key = prefix + OptionPath.SnakeCase(option.Name);

                if (byKey.TryGetValue(key, out string? comment))
                {
                    byOption.TryAdd((option.DeclaringType, option.Name), comment);
                }

                Visit(OptionPath.ItemType(option.PropertyType) ?? option.PropertyType, OptionPath.ItemType(option.PropertyType) is null ? key + "." : key + ".*.");
            }
        }
    }

    private static JsonObject Section(Type type, object? defaults, string prefix, Func<string, PropertyInfo, string?> comments)
    {
        var properties = new JsonObject();

        foreach (PropertyInfo option in OptionPath.Options(type))
        {
            string name = OptionPath.SnakeCase(option.Name), key = prefix + name;
            object? value = defaults is null ? null : option.GetValue(defaults);
            JsonObject schema = OptionPath.ItemType(option.PropertyType) is { } item
                ? new JsonObject
                {
                    ["type"] = new JsonArray("array", "null"),
                    ["items"] = OptionPath.Options(item).Length > 0 ? Section(item, Activator.CreateInstance(item), $"{key}.*.", comments) : Value(item, null, null),
                }
                : OptionPath.Options(option.PropertyType).Length > 0 ? Section(option.PropertyType, value, key + ".", comments)
                : Value(option.PropertyType, option, value);

            if (comments(key, option) is { } comment)
            {
                schema["description"] = comment;
            }

            properties[name] = schema;
        }

        return new JsonObject { ["type"] = new JsonArray("object", "null"), ["additionalProperties"] = false, ["properties"] = properties };
    }

    /// <summary>One value; as text it may also be one that names a variable or a file.</summary>
    private static JsonObject Value(Type declared, PropertyInfo? option, object? value)
    {
        Type type = Nullable.GetUnderlyingType(declared) ?? declared;
        var schema = new JsonObject();

        if (type == typeof(string))
        {
            schema["type"] = new JsonArray("string", "number", "boolean", "null");
        }
        else if (type == typeof(TimeSpan))
        {
            schema["type"] = new JsonArray("string", "integer", "null");
            schema["pattern"] = @"^\d+(\.\d+)?(ms|s|m|h|d)?$|" + InterpolationPattern;
        }
        else
        {
            JsonObject plain = type == typeof(bool) ? new JsonObject { ["type"] = "boolean" }
                : type.IsEnum ? new JsonObject { ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(name => JsonValue.Create(OptionPath.SnakeCase(name)))]) }
                : new JsonObject { ["type"] = type == typeof(int) ? "integer" : "number" };

            if (option?.GetCustomAttribute<RangeAttribute>() is { } range)
            {
                plain["minimum"] = JsonValue.Create(Convert.ToDouble(range.Minimum, null));
                plain["maximum"] = JsonValue.Create(Convert.ToDouble(range.Maximum, null));
            }

            var alternatives = new JsonArray(plain, new JsonObject { ["type"] = "string", ["pattern"] = InterpolationPattern });

            if (Nullable.GetUnderlyingType(declared) is not null)
            {
                alternatives.Add(new JsonObject { ["type"] = "null" });
            }

            schema["anyOf"] = alternatives;
        }

        if (value is not null and not "" && option?.IsDefined(typeof(SecretAttribute), inherit: true) != true)
        {
            schema["default"] = value switch
            {
                bool flag => flag,
                int number => number,
                double number => number,
                TimeSpan duration => Duration.Format(duration),
                Enum name => OptionPath.SnakeCase(name.ToString()),
                _ => value.ToString(),
            };
        }

        return schema;
    }
}
