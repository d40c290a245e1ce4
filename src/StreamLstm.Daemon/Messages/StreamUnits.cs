using System.Collections.Concurrent;
using System.Globalization;
using StreamLstm.Decoding;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Messages;

/// <summary>Units and ranges that devices declare of their streams.</summary>
/// <remarks>
/// A birth tells them once. They are a position of its source, in the journal beside the birth's observations and in each snapshot: so an incident
/// that is told again after a restart has the same words. Written where entries pass in the journal's order, read by anybody.
/// </remarks>
internal sealed class StreamUnits
{
    private const string Marker = ":units:";

    /// <summary>Further ones are not kept: as many as there may be streams.</summary>
    private const int StreamsMax = 100_000;

    private readonly ConcurrentDictionary<string, EngineeringUnit> _unitOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyDictionary<string, EngineeringUnit>> _declaredBy = new(StringComparer.Ordinal);

    /// <summary>The position of what a node or a device of it declares.</summary>
    /// <param name="session">The source's.</param>
    /// <param name="of">The node or device.</param>
    /// <param name="told">What <see cref="EngineeringUnit.Write"/> gave.</param>
    public static SourcePosition PositionOf(string session, string of, string told) => new($"{session}{Marker}{of}", told);

    /// <summary>What was declared of a stream; null for nothing.</summary>
    public EngineeringUnit? Of(string stream) => _unitOf.GetValueOrDefault(stream);

    /// <summary>Takes what is declared at a position, instead of what was declared there before.</summary>
    public void Take(SourcePosition? position)
    {
        // Most have nothing of it, and are long.
        if (position is null || !(position.Of.Contains(Marker, StringComparison.Ordinal) || position.At.Contains(Marker, StringComparison.Ordinal)))
        {
            return;
        }

        foreach (SourcePosition each in position.Each().Where(each => each.Of.Contains(Marker, StringComparison.Ordinal)))
        {
            if (_declaredBy.Remove(each.Of, out IReadOnlyDictionary<string, EngineeringUnit>? before))
            {
                before.Keys.ToList().ForEach(stream => _unitOf.TryRemove(stream, out _));
            }

            IReadOnlyDictionary<string, EngineeringUnit> units = EngineeringUnit.Read(each.At);

            if (units.Count > 0 && _unitOf.Count + units.Count <= StreamsMax)
            {
                _declaredBy[each.Of] = units;
                units.ToList().ForEach(unit => _unitOf[unit.Key] = unit.Value);
            }
        }
    }

    /// <summary>The incident with what is declared of its stream, also in its sentence: "120 °C, out of the declared 0 to 100 °C: a step of ...".</summary>
    public IncidentEvent Tell(IncidentEvent incident) => Of(incident.Stream) is not { } unit ? incident : incident with
    {
        Unit = unit.Unit,
        DeclaredLow = unit.Low,
        DeclaredHigh = unit.High,
        Explanation = Told(incident.Explanation, unit),
    };

    /// <summary>What a stream of values is told of begins with its value, also when the incident ends; of others nothing is said here.</summary>
    private static string Told(string sentence, EngineeringUnit unit)
    {
        int colon = sentence.IndexOf(": ", StringComparison.Ordinal);

        if (colon <= 0 || !double.TryParse(sentence.AsSpan(0, colon), NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out double value))
        {
            return sentence;
        }

        string behind = unit.Unit is null ? "" : unit.Unit is "%" or "°" ? unit.Unit : $" {unit.Unit}";
        string range = !unit.Excludes(value) ? ""
            : string.Create(CultureInfo.InvariantCulture, $", out of the declared {unit switch { { Low: null } => $"at most {unit.High}", { High: null } => $"at least {unit.Low}", _ => $"{unit.Low} to {unit.High}" }}{behind}");
        return $"{sentence[..colon]}{behind}{range}{sentence[colon..]}";
    }
}
