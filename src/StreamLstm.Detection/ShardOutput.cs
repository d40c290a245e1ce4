using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Detection;

/// <summary>What a shard says after a batch. Owned by the worker, cleared before every batch.</summary>
public sealed class ShardOutput
{
    /// <summary>Verdicts, in the order of the observations.</summary>
    public List<ScoredObservation> Scored { get; } = [];

    /// <summary>Incidents opened, continued and closed, in the order they were decided.</summary>
    public List<IncidentEvent> Incidents { get; } = [];

    /// <summary>Observations rejected, indexed by <see cref="RejectionReason"/>.</summary>
    public int[] Rejected { get; } = new int[Enum.GetValues<RejectionReason>().Length];

    /// <summary>Those observations and why, in their order; without what was lost to a fault, which is in <see cref="Faults"/>.</summary>
    public List<(Observation Observation, RejectionReason Reason)> Refused { get; } = [];

    /// <summary>Values of records that were infinite or beyond 1e20 and were taken as missing; their records were scored.</summary>
    public int ValuesMasked { get; internal set; }

    /// <summary>Values of records in columns their stream does not have: it has the 128 it showed first, or those configured.</summary>
    public int ValuesOfUnknownColumns { get; internal set; }

    /// <summary>Alerts kept back, indexed by <see cref="SuppressedBy"/>: a stretch kept back for one reason is one.</summary>
    public int[] Suppressed { get; } = new int[Enum.GetValues<SuppressedBy>().Length];

    /// <summary>Observations whose scoring failed, each with its fault; their streams started again.</summary>
    public List<(Observation Observation, Exception Fault)> Faults { get; } = [];

    /// <summary>Streams whose h and c had become non-finite and were set to zero.</summary>
    public int StateResets { get; internal set; }

    /// <summary>Training steps undone because a gradient was not finite.</summary>
    public int TrainingStepsUndone { get; internal set; }

    /// <summary>Clean windows cut in this batch; the shard moves them into its training buffer.</summary>
    internal List<TrainingWindow> Windows { get; } = [];

    /// <summary>Counts an observation that is not taken, and keeps it.</summary>
    internal void Refuse(in Observation observation, RejectionReason reason)
    {
        Rejected[(int)reason]++;
        Refused.Add((observation, reason));
    }

    /// <summary>Empties it for the next batch.</summary>
    public void Clear()
    {
        Scored.Clear();
        Incidents.Clear();
        Array.Clear(Rejected);
        Refused.Clear();
        Array.Clear(Suppressed);
        Faults.Clear();
        ValuesMasked = 0;
        ValuesOfUnknownColumns = 0;
        Windows.Clear();
        StateResets = 0;
        TrainingStepsUndone = 0;
    }
}
