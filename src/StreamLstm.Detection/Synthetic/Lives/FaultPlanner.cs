using static StreamLstm.Detection.Synthetic.Lives.LifeFaultKind;

namespace StreamLstm.Detection.Synthetic.Lives;

/// <summary>Puts faults into a life, one after the other, each only where it can be seen, and labels what differs.</summary>
/// <remarks>
/// Every fault is tried out: the life is rendered with it and without it, from the same draws. Where the difference is not larger
/// than what the stream does by itself, the fault is taken back and tried elsewhere.
/// </remarks>
internal sealed class FaultPlanner
{
    private const int Tries = 8;

    private readonly Func<LifeModel> _newModel;
    private readonly LifeModel _model;
    private readonly CleanBehaviour _clean;
    private readonly Dice _dice;
    private readonly FaultDrafts _drafts;
    private readonly List<LifeFault> _faults = [];
    private FaultPlan _plan;

    /// <param name="newModel">The same model before its first row, each time.</param>
    /// <param name="dice">Of the faults alone.</param>
    public FaultPlanner(Func<LifeModel> newModel, Dice dice)
    {
        (_newModel, _model, _dice) = (newModel, newModel(), dice);
        _plan = new FaultPlan(_model.Rows);
        Life = LifeRendering.Of(newModel(), _plan);
        _clean = new CleanBehaviour(_model, Life);
        _drafts = new FaultDrafts(_model, _clean, dice);
    }

    public IReadOnlyList<LifeFault> Faults => _faults;

    /// <summary>Rows in which no fault is put, as nobody could tell it from what is excused there.</summary>
    public IReadOnlyList<(int First, int Last)> Excused { get; set; } = [];

    /// <summary>The life with the faults that were put so far.</summary>
    public LifeRendering Life { get; private set; }

    /// <summary>Rows to be left for a fault of this kind, and a pause after it.</summary>
    public int Room(LifeFaultKind kind) => 150 + kind switch
    {
        Level or Stuck or Quieter or Variance => 350,
        Permanent => 700,
        Drift => 2300,
        Leak => 1400,
        Oscillation or Rate => 400,
        Missing or Extra => (int)Math.Min(1.6 * Math.Max(_model.Period, 150), 2500),
        Phase => (int)(2.6 * _model.Period),
        Fast or Slow => (int)(6 * _model.Period),
        Shape or Clipped => (int)(2.6 * Math.Max(_model.Period, 100)),
        Dwell => 900,
        _ => 60,
    };

    /// <summary>Puts a fault at a row, or not far behind it.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="row">Where it is wanted.</param>
    /// <param name="limit">The row that it may not reach.</param>
    /// <param name="strength">4 to 40: sigmas for faults that have a size; others make their own measure of it.</param>
    public bool TryPut(LifeFaultKind kind, int row, int limit, double strength)
    {
        for (int attempt = 0; attempt < Tries; attempt++)
        {
            int at = row + (int)(attempt * _dice.Between(5, 60));
            FaultPlan plan = _plan.Copy();

            if (_drafts.Put(plan, Life, kind, at, limit, strength) is not { } draft || draft.Last >= limit)
            {
                continue;
            }

            LifeRendering after = LifeRendering.Of(_newModel(), plan);

            if (Label(kind, draft, after) is { } fault && !Excused.Any(rest => fault.Start <= rest.Last && fault.End >= rest.First))
            {
                _faults.Add(fault);
                (_plan, Life) = (plan, after);
                return true;
            }
        }

        return false;
    }

    /// <summary>The label, or null for a fault that does not show.</summary>
    private LifeFault? Label(LifeFaultKind kind, FaultDraft draft, LifeRendering after)
    {
        int first = -1, last = -1, seen = 0;
        double most = 0;

        for (int row = draft.First; row <= draft.Last; row++)
        {
            double sigmas = Math.Abs(after.Values[row] - Life.Values[row]) / _clean.Sigma(row);

            if (sigmas > 0.5)
            {
                (first, last) = (first < 0 ? row : first, row);
                seen++;
            }

            most = Math.Max(most, sigmas);
        }

        if (first < 0 || !Shows(kind, draft, after, most, seen))
        {
            return null;
        }

        (first, last) = draft.Exact ? (draft.First, draft.Last) : (first, last);
        last = kind switch
        {
            Phase => Math.Min(_model.Rows - 1, first + (int)(2 * _model.Period)),
            Permanent => Math.Min(_model.Rows - 1, first + 300),
            _ => last,
        };
        int within = kind switch
        {
            Spike or Dip or RepeatedSpike or GrowingSpikes or ShrinkingSpikes => 10,
            Dropout => last - first + 8,
            Permanent => last - first,
            Phase => (int)_model.Period,
            Level or Stuck or NoiseBurst => last - first + 5,
            Variance or Quieter or Oscillation => last - first + 10,
            _ => last - first + 20,
        };
        return new LifeFault(first, last, within, kind, draft.Strength ?? most, 1 + _faults.Count(fault => fault.Kind == kind));
    }

    /// <summary>Whether a person would see it, knowing what the stream does by itself.</summary>
    private bool Shows(LifeFaultKind kind, FaultDraft draft, LifeRendering after, double most, int seen)
    {
        int first = draft.First, last = draft.Last, rows = last - first + 1;

        switch (kind)
        {
            case Spike or Dip or RepeatedSpike or GrowingSpikes or ShrinkingSpikes:
                return Math.Abs(CleanBehaviour.Excursion(after.Values, first)) >= 3.5 * _clean.Unit(first);
            case Dropout:
                return true;
            case Stuck:
                return most > 3 && seen > 0.3 * rows;
            case Variance or Quieter or NoiseBurst:
                double factor = CleanBehaviour.Roughness(after.Values, first, last) / Math.Max(1e-12, CleanBehaviour.Roughness(Life.Values, first, last));
                return kind == Quieter ? factor < 0.6 && factor > 0 : factor > 1.6;
            case Rate when _model.IsCounter:
                return most > 5 * Math.Sqrt(rows);
            case Permanent when CleanBehaviour.Roughness(after.Values, first, last) < 0.3 * CleanBehaviour.Roughness(Life.Values, first, last):
                return false;
            case Level or Permanent or Drift or Leak or Oscillation or Clipped or Rate or Missing or Extra:
                return most > 3.5 && seen >= Math.Min(8, 0.5 * rows);
            case Phase:
                return most > 4 && seen > 0.05 * rows;
            default:
                return most > 4 && seen >= 2;
        }
    }
}
