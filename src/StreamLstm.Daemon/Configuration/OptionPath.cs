using System.Globalization;
using System.Reflection;
using System.Text.Json;
using StreamLstm.Decoding;

namespace StreamLstm.Daemon.Configuration;

/// <summary>A setting that names an option, its value in the form the configuration binder reads.</summary>
/// <param name="ConfigurationKey">Its key there.</param>
/// <param name="Value">Its value.</param>
/// <param name="Written">As it was written.</param>
/// <param name="IsSecret">Whether nobody may be shown it.</param>
internal sealed record OptionPath(string ConfigurationKey, string? Value, string? Written, bool IsSecret)
{
    /// <summary>Finds the option a setting means, and reads its value; adds to the errors and gives null where it cannot.</summary>
    public static OptionPath? Resolve(Setting setting, List<string> errors)
    {
        Type type = typeof(DaemonOptions);
        var names = new List<string>();
        bool isSecret = false;

        for (int depth = 0; depth < setting.Path.Count; depth++)
        {
            string part = setting.Path[depth];

            if (ItemType(type) is { } item)
            {
                if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                {
                    errors.Add($"{setting.Origin}: {setting.Key}: '{part}', expected a list item's number");
                    return null;
                }

                names.Add(part);
                type = item;
                continue;
            }

            PropertyInfo[] options = Options(type);
            PropertyInfo? option = options.FirstOrDefault(candidate => SnakeCase(candidate.Name) == part);

            if (option is null)
            {
                errors.Add($"{setting.Origin}: unknown key {setting.Key}{DidYouMean(part, setting.Path.Take(depth), options)}");
                return null;
            }

            names.Add(option.Name);
            isSecret = option.IsDefined(typeof(Messages.SecretAttribute), inherit: true);
            type = option.PropertyType;
        }

        if (Options(type).Length > 0 || ItemType(type) is not null)
        {
            if (setting.Value is not null)
            {
                errors.Add($"{setting.Origin}: {setting.Key}: '{setting.Value}', expected {(ItemType(type) is null ? "a mapping" : "a list")}");
            }

            return null;
        }

        string key = string.Join(':', names);

        if (setting.Value is null && (type == typeof(string) || Nullable.GetUnderlyingType(type) is not null))
        {
            return new OptionPath(key, "", "", isSecret);
        }

        type = Nullable.GetUnderlyingType(type) ?? type;

        if (Canonical(type, setting.Value ?? "") is { } value)
        {
            return new OptionPath(key, value, setting.Value, isSecret);
        }

        errors.Add($"{setting.Origin}: {setting.Key}: '{setting.Value}', expected {Expectation(type)}");
        return null;
    }

    public static string SnakeCase(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    /// <summary>The options a class holds; none for a value.</summary>
    public static PropertyInfo[] Options(Type type) =>
        type.Namespace?.StartsWith("StreamLstm", StringComparison.Ordinal) == true && !type.IsEnum
            ? type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            : [];

    public static Type? ItemType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    private static string? Canonical(Type type, string value)
    {
        if (type == typeof(string))
        {
            return value;
        }

        if (type == typeof(bool))
        {
            return value.ToLowerInvariant() switch
            {
                "true" or "yes" or "on" => "true",
                "false" or "no" or "off" => "false",
                _ => null,
            };
        }

        if (type == typeof(int))
        {
            return int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? value : null;
        }

        if (type == typeof(double))
        {
            return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)
                ? value
                : null;
        }

        if (type == typeof(TimeSpan))
        {
            return Duration.TryParse(value, out TimeSpan duration) ? duration.ToString("c", CultureInfo.InvariantCulture) : null;
        }

        return type.IsEnum ? Enum.GetNames(type).FirstOrDefault(name => SnakeCase(name) == value) : null;
    }

    private static string Expectation(Type type) =>
        type == typeof(bool) ? "true or false"
        : type == typeof(int) ? "a whole number"
        : type == typeof(double) ? "a number"
        : type == typeof(TimeSpan) ? "a duration such as 500ms, 30s, 15m, 2h or 7d"
        : $"one of {string.Join(", ", Enum.GetNames(type).Select(SnakeCase))}";

    private static string DidYouMean(string part, IEnumerable<string> before, PropertyInfo[] options)
    {
        string[] known = [.. options.Select(option => SnakeCase(option.Name))];
        string? nearest = known.MinBy(name => Distance(part, name));
        string prefix = string.Concat(before.Select(name => name + "."));

        if (nearest is null)
        {
            return "";
        }

        return Distance(part, nearest) <= Math.Max(2, part.Length / 3)
            ? $"; did you mean {prefix}{nearest}?"
            : $"; expected one of {string.Join(", ", known)}";
    }

    /// <summary>Edits from one word to the other (Levenshtein 1966).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;

            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
