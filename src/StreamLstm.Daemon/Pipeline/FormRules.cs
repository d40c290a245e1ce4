using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;

namespace StreamLstm.Daemon.Pipeline;

/// <summary>Which form a stream may have within the bytes there are, where forms follow from need.</summary>
/// <remarks>
/// Small fleets notice nothing of it: while half of the bytes is free, every stream is full. Between what makes streams smaller and what makes
/// them larger again there is a distance, in bytes and in time, so that none goes back and forth.
/// </remarks>
internal static class FormRules
{
    /// <summary>Where streams take more than this share of the bytes, some become smaller, until they take no more than the second.</summary>
    public const double TightShare = 0.9;
    public const double EasyShare = 0.8;

    /// <summary>A stream becomes no larger before it has had its form for so long.</summary>
    public const double DwellSeconds = 600;

    /// <summary>As many become larger at one look: a larger judge grows beside the smaller one, which costs time.</summary>
    public const int LargerAtOnce = 64;

    /// <summary>The smallest form that makes a difference to a kind of stream.</summary>
    public static StreamForm SmallestOf(StreamKind kind) => kind switch
    {
        StreamKind.Values => StreamForm.Shared,
        StreamKind.Texts or StreamKind.Words => StreamForm.Lean,
        _ => StreamForm.Full,
    };

    /// <summary>The form with which a stream begins.</summary>
    /// <param name="kind">What its observations are.</param>
    /// <param name="bytes">What streams take without it.</param>
    /// <param name="size">What it takes in a form.</param>
    /// <param name="limits">What they may take.</param>
    public static StreamForm AtBirth(StreamKind kind, long bytes, Func<StreamForm, long> size, StreamLimits limits)
    {
        StreamForm smallest = SmallestOf(kind);
        StreamForm form = StreamForm.Full;

        while (form < smallest && !HasRoom(form, bytes + size(form), limits))
        {
            form++;
        }

        return form;
    }

    /// <summary>Whether a stream may become or be of a form, where all then take so many bytes.</summary>
    public static bool HasRoom(StreamForm form, long bytes, StreamLimits limits) => bytes <= limits.Bytes * form switch
    {
        StreamForm.Full => 0.5,
        StreamForm.Lean => 0.75,
        _ => 1.0,
    };
}
