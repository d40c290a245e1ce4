namespace StreamLstm.Detection.Deciding;

/// <summary>What was accepted as normal, and has not settled yet: its evidence may still gather, so that only clearly more opens an incident.</summary>
internal struct Acceptance
{
    /// <summary>Rows in a row without an alert after which what was accepted has settled.</summary>
    private const int QuietRows = 3 * Incident.QuietRows;

    /// <summary>Evidence above what was accepted that opens an incident all the same: some decades of size, as evidence of what is certain counts one for less.</summary>
    private const double ClearlyMore = 1.5;

    private double _evidence = double.NaN;
    private int _quiet;

    public Acceptance()
    {
    }

    /// <summary>Whether something was accepted that has not settled.</summary>
    public readonly bool IsSettling => !double.IsNaN(_evidence);

    /// <summary>The evidence that opens an incident.</summary>
    public readonly double Needed(double threshold) => IsSettling ? Math.Max(threshold, _evidence + ClearlyMore) : threshold;

    /// <summary>Something of this evidence is accepted.</summary>
    public void Begin(double evidence) => (_evidence, _quiet) = (evidence, 0);

    /// <summary>A stream goes on after a long gap: whatever comes is accepted, and as much has to be quiet as is missing.</summary>
    /// <param name="threshold">The least evidence that opens an incident otherwise: a decade more does until it has settled.</param>
    /// <param name="rows">Rows that are missing, as far as they count.</param>
    public void BeginAnew(double threshold, double rows)
    {
        double untold = threshold - ClearlyMore + 1;
        (_evidence, _quiet) = (IsSettling ? Math.Max(_evidence, untold) : untold, (int)(QuietRows - rows));
    }

    /// <summary>Something of this evidence goes with it.</summary>
    public void Rise(double evidence) => _evidence = Math.Max(_evidence, evidence);

    /// <summary>Follows a row that may alert.</summary>
    public void Follow(bool isAbove, double evidence)
    {
        if (!IsSettling)
        {
            return;
        }

        // What rises by less than the margin a row is the same deviation seen for longer, not a worse one.
        _evidence = Math.Max(_evidence, evidence < _evidence + ClearlyMore ? evidence : _evidence);
        _quiet = isAbove ? Math.Min(_quiet, 0) : _quiet + 1;
        _evidence = _quiet >= QuietRows ? double.NaN : _evidence;
    }

    /// <summary>An incident has opened all the same.</summary>
    public void End() => _evidence = double.NaN;

    public readonly void Save(BinaryWriter writer)
    {
        writer.Write(_evidence);
        writer.Write(_quiet);
    }

    public static Acceptance Load(BinaryReader reader) => new() { _evidence = reader.ReadDouble(), _quiet = reader.ReadInt32() };
}
