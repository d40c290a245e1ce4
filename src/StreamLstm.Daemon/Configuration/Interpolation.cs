using System.Text.RegularExpressions;

namespace StreamLstm.Daemon.Configuration;

/// <summary>Replaces ${VAR}, ${VAR:-default}, ${VAR:?message}, ${env:VAR} and ${file:/path} in values.</summary>
internal sealed partial class Interpolation(IReadOnlyDictionary<string, string> environment)
{
    public string Apply(string value, string key, string origin, List<string> errors) =>
        Reference().Replace(value, match => Resolve(match, key, origin, errors));

    private string Resolve(Match match, string key, string origin, List<string> errors)
    {
        string name = match.Groups["name"].Value;
        string fallback = match.Groups["text"].Value;

        if (match.Groups["kind"].Value == "file:")
        {
            try
            {
                return File.ReadAllText(name).TrimEnd('\r', '\n');
            }
            catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
            {
                errors.Add($"{origin}: {key}: {match.Value} cannot be read: {unreadable.Message}");
                return "";
            }
        }

        if (environment.TryGetValue(name, out string? found) && (found.Length > 0 || match.Groups["operator"].Value.Length == 0))
        {
            return found;
        }

        switch (match.Groups["operator"].Value)
        {
            case ":-":
                return fallback;
            case ":?":
                errors.Add($"{origin}: {key}: {fallback}");
                return "";
            default:
                errors.Add($"{origin}: {key}: environment variable {name} is not set; set it, or give a default with ${{{name}:-...}}");
                return "";
        }
    }

    [GeneratedRegex(@"\$\{(?<kind>env:|file:)?(?<name>[^}:]+)(?:(?<operator>:-|:\?)(?<text>[^}]*))?\}")]
    private static partial Regex Reference();
}
