namespace StreamLstm.Detection.Deciding;

/// <summary>Whether a stream's new level is a regime of its own: what makes an incident the new normal, and ends the patience after it was accepted.</summary>
/// <remarks>
/// A window of 30 rows is stable when at least 27 of its values lie in the 98 % band that was forecast for them: the
/// network then knows the new level, season and scatter included. After an acceptance none of its rows may call for an
/// alert either.
/// </remarks>
internal sealed class RegimeAcceptance
{
    /// <summary>Stable windows in a row after which what was accepted is settled: alerts open as ever.</summary>
    public const int SettledWindows = 3;

    private const int WindowRows = IncidentTracker.QuietRows;

    /// <summary>Values of a window that may lie beside the band; 0.6 are to be expected.</summary>
    private const int OutsideMax = 3;

    private int _rows;
    private int _outside;

    /// <summary>Whether a new normal was accepted, and has not settled yet.</summary>
    public bool IsSettling { get; private set; }

    /// <summary>Stable windows in a row so far.</summary>
    public int StableWindows { get; private set; }

    /// <summary>Begins to watch an incident, or with <paramref name="settling"/> what comes after it was accepted.</summary>
    public void Begin(bool settling)
    {
        IsSettling = settling;
        StableWindows = 0;
        _rows = _outside = 0;
    }

    /// <summary>After an acceptance: takes one row, and ends the patience with its incident once the new normal has settled.</summary>
    /// <param name="incident">The stream's incidents, none of them open.</param>
    /// <param name="row">The row.</param>
    /// <param name="isInBand">Whether it is as it was expected to be.</param>
    /// <param name="alerts">Whether it calls for an alert.</param>
    public void Settle(IncidentTracker incident, long row, bool isInBand, bool alerts)
    {
        if (!IsSettling)
        {
            return;
        }

        Observe(isInBand, alerts);

        if (StableWindows >= SettledWindows)
        {
            incident.EndCooldown(row);
        }

        IsSettling = row < incident.CooldownUntil;
    }

    /// <summary>Takes one row.</summary>
    /// <param name="isInBand">Whether its value lies where it was forecast.</param>
    /// <param name="alerts">Whether it calls for an alert, where that matters.</param>
    public void Observe(bool isInBand, bool alerts)
    {
        _outside += alerts ? WindowRows : isInBand ? 0 : 1;

        if (++_rows < WindowRows)
        {
            return;
        }

        StableWindows = _outside <= OutsideMax ? StableWindows + 1 : 0;
        _rows = _outside = 0;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(IsSettling);
        writer.Write(StableWindows);
        writer.Write(_rows);
        writer.Write(_outside);
    }

    public void Load(BinaryReader reader)
    {
        IsSettling = reader.ReadBoolean();
        StableWindows = reader.ReadInt32();
        _rows = reader.ReadInt32();
        _outside = reader.ReadInt32();
    }
}

/// <summary>What became of the word that a stream's present level is its new normal.</summary>
public enum AcceptOutcome
{
    /// <summary>The open incident is closed; what it covered teaches.</summary>
    Applied,

    /// <summary>There is no such stream.</summary>
    UnknownStream,

    /// <summary>No incident is open, or the stream is silent: there is nothing to accept.</summary>
    NothingOpen,
}
