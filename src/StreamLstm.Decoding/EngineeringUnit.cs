using System.Text.Json;

namespace StreamLstm.Decoding;

/// <summary>What a device declares of one of its values.</summary>
/// <param name="Unit">Such as °C; null where it declares none.</param>
/// <param name="Low">Least value that it can have; null where it declares none.</param>
/// <param name="High">Greatest one; null where it declares none.</param>
internal sealed record EngineeringUnit(string? Unit = null, double? Low = null, double? High = null)
{
    /// <summary>A unit is a word or two: a longer text is none.</summary>
    private const int UnitMaxChars = 32;

    private static readonly EngineeringUnit Nothing = new();

    /// <summary>What of it makes sense; null where nothing does.</summary>
    public EngineeringUnit? Checked()
    {
        string? unit = Unit?.Trim() is { Length: > 0 and <= UnitMaxChars } text && !text.Any(char.IsControl) ? text : null;
        bool isRange = Low is null || High is null || Low < High;
        var sensible = new EngineeringUnit(unit, isRange ? Low : null, isRange ? High : null);
        return sensible == Nothing ? null : sensible;
    }

    /// <summary>Whether a value is one that the device cannot have, by its own word.</summary>
    public bool Excludes(double value) => value < Low || value > High;

    /// <summary>What was declared of streams, as text; empty where there is nothing.</summary>
    public static string Write(IReadOnlyDictionary<string, EngineeringUnit> units) => units.Count == 0 ? "" : JsonSerializer.Serialize(units);

    /// <summary>What <see cref="Write"/> wrote; nothing where the text is none of it.</summary>
    public static IReadOnlyDictionary<string, EngineeringUnit> Read(string written)
    {
        try
        {
            return written.Length == 0 ? new Dictionary<string, EngineeringUnit>()
                : (JsonSerializer.Deserialize<Dictionary<string, EngineeringUnit?>>(written) ?? [])
                .Where(unit => unit.Value?.Checked() is not null).ToDictionary(unit => unit.Key, unit => unit.Value!.Checked()!);
        }
        catch (JsonException)
        {
            // Written by another version: the next birth tells it again.
            return new Dictionary<string, EngineeringUnit>();
        }
    }
}
