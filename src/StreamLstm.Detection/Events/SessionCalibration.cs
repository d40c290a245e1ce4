namespace StreamLstm.Detection.Events;

/// <summary>What the witnesses say of one session, in nats.</summary>
/// <param name="Event">Largest -ln p of an event where it came.</param>
/// <param name="Order">-ln p of the whole session: the sum over its events.</param>
/// <param name="Completeness">Largest -ln p of an event among the session's events sorted by kind.</param>
/// <param name="Counts">Distance to the nearest normal session's counts.</param>
internal readonly record struct SessionEvidence(double Event, double Order, double Completeness, double Counts);

/// <summary>Puts witnesses of different scale together: each has its own tail, and the most decades count.</summary>
/// <remarks>
/// The smallest p-value of several (Tippett 1931), because an order that never was must show although every count is right.
/// A sum of decades (Fisher 1932) lets witnesses that find nothing outvote the one that does. Having been asked more than one
/// makes a session look odd more often; by how much depends on how they hang together, so it is measured: their largest
/// gets a tail of its own from the same normal sessions.
/// </remarks>
internal sealed class SessionCalibration
{
    private static readonly Func<SessionEvidence, double>[] Witnesses =
        [one => one.Event, one => one.Order, one => one.Completeness, one => one.Counts];

    private readonly SessionTail[] _tails;
    private readonly SessionTail _most;

    /// <param name="normal">Of normal sessions, each judged by what did not learn from it; at least two.</param>
    public SessionCalibration(IReadOnlyCollection<SessionEvidence> normal)
    {
        _tails = [.. Witnesses.Select(witness => new SessionTail(normal.Select(witness), unit: 1))];
        _most = new SessionTail(normal.Select(Most), unit: Math.Log10(Math.E));
    }

    /// <summary>0 = as odd as every normal session, 3 = as odd as one in a thousand.</summary>
    public double Decades(SessionEvidence session) => _most.Decades(Most(session));

    private double Most(SessionEvidence session)
    {
        double most = 0;

        for (int i = 0; i < _tails.Length; i++)
        {
            most = Math.Max(most, _tails[i].Decades(Witnesses[i](session)));
        }

        return most;
    }
}
