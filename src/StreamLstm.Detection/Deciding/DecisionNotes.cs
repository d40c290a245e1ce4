using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using StreamLstm.Detection.Judging;

namespace StreamLstm.Detection.Deciding;

/// <summary>What was decided, for who asks why: as many of a stream's last decisions as its form has room for.</summary>
/// <remarks>A stream of the smallest form holds those alone that had the evidence of an alert; its last one is made again of what was said last.</remarks>
/// <param name="decisions">Last decisions that can be explained; 0 in the smallest form.</param>
internal struct DecisionNotes(int decisions)
{
    /// <summary>Rows with the evidence of an alert that a stream holds of which no others can be explained but the last.</summary>
    private const int AlertsHeld = 4;

    private int _held = decisions;
    private DecisionLog? _log;

    /// <summary>Whether others are held than those that had the evidence of an alert.</summary>
    public readonly bool HoldsOrdinary => _held > 0;

    /// <summary>What is held; null while nothing is.</summary>
    public readonly HeldDecisions? Held => _log?.Held;

    /// <summary>So many of the last decisions can be explained from now on.</summary>
    public void Resize(int decisions)
    {
        _held = decisions;
        _log?.Resize(decisions);
    }

    /// <summary>Notes what was decided on a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="said">What its judge said.</param>
    /// <param name="indicators">The most indicators the judge goes by.</param>
    /// <param name="warmUpRows">Rows before it that the judge has seen.</param>
    /// <param name="standing">How it stood beside that.</param>
    public void Add(in RowOf row, Judgement said, int indicators, long warmUpRows, in Standing standing)
    {
        if (!said.IsJudged && said.Columns is not null)
        {
            return;   // A record that is not judged says nothing of its columns yet.
        }

        if (_held == 0 && !((float)(said.IsJudged ? said.Evidence : double.NaN) >= (float)standing.Threshold))
        {
            return;
        }

        int count = said.Shares.Length > 0 ? indicators : said.Count;
        Span<double> scores = stackalloc double[count + said.Shares.Length];
        scores.Fill(Judgement.Unknown);
        said.Scores.CopyTo(scores);
        said.Shares.CopyTo(scores[count..]);
        (_log ??= new DecisionLog(_held > 0 ? _held : AlertsHeld)).Add(Decision.Of(row, said, warmUpRows, standing), scores);
    }

    /// <summary>The decision in force at a time; the last one for null.</summary>
    /// <param name="at">The time asked for.</param>
    /// <param name="toleranceSeconds">How far from it a decision may be that is held apart from the last ones.</param>
    /// <param name="last">Time of the last row decided on.</param>
    /// <param name="present">That decision, made again.</param>
    /// <param name="said">What the indicators said of it, in decades.</param>
    /// <param name="decision">What was found.</param>
    /// <param name="scores">What the indicators said of it, in decades.</param>
    /// <param name="missing">Why there is none, for people.</param>
    public bool TryFind(
        DateTimeOffset? at,
        double toleranceSeconds,
        DateTimeOffset last,
        in Decision present,
        ReadOnlySpan<double> said,
        out Decision decision,
        out ReadOnlySpan<Half> scores,
        [NotNullWhen(false)] out string? missing)
    {
        if (_held > 0)
        {
            return (_log ??= new DecisionLog(_held)).TryFind(at, toleranceSeconds, out decision, out scores, out missing);
        }

        missing = null;
        decision = default;
        scores = default;
        DateTimeOffset asked = at ?? last;
        bool isHeld = _log is not null && _log.TryFind(asked.AddSeconds(at is null ? 0 : toleranceSeconds), 0, out decision, out scores, out _)
            && Math.Abs(decision.Ticks - asked.UtcTicks) <= (at is null ? 0 : toleranceSeconds * TimeSpan.TicksPerSecond);

        if (isHeld)
        {
            return true;
        }

        if (asked < last)
        {
            missing = string.Create(
                CultureInfo.InvariantCulture,
                $"no decision of {asked.ToUniversalTime():O} is held: a stream of form shared holds its last one, of {last:O}, and the last {AlertsHeld} that had the evidence of an alert");
            return false;
        }

        decision = present;
        scores = said.ToArray().Select(score => (Half)score).ToArray();
        return true;
    }
}
